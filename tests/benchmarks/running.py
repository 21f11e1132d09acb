"""Running gitmem as a process, with the time it took and the memory that it and its children held."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SAMPLED_EVERY_S = 0.02


@dataclass(frozen=True)
class Run:
    """What a process came to: seconds of wall time, CPU seconds with children, peak bytes of the tree.

    `own_bytes` are its peak without pages of files, which the system may take back at any time.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    own_bytes: int
    stdout: str


def gitmem(*args: str | Path, cwd: Path, environ: Mapping[str, str] | None = None) -> Run:
    """Run the command line, and fail with what it said if it fails."""
    return measured([sys.executable, "-E", "-P", "-m", "gitmem", *map(str, args)], cwd, environ)


def measured(command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> Run:
    """Run a command, and fail with what it said if it fails; `environ` is None for our own."""
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = _Peak(process.pid)
    stdout, stderr = process.communicate()
    wall_s = time.perf_counter() - started
    after = os.times()
    held = peak.stop()
    if process.returncode:
        raise RuntimeError(f"{shlex.join(command)}: exit {process.returncode}\n{stderr}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall_s, cpu_s, held.shared, held.own, stdout)


class _Held(NamedTuple):
    """Bytes: PSS where the kernel tells, else RSS; and what is no page of a file."""

    shared: int
    own: int


class _Peak:
    """Samples the memory that a process and all below it hold and share with nobody else (PSS, else RSS)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._stopped = pid, _Held(0, 0), threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def stop(self) -> _Held:
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLED_EVERY_S):
            held = [_memory(pid) for pid in _tree(self._pid)]
            self._peak = _Held(
                *(max(was, sum(now)) for was, now in zip(self._peak, zip(*held, strict=True), strict=True))
            )


def _tree(pid: int) -> list[int]:
    found = [pid]
    for at in found:
        try:
            children = Path(f"/proc/{at}/task/{at}/children").read_text().split()
        except OSError:
            continue  # it has ended
        found += [int(child) for child in children]
    return found


def _memory(pid: int) -> _Held:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (x.partition(":") for x in lines[1:])}
        return _Held(sizes["Pss"], sizes["Anonymous"])
    except (OSError, KeyError):
        pass  # it has ended, or this kernel does not tell; the next line asks for less
    try:
        size, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
    except (OSError, ValueError):
        return _Held(0, 0)
    return _Held(size * _PAGE_BYTES, (size - shared) * _PAGE_BYTES)
