"""Segments: a transcript's text cut into pieces, each compressed behind the ones before it.

A segment may name a predecessor. Its prefix is then the predecessor's own prefix and text, so that a run
of segments (a group) compresses almost as well as one text, and each is still written once and for good.
Groups are bounded, so that reading one segment reads a bounded number of others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gitmem.format import codec
from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import SegmentId

MAX_SEGMENT_BYTES = 256 << 10
MAX_GROUP_BYTES = 2 << 20
MAX_GROUP_SEGMENTS = 64
_NAME_BYTES = 32


class Group(NamedTuple):
    """A chain of segments up to and including `last`, and their text: what the next may build on."""

    last: SegmentId | None = None
    text: bytes = b""
    segments: int = 0

    def has_room(self, size_bytes: int) -> bool:
        """Whether another segment of that size may be added."""
        return self.segments < MAX_GROUP_SEGMENTS and len(self.text) + size_bytes <= MAX_GROUP_BYTES

    def grown(self, name: SegmentId, text: bytes) -> Group:
        """Return the chain with one more segment."""
        return Group(name, self.text + text, self.segments + 1)


EMPTY_GROUP = Group()


class Sealed(NamedTuple):
    """A segment ready to be stored."""

    name: SegmentId
    blob: bytes
    lines: int
    size_bytes: int


def cut(text: bytes) -> Iterator[bytes]:
    """Cut text into pieces of at most MAX_SEGMENT_BYTES, behind line ends where there are any."""
    at = 0
    while at < len(text):
        end = min(len(text), at + MAX_SEGMENT_BYTES)
        if end < len(text):
            newline = text.rfind(b"\n", at, end)
            if newline >= 0:
                end = newline + 1
        yield text[at:end]
        at = end


def name_of(predecessor: SegmentId | None, text: bytes) -> SegmentId:
    """Return a segment's name: SHA-256 over the number of predecessors (one byte), their names, the text."""
    before = bytes.fromhex(predecessor) if predecessor else b""
    digest = hashlib.sha256(bytes((1 if predecessor else 0,)) + before)
    digest.update(text)
    return SegmentId(digest.hexdigest())


def seal(text: bytes, group: Group) -> Sealed:
    """Compress one piece behind a group."""
    name = name_of(group.last, text)
    frame = codec.compress(text, group.text)
    # Always, so that no text can end in something that looks like a trailer.
    blob = codec.attach_trailer(frame, bytes.fromhex(group.last or ""))
    return Sealed(name, blob, text.count(b"\n"), len(text))


def seal_all(text: bytes, group: Group) -> Iterator[tuple[Sealed, Group]]:
    """Cut and compress a text behind a group, starting a new group where one is full.

    Yields:
        Each segment, with the group that it ends.
    """
    for piece in cut(text):
        if not group.has_room(len(piece)):
            group = EMPTY_GROUP
        sealed = seal(piece, group)
        group = group.grown(sealed.name, piece)
        yield sealed, group


def predecessor_of(blob: bytes, path: str) -> SegmentId | None:
    """Return which segment a blob builds on, from its trailer.

    Raises:
        ObjectDamaged: There is no trailer, or it is no name.
    """
    _, trailer = codec.detach_trailer(blob, path)
    if not trailer:
        return None
    if len(trailer) != _NAME_BYTES:
        raise ObjectDamaged(path, f"its trailer has {len(trailer)} bytes, not {_NAME_BYTES}")
    return SegmentId(trailer.hex())


def declared_size(blob: bytes, path: str) -> int:
    """Return how many bytes of text a blob says that it holds, without decoding it.

    Raises:
        ObjectDamaged: It does not say.
    """
    frame, _ = codec.detach_trailer(blob, path)
    return codec.declared_size(frame, path)


def unseal(blob: bytes, name: SegmentId, group: Group, path: str) -> bytes:
    """Return a segment's text, given the group up to its predecessor, and check its name.

    Raises:
        ObjectDamaged: It does not decode, exceeds the bounds, or is another segment than its name says.
    """
    frame, _ = codec.detach_trailer(blob, path)
    if not group.has_room(codec.declared_size(frame, path)):
        raise ObjectDamaged(path, "its group is larger than any that gitmem writes")
    text = codec.decompress(frame, path, MAX_SEGMENT_BYTES, group.text)
    found = name_of(group.last, text)
    if found != name:
        raise ObjectDamaged(path, f"its content is named {found}")
    return text


class Opener:
    """Reads segments of one session through a function that fetches blobs by name.

    The group of the last segment read is kept: reading a session in order decodes each segment once.
    """

    def __init__(self, fetch: Callable[[SegmentId], bytes]) -> None:
        self._fetch = fetch
        self._group = EMPTY_GROUP

    def open(self, name: SegmentId) -> bytes:
        """Return a segment's text.

        Raises:
            ObjectMissing: It, or one that it builds on, is not here.
            ObjectDamaged: It, or one that it builds on, is damaged.
        """
        text = b""
        for blob, segment, predecessor in reversed(self._chain(name)):
            if self._group.last != predecessor:
                self._group = EMPTY_GROUP
            text = unseal(blob, segment, self._group, segment)
            self._group = self._group.grown(segment, text)
        return text

    def group_at(self, name: SegmentId) -> Group:
        """Return the group that ends in a segment, for another to build on."""
        if self._group.last != name:
            self.open(name)
        return self._group

    def group_with_room(self, name: SegmentId, size_bytes: int) -> Group:
        """Return the longest group on the way to a segment behind which another `size_bytes` fit."""
        chosen = group = EMPTY_GROUP
        self._group = EMPTY_GROUP
        for blob, segment, _ in reversed(self._chain(name)):
            text = unseal(blob, segment, group, segment)
            group = group.grown(segment, text)
            if not group.has_room(size_bytes):
                break
            chosen = group
        return chosen

    def _chain(self, name: SegmentId) -> list[tuple[bytes, SegmentId, SegmentId | None]]:
        """Fetch a segment and those it builds on, back to the group that is at hand or to the first."""
        chain: list[tuple[bytes, SegmentId, SegmentId | None]] = []
        at: SegmentId | None = name
        while at is not None and (at != self._group.last or not chain):
            if len(chain) == MAX_GROUP_SEGMENTS:
                raise ObjectDamaged(name, f"it builds on more than {MAX_GROUP_SEGMENTS} segments")
            blob = self._fetch(at)
            predecessor = predecessor_of(blob, at)
            chain.append((blob, at, predecessor))
            at = predecessor
        return chain
