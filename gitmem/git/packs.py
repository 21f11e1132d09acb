"""Packs: how gitmem puts objects into a repository, and keeps them few.

Every batch becomes one pack with a `.keep` beside it, so that neither `git gc --auto` starts because of
gitmem nor git repacks what gitmem may later have to erase. When kept packs have become many, the smaller
ones are written together into one, with each tree as a delta against its next version.

Blobs are compressed already: they are stored without another pass of zlib. Format: gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from gitmem import disk
from gitmem.git.packfile import (
    OFS_DELTA,
    TYPE_NUMBERS,
    encode_distance,
    encode_index,
    encode_object_header,
    encode_pack_header,
)
from gitmem.git.packreading import OpenPack, PackUnread
from gitmem.model.ids import Oid
from gitmem.objects.encoding import HashName, ObjectKind, object_id

KEEP_MARK = b"gitmem\n"
"""What a `.keep` of gitmem's says; any other belongs to somebody else."""

_STORED, _FAST = 0, 1  # zlib levels
_COUNT_AT = 8  # offset of the number of objects in a pack's header
_FULL_OBJECTS = 16_000
_FULL_BYTES = 512 << 20
"""A pack beyond either is never written again: what is held in memory at once stays bounded."""


class KeptPack(NamedTuple):
    """A pack that gitmem wrote; `path` is without suffix."""

    path: Path
    size_bytes: int
    objects: int


class PackWriter:
    """A new pack, written as objects come, published with its index or not at all."""

    def __init__(self, folder: Path, hash_name: HashName) -> None:
        self._folder = folder
        self._hash_name: HashName = hash_name
        self._file = disk.NewFile(folder)
        self._entries: dict[bytes, tuple[int, int]] = {}
        self._at = 0
        self._append(encode_pack_header(0))

    def add(self, kind: ObjectKind, data: bytes) -> Oid:
        """Take one object; the same object twice is stored once."""
        oid = object_id(kind, data, self._hash_name)
        if bytes.fromhex(oid) not in self._entries:
            header = encode_object_header(TYPE_NUMBERS[kind], len(data))
            self._put(oid, header, zlib.compress(data, _STORED if kind == "blob" else _FAST))
        return oid

    def add_delta(self, oid: Oid, base: Oid, delta: bytes) -> None:
        """Take an object as a delta against one that is in this pack already."""
        distance = self._at - self._entries[bytes.fromhex(base)][0]
        header = encode_object_header(OFS_DELTA, len(delta)) + encode_distance(distance)
        self._put(oid, header, zlib.compress(delta, _FAST))

    def __contains__(self, oid: Oid) -> bool:
        return bytes.fromhex(oid) in self._entries

    def publish(self) -> Path | None:
        """Put pack, `.keep` and index in place, the index last: git sees a pack once it has one.

        What pack and index hold has reached the disk by then; as git does, the order of the renames is left
        to the file system's journal.

        Returns:
            The pack's path without suffix; None where there was nothing to write.
        """
        if not self._entries:
            return None
        checksum = self._finish()
        path = self._folder / f"pack-{checksum.hex()}"
        keep_pack(path)
        self._file.publish(path.with_suffix(".pack"))
        with disk.NewFile(self._folder) as index:
            index.write(encode_index(self._entries, checksum, self._hash_name))
            index.publish(path.with_suffix(".idx"))
        return path

    def _put(self, oid: Oid, header: bytes, body: bytes) -> None:
        self._entries[bytes.fromhex(oid)] = (self._at, zlib.crc32(body, zlib.crc32(header)))
        self._append(header + body)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)

    def _finish(self) -> bytes:
        """Write the number of objects into the header, and the checksum over all at the end."""
        self._file.overwrite(_COUNT_AT, len(self._entries).to_bytes(4, "big"))
        digest = hashlib.new(self._hash_name, usedforsecurity=False)
        for piece in self._file.content():
            digest.update(piece)
        self._file.write(digest.digest())
        return digest.digest()

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)


def list_kept_packs(folder: Path) -> list[KeptPack]:
    """Return gitmem's own packs in an objects/pack folder, the smallest first."""
    packs = []
    for keep in folder.glob("pack-*.keep"):
        path = keep.with_suffix("")
        try:
            if keep.read_bytes() == KEEP_MARK:
                size_bytes = path.with_suffix(".pack").stat().st_size
                packs.append(KeptPack(path, size_bytes, _count_objects(path.with_suffix(".idx"))))
        except FileNotFoundError:
            continue  # another process is publishing it, or consolidated it away meanwhile
    return sorted(packs, key=lambda pack: (pack.size_bytes, pack.path.name))


