"""A superproject with many submodules, each with a memory: looking over it, searching all, syncing all."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitmem.sidecar import starting
from gitmem.sidecar.folders import SOCKET_NAME, meeting_folder
from tests.benchmarks import material
from tests.benchmarks.running import gitmem, measured
from tests.benchmarks.table import Row

_SUBMODULES = 100
_SESSIONS = 4
_SESSION_BYTES = 40_000
_RUNS = 7
_FILE = ("-c", "protocol.file.allow=always")


def run(folder: Path) -> Iterator[Row]:
    """Make a superproject whose submodules each remember some sessions, and ask it everything."""
    environ = _apart(folder)
    top = make_superproject(folder, _SUBMODULES)
    foreach = measured(
        ["git", *_FILE, "submodule", "--quiet", "foreach", "git fetch --quiet"], top, environ
    ).wall_s
    yield Row(
        f"gitmem sync, nothing to do, {_SUBMODULES} submodules over file://",
        _least(top, environ, "sync"),
        "s",
        6,
        False,
        f"git submodule foreach git fetch: {foreach:.2f} s",
    )
    yield Row(f"gitmem status, {_SUBMODULES} submodules", 1e3 * _least(top, environ, "status"), "ms")
    listed = gitmem("sessions", "--json", cwd=top, environ=environ)
    count = len(json.loads(listed.stdout)["sessions"])
    assert count == _SUBMODULES * _SESSIONS, count
    yield Row(f"gitmem sessions, {count} in {_SUBMODULES}", 1e3 * _least(top, environ, "sessions"), "ms")
    yield from _searches(top, environ)


def _searches(top: Path, environ: Mapping[str, str]) -> Iterator[Row]:
    gitmem("search", "harbour", cwd=top, environ={**environ, "GITMEM_SIDECAR": "false"})
    bare = _median([sys.executable, "-c", "pass"], top, environ)
    alone = {**environ, "GITMEM_SIDECAR": "false"}
    without = statistics.median(_search(top, alone, query) for query in _queries(3))
    process = subprocess.Popen(starting.command("serve", "10", "0"), env=environ)
    try:
        socket = meeting_folder(environ, os.geteuid()) / SOCKET_NAME
        while not socket.exists():
            time.sleep(0.05)
        _search(top, environ, "whatever it loads the first time")
        time.sleep(10)  # until it has looked at all that it knows
        times, inside = [], []
        for query in _queries(25):
            times.append(_search(top, environ, query))
            answer = json.loads(gitmem("search", "--json", query + " x", cwd=top, environ=environ).stdout)
            inside.append(answer["took_ms"])
        baseline = f"python alone: {bare:.0f} ms; in the sidecar: {statistics.median(inside):.0f} ms"
        yield Row(
            f"gitmem search over {_SUBMODULES} submodules, whole process, warm",
            statistics.median(times),
            "ms",
            150,
            False,
            baseline,
        )
        if Path("/proc").is_dir():
            resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            yield Row("  memory of the sidecar", resident * os.sysconf("SC_PAGE_SIZE") / 1e6, "MB", 600)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    yield Row("  without the sidecar", without, "ms")


def make_superproject(folder: Path, count: int) -> Path:
    """Return a superproject with submodules that remember sessions and have shared them with their remotes."""
    made = folder / "made"
    top = material.make_repository(folder / "top")
    listed: list[str] = []
    for n in range(count):
        name = f"part{n:03}"
        for k in range(_SESSIONS):
            native = material.session_name(1000 * n + k)
            material.write_session(made / name / f"{native}.jsonl", native, _SESSION_BYTES, 1000 * n + k)
        hub = folder / "hubs" / f"{name}.git"
        material.make_repository(folder / "seed" / name)
        material.git("clone", "-q", "--bare", str(folder / "seed" / name), str(hub), cwd=folder)
        material.git(*_FILE, "submodule", "--quiet", "add", f"file://{hub}", f"parts/{name}", cwd=top)
        listed.append(name)
    material.git("commit", "-q", "-m", "have parts", cwd=top)
    gitmem("init", "--no-import", "--no-hooks", cwd=top)
    for name in listed:
        part = top / "parts" / name
        gitmem("import", made / name, cwd=part)
        material.git("config", "remote.origin.gitmem", "team", cwd=part)
    gitmem("sync", cwd=top)
    return top


def _apart(folder: Path) -> dict[str, str]:
    (folder / "run").mkdir(mode=0o700)
    return {
        **os.environ,
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_STATE_HOME": str(folder / "state"),
        "GITMEM_SIDECAR_IDLE": "10",
    }


def _queries(count: int) -> list[str]:
    """Return queries that nobody asked before: an answer that is known costs nothing."""
    words = random.Random(material.SEED)
    return [" ".join(words.sample(material.WORDS, 3)) for _ in range(count)]


def _search(top: Path, environ: Mapping[str, str], query: str) -> float:
    return 1e3 * gitmem("search", "--mode", "lexical", query, cwd=top, environ=environ).wall_s


def _least(top: Path, environ: Mapping[str, str], *command: str) -> float:
    return min(gitmem(*command, cwd=top, environ=environ).wall_s for _ in range(_RUNS))


def _median(command: list[str], cwd: Path, environ: Mapping[str, str]) -> float:
    return 1e3 * statistics.median(measured(command, cwd, environ).wall_s for _ in range(_RUNS))
