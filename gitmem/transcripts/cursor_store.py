"""The store of one session of Cursor's command line: `chats/<md5 of the directory>/<session>/store.db`.

It has blobs named by their digests: messages as JSON, and nodes in protobuf that list blobs by their ids.
What the session is stands in `meta`, as hexadecimal JSON, with the id of the latest root. The root's field 1
lists the messages in order, its field 9 directories. A rendition is a line that says which session it is, a
line for each message, and a last one with what the session says of itself.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.sqlite import has_tables, json_of, line_of, object_in, opened
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.whole_files import load_beside

_TABLES = {"blobs": frozenset(("id", "data")), "meta": frozenset(("key", "value"))}
_DIGEST_BYTES = 32
_MESSAGES, _DIRECTORIES = 1, 9
_DEEPEST = 8
_DIRECTORY = re.compile(r"^(?:Workspace Path|Working directory): *(\S.*?)\s*$", re.MULTILINE)
_LOOKED_AT = 4


def holds(path: Path, head: bytes) -> bool:
    """Tell whether it has the store's tables."""
    return path.suffix == ".db" and has_tables(path, head, _TABLES)


def sessions(path: Path) -> Listing:
    """List the one session that it has, once something was said in it."""
    with opened(path) as connection:
        about = _about(connection, path)
        root = string(about, "latestRootBlobId")
        if root is None:
            return Listing(())
        cwd = _began_in(connection, path, root)
        size = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        [size_bytes] = size.fetchone()
    parent = string(child(about, "subagentInfo"), "parentAgentId")
    own = string(about, "agentId") or path.parent.name
    identity = session_of("cursor", own, parent, cwd)
    updated_ms = to_ms(_beside(path).get("updatedAtMs"))
    return Listing((Listed(identity, root, updated_ms, size_bytes),), is_one=True)


def rendition(path: Path, identity: Identity) -> Iterator[bytes]:
    """Yield the lines of the session."""
    own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
    first = {"agentId": own, "parentAgentId": identity.parent_id}
    yield line_of({"cursor": {name: value for name, value in first.items() if value is not None}})
    with opened(path) as connection:
        about = _about(connection, path)
        for blob_id, data in _messages(connection, string(about, "latestRootBlobId") or "", 0):
            yield b'{"blob":' + msgspec.json.encode(blob_id) + b',"message":' + json_of(data) + b"}\n"
        kept = {name: value for name, value in about.items() if name != "latestRootBlobId"}
        yield line_of({"cursor": kept | ({"cwd": identity.cwd} if identity.cwd else {})})


def _about(connection: sqlite3.Connection, path: Path) -> Object:
    """Return what the session says of itself: hexadecimal JSON, in some versions plain."""
    row = connection.execute("SELECT value FROM meta WHERE key = '0'").fetchone()
    cell = row[0] if row else None
    found = object_in(cell)
    if not found and isinstance(cell, str | bytes):
        try:
            found = object_in(binascii.unhexlify(cell.strip()))
        except (binascii.Error, ValueError):
            raise UnknownTranscript(str(path), "its table meta says nothing of a session") from None
    return found


def _messages(connection: sqlite3.Connection, blob_id: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """Yield the messages that a node lists, in order, with their ids; a node may list nodes."""
    data = _blob(connection, blob_id)
    if data[:1] == b"{":
        yield blob_id, data
    elif depth < _DEEPEST:
        for field, value in fields_of(data):
            if field == _MESSAGES and len(value) == _DIGEST_BYTES:
                yield from _messages(connection, value.hex(), depth + 1)


def _blob(connection: sqlite3.Connection, blob_id: str) -> bytes:
    row = connection.execute("SELECT data FROM blobs WHERE id = ?", (blob_id,)).fetchone()
    cell = row[0] if row else b""
    return cell.encode() if isinstance(cell, str) else cell if isinstance(cell, bytes) else b""


def fields_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a protobuf message that have a length, by number, as far as it can be read."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                return
            yield key >> 3, data[at : at + size]
            at += size
        elif kind == 0:
            _, at = _varint(data, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            return


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends; one that breaks off ends beyond the data."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(data) + 1


def _began_in(connection: sqlite3.Connection, path: Path, root: str) -> str | None:
    """Return the session's directory: as the file beside it says, or the one that its folder is named by."""
    told = string(_beside(path), "cwd")
    if told is not None:
        return told
    wanted = path.parent.parent.name
    for place in _candidates(connection, root):
        if hashlib.md5(place.encode(), usedforsecurity=False).hexdigest() == wanted:
            return place
    return None


def _candidates(connection: sqlite3.Connection, root: str) -> Iterator[str]:
    for field, value in fields_of(_blob(connection, root)):
        if field == _DIRECTORIES:
            text = value.decode(errors="replace")
            yield path_of(text) or text
    for number, (_, data) in enumerate(_messages(connection, root, 0)):
        if number == _LOOKED_AT:
            return
        content = msgspec.json.encode(object_in(data).get("content"))
        decoded = content.decode().replace("\\n", "\n")
        yield from _DIRECTORY.findall(decoded)


def _beside(path: Path) -> Object:
    """Return what newer versions write beside a store: its title, directory and times."""
    return load_beside(path.parent / "meta.json")
