"""Reading sessions back: find one by name, its text as stored, its turns in normal form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, Final, NamedTuple

import msgspec

from gitmem.format.lines import lines_of
from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.errors.naming import SessionAmbiguous, SessionUnknown, StreamUnknown
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import MAIN_STREAM, SessionId, SessionKey, origin_key
from gitmem.model.records import Session
from gitmem.model.turns import Tally, Turn
from gitmem.redaction.placeholders import same_line
from gitmem.transcripts.detect import detect
from gitmem.transcripts.handed import copy_id, short_id
from gitmem.transcripts.read import Reading, Transcript, iterate

_MIN_ID_DIGITS = 7
_ID_DIGITS = 64
_SHOWN_ID_DIGITS = 12
_ELLIPSIS = "…"
_HEX = frozenset("0123456789abcdef")
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,99}")


class Address(NamedTuple):
    """A session, and the turn of it that was asked for, in the words of whoever asked."""

    folder: Folder
    turn: str | None


def address(memory: Memory, text: str) -> Address:
    """Find what `SESSION` or `SESSION#TURN` means; a native id may hold a `#` itself.

    Raises:
        SessionUnknown, SessionAmbiguous, BadSessionName: As `resolve` does.
    """
    name, hash_sign, turn = text.rpartition("#")
    if not (hash_sign and name and turn):
        return Address(resolve(memory, text), None)
    if "/" in text and (found := memory.find_key(SessionKey.parse(text))):
        return Address(_only(memory, text, found), None)
    return Address(resolve(memory, name), turn)


def resolve(memory: Memory, name: str) -> Folder:
    """Find the session that a name means: `<agent>/<native id>`, the beginning of one, or of a native id
    alone, or of a session id.

    Only the beginning of a native id takes a look at every session. What gitmem prints of a long name ends
    with an ellipsis, and is taken as the beginning that it is.

    Raises:
        SessionUnknown: None fits.
        SessionAmbiguous: More than one does.
        BadSessionName: It is empty, or has nothing on one side of its first slash.
    """
    beginning = name.removesuffix(_ELLIPSIS)
    if _MIN_ID_DIGITS <= len(name) <= _ID_DIGITS and _HEX.issuperset(name):
        found = memory.find_prefix(name)
        if found:
            return _only(memory, name, found)
    if "/" not in name and beginning:
        return _only(memory, name, tuple(_begin_with(memory, None, beginning)))
    found = memory.find_key(SessionKey.parse(name))
    if not found:
        key = SessionKey.parse(beginning)
        found = tuple(_begin_with(memory, key.agent, key.native_id))
    return _only(memory, name, found)


def plain_name(key: SessionKey, session: SessionId) -> str:
    """Return what names a session in words of ours: its key if that is one plain word, else digits of its id.

    A native id may be any text, which an agent that is told of the session is not to take for ours.
    """
    return str(key) if _PLAIN.fullmatch(str(key)) else session[:_SHOWN_ID_DIGITS]


def session_record(memory: Memory, folder: Folder) -> Session:
    """Read a session's own record and nothing else of it.

    Raises:
        RecordRefused: There is none, or none that gitmem writes.
        ObjectMissing: It is not here.
        ObjectDamaged: It does not decode.
    """
    return memory.record(folder)


def text(memory: Memory, folder: Folder, stream: str = MAIN_STREAM) -> Iterator[bytes]:
    """Yield one stream of a session as it is stored: the agent's own lines, after redaction.

    Raises:
        StreamUnknown: The session has no such stream.
    """
    stored = memory.load(folder)
    yield from memory.text(folder, head_of(stored, stream))


def heads(stored: StoredSession) -> Iterator[tuple[str, Head]]:
    """Yield every stream's name and head, the session's own first.

    Where a stream has several heads, the others follow under a name of their own, `<stream>@<capture>`.
    """
    found = stored.heads()
    for stream in sorted(found):
        for nth, head in enumerate(found[stream]):
            yield f"{stream}@{head.capture[:8]}" if nth else stream, head


def head_of(stored: StoredSession, stream: str) -> Head:
    """Return the head that a stream's name, as `heads` gives it, stands for.

    Raises:
        StreamUnknown: The session has no such stream.
    """
    found = dict(heads(stored))
    if stream not in found:
        raise StreamUnknown(str(stored.key), stream, tuple(found))
    return found[stream]


def streams(memory: Memory, folder: Folder, stored: StoredSession) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield every stream of a session, by its name, with its text.

    A further head that says nothing which the first does not is left out: two clones that captured the same
    transcript. What others have in common with the first is dropped by the reader, which knows turns by ids.
    """
    first: dict[str, Head] = {}
    for name, head in heads(stored):
        stream = head.record.stream
        if stream not in first:
            first[stream] = head
        elif is_contained(memory, folder, head, first[stream]):
            continue
        yield name, memory.text(folder, head)


