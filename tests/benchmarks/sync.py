"""Push, pull and merge: one new session into many, many writers at one remote, and a first pull.

Whole processes beside git's own that move the very same commits, in turns and in the same run; the least of
several, since other work only adds. Over file://, and over http with `git http-backend` on loopback.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path

from gitmem.format.memory import open_memory
from gitmem.format.union import union
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.records import Author
from gitmem.sharing.pulling import Sharing, pull, remote_of
from gitmem.sharing.pushing import push_all
from gitmem.verbs.committing import Writer
from gitmem.verbs.starting import start
from tests.benchmarks import captures, material
from tests.benchmarks.running import Run, gitmem, measured
from tests.benchmarks.table import Row
from tests.sharing.http_backend import serving

REF = captures.REF
_SESSIONS = 10_000
_ROUNDS = 9
_LINES = 12
_PUSHES = 50
_WHO = Writer(Author("Ada Example", "ada@example.org"), time.time)


def run(folder: Path) -> Iterator[Row]:
    """Measure what the memory costs beside git alone."""
    yield from _one_into_many(folder / "many")
    yield _merge(folder / "merge")
    yield from _first_pull(folder / "first")
    yield from _writers(folder / "writers")


def _one_into_many(folder: Path) -> Iterator[Row]:
    """One new session into a memory of many: push and pull, with git's own beside them."""
    for way in ("file", "http"):
        place = folder / way
        ada = _hub_with_memory(place, _SESSIONS, lines=1)
        with serving(place) if way == "http" else nullcontext() as server:
            base = f"file://{place}" if server is None else server.url
            for hub in ("hub.git", "plain.git"):
                material.git("config", "http.receivepack", "true", cwd=place / hub)
            material.git("remote", "add", "origin", f"{base}/hub.git", cwd=ada)
            material.git("remote", "add", "plain", f"{base}/plain.git", cwd=ada)
            ben = material.make_repository(place / "ben")
            material.git("remote", "add", "origin", f"{base}/hub.git", cwd=ben)
            gitmem("pull", "origin", cwd=ben)
            gitmem("push", "origin", cwd=ada)
            material.git("fetch", "-q", "plain", cwd=ada)
            material.git("clone", "-q", "--branch", "gitmem", f"{base}/plain.git", "checkout", cwd=place)
            material.git("clone", "-q", "--bare", "-b", "gitmem", f"{base}/plain.git", "bare", cwd=place)
            ours: list[list[Run]] = [[], []]
            gits: list[list[Run]] = [[], [], []]
            for n in range(_ROUNDS):
                with closing(_open(ada)) as storage:
                    captures.fill(storage, 1, lines=_LINES, first=_SESSIONS + n)
                ours[0].append(gitmem("push", "origin", cwd=ada))
                gits[0].append(measured(["git", "push", "-q", "plain", "gitmem"], ada))
                ours[1].append(gitmem("pull", "origin", cwd=ben))
                gits[1].append(measured(["git", "pull", "-q"], place / "checkout"))
                fetch = ["git", "fetch", "-q", "origin", "gitmem:gitmem"]
                gits[2].append(measured(fetch, place / "bare"))
            captured = _captured_and_pushed(place / "home", ada)
        name = f"one new session into {_SESSIONS:,}, {way}"
        told = f"{_told(ours[0])}; git push: {_told(gits[0])}"
        yield Row(
            f"{name}: push, over git push", _least(ours[0]) / _least(gits[0]), "times", 1.5, False, told
        )
        told = f"{_told(captured[0])}; git push: {_told(captured[1])}"
        yield Row(
            f"{name}: push of what was captured here, over git push",
            _least(captured[0]) / _least(captured[1]),
            "times",
            1.5,
            False,
            told,
        )
        told = f"{_told(ours[1])}; git pull: {_told(gits[1])}; fetch alone: {_told(gits[2])}"
        yield Row(
            f"{name}: pull, over git pull", _least(ours[1]) / _least(gits[1]), "times", 1.5, False, told
        )


def _captured_and_pushed(home: Path, ada: Path) -> tuple[list[Run], list[Run]]:
    """Push sessions that were captured here by today's rules, as sessions are; git's own beside them."""
    environ = {**os.environ, "HOME": str(home)}
    transcripts = home / ".claude" / "projects" / "tides"
    transcripts.mkdir(parents=True)
    ours, gits = [], []
    for n in range(_ROUNDS):
        name = material.session_name(2 * _SESSIONS + n)
        lines = islice(material.made_lines(name, n), _LINES)
        text = b"".join(line.replace(b"/home/ada/tides", os.fsencode(ada)) for line in lines)
        (transcripts / f"{name}.jsonl").write_bytes(text)
        gitmem("capture", cwd=ada, environ=environ)
        ours.append(gitmem("push", "origin", cwd=ada, environ=environ))
        gits.append(measured(["git", "push", "-q", "plain", "gitmem"], ada, environ))
    return ours, gits


