"""Running gitmem as a process, with the time it took and the memory that it and its children held."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SAMPLED_EVERY_S = 0.02


@dataclass(frozen=True)
class Run:
    """What a process came to: seconds of wall time, CPU seconds with children, peak bytes of the tree."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    stdout: str


def gitmem(*args: str | Path, cwd: Path) -> Run:
    """Run the command line, and fail with what it said if it fails."""
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-E", "-P", "-m", "gitmem", *map(str, args)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = _Peak(process.pid)
    stdout, stderr = process.communicate()
    wall_s = time.perf_counter() - started
    after = os.times()
    peak_bytes = peak.stop()
    if process.returncode:
        raise RuntimeError(f"gitmem {args}: exit {process.returncode}\n{stderr}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall_s, cpu_s, peak_bytes, stdout)


class _Peak:
    """Samples the memory that a process and all below it hold and share with nobody else (PSS, else RSS)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._stopped = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def stop(self) -> int:
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLED_EVERY_S):
            self._peak = max(self._peak, sum(_memory(pid) for pid in _tree(self._pid)))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for at in found:
        try:
            children = Path(f"/proc/{at}/task/{at}/children").read_text().split()
        except OSError:
            continue  # it has ended
        found += [int(child) for child in children]
    return found


def _memory(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended, or this kernel does not tell; the next line asks for less
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
