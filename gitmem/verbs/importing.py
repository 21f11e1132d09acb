"""Importing: transcript files into the memory, in parallel, in batches that each stand for themselves.

Every batch is one commit. A run that is stopped at any point goes on where the last batch ended, and
importing the same files again commits nothing.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from gitmem import disk
from gitmem.format import layout, records
from gitmem.format.memory import Memory, open_memory
from gitmem.format.segments import EMPTY_GROUP
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.intake import TranscriptError, UnknownTranscript
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.errors.withholding import RedactionFailed
from gitmem.model.ids import MAIN_STREAM, Oid, RecordId, SessionId, SessionKey
from gitmem.model.records import Capture, SegmentEntry, Session
from gitmem.model.settings import Level, lowest
from gitmem.objects.storage import Batch
from gitmem.objects.trees import Path as TreePath
from gitmem.transcripts.detect import HEAD_BYTES, Identity
from gitmem.verbs.batches import Stream, Work, batch_message
from gitmem.verbs.committing import commit
from gitmem.verbs.copies import is_closing, is_untouched
from gitmem.verbs.intake import Diverted, Intake, Progress, Refused, Report, Source
from gitmem.verbs.levels import registered
from gitmem.verbs.looking import Looked, as_refusal, identify, last_line_end, named, open_regular
from gitmem.verbs.planning import Gone, Joined, Plan, Settled, plan
from gitmem.verbs.positions import known_position, position_at
from gitmem.verbs.renditions import Renditions
from gitmem.verbs.sealing import Range, SealedRange, cut_ranges
from gitmem.verbs.sources import Position, begins_as_before, digests, write_position

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


class _Run:
    """One import: files come in by `add`, sealed ranges go out in the same order, batches are committed."""

    def __init__(self, intake: Intake) -> None:
        self.report = Report()
        self._intake = intake
        self._memory: Memory = open_memory(intake.storage, intake.ref)._replace(absent=intake.absent)
        self._queue: deque[Work] = deque()
        self._pending: dict[SessionKey, Joined] = {}
        self._busy: set[tuple[SessionId, str]] = set()
        self._deferred: list[Source] = []
        self._is_last = False
        self._done_bytes = 0
        self._renditions = Renditions(intake.state_dir)
        self._begin_batch()

    def add(self, source: Source) -> None:
        """Look at a file and hand out what is new of it; one that cannot be taken in is refused by name."""
        self.report.files += 1
        try:
            rendition = source.rendition
            text = source.path if rendition is None else self._renditions.write(rendition)
            file = open_regular(text)
        except (OSError, TranscriptError) as error:
            self._refuse(source.path, as_refusal(source.path, error))
            return
        with file:
            self._add_open(source, text, file)
        if rendition is not None:
            self._renditions.keep_only(self._in_use())

    def finish(self) -> None:
        """Take in subagents, whose sessions come first, and commit what is still on its way."""
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
        self._renditions.remove()

    def _add_open(self, source: Source, text: Path, file: BinaryIO) -> None:
        path, status = source.path.absolute(), os.fstat(file.fileno())
        position = known_position(self._memory, self._intake.state_dir, path)
        if position and position.is_unchanged(status) and source.agent is None:
            self._unchanged(path, status.st_size)
            return
        try:
            identity = self._identify(source, file)
        except (OSError, UnknownTranscript, RedactionFailed) as error:
            self._refuse(source.path, as_refusal(source.path, error))
            return
        if not source.accepts(identity):
            self.report.files -= 1
            return
        key = SessionKey(identity.agent, identity.native_id)
        is_main = identity.stream == MAIN_STREAM
        if not is_main and not self._is_last:
            self._deferred.append(source)  # its session's own file says which level it has
            return
        untouched = position is None and self._is_untouched(source, identity, file)
        if untouched or self._is_diverted(source, identity, file, position):
            return
        if is_main and key in self._pending:
            # What is on its way of the same session is what this file has to be compared with.
            self._settle()
        stop = status.st_size
        if identity.shape == "lines" and not self._intake.whole:
            stop = last_line_end(file)
        if stop == 0:
            self._unchanged(path, 0)
            return
        looked = Looked(path, text.absolute(), identity, file, status, stop, position)
        found = self._plan(looked)
        if isinstance(found, Plan) and (found.session, identity.stream) in self._busy:
            self._settle()
            found = self._plan(looked)
        if isinstance(found, Settled):
            is_rewritten = identity.shape == "document"
            ends = digests(file, found.offset, self._intake.key, is_rewritten=is_rewritten)
            if found.capture is not None:
                new = position_at(found, found.capture, identity.stream, ends, status)
                write_position(self._intake.state_dir, path, new)
            self._unchanged(path, status.st_size)
        elif isinstance(found, Gone):
            self.report.erased.append(found.key)
            self._unchanged(path, status.st_size)
        elif found is not None:
            self._hand_out(looked, found)

    def _is_untouched(self, source: Source, identity: Identity, file: BinaryIO) -> bool:
        """Whether a file is a copy of a session in which nothing was said yet: then it is none to take in."""
        if identity.forked_from is None and source.rendition is None:
            return False
        size_bytes = os.fstat(file.fileno()).st_size
        try:
            untouched = is_untouched(identity, file, size_bytes)
        except OSError as error:
            self._refuse(source.path, as_refusal(source.path, error))
            return True
        if untouched:
            self._unchanged(source.path, size_bytes)
        return untouched

    def _identify(self, source: Source, file: BinaryIO) -> Identity:
        """Tell which session a source is: of a rendition, its collection has said."""
        if source.rendition is not None:
            return named(source.rendition.identity, source.path, self._intake.redactor)
        return identify(file.read(HEAD_BYTES), source, self._intake.redactor)

    def _is_diverted(
        self, source: Source, identity: Identity, file: BinaryIO, position: Position | None
    ) -> bool:
        """Whether a file's session is of another level than this memory's; what is new of it decides, too."""
        levels = self._intake.levels
        if levels is None:
            return False
        key = SessionKey(identity.agent, identity.native_id)
        try:
            start, stop = self._new_of(identity, file, position), os.fstat(file.fileno()).st_size
            level = levels.of(identity, file, start, stop, self._stored_level(key))
        except (OSError, ObjectDamaged, ObjectMissing, RecordRefused) as error:
            self._refuse(source.path, as_refusal(source.path, error))
            return True
        if level == self._intake.level:
            return False
        self.report.files -= 1
        self.report.diverted.append(Diverted(source, key, level))
        return True

    def _new_of(self, identity: Identity, file: BinaryIO, position: Position | None) -> int:
        """Return from which byte on a file has not been judged: all of one that was written anew."""
        if position is None or identity.shape == "document":
            return 0
        return position.offset if begins_as_before(position, file, self._intake.key) else 0

    def _stored_level(self, key: SessionKey) -> Level:
        """Return the lowest level that the memory says a session has; nothing rises by what is said there."""
        known = [registered(self._memory, folder, "team") for folder in self._memory.find_key(key)]
        return lowest([level for level in known if level != "public"] or ["team"])

    def _plan(self, looked: Looked) -> Plan | Settled | Gone | None:
        """Find what of a file is new; None where it cannot be told, and the file is refused."""
        identity, joins = looked.identity, None
        if identity.stream != MAIN_STREAM:
            joins = self._pending.get(SessionKey(identity.agent, identity.native_id))
        redactor, key = self._intake.redactor, self._intake.key
        path, file, stop, position = looked.path, looked.file, looked.stop, looked.position
        try:
            again = self._intake.again
            found = plan(
                self._memory, looked.text, identity, file, stop, position, redactor, key, joins, again=again
            )
            if not isinstance(found, Plan) or found.record or not is_closing(file, found.start, stop):
                return found
            return Settled(found.session, None, found.keep, found.start)
        except (OSError, RedactionFailed, ObjectDamaged, ObjectMissing, RecordRefused) as error:
            self._refuse(path, as_refusal(path, error))
            return None

    def _hand_out(self, looked: Looked, found: Plan) -> None:
        """Have what is new of a file sealed, range by range, and take back what has been sealed meanwhile."""
        stream = Stream(
            found, looked.path, looked.status, looked.position, found.parent, found.keep, found.start
        )
        self._busy.add((found.session, looked.identity.stream))
        key = SessionKey(looked.identity.agent, looked.identity.native_id)
        self._pending.setdefault(key, Joined(found.session, found.record))
        spans = cut_ranges(looked.file, looked.identity.shape, found.start, found.stop)
        while True:
            try:
                start, stop = next(spans, (found.stop, found.stop))
                group = found.group_for(start, stop) if start < stop else EMPTY_GROUP
            except (OSError, ObjectDamaged, ObjectMissing, RecordRefused) as error:
                stream.error = as_refusal(looked.path, error)
                break
            if start == stop:
                break
            work = Range(looked.text, start, stop, group, found.session.encode())
            self._queue.append(Work(stream, start, stop, self._intake.sealer.submit(work)))
            self._drain(_IN_FLIGHT)
        self._queue.append(Work(stream, found.stop, found.stop, None))

    def _settle(self) -> None:
        """Take back all that is on its way, and commit it: then the memory can be asked about it."""
        self._drain(0)
        self._commit()

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
                stream.error = stream.error or as_refusal(stream.name, error)
                continue
            if sealed.read_bytes != work.stop - work.start:
                stream.error = stream.error or as_refusal(stream.name, OSError("it changed meanwhile"))
            if stream.error is None:
                self._take(stream, work, sealed)

    def _take(self, stream: Stream, work: Work, sealed: SealedRange) -> None:
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
        self._intake.tell(Progress(self._done_bytes, stream.name))
        if self._batch_bytes >= self._intake.batch_bytes:
            self._close_capture(stream)
            self._commit()

    def _end(self, stream: Stream) -> None:
        """Make the last capture of a file, or drop what has not been captured of one that failed."""
        if stream.error is not None:
            self._refuse(stream.name, stream.error)
            return
        self._close_capture(stream)
        self._batch_sources += 1
        if self._batch_sources >= self._intake.batch_sources:
            self._commit()

    def _close_capture(self, stream: Stream) -> None:
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
            stream=found.identity.stream,
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
        name_of_session = f"{found.identity.agent}/{found.identity.native_id}"
        self._captured[name_of_session] += sum(entry.lines for entry in stream.entries)
        stream.keep += sum(entry.lines for entry in stream.entries)
        stream.parent, stream.started = name, True
        stream.entries, stream.blobs = [], {}
        settled = Settled(found.session, name, stream.keep, stream.offset)
        self._captures[stream.name] = (stream, settled, name)

    def _put(self, record: Session) -> Oid:
        return self._batch.add("blob", records.seal(record)[1])

    def _begin_batch(self) -> None:
        self._stack = ExitStack()
        self._batch: Batch = self._stack.enter_context(self._intake.storage.begin())
        self._changes: dict[TreePath, Oid | None] = {}
        self._captures: dict[Path, tuple[Stream, Settled, RecordId]] = {}
        self._captured: Counter[str] = Counter()
        self._batch_bytes = self._batch_sources = 0

    def _commit(self) -> None:
        """Remember how far the batch's files will be stored, commit it, and start another."""
        if self._changes:
            intake = self._intake
            for stream, settled, capture in self._captures.values():
                self._remember(stream, settled, capture)
            with self._stack:
                tip = commit(
                    intake.storage,
                    intake.ref,
                    intake.writer,
                    batch_message(self._captured),
                    self._changes,
                    self._batch,
                )
            self._begin_batch()
            self.report.commits.append(tip)
            self._memory = open_memory(intake.storage, intake.ref)._replace(absent=intake.absent)
        self._renditions.keep_only(self._in_use())
        going_on = [work.stream.plan for work in self._queue]
        self._busy = {(p.session, p.identity.stream) for p in going_on}
        self._pending = {
            SessionKey(p.identity.agent, p.identity.native_id): Joined(p.session, p.record) for p in going_on
        }

    def _in_use(self) -> set[Path]:
        """Return the files that are being sealed, or whose positions are yet to be written down."""
        captured = [stream for stream, *_ in self._captures.values()]
        return {stream.plan.path for stream in [*captured, *(work.stream for work in self._queue)]}

    def _remember(self, stream: Stream, settled: Settled, capture: RecordId) -> None:
        """Write down how far a file will be stored, beside how far it is."""
        is_rewritten = stream.plan.identity.shape == "document"
        try:
            with stream.plan.path.open("rb") as file:
                ends = digests(file, settled.offset, self._intake.key, is_rewritten=is_rewritten)
        except OSError:
            return  # its agent removed it meanwhile; what it held will be safe
        new = position_at(settled, capture, stream.plan.identity.stream, ends, stream.status)
        both = msgspec.structs.replace(new, before=stream.position)
        write_position(self._intake.state_dir, stream.name, both)
        stream.position = new

    def _unchanged(self, path: Path, size_bytes: int) -> None:
        self.report.unchanged += 1
        self._done_bytes += size_bytes
        self._intake.tell(Progress(self._done_bytes, path))

    def _refuse(self, path: Path, error: GitmemError) -> None:
        self.report.refused.append(Refused(path, error))
