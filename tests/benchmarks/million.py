"""A million turns: building their index, searching it as a process and within one, and what is new in it.

The index belongs to a real repository: that one's memory is small, and the million is added to its index's files.
GITMEM_BENCH_TURNS makes it another number than a million; what a build may take then goes with it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks import material, million_peers, million_turns
from tests.benchmarks.million_queries import queries
from tests.benchmarks.million_turns import RealSession
from tests.benchmarks.running import gitmem, measured
from tests.benchmarks.table import Row

TURNS = int(os.environ.get("GITMEM_BENCH_TURNS", "1_000_000"))
FROM_THE_STORE = TURNS // 10
_QUERIES = 60
_NEW_TURNS = 100
_LONGEST_S = 60.0
_CHECKOUT = Path(__file__).resolve().parents[2]
_START = """\
import runpy, sys
sys.path.append(sys.argv[1])
sys.argv[:] = sys.argv[1:]
runpy.run_module("tests.benchmarks.million_planting", run_name="__main__", alter_sys=True)
"""


def run(folder: Path) -> Iterator[Row]:
    """Build, search, add; the rows say what of it could not be measured here."""
    with confined(folder):
        real, name = _real(folder)
        ready = folder / "entries"
        tally = million_turns.write(real, TURNS, ready)
        _say(
            f"{tally.turns:,} turns of {name} ({tally.real:,} as they are, the others of their pieces) in "
            f"{tally.sessions:,} sessions, {tally.characters / 1e6:,.0f} million characters, "
            f"{tally.messages:,} messages; {dict(tally.kinds)}"
        )
        repository = _repository(folder / "million", real)
        yield from _build(repository, ready)
        asked = queries(real, 3 * _QUERIES)
        peers = million_peers.build(ready, folder)
        ready.unlink()
        yield from _search(repository, peers, asked[:_QUERIES])
        yield from _new_turns(repository, folder)
        shutil.rmtree(repository)
        peers.database.unlink()
        shutil.rmtree(peers.texts)
        yield from _from_the_store(folder, real)


@contextmanager
def confined(folder: Path) -> Iterator[None]:
    """Keep what gitmem starts, and what it keeps for its user, within a folder; no sidecar unless asked for."""
    before = dict(os.environ)
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        own = folder / name.split("_")[1].lower()
        own.mkdir(mode=0o700)
        os.environ[name] = str(own)
    os.environ["GITMEM_SIDECAR"] = "false"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _real(folder: Path) -> tuple[list[RealSession], str]:
    """Read the real sessions that the million is made of, by way of a memory."""
    transcripts, name = material.corpus(folder)
    given = os.environ.get("GITMEM_CORPUS")
    sources = [transcripts]
    if given:
        found = sorted(path for path in Path(given).rglob("sessions") if path.is_dir())
        sources += [path for path in found if transcripts not in path.parents]
    repository = material.make_repository(folder / "real")
    gitmem("init", "--no-import", cwd=repository)
    for source in sources:
        gitmem("import", source, cwd=repository)
    real = million_turns.read_sessions(repository)
    shutil.rmtree(repository)
    return real, name


def _repository(path: Path, real: Sequence[RealSession]) -> Path:
    """Make a repository with a memory of one session, and its index."""
    repository = material.make_repository(path)
    gitmem("init", "--no-import", cwd=repository)
    smallest = min(real, key=lambda session: abs(len(session.turns) - 20))
    transcript = path.parent / "small.jsonl"
    transcript.write_bytes(million_turns.as_neutral_form(smallest))
    gitmem("import", "--agent", "generic", transcript, cwd=repository)
    gitmem("index", "update", cwd=repository)
    return repository


def _build(repository: Path, ready: Path) -> Iterator[Row]:
    done = measured(
        [sys.executable, "-P", "-c", _START, str(_CHECKOUT), str(repository), str(ready)], repository
    )
    took = json.loads(done.stdout)
    wall = f"{took['wall_s']:.0f} s of wall time"
    yield Row("lexical build of ready documents", took["cpu_s"], "CPU-s", 110 * TURNS / 1e6, False, wall)
    own = f"of it not mapped files: {done.own_bytes / 1e6:.0f} MB"
    yield Row("  memory held at most", done.peak_bytes / 1e6, "MB", 600, False, own)
    yield Row("  on the disk", took["size_bytes"] / 1e6, "MB")


def _search(repository: Path, peers: million_peers.Peers, asked: Sequence[str]) -> Iterator[Row]:
    status = json.loads(gitmem("index", "status", "--json", cwd=repository).stdout)
    assert status["state"] == "current", status
    assert status["turns"] >= TURNS, status
    within = _within(repository, asked, "lexical")
    fts5 = list(million_peers.fts5_ms(peers, asked))
    ripgrep = list(million_peers.ripgrep_ms(peers, asked[: _QUERIES // 4]))
    beside = f"ripgrep, whole: {_both(ripgrep)}" if ripgrep else "ripgrep is not installed here"
    yield from _whole(
        "search without a sidecar, lexical, whole process", repository, asked, "lexical", 150, beside
    )
    yield Row("  within the process", statistics.median(within), "ms", None, False, _both(within))
    ratio = statistics.median(within) / statistics.median(fts5)
    built = f"FTS5, porter: {_both(fts5)}; built in {peers.cpu_s:.0f} CPU-s, {_size(peers.database)}"
    yield Row("  over FTS5", ratio, "times", 1 / 20, False, built)


def _whole(
    what: str, repository: Path, asked: Sequence[str], mode: str, budget: float, beside: str = ""
) -> Iterator[Row]:
    """Run a process for each query."""
    times, found = [], 0
    for query in asked:
        begun = time.perf_counter()
        answer = _search_json(repository, query, mode)
        times.append(1e3 * (time.perf_counter() - begun))
        found += bool(answer["hits"])
    assert found > len(asked) * 0.9, f"{found} of {len(asked)} queries found something"
    yield Row(what, statistics.median(times), "ms", budget, False, beside)
    yield Row("  95th of 100", _p95(times), "ms")


def _within(repository: Path, asked: Sequence[str], mode: str) -> list[float]:
    """Return what one process that answers all of them says that each took."""
    batch = repository.parent / "asked.txt"
    batch.write_text("".join(f"{query}\n" for query in asked))
    done = gitmem("search", "--batch", batch, "--json-lines", "--mode", mode, cwd=repository)
    return [json.loads(line)["took_ms"] for line in done.stdout.splitlines()]


def _new_turns(repository: Path, folder: Path) -> Iterator[Row]:
    """Import a hundred turns, and see how long it takes until they are found."""
    times = []
    for nth in range(5):
        word = f"quokka{nth}sighting"
        lines: list[dict[str, object]] = [{"session": {"id": f"new-{nth}"}}]
        lines += [{"role": "user", "text": f"{word} {n} near the harbour"} for n in range(_NEW_TURNS)]
        transcript = folder / f"new-{nth}.jsonl"
        transcript.write_text("".join(json.dumps(line) + "\n" for line in lines))
        gitmem("import", transcript, cwd=repository)
        begun = time.perf_counter()
        answer = _search_json(repository, word, "lexical")
        while not answer["hits"]:
            assert time.perf_counter() - begun < _LONGEST_S, f"{word} is not found: {answer['indexed']}"
            answer = _search_json(repository, word, "lexical")
        times.append(1e3 * (time.perf_counter() - begun))
    median = statistics.median(times)
    yield Row("100 new turns, from their commit to being found", median, "ms", 300, False, "whole processes")


def _from_the_store(folder: Path, real: Sequence[RealSession]) -> Iterator[Row]:
    """Import a tenth of it into a memory, and index that."""
    repository = material.make_repository(folder / "store")
    gitmem("init", "--no-import", cwd=repository)
    transcripts = folder / "transcripts"
    transcripts.mkdir()
    for nth, session in enumerate(million_turns.sessions(real, FROM_THE_STORE)):
        (transcripts / f"{nth}.jsonl").write_bytes(million_turns.as_neutral_form(session))
    gitmem("import", "--agent", "generic", transcripts, cwd=repository)
    done = gitmem("index", "update", cwd=repository)
    turns = json.loads(gitmem("index", "status", "--json", cwd=repository).stdout)["turns"]
    million = f"a million would take {done.cpu_s * 1e6 / turns:.0f} CPU-s"
    yield Row(
        f"lexical build of {turns:,} turns from the store",
        turns / done.cpu_s,
        "turns per CPU-s",
        None,
        True,
        million,
    )
    yield Row("  memory held at most", done.peak_bytes / 1e6, "MB", 600)


def _search_json(repository: Path, query: str, mode: str) -> Mapping[str, Any]:
    command = [sys.executable, "-E", "-P", "-m", "gitmem", "search", "--json", "--mode", mode, "--", query]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"gitmem search {query!r}: exit {done.returncode}\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _both(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.1f} ms, 95th {_p95(times):.1f} ms"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)
