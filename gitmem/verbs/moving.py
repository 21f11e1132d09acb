"""Moving a session from one level to another.

To a lower one its records are carried over as they are, and the copy that others see is withdrawn: hidden
from every reader, and gone on with no more. To a higher one it is written anew, redacted again by that
level's rules, so that nothing moves which has not passed them. What a memory's history holds stays there
until it is erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from gitmem.format import layout, records
from gitmem.format.burial import buried_with
from gitmem.format.lines import lines_of
from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory, StoredSession, open_memory
from gitmem.model.ids import Oid, RecordId, SessionId, SessionKey
from gitmem.model.records import MAX_COUNT, Author, Capture, Register, RegisterName, SegmentEntry, Session
from gitmem.model.settings import Level
from gitmem.objects import trees
from gitmem.objects.storage import Batch, Storage
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.committing import SKIP_CI, Writer, commit
from gitmem.verbs.naming import tags_of, title_of
from gitmem.verbs.sealing import seal_chunks
from gitmem.verbs.unsharing import take_out

Changes = dict[trees.Path, Oid | None]
"""Blobs to be put in a memory's tree, by their paths; None takes one out."""

Values = dict[RegisterName, str | tuple[str, ...] | bool | None]


class Review(NamedTuple):
    """What a session comes to once it is redacted for another level: what goes, by kind, and what is left."""

    replaced: Counter[str]
    streams: int
    lines: int
    bytes_before: int
    bytes_after: int


class Target(NamedTuple):
    """A memory that a session is moved into, by whom, and through which redactor.

    `replace` is told of a tip whose history the memory is about to leave.
    """

    storage: Storage
    ref: str
    level: Level
    writer: Writer
    redactor: Redactor
    by: str
    replace: Callable[[str, Oid], object] = lambda ref, tip: None


def review(memory: Memory, folder: Folder, redactor: Redactor) -> Review:
    """Redact a session without writing anything.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
        RedactionFailed: The redactor cannot do its work.
    """
    stored = memory.load(folder)
    before = Counter(redactor.counts)
    streams = lines = bytes_before = bytes_after = 0
    for head in _heads(stored):
        streams += 1
        lines += head.lines
        bytes_before += head.size_bytes
        salt = folder.session.encode()
        bytes_after += sum(map(len, redactor.stream(memory.text(folder, head), salt)))
    for text in (title_of(stored) or "", *tags_of(stored)):
        redactor.text(text, folder.session.encode())
    return Review(redactor.counts - before, streams, lines, bytes_before, bytes_after)


def carry_over(memory: Memory, folder: Folder, target: Target) -> None:
    """Write all of a session's records into another memory, as they are, and give it that one's level.

    What it has there already stays.
    """
    base = layout.session_folder(folder.session)
    there = open_memory(target.storage, target.ref)
    old = there.find(folder.session)
    stored = memory.load(folder)
    if old is not None:
        stored = stored._replace(registers={**stored.registers, **there.load(old).registers})
    with target.storage.begin() as batch:
        changes: Changes = {
            path: batch.add("blob", trees.read_blob(memory.storage, entry.oid))
            for path, entry in trees.walk(memory.storage, folder.tree, base)
        }
        _put_registers(batch, changes, target.writer, stored, {"level": target.level, "hidden": None})
        _commit(target.storage, target.ref, target.writer, "Carry over a session", changes, batch)


def publish_anew(memory: Memory, folder: Folder, target: Target) -> SessionId:
    """Write a session into another memory, redacted again; where it is there already, what is new of it.

    Its title and tags go with it. Where everybody may look, whoever captured it is named without an address.

    Returns:
        Its id there: another one where its name had to be redacted, too.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
        RedactionFailed: The redactor cannot do its work, and nothing was written.
    """
    there = open_memory(target.storage, target.ref)
    with target.storage.begin() as batch:
        session, changes = written_anew(
            memory, folder, there, target, batch, {"level": target.level, "hidden": None}
        )
        _commit(target.storage, target.ref, target.writer, "Publish a session", changes, batch)
    return session


def written_anew(
    memory: Memory,
    folder: Folder,
    there: Memory | None,
    target: Target,
    batch: Batch,
    values: Values,
    *,
    instead: bool = False,
) -> tuple[SessionId, Changes]:
    """Redact a session again and return what that adds to what is `there` of it; commits nothing.

    `values` are those of its registers beside title and tags, which are redacted as well. With `instead`, it
    is about to be erased, and this is its next incarnation.
    """
    stored = memory.load(folder)
    taken = frozenset({folder.session}) if instead else frozenset()
    record = _record_there(stored.record, target.redactor, memory if instead else there, taken)
    session = records.session_id(record)
    old_folder = there.find(session) if there is not None else None
    old = StoredSession(session, folder.tree, record, {}, {})
    if there is not None and old_folder is not None:
        old = there.load(old_folder)
    salt = session.encode()
    changes: Changes = {layout.session_path(session): batch.add("blob", records.seal(record)[1])}
    for head in _heads(stored):

        def lines(head: Head = head) -> Iterator[bytes]:
            return lines_of(target.redactor.stream(memory.text(folder, head), salt))

        shared = _NOTHING_SHARED
        if there is not None and old_folder is not None:
            shared = _most_alike(there, old_folder, old.heads().get(head.record.stream, []), lines)
        if not shared.is_all:
            _put_capture(batch, changes, session, head, shared, lines(), target)
    title, tags = title_of(stored), tags_of(stored)
    values = {
        **values,
        "title": target.redactor.text(title, salt) if title else None,
        "tags": tuple(sorted({target.redactor.text(tag, salt) for tag in tags})) or None,
    }
    _put_registers(batch, changes, target.writer, old, values)
    return session, changes


