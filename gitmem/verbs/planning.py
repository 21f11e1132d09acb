"""Planning a capture: what of a transcript file is new, and which session it goes on with.

The cheap answer comes from the file's position. Where there is none, or the file no longer looks as it
did, what is stored is compared with the file line by line, whatever each side was redacted with:

1. the file goes on where the stored text ends: only the rest is new;
2. the file ends earlier, and was never longer here: it is an older copy, and nothing is new;
3. the file ends earlier, or differs, and is the one that was captured before, or is a document that its
   agent rewrites in place: a generation, which keeps the lines up to there;
4. the file differs, and was not captured here before: the session went on in two places. A second head
   branches off the last capture that both have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from gitmem.format.burial import buried_with
from gitmem.format.lines import lines_of
from gitmem.format.manifest import Head, total_lines
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.format.records import key_digest, session_id
from gitmem.format.segments import EMPTY_GROUP, Group
from gitmem.model.ids import MAIN_STREAM, RecordId, SegmentId, SessionId, SessionKey
from gitmem.model.records import Session
from gitmem.redaction.placeholders import same_line, skeleton
from gitmem.redaction.redactor import Redactor
from gitmem.transcripts.detect import Identity
from gitmem.verbs.sources import Position, begins_as_before, chunks_of

BEGINNING_BYTES = 4096
_FIRST_LINE_BYTES = 64 << 10
_APPENDED_TO_BYTES = 1 << 20
"""A group that is larger takes no more captures: each waits until the compressor has gone through it."""


class Plan(NamedTuple):
    """What of a file to capture: bytes `start` to `stop`, as lines from number `keep` of a stream.

    `record` is the session's own record where the memory has none yet; `parent` is None where the stream is
    new. `group_for` gives the group that the segments of a range, by its start and stop, may build on.
    """

    path: Path
    identity: Identity
    session: SessionId
    record: Session | None
    parent: RecordId | None
    keep: int
    start: int
    stop: int
    group_for: Callable[[int, int], Group]


class Joined(NamedTuple):
    """A session that is on its way into the memory, and its own record if the memory has none yet."""

    session: SessionId
    record: Session | None


class Gone(NamedTuple):
    """A file whose session was erased from the memory, and is not taken in again unasked."""

    key: SessionKey


class Settled(NamedTuple):
    """A file of which everything is stored already; `capture` is None where more than the file is."""

    session: SessionId
    capture: RecordId | None
    lines: int
    offset: int


def beginning_of(identity: Identity, file: BinaryIO, redactor: Redactor) -> str:
    """Return the digest of how a transcript begins: docs/formats/store.md, "Sessions"."""
    first = b""
    if identity.shape == "lines":
        file.seek(0)
        line = file.read(_FIRST_LINE_BYTES).partition(b"\n")[0].removesuffix(b"\r")
        first = skeleton(redactor.line(line))[:BEGINNING_BYTES]
    return hashlib.sha256(first).hexdigest()


def plan(
    memory: Memory,
    path: Path,
    identity: Identity,
    file: BinaryIO,
    stop: int,
    position: Position | None,
    redactor: Redactor,
    key: bytes,
    joins: Joined | None = None,
    *,
    again: bool = False,
) -> Plan | Settled | Gone:
    """Compare a file's first `stop` bytes with what the memory has of it; see the module for the cases.

    `joins` is the session that a subagent's transcript belongs to, where that one is on its way too. With
    `again` a session that was erased becomes a new incarnation.

    Raises:
        OSError: The file cannot be read.
        RedactionFailed: It cannot be redacted.
        StoreError: What is stored of the session cannot be read.
    """
    if position is not None and position.stream == identity.stream:
        known = _from_position(memory, path, identity, file, stop, position, key)
        if known is not None:
            return known
    if joins is not None and memory.find(joins.session) is None:
        return Plan(path, identity, joins.session, joins.record, None, 0, 0, stop, _no_group)
    folder, record = _find(memory, identity, file, position, redactor)
    if folder is None:
        erased = buried_with(memory, SessionKey(identity.agent, identity.native_id))
        if erased and not again:
            return Gone(SessionKey(identity.agent, identity.native_id))
        while session_id(record) in erased:
            record = msgspec.structs.replace(record, incarnation=record.incarnation + 1)
        return Plan(path, identity, session_id(record), record, None, 0, 0, stop, _no_group)
    stored = memory.load(folder)
    if not again and _is_of_erased(memory, identity, record, stored):
        return Gone(SessionKey(identity.agent, identity.native_id))
    heads = stored.heads().get(identity.stream, [])
    if position is not None and position.session != folder.session:
        position = None
    return _compare(memory, path, identity, folder, stored, heads, file, stop, position, redactor)


def _from_position(
    memory: Memory,
    path: Path,
    identity: Identity,
    file: BinaryIO,
    stop: int,
    position: Position,
    key: bytes,
) -> Plan | Settled | None:
    """Go on where the last capture of this very file ended, if it and the memory are as they were."""
    key_digits = key_digest(SessionKey(identity.agent, identity.native_id))
    is_another = identity.stream == MAIN_STREAM and not position.session.startswith(key_digits)
    if is_another or not 0 < position.offset <= stop or not begins_as_before(position, file, key):
        return None
    folder = memory.find(position.session)
    capture = memory.capture(folder, position.capture) if folder else None
    if folder is None or capture is None:
        return None
    if stop == position.offset:
        return Settled(position.session, position.capture, position.lines, position.offset)
    if not _ends_line(file, position.offset):
        return None
    last = capture.segments[-1].name if capture.segments else None
    start = position.offset
    return Plan(
        path,
        identity,
        position.session,
        None,
        position.capture,
        position.lines,
        start,
        stop,
        _group_before(memory, folder, last, start),
    )


def _find(
    memory: Memory, identity: Identity, file: BinaryIO, position: Position | None, redactor: Redactor
) -> tuple[Folder | None, Session]:
    """Find the session that a transcript belongs to; the record is what a new one would have."""
    native_id = identity.native_id
    is_main = identity.stream == MAIN_STREAM
    # A subagent's transcript does not say how its session began; it joins what there is of that key.
    beginning = beginning_of(identity, file, redactor) if is_main else hashlib.sha256().hexdigest()
    record = Session(identity.agent, native_id, beginning)
    if position is not None and is_main:
        before = memory.find(position.session)
        if before is not None and memory.load(before).key == SessionKey(identity.agent, native_id):
            return before, record
    candidates = memory.find_key(SessionKey(identity.agent, native_id))
    for folder in candidates:
        if folder.session == session_id(record):
            return folder, record
    for folder in candidates:
        if not is_main or _may_adopt(memory, folder, identity, file, redactor):
            return folder, record
    return None, record


def _is_of_erased(memory: Memory, identity: Identity, record: Session, stored: StoredSession) -> bool:
    """Whether a transcript is that of a session that was erased, though another of its key would take it; of
    a subagent's that is new nobody can tell."""
    if stored.record.incarnation:
        return False
    if identity.stream == MAIN_STREAM:
        own = session_id(record)
        return own != stored.id and own in buried_with(memory, stored.key)
    return identity.stream not in stored.heads() and bool(buried_with(memory, stored.key))


