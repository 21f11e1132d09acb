"""Fan-out folders as rows: two that differ in a few are compared, and united, without decoding the rest.

A row is a folder's entry as it stands in a tree; a name of two hex digits makes all rows of one length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Final, NamedTuple

from gitmem.model.ids import Oid
from gitmem.objects.encoding import TREE_MODE, Entry

_HEAD: Final = b"40000 "
_NAME: Final = slice(len(_HEAD), len(_HEAD) + 2)
_OID_AT: Final = len(_HEAD) + 3
_FIRST_DIGITS, _SECOND_DIGITS = len(_HEAD), len(_HEAD) + 1
_ROWS: Final = {
    size: re.compile(rb"(?:40000 [0-9a-f]{2}\0.{%d})+" % size, re.DOTALL).fullmatch for size in (20, 32)
}
_SPLITTERS: Final = {
    (count, size): Struct(f"{_OID_AT + size}s" * count).unpack for size in (20, 32) for count in range(1, 257)
}


class Differing(NamedTuple):
    """What two fan-out folders have alike, as rows, and the entries, by name, in which they differ."""

    common: frozenset[bytes]
    here: dict[str, Entry]
    there: dict[str, Entry]


def compare(here: bytes, there: bytes, oid_size: int) -> Differing | None:
    """Compare two trees; None where either is no fan-out folder in the form that git writes."""
    mine, other = _rows(here, oid_size), _rows(there, oid_size)
    if mine is None or other is None:
        return None
    ours, theirs = frozenset(mine), frozenset(other)
    return Differing(ours & theirs, _entries(ours - theirs), _entries(theirs - ours))


def unite(common: Iterable[bytes], entries: Mapping[str, Entry]) -> bytes:
    """Return the tree of rows that two folders have alike and of folders of other names."""
    rows = [b"%b%b\0%b" % (_HEAD, name.encode(), bytes.fromhex(entry.oid)) for name, entry in entries.items()]
    return b"".join(sorted([*common, *rows]))


def _rows(data: bytes, oid_size: int) -> tuple[bytes, ...] | None:
    """Return a tree's rows; None unless they are a fan-out folder's, in order, and each name stands once."""
    row_size = _OID_AT + oid_size
    splitter = _SPLITTERS.get((len(data) // row_size, oid_size))
    if splitter is None or not _ROWS[oid_size](data):
        return None
    rows: tuple[bytes, ...] = splitter(data)
    names = set(zip(data[_FIRST_DIGITS::row_size], data[_SECOND_DIGITS::row_size], strict=True))
    return rows if len(names) == len(rows) and list(rows) == sorted(rows) else None


def _entries(rows: Iterable[bytes]) -> dict[str, Entry]:
    return {row[_NAME].decode(): Entry(TREE_MODE, Oid(row[_OID_AT:].hex())) for row in rows}
