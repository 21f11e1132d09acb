"""How a pack and its index are written down: headers of packs and objects, and index version 2.

By hand, since every capture and every push writes a pack, and a library that could takes longer to load than
that takes. Format: gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from gitmem.objects.encoding import HashName, ObjectKind

TYPE_NUMBERS: Final[dict[ObjectKind, int]] = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
OFS_DELTA: Final = 6
REF_DELTA: Final = 7

_INDEX_MAGIC: Final = b"\xfftOc\x00\x00\x00\x02"
_LARGE_OFFSET: Final = 1 << 31


def encode_pack_header(objects: int) -> bytes:
    """Return the first twelve bytes of a pack of version 2."""
    return b"PACK" + (2).to_bytes(4, "big") + objects.to_bytes(4, "big")


def encode_object_header(type_number: int, size: int) -> bytes:
    """Return what stands before an object: its type, and how many bytes it unfolds to."""
    byte, size = type_number << 4 | size & 0x0F, size >> 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    out.append(byte)
    return bytes(out)


def encode_distance(distance: int) -> bytes:
    """Return how far before a delta its base begins."""
    out = [distance & 0x7F]
    while distance := distance >> 7:
        distance -= 1  # what a longer number could say as well in fewer bytes, it does not say
        out.append(0x80 | distance & 0x7F)
    return bytes(reversed(out))


def encode_index(entries: Mapping[bytes, tuple[int, int]], checksum: bytes, hash_name: HashName) -> bytes:
    """Return the index of a pack, given where each object begins, its CRC-32, and the pack's own checksum."""
    names = sorted(entries)
    counts = [0] * 256
    for name in names:
        counts[name[0]] += 1
    fan_out, total = [], 0
    for count in counts:
        total += count
        fan_out.append(total.to_bytes(4, "big"))
    near, far = [], list[bytes]()
    for name in names:
        at = entries[name][0]
        if at < _LARGE_OFFSET:
            near.append(at.to_bytes(4, "big"))
        else:
            near.append((_LARGE_OFFSET | len(far)).to_bytes(4, "big"))
            far.append(at.to_bytes(8, "big"))
    checks = [entries[name][1].to_bytes(4, "big") for name in names]
    content = b"".join([_INDEX_MAGIC, *fan_out, *names, *checks, *near, *far, checksum])
    return content + hashlib.new(hash_name, content, usedforsecurity=False).digest()
