"""A search as a whole process, with a sidecar and without, and what a sidecar costs that nobody asks."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitmem.sidecar import known, starting
from gitmem.sidecar.folders import SOCKET_NAME, meeting_folder, state_folder
from gitmem.sidecar.wire import Place
from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_RUNS = 15
_REPOSITORIES = 20
_IDLE_S = 20.0
_QUERIES = (
    "connection refused after timeout",
    "test",
    "where is the parser of the configuration",
    "fix path",
)


def run(folder: Path) -> Iterator[Row]:
    """Search in a memory of moderate size, then leave the sidecar alone."""
    transcripts, _ = material.corpus(folder)
    repository = material.make_repository(folder / "repository")
    gitmem("init", "--no-import", cwd=repository)
    gitmem("import", transcripts, cwd=repository)
    gitmem("index", "update", cwd=repository)
    (folder / "run").mkdir(mode=0o700)
    apart = {
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_STATE_HOME": str(folder / "state"),
        "GITMEM_SIDECAR_IDLE": "10",
    }
    environ = {**os.environ, **apart}
    bare = _median(["-c", "pass"], repository, environ)
    without = _search(repository, {**environ, "GITMEM_SIDECAR": "false"})
    _know_many(folder, environ)
    process = subprocess.Popen(starting.command("serve", "10", "0"), env=environ)
    try:
        socket = meeting_folder(environ, os.geteuid()) / SOCKET_NAME
        while not socket.exists():
            time.sleep(0.05)
        _search(repository, environ)  # whatever it loads the first time
        with_it = _search(repository, environ)
        baseline = f"python alone: {bare:.1f} ms"
        yield Row(
            "gitmem search by words, whole process, with the sidecar", with_it, "ms", 60, False, baseline
        )
        yield Row("  without it", without, "ms", 150, False, baseline)
        if Path("/proc").is_dir():
            time.sleep(5)  # until it has looked at all that it knows
            before = _cpu_s(process.pid)
            time.sleep(_IDLE_S)
            share = 100 * (_cpu_s(process.pid) - before) / _IDLE_S
            yield Row(f"the sidecar idle, {_REPOSITORIES} repositories known", share, "% of a core", 1)
            yield Row("  its memory", _resident_bytes(process.pid) / 1e6, "MB", 250)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _search(repository: Path, environ: Mapping[str, str]) -> float:
    times = [
        _median(["-E", "-P", "-m", "gitmem", "search", "--mode", "lexical", query], repository, environ)
        for query in _QUERIES
    ]
    return statistics.median(times)


def _median(arguments: list[str], cwd: Path, environ: Mapping[str, str]) -> float:
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], cwd=cwd, env=environ, stdout=subprocess.DEVNULL, check=False
        )
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def _know_many(folder: Path, environ: Mapping[str, str]) -> None:
    """Make repositories with a small memory each, that the sidecar knows: it has something to watch."""
    material.write_session(folder / "one" / "one.jsonl", material.session_name(99), 20_000, material.SEED)
    one = material.make_repository(folder / "few")
    gitmem("init", "--no-import", cwd=one)
    gitmem("import", folder / "one", cwd=one)
    for n in range(_REPOSITORIES - 1):
        clone = folder / f"clone{n}"
        material.git("clone", "-q", "--bare", str(one), str(clone), cwd=folder)
        gitmem("index", "update", cwd=clone)
        place = Place(str(clone), str(clone), "refs/heads/gitmem", clone.name, "team")
        known.remember(state_folder(environ), place)


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process and its children that have ended took."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
