"""The multi-pack index: git's index over many packs, which must never name a pack that is gone.

`git maintenance` writes one over all packs, kept ones too, and git then looks for no other index of those
packs. It can be made again from the packs at any time. Format: gitformat-pack(5).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

from gitmem import disk

_HEAD = b"MIDX\x01"  # signature and version
_HEADER_BYTES, _ROW_BYTES = 12, 12
_CHUNKS_AT = 6
_PACK_NAMES = b"PNAM"
_NAME = "multi-pack-index"
_SUFFIXES = (".midx", ".bitmap", ".rev")


def drop_midx(folder: Path, going: Collection[Path]) -> None:
    """Remove the multi-pack index of an objects/pack folder if it lists a pack that is about to be removed.

    As `git repack` does: bitmap and reverse index go with it, and all layers of an incremental one. One
    that cannot be read may list them. `going` are paths without suffix.
    """
    names = {path.name for path in going}
    layers = folder / f"{_NAME}.d"
    indexes = (folder / _NAME, *sorted(layers.glob(f"{_NAME}-*.midx")))
    if not any(_may_list(index, names) for index in indexes):
        return
    beside = [
        file
        for place in (folder, layers)
        for file in sorted(place.glob(f"{_NAME}-*"))
        if file.suffix in _SUFFIXES
    ]
    # What git starts reading from goes first: the rest means nothing without it.
    for file in (folder / _NAME, layers / f"{_NAME}-chain", *beside):
        if file.exists():
            disk.remove_file(file)


def _may_list(index: Path, names: set[str]) -> bool:
    try:
        file = index.open("rb")
    except FileNotFoundError:
        return False
    with file:
        if os.fstat(file.fileno()).st_size < _HEADER_BYTES:
            return True
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[: len(_HEAD)] != _HEAD:
                return True
            starts = range(_HEADER_BYTES, _HEADER_BYTES + (data[_CHUNKS_AT] + 1) * _ROW_BYTES, _ROW_BYTES)
            rows = [(data[at : at + 4], int.from_bytes(data[at + 4 : at + _ROW_BYTES])) for at in starts]
            for (chunk, start), (_, end) in pairwise(rows):
                if chunk == _PACK_NAMES:
                    listed = data[start:end].split(b"\0")
                    return not names.isdisjoint(
                        name.decode(errors="replace").removesuffix(".idx") for name in listed
                    )
            return True
