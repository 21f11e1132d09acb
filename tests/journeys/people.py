"""Agents at work in a real repository with real hooks, and waiting until what the hooks left is taken in."""

from __future__ import annotations

import fcntl
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DEADLINE_S = 180.0


@dataclass
class Coder:
    """A session of Claude Code that edits files of a working tree, and writes its transcript as it goes."""

    home: Path
    top: Path
    name: str
    turns: int = 0
    parent: str | None = None
    is_started: bool = field(default=False)

    @property
    def session(self) -> str:
        return f"claude-code/{self.name}"

    @property
    def transcript(self) -> Path:
        return self.home / ".claude/projects/p" / f"{self.name}.jsonl"

    def hears(self, text: str) -> None:
        """Take a prompt."""
        self._write("user", {"role": "user", "content": text})

    def says(self, text: str) -> None:
        """Answer."""
        self._write("assistant", {"role": "assistant", "content": [{"type": "text", "text": text}]})

    def writes(self, name: str, content: str) -> None:
        """Write a whole file by a tool call."""
        self._calls("Write", {"file_path": str(self.top / name), "content": content})
        (self.top / name).parent.mkdir(parents=True, exist_ok=True)
        (self.top / name).write_text(content)

    def edits(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a file by a tool call."""
        path = self.top / name
        before = path.read_text()
        assert before.count(old) == 1, old
        self._calls("Edit", {"file_path": str(path), "old_string": old, "new_string": new})
        path.write_text(before.replace(old, new))

    def _calls(self, tool: str, arguments: dict[str, Any]) -> None:
        call = {"type": "tool_use", "id": f"toolu_{self.name}_{self.turns}", "name": tool, "input": arguments}
        self._write("assistant", {"role": "assistant", "content": [call]})
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "done"}
        self._write("user", {"role": "user", "content": [result]})

    def _write(self, kind: str, message: dict[str, Any]) -> None:
        identity = f"{self.name}-{self.turns}"
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = {
            "parentUuid": self.parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": str(self.top),
            "sessionId": self.name,
            "version": "2.1.0",
            "type": kind,
            "message": message,
            "uuid": identity,
            "timestamp": at,
        }
        self.transcript.parent.mkdir(parents=True, exist_ok=True)
        with self.transcript.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        self.turns, self.parent = self.turns + 1, identity


def wait_for_drains(*common_dirs: Path) -> None:
    """Wait until no event is left and nobody drains any more, and the memory is where the code went."""
    deadline = time.monotonic() + DEADLINE_S
    while any(_waits(common_dir / "gitmem") for common_dir in common_dirs):
        if time.monotonic() > deadline:
            left = [str(path) for each in common_dirs for path in (each / "gitmem/spool").iterdir()]
            raise AssertionError(f"after {DEADLINE_S:g} s there are still {left}")
        time.sleep(0.05)


def _waits(state_dir: Path) -> bool:
    return _drains(state_dir / "spool") or _carries(state_dir)


def _carries(state_dir: Path) -> bool:
    if (state_dir / "carry").is_dir() and any((state_dir / "carry").iterdir()):
        return True
    if not (state_dir / "carry.lock").exists():
        return False
    with (state_dir / "carry.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _drains(spool: Path) -> bool:
    if not spool.is_dir():
        return False
    if any(path.suffix in (".event", ".taken", ".tmp") for path in spool.iterdir()):
        return True
    try:
        pid = (spool / "drainer").read_text().partition(" ")[0].strip()
    except FileNotFoundError:
        return False
    return Path(f"/proc/{pid}").exists()