def _may_adopt(
    memory: Memory, folder: Folder, identity: Identity, file: BinaryIO, redactor: Redactor
) -> bool:
    """Whether a session is this one all the same: it has only subagents yet, or was redacted otherwise."""
    heads = memory.load(folder).heads().get(MAIN_STREAM)
    if not heads:
        return True
    if identity.shape == "document":
        return False
    file.seek(0)
    first = next(lines_of(redactor.stream(chunks_of(file, 0, _size(file)))), b"")
    return any(same_line(first, memory.lines(folder, head, 0, 1)) for head in heads)


def _compare(
    memory: Memory,
    path: Path,
    identity: Identity,
    folder: Folder,
    stored: StoredSession,
    heads: list[Head],
    file: BinaryIO,
    stop: int,
    position: Position | None,
    redactor: Redactor,
) -> Plan | Settled:
    def planned(
        parent: RecordId | None, keep: int, start: int, group_for: Callable[[int, int], Group]
    ) -> Plan:
        return Plan(path, identity, folder.session, None, parent, keep, start, stop, group_for)

    if not heads:
        return planned(None, 0, 0, _no_group)
    found = [(_common(memory, folder, head, file, stop, redactor), head) for head in heads]
    same, head = max(found, key=lambda row: (row[0].lines, row[0].stored_ended, row[0].offset))
    if same.file_ended and same.stored_ended:
        return Settled(folder.session, head.capture, same.lines, stop)
    if same.stored_ended:
        last = head.spans[-1].segment if head.spans else None
        return planned(
            head.capture, same.lines, same.offset, _group_before(memory, folder, last, same.offset)
        )
    if same.file_ended and position is None:
        return Settled(folder.session, None, same.lines, stop)
    alike = _group_alike(memory, folder, head)
    if identity.shape == "document" or (position and position.capture == head.capture):
        return planned(head.capture, same.lines, same.offset, alike)
    if position and same.lines <= position.lines and position.capture in stored.captures:
        # Another clone went on from what this file had: only what came from here is taken back.
        return planned(position.capture, same.lines, same.offset, alike)
    parent, keep = _last_shared(head, stored, same.lines)
    return planned(parent, keep, _offset_of_line(file, keep, stop), _no_group)