def list_objects(pack: KeptPack, hash_name: HashName) -> list[Oid] | None:
    """Return the names of a pack's objects, as its index has them; None where the index is damaged or gone.

    What the index does not name is lost once the pack is written anew: it has to be whole, and this pack's.
    """
    path = pack.path.with_suffix(".idx")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest = hashlib.new(hash_name, usedforsecurity=False)
    size = digest.digest_size
    digest.update(content[:-size])
    if content[-size:] != digest.digest() or pack.path.name != f"pack-{content[-2 * size : -size].hex()}":
        return None
    from dulwich.object_format import SHA1, SHA256  # few processes read an index, and all would wait for it
    from dulwich.pack import load_pack_index_file

    kind = SHA256 if hash_name == "sha256" else SHA1
    with closing(load_pack_index_file(path, BytesIO(content), kind)) as index:
        return [Oid(name.hex()) for name, _, _ in index.iterentries()]


def keep_pack(path: Path) -> None:
    """Make a pack gitmem's own, given its path without suffix: git leaves it alone from here on."""
    disk.replace_file(path.with_suffix(".keep"), KEEP_MARK, durable=False, mode=0o444)


def holds_object(path: Path, oid: Oid, hash_name: HashName) -> bool:
    """Whether the pack at a path without suffix holds an object; one that is gone holds nothing."""
    if hash_name == "sha1":
        with suppress(PackUnread):  # dulwich takes longer to load than a small fetch
            try:
                with closing(OpenPack(path.with_suffix(".idx"))) as pack:
                    return pack.find(bytes.fromhex(oid)) is not None
            except FileNotFoundError:
                return False
    from dulwich.object_format import SHA1, SHA256
    from dulwich.objects import RawObjectID
    from dulwich.pack import load_pack_index

    try:
        index = load_pack_index(path.with_suffix(".idx"), SHA256 if hash_name == "sha256" else SHA1)
    except FileNotFoundError:
        return False
    try:
        index.object_offset(RawObjectID(bytes.fromhex(oid)))
    except KeyError:
        return False
    finally:
        index.close()
    return True


def choose_packs(packs: Iterable[KeptPack], few: int, factor: int = 2) -> list[KeptPack]:
    """Choose which packs to write together: none while there are at most `few` that are not full.

    As `git repack --geometric`: what remains is a progression in which each pack is at least `factor`
    times the sum of all smaller ones, so that an object is copied O(log n) times in a repository's life.
    Expects the smallest first.
    """
    ordered = [pack for pack in packs if pack.objects < _FULL_OBJECTS and pack.size_bytes < _FULL_BYTES]
    if len(ordered) <= few:
        return []
    total, chosen = 0, 0
    for count, pack in enumerate(ordered):
        if pack.size_bytes < factor * total or count < 2:
            chosen = count + 1
        total += pack.size_bytes
    return ordered[:chosen]


def remove_pack(path: Path) -> None:
    """Remove a pack, its index first: without it git no longer looks for the rest."""
    for suffix in (".idx", ".rev", ".bitmap", ".mtimes", ".promisor", ".pack", ".keep"):
        file = path.with_suffix(suffix)
        if file.exists():
            disk.remove_file(file)


def _count_objects(index: Path) -> int:
    """Read the last entry of an index's fan-out table."""
    with index.open("rb") as file:
        file.seek(8 + 255 * 4)
        return int.from_bytes(file.read(4), "big")


def tree_delta(base: bytes, target: bytes) -> bytes:
    """Return a delta that makes `target` of `base`: what both begin and end with is copied.

    Two versions of a tree differ in an entry or two, so that this is short. Format: gitformat-pack(5),
    "Deltified representation".
    """
    start = _common_prefix(base, target)
    end = _common_prefix(base[start:][::-1], target[start:][::-1])
    middle = target[start : len(target) - end]
    parts = [_delta_size(len(base)), _delta_size(len(target))]
    parts += _copies(0, start)
    parts += [bytes((len(part),)) + part for part in _cut(middle, 127)]
    parts += _copies(len(base) - end, end)
    return b"".join(parts)


def _common_prefix(a: bytes, b: bytes) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _delta_size(size: int) -> bytes:
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _copies(offset: int, size: int) -> Iterator[bytes]:
    while size:
        step = min(size, 0xFFFF)
        bits, arguments = 0x80, bytearray()
        for bit, byte in enumerate((*offset.to_bytes(4, "little"), *step.to_bytes(2, "little"))):
            if byte:
                bits |= 1 << bit
                arguments.append(byte)
        yield bytes((bits, *arguments))
        offset += step
        size -= step


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]
