"""The digest at a session's start, and recall, as whole processes at 10,000 sessions."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from gitmem.sidecar import starting
from gitmem.sidecar.folders import SOCKET_NAME, meeting_folder
from tests.benchmarks import captures, material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_SESSIONS = 10_000
_LINES = 12
_RUNS = 9
_DIGEST = ("digest",)
_RECALL = ("recall", "--mode", "lexical", "where is the parser of the configuration")


def run(folder: Path) -> Iterator[Row]:
    """Time both in a repository with changes in its working tree, against a Python that does nothing."""
    repository = material.make_repository(folder / "repository")
    (repository / "changed.py").write_text("one\n")
    material.git("add", ".", cwd=repository)
    material.git("commit", "-q", "-m", "begin", cwd=repository)
    (repository / "changed.py").write_text("two\n")
    material.git("config", "gitmem.trust", "*", cwd=repository)
    gitmem("init", "--no-import", "--no-hooks", "--agents", "none", cwd=repository)
    with closing(captures._open(repository)) as storage:
        captures.fill(storage, _SESSIONS, _LINES)
    (folder / "run").mkdir(mode=0o700)
    apart = {"XDG_RUNTIME_DIR": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state")}
    environ = {**os.environ, **apart, "GITMEM_SIDECAR_IDLE": "10"}
    alone = {**environ, "GITMEM_SIDECAR": "false"}
    gitmem("index", "update", cwd=repository, environ=alone)
    beside = f"python alone: {_median(('-c', 'pass'), repository, environ):.0f} ms, {_SESSIONS:,} sessions"
    yield Row(
        "gitmem digest, whole process, without a sidecar", *_timed(_DIGEST, repository, alone, 700), beside
    )
    yield Row("gitmem recall by words, without a sidecar", *_timed(_RECALL, repository, alone, None), beside)
    process = subprocess.Popen(starting.command("serve", "10", "0"), env=environ)
    try:
        socket = meeting_folder(environ, os.geteuid()) / SOCKET_NAME
        while not socket.exists():
            time.sleep(0.05)
        _timed(_DIGEST, repository, environ, None)  # whatever it loads the first time
        yield Row("gitmem digest, with the sidecar", *_timed(_DIGEST, repository, environ, 250), beside)
        yield Row(
            "gitmem recall by words, with the sidecar", *_timed(_RECALL, repository, environ, None), beside
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _timed(
    arguments: tuple[str, ...], cwd: Path, environ: Mapping[str, str], budget: float | None
) -> tuple[float, str, float | None, bool]:
    said = gitmem(*arguments, cwd=cwd, environ=environ).stdout
    assert "gitmem-history" in said, "it had something to say"
    return _median(("-E", "-P", "-m", "gitmem", *arguments), cwd, environ), "ms", budget, False


def _median(arguments: tuple[str, ...], cwd: Path, environ: Mapping[str, str]) -> float:
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], cwd=cwd, env=environ, stdout=subprocess.DEVNULL, check=False
        )
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)