class _Common(NamedTuple):
    """What a file and a stored text begin with, in lines of both and bytes of the file."""

    lines: int
    offset: int
    file_ended: bool
    stored_ended: bool


def _common(
    memory: Memory, folder: Folder, head: Head, file: BinaryIO, stop: int, redactor: Redactor
) -> _Common:
    """Compare a file with a stored text, line by line; a last one without an end only counts for both."""
    ours = lines_of(redactor.stream(chunks_of(file, 0, stop), folder.session.encode()))
    theirs = lines_of(memory.text(folder, head))
    lines = 0
    while True:
        mine, other = next(ours, None), next(theirs, None)
        if mine is None or other is None or not same_line(mine, other):
            break
        if not mine.endswith(b"\n"):
            # The last line of both: a text without a line end at its end is complete all the same.
            mine, other = next(ours, None), next(theirs, None)
            break
        lines += 1
    return _Common(lines, _offset_of_line(file, lines, stop), mine is None, other is None)


def _last_shared(head: Head, stored: StoredSession, lines: int) -> tuple[RecordId | None, int]:
    """Return the last capture on the way to a head of which all lines are shared, and how many it has.

    Of a capture's text, what the next one did not keep is not part of the head's.
    """
    at: RecordId | None = head.capture
    shared = lines
    while at is not None:
        capture = stored.captures[at]
        total = capture.keep + total_lines(capture.segments)
        if total <= shared:
            return at, total
        shared = min(shared, capture.keep)
        at = capture.parents[0] if capture.parents else None
    return None, 0


def _no_group(start: int, stop: int) -> Group:
    return EMPTY_GROUP


def _group_before(
    memory: Memory, folder: Folder, last: SegmentId | None, where: int
) -> Callable[[int, int], Group]:
    """Let what is appended at `where` go on with the group that ends in the last segment."""

    def group_for(start: int, stop: int) -> Group:
        if last is None or start != where:
            return EMPTY_GROUP
        group = memory.opener(folder).group_at(last)
        return group if len(group.text) < _APPENDED_TO_BYTES else EMPTY_GROUP

    return group_for


def _group_alike(memory: Memory, folder: Folder, head: Head) -> Callable[[int, int], Group]:
    """Let a rewritten text build on what the old one had about there: behind it, it costs next to nothing."""

    def group_for(start: int, stop: int) -> Group:
        at = 0
        for span in head.spans:
            at += span.size_bytes
            if at >= stop or span is head.spans[-1]:
                return memory.opener(folder).group_with_room(span.segment, stop - start)
        return EMPTY_GROUP

    return group_for


def _offset_of_line(file: BinaryIO, line: int, stop: int) -> int:
    """Return where a line begins in a file, counted from 0; `stop` where there are fewer."""
    at = 0
    for chunk in chunks_of(file, 0, stop):
        ends = chunk.count(b"\n")
        if line == 0:
            break
        if ends < line:
            line -= ends
            at += len(chunk)
            continue
        inside = 0
        for _ in range(line):
            inside = chunk.index(b"\n", inside) + 1
        return at + inside
    return at


def _ends_line(file: BinaryIO, offset: int) -> bool:
    if offset == 0:
        return True
    file.seek(offset - 1)
    return file.read(1) == b"\n"


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
