"""Importing: transcript files into the memory, in parallel, in batches that each stand for themselves.

Every batch is one commit, after which its files' positions are written. A run that is stopped at any point
therefore goes on where the last batch ended, and importing the same files again commits nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gitmem import disk
from gitmem.format import layout, records
from gitmem.format.memory import Memory, open_memory
from gitmem.model.errors import GitmemError, RedactionFailed, UnknownTranscript
from gitmem.model.ids import MAIN_STREAM, Oid, RecordId, SessionId, SessionKey
from gitmem.model.records import Capture, SegmentEntry, Session
from gitmem.objects.storage import Batch
from gitmem.objects.trees import Path as TreePath
from gitmem.transcripts.detect import HEAD_BYTES, Identity, detect
from gitmem.verbs.committing import SKIP_CI, commit
from gitmem.verbs.intake import Intake, Progress, Refused, Report, Source
from gitmem.verbs.planning import Plan, Settled, plan
from gitmem.verbs.sealing import Range, SealedRange, cut_ranges
from gitmem.verbs.sources import Position, digests, read_position, write_position

_DOCUMENT_HEAD_BYTES = 16 << 10
_IN_FLIGHT = 6
"""Ranges handed out and not yet taken back: what is held in memory at once."""


def import_sources(intake: Intake, sources: Iterable[Source]) -> Report:
    """Take files into the memory at `intake.ref`, which must exist.

    A file that cannot be taken in is reported and the others go on; nothing of it is stored. Imports into
    one repository take turns, so that the second finds what the first has stored.

    Raises:
        StoreBusy: Another import did not end within `intake.wait_s`.
        StoreError: The memory cannot be read or written; what was committed stands.
    """
    with disk.locked(intake.state_dir / "intake.lock", intake.wait_s):
        run = _Run(intake)
        try:
            for source in sources:
                run.add(source)
            run.finish()
        finally:
            run.close()
    return run.report


@dataclass
class _Stream:
    """A file being captured: the plan, and the capture that its sealed segments will make next."""

    plan: Plan
    parent: RecordId | None
    keep: int
    offset: int
    entries: list[SegmentEntry] = field(default_factory=list)
    blobs: dict[TreePath, Oid] = field(default_factory=dict)
    lines: int = 0
    error: GitmemError | None = None
    started: bool = False


class _Work(NamedTuple):
    """A range on its way; `take` is None for the end of a file."""

    stream: _Stream
    start: int
    stop: int
    take: Callable[[], SealedRange] | None


class _Run:
    """One import: files come in by `add`, sealed ranges go out in the same order, batches are committed."""

    def __init__(self, intake: Intake) -> None:
        self.report = Report()
        self._intake = intake
        self._memory: Memory = open_memory(intake.storage, intake.ref)
        self._queue: deque[_Work] = deque()
        self._pending: dict[SessionKey, SessionId] = {}
        self._busy: set[tuple[SessionId, str]] = set()
        self._deferred: list[Source] = []
        self._is_last = False
        self._done_bytes = 0
        self._begin_batch()

    def add(self, source: Source) -> None:
        """Look at a file and hand out what is new of it."""
        self.report.files += 1
        try:
            with source.path.open("rb") as file:
                self._add_open(source, file)
        except OSError as error:
            why = error.strerror or str(error)
            self._refuse(source.path, UnknownTranscript(str(source.path), why))
        except (UnknownTranscript, RedactionFailed) as error:
            self._refuse(source.path, error)

    def finish(self) -> None:
        """Take in subagents whose session did not come with them, and commit what is still on its way."""
        deferred, self._deferred = self._deferred, []
        self._is_last = True
        for source in deferred:
            self.report.files -= 1
            self.add(source)
        self._drain(0)
        self._commit()

    def close(self) -> None:
        """Drop what has not been committed."""
        self._stack.close()

    def _add_open(self, source: Source, file: BinaryIO) -> None:
        intake, path = self._intake, source.path.absolute()
        status = source.path.stat()
        position = read_position(intake.state_dir, path)
        if position and position.is_unchanged(status) and self._has(position):
            self._unchanged(path, status.st_size)
            return
        identity = _identify(file.read(HEAD_BYTES), source)
        if not source.accepts(identity):
            self.report.files -= 1
            return
        key = SessionKey(identity.agent, identity.native_id)
        joins = None
        if identity.stream != MAIN_STREAM:
            joins = self._pending.get(key)
            if joins is None and not self._is_last and not self._memory.find_key(self._redacted(key)):
                self._deferred.append(source)
                return
        elif key in self._pending:
            # What is on its way of the same session is what this file has to be compared with.
            self._drain(0)
            self._commit()
        stop = status.st_size if intake.whole or identity.shape == "document" else _last_line_end(file)
        found = plan(self._memory, path, identity, file, stop, position, intake.redactor, intake.key, joins)
        if isinstance(found, Settled):
            self._remember(file, path, found, identity.stream)
            self._unchanged(path, status.st_size)
            return
        if (found.session, identity.stream) in self._busy:
            self._drain(0)
            self._commit()
            self._add_open(source, file)
            return
        self._busy.add((found.session, identity.stream))
        self._pending[key] = found.session
        stream = _Stream(found, found.parent, found.keep, found.start)
        for start, end in cut_ranges(file, identity.shape, found.start, found.stop):
            work = Range(path, start, end, found.group_for(start, end))
            self._queue.append(_Work(stream, start, end, intake.sealer.submit(work)))
            self._drain(_IN_FLIGHT)
        self._queue.append(_Work(stream, stop, stop, None))

    def _drain(self, leave: int) -> None:
        while len(self._queue) > leave:
            work = self._queue.popleft()
            stream = work.stream
            if work.take is None:
                self._end(stream)
                continue
            try:
                sealed = work.take()
            except (RedactionFailed, OSError) as error:
                stream.error = stream.error or _as_refusal(stream.plan.path, error)
                continue
            if sealed.read_bytes != work.stop - work.start:
                stream.error = stream.error or _as_refusal(stream.plan.path, OSError("it changed meanwhile"))
            if stream.error is None:
                self._take(stream, work, sealed)

    def _take(self, stream: _Stream, work: _Work, sealed: SealedRange) -> None:
        """Store the segments of a range, and commit if enough has come together."""
        session = stream.plan.session
        for segment in sealed.segments:
            oid = self._batch.add("blob", segment.blob)
            stream.blobs[layout.segment_path(session, segment.name)] = oid
            stream.entries.append(SegmentEntry(segment.name, segment.lines, segment.size_bytes))
            self.report.lines += segment.lines
        stream.offset = work.stop
        self.report.bytes += work.stop - work.start
        self.report.replaced.update(sealed.replaced)
        self._batch_bytes += work.stop - work.start
        self._done_bytes += work.stop - work.start
        self._intake.tell(Progress(self._done_bytes, stream.plan.path))
        if self._batch_bytes >= self._intake.batch_bytes:
            self._close_capture(stream)
            self._commit()

    def _end(self, stream: _Stream) -> None:
        """Make the last capture of a file, or drop what has not been captured of one that failed."""
        if stream.error is not None:
            self._refuse(stream.plan.path, stream.error)
            return
        self._close_capture(stream)
        self._batch_sources += 1
        if self._batch_sources >= self._intake.batch_sources:
            self._commit()

    def _close_capture(self, stream: _Stream) -> None:
        """Turn the segments that have come together into a capture, on top of the one before."""
        found, intake = stream.plan, self._intake
        if not stream.entries and (stream.started or found.start != found.stop):
            return
        capture = Capture(
            session=found.session,
            at=intake.writer.now(),
            author=intake.writer.author,
            by=intake.by,
            redaction=intake.redactor.fingerprint,
            segments=tuple(stream.entries),
            keep=stream.keep,
            parents=(stream.parent,) if stream.parent else (),
            stream=intake.redactor.text(found.identity.stream),
            shape=found.identity.shape,
            code=intake.code,
        )
        name, blob = records.seal(capture)
        self._changes |= stream.blobs
        self._changes[layout.capture_path(found.session, name)] = self._batch.add("blob", blob)
        if found.record is not None:
            self._changes[layout.session_path(found.session)] = self._put(found.record)
            self.report.new_sessions.add(found.session)
        elif found.session not in self.report.new_sessions:
            self.report.grown_sessions.add(found.session)
        self._captured.append((found.identity.agent, found.identity.native_id))
        stream.keep += sum(entry.lines for entry in stream.entries)
        stream.parent, stream.started = name, True
        stream.entries, stream.blobs = [], {}
        self._positions[found.path] = (found, name, stream.keep, stream.offset)

    def _put(self, record: Session) -> Oid:
        return self._batch.add("blob", records.seal(record)[1])

    def _begin_batch(self) -> None:
        self._stack = ExitStack()
        self._batch: Batch = self._stack.enter_context(self._intake.storage.begin())
        self._changes: dict[TreePath, Oid | None] = {}
        self._positions: dict[Path, tuple[Plan, RecordId, int, int]] = {}
        self._captured: list[tuple[str, str]] = []
        self._batch_bytes = self._batch_sources = 0

    def _commit(self) -> None:
        """Commit the batch, remember how far its files are stored, and start another."""
        if not self._changes:
            return
        intake = self._intake
        with self._stack:
            tip = commit(
                intake.storage, intake.ref, intake.writer, self._message(), self._changes, self._batch
            )
        self.report.commits.append(tip)
        self._memory = open_memory(intake.storage, intake.ref)
        for path, (found, capture, lines, offset) in self._positions.items():
            try:
                with path.open("rb") as file:
                    settled = Settled(found.session, capture, lines, offset)
                    self._remember(file, path, settled, found.identity.stream)
            except FileNotFoundError:
                continue  # the agent removed it meanwhile; what it held is safe
        going_on = [work.stream.plan for work in self._queue]
        self._busy = {(p.session, p.identity.stream) for p in going_on}
        self._pending = {SessionKey(p.identity.agent, p.identity.native_id): p.session for p in going_on}
        self._begin_batch()

    def _message(self) -> str:
        sessions = Counter(self._captured)
        names = sorted(f"{agent}/{native_id}" for agent, native_id in sessions)
        shown = [f"- {_one_line(self._intake.redactor.text(name))}" for name in names[:20]]
        if len(names) > len(shown):
            shown.append(f"- and {len(names) - len(shown)} more")
        subject = f"Capture {len(names)} session{'s' if len(names) != 1 else ''} {SKIP_CI}"
        return "\n".join([subject, "", *shown]) + "\n"

    def _redacted(self, key: SessionKey) -> SessionKey:
        return SessionKey(key.agent, self._intake.redactor.text(key.native_id))

    def _has(self, position: Position) -> bool:
        folder = self._memory.find(position.session)
        return folder is not None and self._memory.capture(folder, position.capture) is not None

    def _remember(self, file: BinaryIO, path: Path, settled: Settled, stream: str) -> None:
        if settled.capture is None:
            return
        head, tail = digests(file, settled.offset, self._intake.key)
        status = path.stat()
        complete = status.st_size == settled.offset
        position = Position(
            session=settled.session,
            stream=stream,
            capture=settled.capture,
            lines=settled.lines,
            offset=settled.offset,
            head=head,
            tail=tail,
            size_bytes=status.st_size if complete else -1,
            mtime_ns=status.st_mtime_ns,
            inode=status.st_ino,
        )
        write_position(self._intake.state_dir, path, position)

    def _unchanged(self, path: Path, size_bytes: int) -> None:
        self.report.unchanged += 1
        self._done_bytes += size_bytes
        self._intake.tell(Progress(self._done_bytes, path))

    def _refuse(self, path: Path, error: GitmemError) -> None:
        self.report.refused.append(Refused(path, error))


def _identify(head: bytes, source: Source) -> Identity:
    """Detect whose a file is; a document says it in its first lines, and the rest of its head takes long."""
    try:
        found = detect(head[:_DOCUMENT_HEAD_BYTES], source.path, source.agent)
    except UnknownTranscript:
        found = None
    if found is not None and found.shape == "document" and found.cwd is not None:
        return found
    return detect(head, source.path, source.agent)


def _as_refusal(path: Path, error: GitmemError | OSError) -> GitmemError:
    if isinstance(error, GitmemError):
        return error
    return UnknownTranscript(str(path), error.strerror or str(error))


def _last_line_end(file: BinaryIO) -> int:
    """Return where the last whole line of a file ends."""
    at = file.seek(0, 2)
    while at:
        start = max(0, at - (64 << 10))
        file.seek(start)
        newline = file.read(at - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
