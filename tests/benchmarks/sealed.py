"""The private level beside the team's: what sealing adds to a capture, and what opening costs."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from gitmem.format import layout, records, segments
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.ids import Oid
from gitmem.model.records import Author, Capture, SegmentEntry, Session
from gitmem.model.refs import DEFAULT_MEMORY_REF, PRIVATE_REF
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path as TreePath
from gitmem.redaction.redactor import Redactor
from gitmem.sealed.ring import open_ring
from gitmem.sealed.storage import SealedStorage
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Source
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start
from tests.benchmarks import material
from tests.benchmarks.table import Row

_KEY = bytes(32)
_TIMES = 7
_LONG = 20_000
_WHO = Writer(Author("Ada Example", "ada@example.org"), time.time)


def run(folder: Path) -> Iterator[Row]:
    """Measure captures of 1 MB and 10 MB, an append to a long session, and opening 100 and 1,000 sessions."""
    for size_bytes in (1_000_000, 10_000_000):
        transcript = folder / f"{size_bytes}.jsonl"
        material.write_session(transcript, material.session_name(size_bytes), size_bytes, 3)
        team, private = [], []
        # By turns, so that what else the machine does falls on both.
        for n in range(_TIMES):
            team.append(_capture(folder / f"team-{size_bytes}-{n}", transcript, is_private=False))
            private.append(_capture(folder / f"private-{size_bytes}-{n}", transcript, is_private=True))
        beside = f"at team: {statistics.median(team):.1f} ms"
        label = f"capture of {size_bytes // 1_000_000} MB at private, median"
        yield Row(label, statistics.median(private), "ms", None, False, beside)
        yield Row("  over the one at team", min(private) / min(team), "times", 1.1)
    yield from _append(folder)
    for sessions in (100, 1_000):
        yield from _opening(folder / f"of-{sessions}", sessions)


def _capture(repository: Path, transcript: Path, *, is_private: bool) -> float:
    """Import one transcript into an empty memory; milliseconds of processor time."""
    material.make_repository(repository)
    with _Opened(repository, is_private=is_private) as (storage, ref):
        start(storage, ref, _WHO)
        redactor = Redactor(_KEY)
        redactor.line(b"{}\n")
        state = repository / ".git" / "gitmem"
        intake = Intake(storage, ref, state, _WHO, redactor, _KEY, HereSealer(redactor), "gitmem benchmark")
        started = time.process_time()
        report = import_sources(intake, [Source(transcript)])
        took = (time.process_time() - started) * 1e3
        assert len(report.commits) == 1, report
    return took


class _Opened:
    """A repository's storage at a level, and the ref of its memory."""

    def __init__(self, repository: Path, *, is_private: bool) -> None:
        git = Git(dict(os.environ))
        self._base = open_storage(discover(repository, git), git)
        self._storage: Storage = self._base
        self._ref = DEFAULT_MEMORY_REF
        if is_private:
            self._storage = SealedStorage(
                self._base, open_ring((), (), repository.parent / "user", os.urandom)
            )
            self._ref = PRIVATE_REF

    def __enter__(self) -> tuple[Storage, str]:
        return self._storage, self._ref

    def __exit__(self, *_: object) -> None:
        self._base.close()


def _append(folder: Path) -> Iterator[Row]:
    """Measure what one more segment and capture cost in a session of very many."""
    sizes = []
    for is_private in (False, True):
        repository = material.make_repository(folder / f"long-{is_private}")
        with _Opened(repository, is_private=is_private) as (storage, ref):
            start(storage, ref, _WHO)
            _fill(storage, ref, 1, _LONG)
            before = material.pack_bytes(repository)
            took = _timed(partial(_fill, storage, ref, 1, 1, at=_LONG))
            sizes.append((material.pack_bytes(repository) - before) / 1e3)
    yield Row(f"an append to a sealed session of {_LONG:,} segments", took, "ms")
    yield Row("  its size in the repository", sizes[1], "kB", 54, False, f"at team: {sizes[0]:.1f} kB")


def _opening(repository: Path, sessions: int) -> Iterator[Row]:
    material.make_repository(repository)
    with _Opened(repository, is_private=True) as (storage, ref):
        start(storage, ref, _WHO)
        _fill(storage, ref, sessions, 1)
    with _Opened(repository, is_private=True) as (storage, ref):
        looked = _timed(lambda: storage.read_ref(ref))
        opened = _timed(lambda: open_memory(storage, ref))
        again = _timed(lambda: list(open_memory(storage, ref).folders()))
    yield Row(f"where {sessions:,} sealed sessions stand", looked, "ms")
    yield Row("  opening them all", opened, "ms", None, False, f"{opened / sessions:.2f} ms a session")
    yield Row("  listing them once opened", again, "ms")


def _fill(storage: Storage, ref: str, sessions: int, count: int, at: int = 0) -> None:
    changes: dict[TreePath, Oid | None] = {}
    with storage.begin() as batch:
        for n in range(sessions):
            record = Session("claude-code", material.session_name(n), f"{n:064x}"[::-1])
            session = records.session_id(record)
            changes[layout.session_path(session)] = batch.add("blob", records.seal(record)[1])
            entries = []
            for k in range(at, at + count):
                [(sealed, _)] = segments.seal_all(f"line {n} {k}\n".encode(), segments.EMPTY_GROUP)
                entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
                changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
            # As one capture each, for that is how a session comes to so many.
            for entry in entries:
                capture = Capture(session, _WHO.now(), _WHO.author, f"{entry.name}", "0" * 16, (entry,))
                name, blob = records.seal(capture)
                changes[layout.capture_path(session, name)] = batch.add("blob", blob)
        commit(storage, ref, _WHO, "Fill [skip ci]\n", changes, batch)


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1e3
