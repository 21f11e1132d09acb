"""A spool as a drain finds it: repositories that take part, the events that were left, and shells to leave them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

SHELLS = [
    command
    for command in (
        ("sh",),
        ("dash",),
        ("busybox", "sh"),
        ("bash",),
        ("bash", "--posix"),
        ("zsh", "--emulate", "sh"),
        ("mksh",),
        ("ksh",),
    )
    if shutil.which(command[0])
]


class Event(NamedTuple):
    """An event: its keys with their values in order, and what came on standard input."""

    name: str
    keys: dict[str, list[str]]
    body: bytes

    @property
    def hook(self) -> str:
        (hook,) = self.keys["hook"]
        return hook

    def one(self, key: str) -> str | None:
        values = self.keys.get(key, [])
        assert len(values) <= 1, f"{key}: {values}"
        return values[0] if values else None


def path_without_gitmem() -> str:
    """Return the PATH of somebody who has no gitmem, though the tests' own environment may have it there."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(
        folder
        for folder in folders
        if not any(Path(folder, name).exists() for name in ("gitmem", "gitmem-hook"))
    )


def take_part(common: Path) -> Path:
    """Make a repository take part, in which no drain is started, for this process says that it drains."""
    spool = common / "gitmem" / "spool"
    spool.mkdir(parents=True, mode=0o700, exist_ok=True)
    hold(common)
    return spool


def hold(common: Path) -> None:
    """Have stubs believe that this process drains, so that no test leaves one."""
    name = Path("/proc/self/comm").read_text().strip() if Path("/proc/self/comm").exists() else ""
    (common / "gitmem" / "spool" / "drainer").write_text(f"{os.getpid()} {name}\n")


def events(common: Path) -> list[Event]:
    """Read the events of a repository, in order, and expect nothing half-written beside them."""
    spool = common / "gitmem" / "spool"
    assert not list(spool.glob("*.tmp"))
    paths = sorted(spool.glob("*.event"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [parse(path) for path in paths]


def parse(path: Path) -> Event:
    head, blank, body = path.read_bytes().partition(b"\n\n")
    assert blank, path.read_bytes()
    first, *lines = os.fsdecode(head).split("\n")
    assert first == "gitmem-event 1"
    keys: dict[str, list[str]] = {}
    for line in lines:
        key, space, value = line.partition(" ")
        assert space, line
        keys.setdefault(key, []).append(value)
    for key in ("hook", "pid", "cwd", "git_dir"):
        assert len(keys[key]) == 1, (key, keys)
    return Event(path.name, keys, body)
