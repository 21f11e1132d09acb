"""Reading sessions back: find one by name, its text as stored, its turns in normal form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors import SessionAmbiguous, SessionUnknown
from gitmem.model.ids import MAIN_STREAM, SessionKey
from gitmem.transcripts.read import Transcript, read

_MIN_ID_DIGITS = 7
_HEX = frozenset("0123456789abcdef")


def resolve(memory: Memory, name: str) -> Folder:
    """Find the session that a name means: `<agent>/<native id>`, its beginning, or a session id's.

    Raises:
        SessionUnknown: None fits.
        SessionAmbiguous: More than one does; each is named by its id.
        BadSessionName: It is in neither form.
    """
    if _MIN_ID_DIGITS <= len(name) <= 64 and _HEX.issuperset(name):
        return _only(memory, name, memory.find_prefix(name))
    key = SessionKey.parse(name)
    found = memory.find_key(key)
    if not found:
        found = tuple(_begin_with(memory, key))
    return _only(memory, name, found)


def text(memory: Memory, folder: Folder, stream: str = MAIN_STREAM) -> Iterator[bytes]:
    """Yield one stream of a session as it is stored: the agent's own lines, after redaction.

    Raises:
        SessionUnknown: The session has no such stream.
    """
    heads = memory.load(folder).heads().get(stream)
    if not heads:
        raise SessionUnknown(f"{folder.session} stream {stream!r}")
    yield from memory.text(folder, heads[0])


def streams(memory: Memory, folder: Folder, stored: StoredSession) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield every stream of a session with its text, the session's own first.

    Where a stream has several heads, the others follow under a name of their own, `<stream>@<capture>`:
    what they have in common with the first is dropped by the reader, which knows turns by their ids.
    """
    heads = stored.heads()
    for stream in sorted(heads):
        for nth, head in enumerate(heads[stream]):
            yield _stream_name(stream, head, nth), memory.text(folder, head)


def transcript(memory: Memory, folder: Folder, stored: StoredSession | None = None) -> Transcript:
    """Read a whole session in normal form."""
    stored = stored or memory.load(folder)
    return read(stored.record.agent, streams(memory, folder, stored))


def _stream_name(stream: str, head: Head, nth: int) -> str:
    return f"{stream}@{head.capture[:8]}" if nth else stream


def _begin_with(memory: Memory, key: SessionKey) -> Iterator[Folder]:
    """Find sessions by the beginning of their native id, which takes a look at every session."""
    for folder in memory.folders():
        stored = memory.load(folder)
        if stored.key.agent == key.agent and stored.key.native_id.startswith(key.native_id):
            yield folder


def _only(memory: Memory, name: str, found: tuple[Folder, ...]) -> Folder:
    if not found:
        raise SessionUnknown(name)
    if len(found) > 1:
        raise SessionAmbiguous(name, tuple(folder.session[:12] for folder in found))
    return found[0]
