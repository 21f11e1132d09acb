"""One new capture of 100 KB, in process, as the memory and the session grow; git's own commit beside it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from gitmem.format import layout, records, segments
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Author, Capture, SegmentEntry, Session
from gitmem.objects.trees import Path as TreePath
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Source
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start
from tests.benchmarks import material
from tests.benchmarks.table import Row

REF = "refs/heads/gitmem"
_KEY = bytes(32)
_CAPTURE_BYTES = 100_000
_TIMES = 25
_WHO = Writer(Author("Ada Example", "ada@example.org"), time.time)


def run(folder: Path) -> Iterator[Row]:
    """Measure in memories of 10, 1,000 and 10,000 sessions, and in a session of 20,000 segments."""
    first: float | None = None
    for sessions in (10, 1_000, 10_000):
        repository = material.make_repository(folder / f"of-{sessions}")
        with closing(_open(repository)) as storage:
            start(storage, REF, _WHO)
            fill(storage, sessions)
            median = _measure(storage, folder / f"s{sessions}.jsonl", material.session_name(10**6))
        beside = f"git add and commit of the same bytes: {_plain_git(repository):.1f} ms"
        yield Row(f"capture of 100 KB in {sessions:,} sessions, median", median, "ms", 25, False, beside)
        if first is None:
            first = median
        else:
            yield Row("  over the one in 10 sessions", median / first, "times", 1.5)
    repository = material.make_repository(folder / "long")
    with closing(_open(repository)) as storage:
        start(storage, REF, _WHO)
        path, name = folder / "long.jsonl", material.session_name(10**6 + 1)
        _grow_to(storage, path, name, 20_000)
        median = _measure(storage, path, name)
    assert first is not None
    yield Row("capture of 100 KB in a session of 20,000 segments, median", median, "ms", 25)
    yield Row("  over the one in a session of few", median / first, "times", 1.5)


def _open(path: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


def _intake(storage: GitStorage) -> Intake:
    redactor = Redactor(_KEY)
    state = storage.repository.state_dir
    return Intake(
        storage, REF, state, _WHO, redactor, _KEY, HereSealer(redactor), "gitmem benchmark", whole=False
    )


def _measure(storage: GitStorage, path: Path, name: str) -> float:
    """Append 100 KB to a transcript and capture it, again and again; milliseconds, median."""
    intake = _intake(storage)
    lines = material.made_lines(name, 99)
    times = []
    for _ in range(_TIMES):
        size = 0
        with path.open("ab") as file:
            for line in lines:
                size += file.write(line)
                if size >= _CAPTURE_BYTES:
                    break
        started = time.perf_counter()
        report = import_sources(intake, [Source(path)])
        times.append((time.perf_counter() - started) * 1e3)
        assert len(report.commits) == 1, report
    return statistics.median(times[2:])


def fill(storage: GitStorage, sessions: int, lines: int = 1, first: int = 0) -> None:
    """Store many small sessions in one commit."""
    changes: dict[TreePath, Oid | None] = {}
    with storage.begin() as batch:
        for n in range(first, first + sessions):
            text = b"".join(islice(material.made_lines(material.session_name(n), n), lines))
            record = Session("claude-code", material.session_name(n), f"{n:064x}"[::-1])
            session = records.session_id(record)
            [(sealed, _)] = segments.seal_all(text[: segments.MAX_SEGMENT_BYTES], segments.EMPTY_GROUP)
            entry = SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes)
            capture = Capture(session, _WHO.now(), _WHO.author, "gitmem benchmark", "0" * 16, (entry,))
            name, blob = records.seal(capture)
            changes[layout.session_path(session)] = batch.add("blob", records.seal(record)[1])
            changes[layout.capture_path(session, name)] = batch.add("blob", blob)
            changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
        commit(storage, REF, _WHO, "Fill [skip ci]\n", changes, batch)


def _grow_to(storage: GitStorage, path: Path, name: str, count: int) -> None:
    """Make one session of very many captures of a line each, and a transcript that stands where it ends."""
    lines = [line for line in islice(material.made_lines(name, 5), 4 * count) if len(line) < 2000][:count]
    assert len(lines) == count
    path.write_bytes(lines[0])
    report = import_sources(_intake(storage), [Source(path)])
    [session] = report.new_sessions
    from gitmem.verbs.sources import Position, digests, read_position, write_position

    before = read_position(storage.repository.state_dir, path)
    assert before is not None
    parent: RecordId = before.capture
    changes: dict[TreePath, Oid | None] = {}
    group = segments.EMPTY_GROUP
    with storage.begin() as batch:
        for n, line in enumerate(lines[1:], 1):
            [(sealed, group)] = segments.seal_all(line, group)
            entry = SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes)
            capture = Capture(
                session,
                _WHO.now(),
                _WHO.author,
                "gitmem benchmark",
                "0" * 16,
                (entry,),
                keep=n,
                parents=(parent,),
            )
            parent, blob = records.seal(capture)
            changes[layout.capture_path(session, parent)] = batch.add("blob", blob)
            changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
        commit(storage, REF, _WHO, "Grow [skip ci]\n", changes, batch)
    path.write_bytes(b"".join(lines))
    status = path.stat()
    with path.open("rb") as file:
        head, tail = digests(file, status.st_size, _KEY)
    position = Position(session, "", parent, count, status.st_size, head, tail, -1, 0, status.st_ino)
    write_position(storage.repository.state_dir, path, position)


def _plain_git(repository: Path) -> float:
    times = []
    for n in range(5):
        (repository / "file").write_bytes(os.urandom(_CAPTURE_BYTES // 8) * 8)
        started = time.perf_counter()
        material.git("add", "file", cwd=repository)
        material.git("commit", "-q", "-m", f"{n}", cwd=repository)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)