def is_contained(memory: Memory, folder: Folder, head: Head, other: Head) -> bool:
    """Whether one text is the beginning of another, whatever each was redacted with."""
    if head.lines > other.lines:
        return False
    if head.spans == other.spans[: len(head.spans)]:
        return True
    # Two readers, for each keeps the group of segments that it is at.
    theirs = lines_of(memory.text(folder, other))
    return all(same_line(line, next(theirs, b"")) for line in lines_of(memory.text(folder, head)))


def turns(memory: Memory, folder: Folder, stored: StoredSession | None = None) -> Reading:
    """Read a session in normal form, turn by turn, in bounded memory.

    What a fork repeats of the session that it was forked from is left out, where that one is here too.

    Raises:
        ReaderMissing: No reader knows the agent, as where a newer gitmem wrote the session.
    """
    stored = stored or memory.load(folder)
    inherited = _inherited(memory, folder, stored)
    return iterate(stored.record.agent, streams(memory, folder, stored), inherited=inherited)


def transcript(memory: Memory, folder: Folder, stored: StoredSession | None = None) -> Transcript:
    """Read a whole session in normal form.

    Raises:
        ReaderMissing: No reader knows the agent.
    """
    found = turns(memory, folder, stored)
    listed = list(found)
    return Transcript(found.header, listed, found.tally, found.ids)


def as_plain(value: Turn | Tally) -> dict[str, Any]:
    """Return a turn or a tally as JSON has it; what is at its default is left out."""
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _inherited(memory: Memory, folder: Folder, stored: StoredSession) -> frozenset[str]:
    """Return the ids of the turns that a session may repeat: those of the one that it was forked from.

    Where sessions name each other in a circle, one inherits only from those of smaller ids: else each would
    leave out what it has in common with the next, and nobody would say it.
    """
    ids: set[str] = set()
    for origin in _origins(memory, folder, stored):
        if origin.session < folder.session or not _comes_from(memory, origin, folder):
            begun = memory.load(origin)
            reading = iterate(begun.record.agent, streams(memory, origin, begun))
            for turn in reading:
                own = copy_id(begun.key, turn.stream, turn.ordinal)
                ids |= {own, short_id(own)}
            ids |= reading.ids
    return frozenset(ids)


def _origins(memory: Memory, folder: Folder, stored: StoredSession) -> tuple[Folder, ...]:
    """Return the sessions that are here of the one that a session was forked from, as its beginning says."""
    mains = stored.heads().get(MAIN_STREAM)
    if not mains:
        return ()
    beginning = next(iter(memory.text(folder, mains[0])), b"")
    try:
        found = detect(beginning, PurePath("session"), stored.record.agent)
    except UnknownTranscript:
        return ()
    if found.forked_from is None:
        return ()
    return memory.find_key(origin_key(stored.record.agent, found.forked_from))


def _comes_from(memory: Memory, folder: Folder, other: Folder) -> bool:
    """Whether a session is another, or was forked from it, or from one that was, and so on."""
    seen, todo = {folder.session}, [folder]
    while todo:
        at = todo.pop()
        if at.session == other.session:
            return True
        try:
            found = _origins(memory, at, memory.load(at))
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            continue  # what cannot be read leaves nothing out, and `verify` reports it
        todo += [origin for origin in found if origin.session not in seen]
        seen |= {origin.session for origin in found}
    return False


def _begin_with(memory: Memory, agent: str | None, native_id: str) -> Iterator[Folder]:
    """Find sessions by the beginning of their native id, which reads every session's record."""
    for folder in memory.folders():
        try:
            record = session_record(memory, folder)
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            continue  # it has no name to go by; `verify` reports it, and others must still be found
        if record.agent == (agent or record.agent) and record.native_id.startswith(native_id):
            yield folder


def _only(memory: Memory, name: str, found: tuple[Folder, ...]) -> Folder:
    if not found:
        raise SessionUnknown(name)
    if len(found) > 1:
        raise SessionAmbiguous(name, _distinct_names(memory, found))
    return found[0]


def _distinct_names(memory: Memory, found: tuple[Folder, ...]) -> tuple[str, ...]:
    """Name sessions plainly; where two share a name, by as much of their ids as tells them apart."""
    keys = []
    for folder in found:
        record = session_record(memory, folder)
        keys.append(plain_name(SessionKey(record.agent, record.native_id), folder.session))
    if len(set(keys)) == len(keys):
        return tuple(keys)
    digits = next(
        count
        for count in range(_SHOWN_ID_DIGITS, _ID_DIGITS + 1)
        if len({folder.session[:count] for folder in found}) == len(found)
    )
    return tuple(folder.session[:digits] for folder in found)
