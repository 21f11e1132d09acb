"""The sidecar that a search has started: its process, what it takes while nobody asks, and its end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE_S: Final = 10.0
_STILL_S: Final = 15.0
_SETTLED_S: Final = 0.5


class Idle(NamedTuple):
    """Per cent of a core, and bytes that the process holds (PSS)."""

    cpu_percent: float
    held_bytes: int


def wait_until_started() -> int | None:
    """Return the process of the sidecar whose socket is in our XDG_RUNTIME_DIR; None if none has started.

    Of several that were started at once all but one end by themselves.
    """
    deadline = time.monotonic() + _PATIENCE_S
    before: set[int] = set()
    while time.monotonic() < deadline:
        found = _ours()
        if len(found) == 1 and found == before:
            return found.pop()
        before = found
        time.sleep(_SETTLED_S)
    return None


def idle(pid: int) -> Idle:
    """Watch a sidecar that nobody asks anything."""
    time.sleep(_STILL_S / 3)
    before, begun = _ticks(pid), time.monotonic()
    time.sleep(_STILL_S)
    took = (_ticks(pid) - before) / _TICK / (time.monotonic() - begun)
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [held] = [int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")]
    return Idle(100 * took, held)


def end() -> None:
    """End whatever sidecars of ours there are, and wait until they have ended."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := _ours()) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.1)


def _ours() -> set[int]:
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _is_ours(entry)}


def _is_ours(entry: Path) -> bool:
    try:
        arguments = (entry / "cmdline").read_bytes().split(b"\0")
        surroundings = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False  # another user's, or it has ended
    here = f"XDG_RUNTIME_DIR={os.environ['XDG_RUNTIME_DIR']}".encode()
    return b"serve" in arguments and here in surroundings


def _ticks(pid: int) -> int:
    """Return the CPU that a process has taken, in ticks of the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
