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
_LONGEST_HEADER: Final = 32
_MOST_BYTES: Final = 8 << 20
_MOST_DELTAS: Final = 64
_KINDS: Final[dict[int, ObjectKind]] = {number: kind for kind, number in TYPE_NUMBERS.items()}


class PackUnread(Exception):
    """It is not read here."""


class _Head(NamedTuple):
    """What stands before an object: its type, how many bytes it unfolds to, and where its body begins."""

    number: int
    size: int
    body: int


class OpenPack:
    """A pack of SHA-1 names and its index, both open; `path` is the index's."""

    def __init__(self, path: Path) -> None:
        self._index = self._pack = -1
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
        low, high = self._fan_out[name[0] - 1] if name[0] else 0, self._fan_out[name[0]]
        names = os.pread(self._index, max(0, high - low) * _NAME_BYTES, _NAMES_AT + low * _NAME_BYTES)
        at = names.find(name)
        while at >= 0 and at % _NAME_BYTES:
            at = names.find(name, at + 1)
        if at < 0:
            return None
        count = self._fan_out[-1]
        offsets = _NAMES_AT + count * (_NAME_BYTES + 4)
        offset = self._number(offsets + 4 * (low + at // _NAME_BYTES), 4)
        if offset & 1 << 31:
            return self._number(offsets + 4 * count + 8 * (offset & ~(1 << 31)), 8)
        return offset

    def read(
        self, offset: int, base_of: Callable[[Oid], tuple[ObjectKind, bytes]]
    ) -> tuple[ObjectKind, bytes]:
        """Return the object that begins at an offset; `base_of` reads one that a delta names.

        Raises:
            PackUnread: It is large, damaged, or not as expected.
        """
        deltas: list[bytes] = []
        while True:
            head, raw = self._head(offset)
            if head.number in _KINDS:
                kind, data = _KINDS[head.number], self._unfold(offset + head.body, head.size)
                break
            if head.number == OFS_DELTA:
                distance, length = _distance(raw[head.body :])
                deltas.append(self._unfold(offset + head.body + length, head.size))
                offset -= distance
            elif head.number == REF_DELTA:
                name = raw[head.body : head.body + _NAME_BYTES]
                deltas.append(self._unfold(offset + head.body + _NAME_BYTES, head.size))
                kind, data = base_of(Oid(name.hex()))
                break
            else:
                raise PackUnread
            if offset <= 0 or len(deltas) > _MOST_DELTAS:
                raise PackUnread
        for delta in reversed(deltas):
            data = _apply(data, delta)
        return kind, data

    def _number(self, at: int, size: int) -> int:
        read = os.pread(self._index, size, at)
        if len(read) != size:
            raise PackUnread
        return int.from_bytes(read, "big")

    def _head(self, offset: int) -> tuple[_Head, bytes]:
        raw = os.pread(self._pack, _LONGEST_HEADER, offset)
        try:
            byte, at = raw[0], 1
            number, size, shift = byte >> 4 & 7, byte & 0x0F, 4
            while byte & 0x80:
                byte = raw[at]
                size |= (byte & 0x7F) << shift
                at, shift = at + 1, shift + 7
        except IndexError:
            raise PackUnread from None
        if size > _MOST_BYTES:
            raise PackUnread
        return _Head(number, size, at), raw

    def _unfold(self, at: int, size: int) -> bytes:
        decoder, parts, left = zlib.decompressobj(), list[bytes](), size + 1
        piece = min(_FIRST_BYTES, size + 64)
        while not decoder.eof:
            raw = os.pread(self._pack, piece, at)
            if not raw or left <= 0:
                raise PackUnread
            at, piece = at + len(raw), 16 * _FIRST_BYTES
            try:
                parts.append(decoder.decompress(raw, left))
            except zlib.error:
                raise PackUnread from None
            left -= len(parts[-1])
            if decoder.unconsumed_tail:
                raise PackUnread
        data = b"".join(parts)
        if len(data) != size:
            raise PackUnread
        return data


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
