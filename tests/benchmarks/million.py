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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import material, million_peers, million_sidecar, million_turns
from tests.benchmarks.million_peers import Peers
from tests.benchmarks.million_queries import queries
from tests.benchmarks.million_turns import RealSession
from tests.benchmarks.running import Run, gitmem, measured
from tests.benchmarks.table import Row
from tests.recall.embedding import NoModel, opened

TURNS = int(os.environ.get("GITMEM_BENCH_TURNS", "1_000_000"))
FROM_THE_STORE = TURNS // 10
_QUERIES = 40
_NEW_TURNS = 100
_LONGEST_S = 60.0
_CHECKOUT = Path(__file__).resolve().parents[2]
_START = """\
import runpy, sys
sys.path.append(sys.argv.pop(1))
runpy.run_module(f"tests.benchmarks.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
"""


class Answered(NamedTuple):
    """A query's milliseconds: of the whole process, and within whatever answered."""

    whole_ms: float
    took_ms: float
    has_hits: bool


def run(folder: Path) -> Iterator[Row]:
    """Build, search, add; what could not be measured here is said, and has no row."""
    with confined(folder):
        model_dir = _model(folder)
        real, name = _real(folder)
        ready = folder / "entries"
        tally = million_turns.write(real, TURNS, ready)
        _say(
            f"{tally.turns:,} turns of {name} ({tally.real:,} as they are, the others of their pieces) in "
            f"{tally.sessions:,} sessions, {tally.characters / 1e6:,.0f} million characters, "
            f"{tally.meant:,} with vectors; {dict(tally.kinds)}"
        )
        repository = _repository(folder / "million", real)
        yield from _build(repository, ready)
        peers = million_peers.build(ready, folder)
        every = iter(queries(real, 4 * _QUERIES))
        yield from _search(repository, peers, list(islice(every, _QUERIES)))
        yield from _new_turns(repository, folder, "0")
        with sidecar(repository) as pid:
            if pid:
                yield from _search_sidecar(repository, peers, list(islice(every, _QUERIES)), "lexical")
                yield from _new_turns(repository, folder, "1")
        if model_dir:
            os.environ["GITMEM_MODEL_DIR"] = str(model_dir)
            yield from _hybrid(repository, peers, ready, every)
            os.environ["GITMEM_MODEL_DIR"] = str(folder / "none")
        ready.unlink()
        shutil.rmtree(repository)
        peers.database.unlink()
        shutil.rmtree(peers.texts)
        yield from _from_the_store(folder, real, model_dir)


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


def _model(folder: Path) -> Path | None:
    """Return where the model is, if there is one; nothing finds it before it is wanted."""
    try:
        opened(folder / "model")
    except NoModel as why:
        _say(f"no model, so no rows that need one: {why}")
        found = None
    else:
        found = Path(os.environ["GITMEM_MODEL_DIR"])
    os.environ["GITMEM_MODEL_DIR"] = str(folder / "none")
    return found


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
    done = _child("million_planting", repository, ready)
    took = json.loads(done.stdout)
    wall = f"{took['wall_s']:.0f} s of wall time"
    yield Row("lexical build of ready documents", took["cpu_s"], "CPU-s", 110 * TURNS / 1e6, False, wall)
    own = f"of it not mapped files: {done.own_bytes / 1e6:.0f} MB"
    yield Row("  memory held at most", done.peak_bytes / 1e6, "MB", 600, False, own)
    yield Row("  on the disk", took["size_bytes"] / 1e6, "MB")


