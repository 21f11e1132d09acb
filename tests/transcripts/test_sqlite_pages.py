"""A table's pages are asked for all at once, whatever is in the file, and nothing is changed by it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.sqlite_pages import ask_for

PAGE_BYTES = 512
ROWS = 3_000

pytestmark = pytest.mark.skipif(
    not hasattr(os, "posix_fadvise"), reason="this system cannot be asked for pages"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tides.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("CREATE TABLE tide (port TEXT, height TEXT)")
        connection.execute("CREATE TABLE small (port TEXT)")
        connection.execute("CREATE VIEW high AS SELECT * FROM tide")
        connection.executemany("INSERT INTO tide VALUES (?, ?)", (("Cowes", "4" * 300),) * ROWS)
    return path


def test_every_page_of_a_table_with_several_levels_is_asked_for(path: Path) -> None:
    assert ask_for(path, "tide") == ROWS  # one row a page
    assert ask_for(path, "small") == 1


def test_nothing_is_asked_for_where_there_is_no_such_table(path: Path) -> None:
    assert ask_for(path, "ebb") == ask_for(path, "high") == 0


def test_pages_that_point_at_themselves_end(path: Path) -> None:
    data = bytearray(path.read_bytes())
    [root] = [at for at in range(PAGE_BYTES, len(data), PAGE_BYTES) if data[at] == 5][:1]
    page = root // PAGE_BYTES + 1
    data[root + 3 : root + 5] = bytes(2)
    data[root + 8 : root + 12] = page.to_bytes(4)
    path.write_bytes(data)
    assert ask_for(path, "tide") == 0


def test_damaged_pages_raise_nothing_unforeseen(path: Path, seed: int) -> None:
    whole, generator = path.read_bytes(), Random(seed)
    for _ in range(30):
        data = bytearray(whole)
        for _ in range(20):
            at = generator.randrange(1, len(data) // PAGE_BYTES) * PAGE_BYTES
            data[at : at + 12] = generator.randbytes(12)
        path.write_bytes(data[: generator.randrange(PAGE_BYTES, len(data))])
        try:
            ask_for(path, "tide")
        except UnknownTranscript:
            continue
