"""Where capture stands in each transcript file: known to this clone alone, and never in the tree.

A position is a hint that saves reading. Without one, or where the file no longer begins and goes on as it
did there, the file is compared with what is stored; so it is written without waiting for the disk.

It is written just before the commit that it speaks of, next to the one before it. Whichever of the two has
its capture in the memory counts: so a crash on either side of the commit leaves the right one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from gitmem import disk
from gitmem.model.ids import RecordId, SessionId
from gitmem.verbs import caching

HEAD_BYTES = 4096
TAIL_BYTES = 64 << 10
_CHUNK_BYTES = 256 << 10


class Position(msgspec.Struct, frozen=True):
    """How much of a file is stored, and what the file looked like then.

    `offset` bytes of it are `lines` lines of the stream, stored up to and including `capture`. The digests,
    keyed, are over the first HEAD_BYTES and the last TAIL_BYTES before `offset`; of a text that may be
    rewritten anywhere, `whole` is over all of it.
    """

    session: SessionId
    stream: str
    capture: RecordId
    lines: int
    offset: int
    head: str
    tail: str
    size_bytes: int
    mtime_ns: int
    inode: int
    before: Position | None = None
    whole: str | None = None

    def is_unchanged(self, now: os.stat_result) -> bool:
        """Whether the file looks as it did, from outside; an empty position never does."""
        return (self.size_bytes, self.mtime_ns, self.inode) == (now.st_size, now.st_mtime_ns, now.st_ino)


def read_position(state_dir: Path, path: Path) -> Position | None:
    """Return what is known of a file; None where nothing is, or nothing that can be understood."""
    try:
        return msgspec.json.decode(_file_for(state_dir, path).read_bytes(), type=Position)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_position(state_dir: Path, path: Path, position: Position) -> None:
    """Remember how far a file is stored."""
    disk.replace_file(_file_for(state_dir, path), msgspec.json.encode(position), durable=False, mode=0o600)


def forget(state_dir: Path, gone: Container[str]) -> int:
    """Remove the positions in transcripts of sessions that are gone: they name subagents.

    Returns:
        How many there were.

    Raises:
        DiskRefused: The disk does not let it.
    """
    return caching.remove_all(
        path for path in sorted((state_dir / "sources").glob("*/*")) if _is_of(path, gone)
    )


def begins_as_before(position: Position, file: BinaryIO, key: bytes) -> bool:
    """Whether the file still begins with what is stored, as far as the digests tell."""
    now = digests(file, position.offset, key, is_rewritten=position.whole is not None)
    return now == Digests(position.head, position.tail, position.whole)


class Digests(NamedTuple):
    """What a file's beginning is known again by: its two ends and, where it may be rewritten, all of it."""

    head: str
    tail: str
    whole: str | None = None


def digests(file: BinaryIO, offset: int, key: bytes, *, is_rewritten: bool) -> Digests:
    """Return the keyed digests of a file's first `offset` bytes."""
    ends = []
    for start, stop in ((0, min(HEAD_BYTES, offset)), (max(0, offset - TAIL_BYTES), offset)):
        file.seek(start)
        data = file.read(stop - start)
        ends.append(hashlib.blake2b(data, digest_size=16, key=key).hexdigest())
    head, tail = ends
    if not is_rewritten:
        return Digests(head, tail)
    whole = hashlib.blake2b(digest_size=16, key=key)
    for chunk in chunks_of(file, 0, offset):
        whole.update(chunk)
    return Digests(head, tail, whole.hexdigest())


def chunks_of(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Read a part of a file; another reader of the same file may come between two chunks."""
    while start < stop:
        file.seek(start)
        chunk = file.read(min(_CHUNK_BYTES, stop - start))
        if not chunk:
            return
        start += len(chunk)
        yield chunk


def _is_of(path: Path, gone: Container[str]) -> bool:
    """Tell whether a position, or one before it, is of a session that is gone; what is none is of any."""
    try:
        position: Position | None = msgspec.json.decode(path.read_bytes(), type=Position)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return True
    while position is not None:
        if position.session in gone:
            return True
        position = position.before
    return False


def _file_for(state_dir: Path, path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path)).hexdigest()
    return state_dir / "sources" / name[:2] / name[2:]
