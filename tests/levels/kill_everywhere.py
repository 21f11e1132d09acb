"""Kill a change of level before every effect that it has on the disk; run as a process of its own.

    python -m tests.levels.kill_everywhere FOLDER [STEP]

With STEP only before each move of a ref and before every STEPth of the other effects. The process forks for each point and kills the child there: in a capture of a session that has just been marked
private, and in `gitmem level` to each level. Then nothing private is in any object or file, what is public
holds no address, nothing is lost, and the same done again completes. Prints the points.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gitmem import disk
from gitmem.cli.context import Context
from gitmem.cli.main import run as run_gitmem
from tests.killing import wait_for_no_disk
from tests.levels.test_canaries import files_with, objects

CANARY = "canary-of-the-killed-8841"
EMAIL = "grace" + "@" + "sluice-works.org"


class Work(NamedTuple):
    """What is killed, the levels that the session may have afterwards (None: none), and the one in the end."""

    name: str
    args: tuple[str, ...]
    possible: frozenset[str | None]
    wanted: str | None


def main(folder: Path, step: int = 1) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    home = folder / "home"
    home.mkdir(parents=True)
    os.environ |= {"HOME": str(home), "XDG_DATA_HOME": "", "XDG_CACHE_HOME": str(folder / "cache")}
    path = folder / "transcripts" / "a.jsonl"
    path.parent.mkdir()
    here, template, sealed = folder / "here", folder / "template", folder / "sealed"
    start(here)
    write(path, ["mend it", f"write to {EMAIL}"])
    assert run(here, "import", str(path)) == 0
    shutil.copytree(here, template, symlinks=True)
    write(path, ["mend it", f"write to {EMAIL}", f"gitmem:private {CANARY}"])
    assert run(here, "import", str(path)) == 0
    shutil.copytree(here, sealed, symlinks=True)
    take = ("import", str(path))
    raised = ("level", "generic/a", "team", "--yes")
    works = (
        (template, Work("a marker", take, frozenset(("team", "private")), "private")),
        (template, level_of("private", ("team", "private"))),
        (template, level_of("ephemeral", ("team", None))),
        (template, level_of("public", ("team", "public"))),
        (sealed, Work("raised", raised, frozenset(("private", "team")), "team")),
    )
    told = [kill_in(here, work, before, step) for before, work in works]
    print(f"killed before each of {sum(told)} effects; every time the work then completed")


def level_of(level: str, possible: tuple[str | None, ...]) -> Work:
    wanted = None if level == "ephemeral" else level
    return Work(level, ("level", "generic/a", level, "--yes"), frozenset(possible), wanted)


def kill_in(here: Path, work: Work, template: Path, step: int) -> int:
    """Kill some work before each of its effects; return how many there are."""
    effects: list[tuple[disk.Effect, str]] = []
    prepare(here, template)
    assert run(here, *work.args) == 0, work.name  # what is derived and kept elsewhere is made once
    prepare(here, template)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        assert run(here, *work.args) == 0, work.name
    points = [n for n, effect in enumerate(effects) if effect[0] == "move ref" or n % step == 0]
    for point in points:
        effect = effects[point]
        where = f"{work.name}: point {point} {effect}"
        prepare(here, template)
        status = in_child(here, work, point)
        assert os.WIFSIGNALED(status), f"{where}: {status}"
        check(here, work, where)
        assert levels(here) <= work.possible, f"{where}: {levels(here)}"
        assert levels(here), where
        # What is left over can only be what the session could be seen at before.
        assert run(here, *work.args) in (0, 2), where
        check(here, work, where)
        assert levels(here) == {work.wanted}, f"{where}: {levels(here)}"
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(e for e, _ in effects).items()))
    print(f"{work.name}: {kinds}", file=sys.stderr)
    assert len(effects) > 5, work.name
    return len(points)


def check(here: Path, work: Work, where: str) -> None:
    """See that nothing is readable where it must not be."""
    if work.name != "raised":
        assert CANARY.encode() not in b"\0".join(objects(here)), where
    assert not files_with(CANARY.encode(), here), where
    if "public" in work.possible:
        listed = git(
            here, "rev-list", "--objects", "--no-object-names", "--ignore-missing", "refs/gitmem/public"
        )
        for oid in listed.split():
            kind = git(here, "cat-file", "-t", oid).strip()
            content = subprocess.run(
                ["git", "cat-file", kind, oid], cwd=here, capture_output=True, check=True
            )
            assert EMAIL.encode() not in plain(content.stdout), f"{where}: {oid}"


def plain(data: bytes) -> bytes:
    import zstandard

    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def git(here: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=here, capture_output=True, text=True, check=False)
    return done.stdout


def levels(here: Path) -> set[str | None]:
    """Return the levels that the session can be seen at; None where it cannot be."""
    out = io.BytesIO()
    assert run(here, "sessions", "--json", out=out) in (0, 1)  # 1: none is to be seen
    shown: list[dict[str, Any]] = json.loads(out.getvalue())["sessions"]
    return {row["level"] for row in shown} or {None}


def run(here: Path, *args: str, out: io.BytesIO | None = None) -> int:
    """Run a command in this process."""
    old = Path.cwd()
    os.chdir(here)
    try:
        return command(args, out or io.BytesIO())
    finally:
        os.chdir(old)


def command(args: Sequence[str], out: io.BytesIO) -> int:
    context = Context(
        environ=dict(os.environ),
        stdin=io.BytesIO(),
        stdout=out,
        stderr=sys.stderr.buffer,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    return run_gitmem(args, context)


def start(here: Path) -> None:
    """Make a repository that remembers."""
    here.mkdir()
    for args in (("init", "-q"), ("config", "user.name", "Ada"), ("config", "user.email", "ada@example.org")):
        subprocess.run(["git", *args], cwd=here, check=True)
    assert run(here, "init", "--no-hooks", "--no-import") == 0


def write(path: Path, said: list[str]) -> None:
    """Write a transcript of the session `a` in the neutral form."""
    rows: list[dict[str, Any]] = [{"session": {"id": "a", "started_at": "2026-05-08T13:56:00Z"}}]
    for n, text in enumerate(said):
        row = {"id": f"a-{n}", "role": "assistant" if n == 1 else "user", "text": text}
        rows.append({**row, "at": "2026-05-08T13:56:00Z"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def prepare(here: Path, template: Path) -> None:
    """Begin with the template."""
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(template, here, symlinks=True)


def in_child(here: Path, work: Work, point: int) -> int:
    """Do the work in a forked process that dies before the effect of that number; return how that ended."""
    pid = os.fork()
    if pid == 0:
        try:
            killed_at(here, work, point)
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def killed_at(here: Path, work: Work, point: int) -> None:
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        run(here, *work.args)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
