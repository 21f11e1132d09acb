"""Agents' databases with damage, and with values of other types in their cells: read as far as they go, or
refused by name."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Collection
from gitmem.transcripts.crush_database import CrushDatabase
from gitmem.transcripts.cursor import CursorCollection
from gitmem.transcripts.goose_sessions import GooseSessions
from gitmem.transcripts.opencode_database import OpencodeDatabase
from gitmem.transcripts.read import read
from gitmem.transcripts.windsurf_database import WindsurfDatabase
from tests.transcripts import cursor_files, test_crush, test_goose, test_opencode_database


class Kind(NamedTuple):
    """A database of an agent, by the name that its file has, and how it is made."""

    name: str
    agent: str
    file: str
    collection: Collection
    make: Callable[[Path], None]


KINDS = (
    Kind(
        "opencode",
        "opencode",
        "opencode.db",
        OpencodeDatabase(),
        lambda path: test_opencode_database.make_database(path, test_opencode_database.documents()),
    ),
    Kind("cursor", "cursor", "state.vscdb", CursorCollection(), cursor_files.make_editor),
    Kind("cursor-chats", "cursor", "state.vscdb", CursorCollection(), cursor_files.make_chats),
    Kind("cursor-store", "cursor", "store.db", CursorCollection(), cursor_files.make_store),
    Kind("goose", "goose", "sessions.db", GooseSessions(), test_goose.make_tides),
    Kind("crush", "crush", "crush.db", CrushDatabase(), test_crush.make_ebb),
    Kind("windsurf", "windsurf", "Windsurf/state.vscdb", WindsurfDatabase(), cursor_files.make_chats),
)
DEEP = '{"a":' * 950 + "1" + "}" * 950
MARKS = ("1778230800000", '[1,"2026-05-08"]', '[1,"composerData:x"]', "")

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
# The databases are made once; what an example changes is a copy.
unhurried = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def whole(kind: Kind, tmp_path: Path) -> Path:
    """Return a database with all in its one file."""
    path = tmp_path / "whole" / kind.file
    path.parent.mkdir(parents=True)
    kind.make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


def copy_of(whole: Path) -> Path:
    folder = whole.parents[len(whole.parts) - 1 - whole.parts.index("whole") - 1]
    copied = folder.parent / "copy"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(folder, copied)
    return copied / whole.relative_to(folder)


def read_all(kind: Kind, path: Path) -> int:
    """Read all that a collection has, and return how many turns that is; it may refuse by name."""
    turns = 0
    try:
        if not kind.collection.holds(path, path.read_bytes()[:4096]):
            return 0
        for since in (None, *MARKS):
            kind.collection.sessions(path, since)
        for one in kind.collection.sessions(path, None).sessions:
            data = b"".join(kind.collection.rendition(path, one.identity))
            assert data.endswith(b"\n")
            turns += len(read(kind.agent, [(one.identity.stream, [data])]).turns)
    except UnknownTranscript as error:
        assert str(path) in str(error)  # noqa: PT017 (a refusal may come anywhere, or not at all)
    return turns


@kinds
def test_whole_database_is_read(kind: Kind, whole: Path) -> None:
    assert read_all(kind, whole) > 1


@kinds
@unhurried
@given(spots=st.lists(st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=40)), max_size=8))
def test_no_damage_is_fatal(kind: Kind, whole: Path, spots: list[tuple[int, bytes]]) -> None:
    path = copy_of(whole)
    data = bytearray(path.read_bytes())
    for at, put in spots:
        at %= len(data)
        data[at : at + len(put)] = put
    path.write_bytes(data)
    read_all(kind, path)


@kinds
@unhurried
@given(size=st.integers(0, 2**20))
def test_no_truncation_is_fatal(kind: Kind, whole: Path, size: int) -> None:
    path = copy_of(whole)
    data = path.read_bytes()
    path.write_bytes(data[: size % len(data)])
    read_all(kind, path)


cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.sampled_from(
        ["{}", "[]", '{"id": 5}', "[[[[1]]]]", '{"tabs": [{}]}', "\ud7ff", "1e999", "[" * 3000, DEEP]
    ),
)


@kinds
@unhurried
@given(places=st.lists(st.integers(0, 2**20), min_size=1, max_size=4), cell=cells)
def test_no_cell_of_another_type_is_fatal(kind: Kind, whole: Path, places: list[int], cell: object) -> None:
    path = copy_of(whole)
    with closing(sqlite3.connect(path)) as connection, connection:
        found = connection.execute(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        ).fetchall()
        for place in places:
            table, column = found[place % len(found)]
            row = place // len(found) % 20
            with suppress(sqlite3.IntegrityError):  # of a row's number, the type is fixed
                connection.execute(
                    f'UPDATE OR IGNORE "{table}" SET "{column}" = ?'
                    f' WHERE rowid IN (SELECT rowid FROM "{table}" LIMIT 1 OFFSET {row})',
                    (cell,),
                )
    read_all(kind, path)
