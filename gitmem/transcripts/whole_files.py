"""Sessions that are rewritten whole, as JSON in one file or in several that stand together, and how they are
written out as lines.

What says which session it is may stand anywhere in such a file, or beside it, and a message more moves every
byte behind it. In a rendition each message is a line: what was there before stays as it was.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Identity, Listed, Listing
from gitmem.transcripts.fields import Object, mapping
from gitmem.transcripts.salvage import salvage

WHOLE_LIMIT = 256 * 1024 * 1024
"""Bytes. Such a file is decoded as one, and a larger one is refused."""

_DECODE = msgspec.json.Decoder().decode
_ENCODE = msgspec.json.Encoder().encode


def nothing_beside(path: Path) -> tuple[Path, ...]:
    """Return no file."""
    return ()


class WholeFiles(NamedTuple):
    """A collection that is one session.

    `is_one` tells by a file's name and its beginning whether it is such; `records` are the objects that its
    rendition has as lines; `beside` are the other files that these are made of, which need not be there.
    """

    is_one: Callable[[Path, bytes], bool]
    identify: Callable[[Path], Identity]
    records: Callable[[Path], Iterator[Object]]
    beside: Callable[[Path], tuple[Path, ...]] = nothing_beside

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether a file is such a session."""
        return self.is_one(path, head)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """Return the session; its mark tells how its files looked."""
        status = path.stat()
        size_bytes, mtime_ns = status.st_size, status.st_mtime_ns
        mark = [f"{size_bytes}:{mtime_ns}"]
        for other in self.beside(path):
            try:
                status = other.stat()
            except OSError:
                mark.append("-")
                continue
            mark.append(f"{status.st_size}:{status.st_mtime_ns}")
            size_bytes, mtime_ns = size_bytes + status.st_size, max(mtime_ns, status.st_mtime_ns)
        listed = Listed(self.identify(path), " ".join(mark), mtime_ns // 1_000_000, size_bytes)
        return Listing((listed,), is_one=True)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the session's lines."""
        for record in self.records(path):
            try:
                line = _ENCODE(record)
            except RecursionError:  # decoded from nearer the bottom of the stack than we are
                raise UnknownTranscript(str(path), "it nests too deep") from None
            yield line + b"\n"


def load(path: Path) -> object:
    """Decode a file as one JSON value.

    Raises:
        OSError: It cannot be read.
        UnknownTranscript: It is no JSON, is not written to its end yet, or is too large.
    """
    value = decode(read_whole(path))
    if value is None:
        raise UnknownTranscript(str(path), "it is no JSON, or is being written")
    return value


def load_beside(path: Path) -> Object:
    """Decode a file that may be there beside a session's own; it says nothing where it cannot be read."""
    try:
        return mapping(load(path))
    except (OSError, UnknownTranscript):
        return {}


def read_whole(path: Path) -> bytes:
    """Read a file that is to be decoded as one.

    Raises:
        OSError: It cannot be read, or is no regular file.
        UnknownTranscript: It is too large.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if status.st_size > WHOLE_LIMIT:
        why = f"it has {status.st_size:,} bytes, more than {WHOLE_LIMIT:,}"
        raise UnknownTranscript(str(path), why)
    return path.read_bytes()


def decode(data: bytes) -> object:
    """Decode one JSON value, mending text that is no Unicode; None for what is none."""
    try:
        return _DECODE(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rescued = salvage(data)
        return rescued.values[0] if len(rescued.values) == 1 else None