def names_there(memory: Memory, folder: Folder, redactor: Redactor, there: Memory) -> set[SessionId]:
    """Return the ids that a session has in another memory, as it is or as it was written anew.

    Another than its own where its name was redacted, or where it was erased in one of the two meanwhile, and
    goes on as its next incarnation.
    """
    record = memory.record(folder)
    anew = msgspec.structs.replace(record, native_id=redactor.text(record.native_id))
    return {found.session for each in (record, anew) for found in there.find_copies(each)}


def _record_there(
    record: Session, redactor: Redactor, there: Memory | None, taken: frozenset[SessionId] = frozenset()
) -> Session:
    record = msgspec.structs.replace(record, native_id=redactor.text(record.native_id))
    erased = buried_with(there, SessionKey(record.agent, record.native_id)) if there else frozenset()
    while records.session_id(record) in erased | taken:
        record = msgspec.structs.replace(record, incarnation=record.incarnation + 1)
    return record


def withdraw(
    storage: Storage,
    ref: str,
    writer: Writer,
    session: SessionId,
    level: Level,
    replace: Callable[[str, Oid], object] = lambda ref, tip: None,
) -> bool:
    """Take a session out of what was shared with nobody; hide from every reader what of it was shared.

    Returns:
        Whether something of it is still there, in what was shared.
    """
    take_out(storage, ref, session, replace)
    set_values(storage, ref, writer, session, {"level": level, "hidden": True}, "Withdraw a session")
    return open_memory(storage, ref).find(session) is not None


def mark(storage: Storage, ref: str, writer: Writer, session: SessionId, level: Level) -> bool:
    """Say in a memory which level a session of it has now, and let it be seen.

    Returns:
        Whether that changed anything.
    """
    return set_values(
        storage, ref, writer, session, {"level": level, "hidden": None}, "Give a session its level"
    )


class _Shared(NamedTuple):
    """The capture of a text that begins as another does, with how many lines, and whether that is all."""

    parent: RecordId | None
    lines: int
    is_all: bool


_NOTHING_SHARED = _Shared(None, 0, is_all=False)


def set_values(
    storage: Storage, ref: str, writer: Writer, session: SessionId, values: Values, message: str
) -> bool:
    """Write what may change about a session, where it is not that already; return whether anything was."""
    with storage.lock():
        memory = open_memory(storage, ref)
        folder = memory.find(session)
        if folder is None:
            return False
        stored = memory.load(folder)
        with storage.begin() as batch:
            changes: Changes = {}
            _put_registers(batch, changes, writer, stored, values)
            if changes:
                _commit(storage, ref, writer, message, changes, batch)
    return bool(changes)


def _heads(stored: StoredSession) -> Iterator[Head]:
    for heads in stored.heads().values():
        yield from heads


def _most_alike(
    there: Memory, folder: Folder, heads: list[Head], lines: Callable[[], Iterator[bytes]]
) -> _Shared:
    """Find what is there already of a text: of several heads the one that has most of it."""
    best = _NOTHING_SHARED
    for head in heads:
        theirs = lines_of(there.text(folder, head))
        shared = 0
        for line in lines():
            if line != next(theirs, None):
                break
            shared += line.endswith(b"\n")
        else:
            return _Shared(head.capture, shared, is_all=True)
        if best.parent is None or shared > best.lines:
            best = _Shared(head.capture, min(shared, head.lines), is_all=False)
    return best


def _put_capture(
    batch: Batch,
    changes: Changes,
    session: SessionId,
    head: Head,
    shared: _Shared,
    lines: Iterator[bytes],
    target: Target,
) -> None:
    """Seal what a text has beyond what is there, and add the capture that says so."""
    entries = []
    for sealed, _ in seal_chunks(islice(lines, shared.lines, None)):
        changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
        entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
    author, code = head.record.author, head.record.code
    if target.level == "public":
        author = Author(target.redactor.text(author.name, session.encode()))
    if code is not None and code.branch is not None:
        code = msgspec.structs.replace(code, branch=target.redactor.text(code.branch, session.encode()))
    capture = Capture(
        session=session,
        at=head.record.at,
        author=author,
        by=target.by,
        redaction=target.redactor.fingerprint,
        segments=tuple(entries),
        keep=shared.lines,
        parents=(shared.parent,) if shared.parent else (),
        stream=head.record.stream,
        shape=head.record.shape,
        code=code,
    )
    name, blob = records.seal(capture)
    changes[layout.capture_path(session, name)] = batch.add("blob", blob)


def _put_registers(
    batch: Batch,
    changes: Changes,
    writer: Writer,
    stored: StoredSession,
    values: Values,
) -> None:
    clock = stored.next_clock()
    for name, value in values.items():
        if stored.value(name) == value:
            continue
        register = Register(stored.id, name, value, clock, writer.now(), writer.author)
        record_id, blob = records.seal(register)
        changes[layout.session_register_path(stored.id, record_id)] = batch.add("blob", blob)
        clock = min(clock + 1, MAX_COUNT)


def _commit(
    storage: Storage,
    ref: str,
    writer: Writer,
    message: str,
    changes: Changes,
    batch: Batch,
) -> None:
    commit(storage, ref, writer, f"{message} {SKIP_CI}\n", changes, batch)