def _least(runs: list[Run]) -> float:
    return min(run.wall_s for run in runs)


def _told(runs: list[Run]) -> str:
    return f"{_least(runs) * 1e3:.0f} ms ({min(run.cpu_s for run in runs) * 1e3:.0f} of CPU)"


def _merge(folder: Path) -> Row:
    """Unite two memories of 100,000 objects, with 100 more on each side: a session's are three."""
    repository = material.make_repository(folder)
    with closing(_open(repository)) as storage:
        start(storage, REF, _WHO)
        captures.fill(storage, 33_334)
        before = storage.read_ref(REF)
        roots = []
        for first in (50_000, 60_000):
            captures.fill(storage, 34, first=first)
            roots.append(open_memory(storage, REF).root)
            tip = storage.read_ref(REF)
            assert tip is not None
            assert before is not None
            storage.move_ref(REF, before, tip, "benchmark")
        times = []
        for _ in range(9):
            with closing(_open(repository)) as fresh, fresh.begin() as batch:
                open_memory(fresh, REF)
                started = time.perf_counter()
                united = union(fresh, batch, *roots)
                times.append((time.perf_counter() - started) * 1e3)
            assert len(united.sessions) == 68
    return Row("merge, 100 objects more a side of 100,000", min(times), "ms", 20)


def _first_pull(folder: Path) -> Iterator[Row]:
    """The first pull of a memory, beside a clone of its branch."""
    ada = _hub_with_memory(folder, 1_000, lines=20)
    material.git("push", "-q", f"file://{folder}/hub.git", REF, cwd=ada)
    pulls, clones = [], []
    for n in range(4):
        ben = material.make_repository(folder / f"ben-{n}")
        material.git("remote", "add", "origin", f"file://{folder}/hub.git", cwd=ben)
        pulls.append(gitmem("pull", "origin", cwd=ben))
        command = ["git", "clone", "-q", "--single-branch", "-b", "gitmem", f"file://{folder}/hub.git"]
        clones.append(measured([*command, f"clone-{n}"], folder))
    size_mb = material.pack_bytes(ada) / 1e6
    told = f"{_told(pulls)}; git clone: {_told(clones)}; {size_mb:.1f} MB"
    ratio = _least(pulls) / _least(clones)
    yield Row("first pull of 1,000 sessions, over git clone", ratio, "times", 1.3, False, told)


def _writers(folder: Path) -> Iterator[Row]:
    """Eight writers push fifty times each to one remote."""
    ada = _hub_with_memory(folder, 10, lines=1)
    material.git("push", "-q", f"file://{folder}/hub.git", REF, cwd=ada)
    context = multiprocessing.get_context("fork")
    clones = []
    for n in range(8):
        clone = material.make_repository(folder / f"writer-{n}")
        material.git("remote", "add", "origin", f"file://{folder}/hub.git", cwd=clone)
        clones.append(clone)
    started = time.perf_counter()
    with context.Pool(8) as pool:
        tries = [most for found in pool.starmap(_write, enumerate(clones), chunksize=1) for most in found]
    wall_s = time.perf_counter() - started
    with closing(_open(clones[0])) as storage:
        pull(_sharing(storage, clones[0]), "origin")
        arrived = sum(1 for _ in open_memory(storage, REF).folders()) - 10
    told = f"{arrived} of {8 * _PUSHES} sessions arrived, in {wall_s:.0f} s; {sum(tries) / len(tries):.1f} tries a push"
    assert arrived == 8 * _PUSHES, told
    yield Row(
        "eight writers push fifty times each: most tries of a push", max(tries), "tries", 10, False, told
    )


def _write(number: int, clone: Path) -> list[int]:
    """Push fifty times, and return how many tries each took."""
    found = []
    with closing(_open(clone)) as storage:
        sharing = _sharing(storage, clone)
        pull(sharing, "origin")
        for n in range(_PUSHES):
            captures.fill(storage, 1, first=1_000 * (number + 1) + n)
            found.append(push_all(remote_of(sharing, "origin"), [sharing]).tries)
    return found


def _sharing(storage: GitStorage, path: Path) -> Sharing:
    git = Git(dict(os.environ))
    repository = discover(path, git)
    return Sharing(storage, repository, git, load(repository, dict(os.environ)), _WHO)


def _hub_with_memory(folder: Path, sessions: int, lines: int) -> Path:
    """Make two bare hubs, and a repository with a memory that both have."""
    ada = material.make_repository(folder / "ada")
    with closing(_open(ada)) as storage:
        start(storage, REF, _WHO)
        captures.fill(storage, sessions, lines)
    for hub in ("hub.git", "plain.git"):
        material.git("init", "-q", "--bare", "-b", "main", hub, cwd=folder)
        material.git("push", "-q", f"file://{folder}/{hub}", "HEAD:refs/heads/main", REF, cwd=ada)
    return ada


def _open(path: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)
