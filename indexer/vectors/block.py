"""One file of rows: written whole, never changed, and read only if every byte of it holds."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import struct
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gitmem.disk import NewFile
from indexer.vectors.arithmetic import Rows

PREFIX: Final = "rows-"

_MAGIC: Final = b"gm-rows\n"
_VERSION: Final = 1
# Magic, version, dimensions, rows, checksum of all behind the header, SHA-256 of the model's id.
_HEADER: Final = struct.Struct("<8sIIQQ32s")
_WORD_BYTES: Final = 8
_PAGE_WORDS: Final = 512
_WRITTEN_BYTES: Final = 1 << 20


class _Parts(NamedTuple):
    """Where the parts of a block stand, in bytes from its beginning."""

    keys: int
    scales: int
    codes: int
    end: int


def write(folder: Path, model_id: str, rows: Rows) -> str:
    """Publish rows as a file with a name of its own, and return that.

    Raises:
        DiskRefused: The disk does not let it; there is no new file.
    """
    count, dimensions = rows.codes.shape
    parts = _layout(count, dimensions)
    body = np.zeros((parts.end - _HEADER.size) // _WORD_BYTES, np.uint64)
    keys, scales, codes = _views(body, count, dimensions)
    keys[:], scales[:], codes[:] = rows
    header = _HEADER.pack(_MAGIC, _VERSION, dimensions, count, checksum(body), _digest(model_id))
    name = f"{PREFIX}{secrets.token_hex(8)}"
    with NewFile(folder) as new:
        new.write(header)
        content = body.data.cast("B")
        for at in range(0, len(content), _WRITTEN_BYTES):
            new.write(bytes(content[at : at + _WRITTEN_BYTES]))
        new.publish(folder / name, mode=0o400)
    return name


def read(path: Path, model_id: str, dimensions: int, count: int) -> Rows | None:
    """Return a block's rows, in memory that the file is mapped to, or None where it is not what was written.

    All of it is read once: a wrong byte gives a wrong score, or another text's. It does not go on
    counting as this process's memory; what is searched comes back in two milliseconds for 100 MB.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(handle).st_size != _layout(count, dimensions).end:
            return None
        content = mmap.mmap(handle, 0, prot=mmap.PROT_READ)
    finally:
        os.close(handle)
    body = np.frombuffer(content, np.uint64, offset=_HEADER.size)
    expected = _HEADER.pack(_MAGIC, _VERSION, dimensions, count, checksum(body), _digest(model_id))
    if content[: _HEADER.size] != expected:
        return None
    content.madvise(mmap.MADV_DONTNEED)
    return Rows(*_views(body, count, dimensions))


def checksum(words: NDArray[np.uint64]) -> int:
    """Return the sum over a block's pages of (2 · number + 1) · (the sum of the page's words), modulo 2^64.

    It differs for any one byte, and for pages that changed places. zlib's CRC takes four times as long.
    """
    whole = len(words) // _PAGE_WORDS * _PAGE_WORDS
    sums = words[:whole].reshape(-1, _PAGE_WORDS).sum(axis=1, dtype=np.uint64)
    sums = np.append(sums, words[whole:].sum(dtype=np.uint64))
    weights = 2 * np.arange(len(sums), dtype=np.uint64) + 1
    return int((sums * weights).sum(dtype=np.uint64))


def _layout(count: int, dimensions: int) -> _Parts:
    keys = _HEADER.size
    scales = keys + count * _WORD_BYTES
    codes = scales + _padded(count * 4)
    return _Parts(keys, scales, codes, codes + _padded(count * dimensions))


def _padded(size: int) -> int:
    return -(-size // _WORD_BYTES) * _WORD_BYTES


def _views(
    body: NDArray[np.uint64], count: int, dimensions: int
) -> tuple[NDArray[np.uint64], NDArray[np.float32], NDArray[np.int8]]:
    parts = _layout(count, dimensions)
    first, second = ((at - _HEADER.size) // _WORD_BYTES for at in (parts.scales, parts.codes))
    scales = body[first:second].view(np.float32)[:count]
    codes = body[second:].view(np.int8)[: count * dimensions].reshape(count, dimensions)
    return body[:first], scales, codes


def _digest(model_id: str) -> bytes:
    return hashlib.sha256(model_id.encode()).digest()
