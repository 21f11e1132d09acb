"""Asking the system for all pages of a table at once, before a scan reads them one after the other.

The rows of a small table lie all over a large database, and where none of it is in memory a scan waits for
each page. This only hints: what is damaged, or is written ahead of the file, makes a hint less, and no more.
The layout is that of https://www.sqlite.org/fileformat2.html#b_tree_pages.
"""

from __future__ import annotations

import os
from pathlib import Path

from gitmem.transcripts.sqlite import opened

_INTERIOR = 5
_CELLS_COUNT, _RIGHTMOST, _HEADER_BYTES = slice(3, 5), slice(8, 12), 12
_DEEPEST = 8
"""Levels above the leaves: even of the smallest pages, with 30 children each, more than any file has."""


def ask_for(path: Path, table: str) -> int:
    """Have the system fetch the pages of a table; return for how many it was asked, none where it cannot be.

    To be called while nothing of this process has the database open: to close a file of it gives up the
    locks that SQLite has there.

    Raises:
        OSError: The file cannot be read.
        UnknownTranscript: As of `opened`.
    """
    if not hasattr(os, "posix_fadvise"):
        return 0
    with opened(path) as connection:
        [size] = connection.execute("PRAGMA page_size").fetchone()
        roots = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
        ).fetchall()
    with path.open("rb") as file:
        pages = sorted(_leaves(file.fileno(), {root for (root,) in roots}, size))
        for page in pages:
            os.posix_fadvise(file.fileno(), (page - 1) * size, size, os.POSIX_FADV_WILLNEED)
    return len(pages)


def _leaves(descriptor: int, roots: set[int], size: int) -> set[int]:
    """Return the pages that have a table's rows; all are equally deep."""
    last = os.fstat(descriptor).st_size // size
    level = roots
    for _ in range(_DEEPEST):
        level = {page for page in level if 1 < page <= last}
        if not any(_children(_page(descriptor, page, size)) for page in list(level)[:1]):
            return level
        level = {child for page in level for child in _children(_page(descriptor, page, size))}
    return set()  # it goes round in circles


def _page(descriptor: int, page: int, size: int) -> bytes:
    return os.pread(descriptor, size, (page - 1) * size)


def _children(data: bytes) -> set[int]:
    if not data or data[0] != _INTERIOR:
        return set()
    cells = int.from_bytes(data[_CELLS_COUNT])
    pointers = data[_HEADER_BYTES : _HEADER_BYTES + 2 * cells]
    starts = (int.from_bytes(pointers[at : at + 2]) for at in range(0, len(pointers), 2))
    return {int.from_bytes(data[_RIGHTMOST]), *(int.from_bytes(data[at : at + 4]) for at in starts)}
