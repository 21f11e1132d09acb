"""Objects and refs that have a file of their own, as git writes them."""

from __future__ import annotations

import os
import re
import zlib
from typing import Final

from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import Oid
from gitmem.objects.encoding import ObjectKind, object_id

_KIND_NAMES: Final[dict[bytes, ObjectKind]] = {
    b"commit": "commit",
    b"tree": "tree",
    b"blob": "blob",
    b"tag": "tag",
}
PLAIN_REF: Final = re.compile(rb"([0-9a-f]{40})\n")
"""All that is in the file of a ref that is no symbolic one, and not damaged."""


def read_loose(objects: str, oid: Oid) -> tuple[ObjectKind, bytes] | None:
    """Read an object that has a file of its own, in a folder that ends in a slash; None where there is none.

    Raises:
        ObjectDamaged: The file holds something else, or is cut short.
    """
    try:
        # Asked for every object that is read, and seldom there: a Path would cost more than the rest.
        handle = os.open(f"{objects}{oid[:2]}/{oid[2:]}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read()
    try:
        head, _, data = zlib.decompress(content).partition(b"\0")
    except zlib.error as error:
        raise ObjectDamaged(oid, f"its file does not decompress: {error}") from None
    kind = _KIND_NAMES.get(head.partition(b" ")[0])
    if kind is None or object_id(kind, data, "sha1") != oid:
        raise ObjectDamaged(oid, "its file holds something else")
    return kind, data