def _search(repository: Path, peers: Peers, asked: Sequence[str]) -> Iterator[Row]:
    """Search without a sidecar, by words."""
    status = json.loads(gitmem("index", "status", "--json", cwd=repository).stdout)
    assert status["state"] == "current", status
    assert status["turns"] >= TURNS, status
    ripgrep = list(million_peers.ripgrep_ms(peers, asked[: _QUERIES // 4]))
    beside = f"ripgrep, whole: {_both(ripgrep)}" if ripgrep else "ripgrep is not installed here"
    whole = _ask(repository, asked, "lexical")
    yield from _whole("search without a sidecar, lexical, whole process", whole, 150, beside)
    fts5 = list(million_peers.fts5_ms(peers, asked))
    built = f"built in {peers.cpu_s:.0f} CPU-s, {peers.database.stat().st_size / 1e6:.0f} MB"
    yield from _within(_batch(repository, asked, "lexical"), fts5, None, built)


def _search_sidecar(repository: Path, peers: Peers, asked: Sequence[str], mode: str) -> Iterator[Row]:
    """Search with a sidecar that knows the index already, but none of the queries."""
    answers = _ask(repository, asked, mode)
    yield from _whole(f"search with the sidecar, {mode}, whole process", answers, 60)
    fts5 = list(million_peers.fts5_ms(peers, asked))
    within = [answer.took_ms for answer in answers]
    yield from _within(within, fts5, 1 / 20 if mode == "lexical" else 1 / 10)


def _hybrid(repository: Path, peers: Peers, ready: Path, every: Iterator[str]) -> Iterator[Row]:
    """Give every message a vector, and search by words and meaning."""
    done = _child("million_vectors", repository, ready)
    took = json.loads(done.stdout)
    beside = f"{took['size_bytes'] / 1e6:.0f} MB; to write them: {took['append_cpu_s']:.1f} CPU-s"
    yield Row(f"graphs of {took['vectors']:,} vectors", took["graphs_cpu_s"], "CPU-s", None, False, beside)
    gitmem(
        "index", "update", cwd=repository
    )  # embeds what of the small memory has none, and says that it is done
    asked = list(islice(every, _QUERIES))
    mode = json.loads(_search_json(repository, asked[0], "hybrid"))["mode"]
    if mode != "hybrid":
        _say(f"asked for hybrid, gitmem answers {mode}: no rows of it")
        return
    yield from _whole(
        "search without a sidecar, hybrid, whole process", _ask(repository, asked, "hybrid"), 450
    )
    fts5 = list(million_peers.fts5_ms(peers, asked))
    yield from _within(_batch(repository, asked, "hybrid"), fts5, None)
    with sidecar(repository) as pid:
        if pid:
            yield from _search_sidecar(repository, peers, list(islice(every, _QUERIES)), "hybrid")


def _whole(what: str, answers: Sequence[Answered], budget: float, beside: str = "") -> Iterator[Row]:
    found = sum(answer.has_hits for answer in answers)
    assert found > len(answers) * 0.9, f"{found} of {len(answers)} queries found something"
    whole = [answer.whole_ms for answer in answers]
    yield Row(what, statistics.median(whole), "ms", budget, False, beside)
    yield Row("  95th of 100", _p95(whole), "ms")


def _within(
    took_ms: Sequence[float], fts5_ms: Sequence[float], share: float | None, built: str = ""
) -> Iterator[Row]:
    """Compare what a process says that its answers took with FTS5; `share` is for one that stays."""
    median = statistics.median(took_ms)
    yield Row("  within the process", median, "ms", None, False, f"95th of 100: {_p95(took_ms):.1f} ms")
    beside = f"FTS5, porter: {_both(fts5_ms)}" + (f"; {built}" if built else "")
    yield Row("  over FTS5", median / statistics.median(fts5_ms), "times", share, False, beside)


def _ask(repository: Path, asked: Sequence[str], mode: str) -> list[Answered]:
    """Run a process for each query."""
    answers = []
    for query in asked:
        begun = time.perf_counter()
        said = _search_json(repository, query, mode)
        whole_ms = 1e3 * (time.perf_counter() - begun)
        answer = json.loads(said)
        answers.append(Answered(whole_ms, answer["took_ms"], bool(answer["hits"])))
    return answers


def _batch(repository: Path, asked: Sequence[str], mode: str) -> list[float]:
    """Return what one process that answers all of them says that each took."""
    batch = repository.parent / "asked.txt"
    batch.write_text("".join(f"{query}\n" for query in asked))
    done = gitmem("search", "--batch", batch, "--json-lines", "--mode", mode, cwd=repository)
    return [json.loads(line)["took_ms"] for line in done.stdout.splitlines()]


def _new_turns(repository: Path, folder: Path, name: str) -> Iterator[Row]:
    """Import a hundred turns, and see how long it takes until they are found."""
    times = []
    for nth in range(5):
        word = f"quokka{name}{nth}sighting"
        lines: list[dict[str, object]] = [{"session": {"id": f"new-{name}-{nth}"}}]
        lines += [{"role": "user", "text": f"{word} {n} near the harbour"} for n in range(_NEW_TURNS)]
        transcript = folder / f"new-{name}-{nth}.jsonl"
        transcript.write_text("".join(json.dumps(line) + "\n" for line in lines))
        gitmem("import", transcript, cwd=repository)
        begun = time.perf_counter()
        while not json.loads(said := _search_json(repository, word, "lexical"))["hits"]:
            assert time.perf_counter() - begun < _LONGEST_S, f"{word} is not found: {said}"
        times.append(1e3 * (time.perf_counter() - begun))
    yield Row(
        f"{_NEW_TURNS} new turns, from their commit to being found", statistics.median(times), "ms", 300
    )


def _from_the_store(folder: Path, real: Sequence[RealSession], model_dir: Path | None) -> Iterator[Row]:
    """Import a tenth of it into a memory, and index that; see what a sidecar takes that has it open."""
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
    what = f"lexical build of {turns:,} turns from the store"
    yield Row(what, turns / done.cpu_s, "turns per CPU-s", None, True, million)
    yield Row("  memory held at most", done.peak_bytes / 1e6, "MB", 600)
    if model_dir:
        os.environ["GITMEM_MODEL_DIR"] = str(model_dir)
        ready = folder / "stored"
        million_turns.write_memory(repository, ready)
        _child("million_vectors", repository, ready)
        gitmem("index", "update", cwd=repository)
    with sidecar(repository) as pid:
        if pid:
            [answer] = [json.loads(_search_json(repository, "tide gauge", "hybrid"))]
            idle = million_sidecar.idle(pid)
            beside = f"it answered {answer['mode']}, {answer['indexed']['vectors']:,} vectors"
            yield Row(f"idle sidecar with {turns:,} turns", idle.cpu_percent, "% of a core", 1, False, beside)
            yield Row("  memory that it holds", idle.held_bytes / 1e6, "MB", 250)


@contextmanager
def sidecar(repository: Path) -> Iterator[int | None]:
    """Have a sidecar, which the first search starts and which has answered some; end it afterwards."""
    os.environ["GITMEM_SIDECAR"] = "true"
    try:
        _search_json(repository, "anything", "hybrid")
        pid = million_sidecar.wait_until_started()
        if pid is None:
            _say("no search starts a sidecar: no rows of it")
        for query in ("whatever", "something", "nothing") if pid else ():
            _search_json(repository, query, "hybrid")
        yield pid
    finally:
        million_sidecar.end()
        os.environ["GITMEM_SIDECAR"] = "false"


def _search_json(repository: Path, query: str, mode: str) -> str:
    command = [sys.executable, "-E", "-P", "-m", "gitmem", "search", "--json", "--mode", mode, "--", query]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"gitmem search {query!r}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def _child(module: str, *args: Path) -> Run:
    return measured([sys.executable, "-P", "-c", _START, str(_CHECKOUT), module, *map(str, args)], args[0])


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _both(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.1f} ms, 95th {_p95(times):.1f} ms"


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)
