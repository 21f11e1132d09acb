"""Reading an object straight out of a pack, for those who read few: no library is loaded for it.

Whatever is not as expected is a PackUnread, which is no verdict: libgit2 is asked then. What comes out has
to be hashed by whoever asked. Format: gitformat-pack(5).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.git.packfile import OFS_DELTA, REF_DELTA, TYPE_NUMBERS
from gitmem.model.ids import Oid
from gitmem.objects.encoding import ObjectKind

_HEADER: Final = b"\xfftOc\x00\x00\x00\x02"
_FAN_OUT_BYTES: Final = 4 * 256
_NAMES_AT: Final = len(_HEADER) + _FAN_OUT_BYTES
_NAME_BYTES: Final = 20
_FIRST_BYTES: Final = 4096
_LONGEST_NUMBER: Final = 32
_MOST_BYTES: Final = 8 << 20
_MOST_DELTAS: Final = 64
_MOST_KEPT: Final = 1_000_000
"""Objects of a pack whose index is kept in memory as it is read: 24 bytes for each."""
_KINDS: Final[dict[int, ObjectKind]] = {number: kind for kind, number in TYPE_NUMBERS.items()}


class PackUnread(Exception):
    """It is not read here."""


class _Bucket(NamedTuple):
    """The names in an index that begin with one byte, and where those objects begin, as they stand there."""

    names: bytes
    offsets: bytes


class OpenPack:
    """A pack of SHA-1 names and its index, both open; `path` is the index's.

    `deltas` counts those that were applied, which is what takes longer by hand.
    """

    def __init__(self, path: Path) -> None:
        self.deltas = 0
        self._index = self._pack = -1
        self._buckets: dict[int, _Bucket] = {}
        try:
            self._index = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._pack = os.open(path.with_suffix(".pack"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            raise
        head = os.pread(self._index, _NAMES_AT, 0)
        if len(head) != _NAMES_AT or not head.startswith(_HEADER):
            self.close()
            raise PackUnread
        self._fan_out = [int.from_bytes(head[at : at + 4], "big") for at in range(len(_HEADER), _NAMES_AT, 4)]

    def close(self) -> None:
        """Let go of both files."""
        for handle in (self._index, self._pack):
            if handle >= 0:
                os.close(handle)
        self._index = self._pack = -1

    def find(self, name: bytes) -> int | None:
        """Return where an object begins; None where it is not in this pack.

        Raises:
            PackUnread: The index is not as expected.
        """
        names, offsets = self._buckets.get(name[0]) or self._bucket(name[0])
        at = names.find(name)
        while at >= 0 and at % _NAME_BYTES:
            at = names.find(name, at + 1)
        if at < 0:
            return None
        nth = at // _NAME_BYTES
        offset = int.from_bytes(offsets[4 * nth : 4 * nth + 4], "big")
        if offset & 1 << 31:
            count = self._fan_out[-1]
            far = _NAMES_AT + count * (_NAME_BYTES + 8)
            return int.from_bytes(self._part(far + 8 * (offset & ~(1 << 31)), 8), "big")
        return offset

    def _bucket(self, byte: int) -> _Bucket:
        """Read one of the 256 parts of the index; what was read is kept, where it is not large."""
        low, high = self._fan_out[byte - 1] if byte else 0, self._fan_out[byte]
        count, size = self._fan_out[-1], max(0, high - low)
        offsets = _NAMES_AT + count * (_NAME_BYTES + 4)
        bucket = _Bucket(
            self._part(_NAMES_AT + low * _NAME_BYTES, size * _NAME_BYTES),
            self._part(offsets + 4 * low, 4 * size),
        )
        if count <= _MOST_KEPT:
            self._buckets[byte] = bucket
        return bucket

    def read(
        self, offset: int, base_of: Callable[[Oid], tuple[ObjectKind, bytes]]
    ) -> tuple[ObjectKind, bytes]:
        """Return the object that begins at an offset; `base_of` reads one that a delta names.

        Raises:
            PackUnread: It is large, damaged, or not as expected.
        """
        deltas: list[bytes] = []
        while True:
            raw = os.pread(self._pack, _FIRST_BYTES, offset)
            number, size, body = _head(raw)
            if number in _KINDS:
                kind, data = _KINDS[number], self._unfold(offset, body, size, raw)
                break
            if number == OFS_DELTA:
                distance, length = _distance(raw[body : body + _LONGEST_NUMBER])
                deltas.append(self._unfold(offset, body + length, size, raw))
                offset -= distance
            elif number == REF_DELTA:
                name = raw[body : body + _NAME_BYTES]
                deltas.append(self._unfold(offset, body + _NAME_BYTES, size, raw))
                kind, data = base_of(Oid(name.hex()))
                break
            else:
                raise PackUnread
            if offset <= 0 or len(deltas) > _MOST_DELTAS:
                raise PackUnread
        self.deltas += len(deltas)
        for delta in reversed(deltas):
            data = _apply(data, delta)
        return kind, data

    def _part(self, at: int, size: int) -> bytes:
        read = os.pread(self._index, size, at)
        if len(read) != size:
            raise PackUnread
        return read

    def _unfold(self, offset: int, body: int, size: int, raw: bytes) -> bytes:
        """Return what stands `body` bytes behind an offset, where `raw` begins; most end in it."""
        decoder = zlib.decompressobj()
        try:
            data = decoder.decompress(raw[body:], size + 1)
            if decoder.eof and len(data) == size:
                return data
            parts, left, at = [data], size + 1 - len(data), offset + len(raw)
            while not decoder.eof:
                more = os.pread(self._pack, min(16 * _FIRST_BYTES, left + 64), at)
                if not more or left <= 0 or decoder.unconsumed_tail:
                    raise PackUnread
                at += len(more)
                parts.append(decoder.decompress(more, left))
                left -= len(parts[-1])
        except zlib.error:
            raise PackUnread from None
        data = b"".join(parts)
        if len(data) != size:
            raise PackUnread
        return data


def _head(raw: bytes) -> tuple[int, int, int]:
    """Return an object's type, how many bytes it unfolds to, and where its body begins."""
    try:
        byte, at = raw[0], 1
        number, size, shift = byte >> 4 & 7, byte & 0x0F, 4
        while byte & 0x80:
            byte = raw[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
    except IndexError:
        raise PackUnread from None
    if size > _MOST_BYTES or at > _LONGEST_NUMBER:
        raise PackUnread
    return number, size, at


def _distance(raw: bytes) -> tuple[int, int]:
    """Return how far before a delta its base begins, and how many bytes say so."""
    try:
        byte, at = raw[0], 1
        distance = byte & 0x7F
        while byte & 0x80:
            byte = raw[at]
            distance, at = (distance + 1) << 7 | byte & 0x7F, at + 1
    except IndexError:
        raise PackUnread from None
    return distance, at


def _apply(base: bytes, delta: bytes) -> bytes:
    """Return what a delta makes of its base."""
    try:
        size, at = _delta_size(delta, 0)
        target, at = _delta_size(delta, at)
        if size != len(base) or target > _MOST_BYTES:
            raise PackUnread
        parts, made = [], 0
        while at < len(delta):
            order, at = delta[at], at + 1
            if order & 0x80:
                numbers = [0] * 7
                for bit in range(7):
                    if order & 1 << bit:
                        numbers[bit], at = delta[at], at + 1
                start = int.from_bytes(bytes(numbers[:4]), "little")
                length = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
                part = base[start : start + length]
            else:
                length = order
                part, at = delta[at : at + length], at + length
            if not length or len(part) != length:
                raise PackUnread
            parts.append(part)
            made += length
            if made > target:
                raise PackUnread
    except IndexError:
        raise PackUnread from None
    if made != target:
        raise PackUnread
    return b"".join(parts)


def _delta_size(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte, at = delta[at], at + 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return size, at
