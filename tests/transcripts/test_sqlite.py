"""Agents' databases are only read: nothing is left beside them, and nothing is read that is half written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import sqlite
from gitmem.transcripts.sqlite import has_tables, json_of, opened

WANTED = {"tide": frozenset(("port", "height"))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tides of May?#%20.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE tide (port TEXT, height REAL)")
        connection.execute("INSERT INTO tide VALUES ('Cowes', 4.2)")
    return path


def ports(path: Path) -> list[str]:
    with opened(path) as connection:
        return [port for (port,) in connection.execute("SELECT port FROM tide")]


def test_nothing_is_left_beside_a_database_that_nobody_has_open(path: Path) -> None:
    assert ports(path) == ["Cowes"]
    assert has_tables(path, path.read_bytes(), WANTED)
    assert list(path.parent.iterdir()) == [path]


def test_what_a_program_has_written_ahead_is_seen(path: Path) -> None:
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO tide VALUES ('Ryde', 4.1)")
        assert ports(path) == ["Cowes"]
        writer.commit()
        assert ports(path) == ["Cowes", "Ryde"]


def test_one_moment_is_seen_throughout(path: Path) -> None:
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO tide VALUES ('Ryde', 4.1)")
        writer.commit()
        with opened(path) as connection:
            before = connection.execute("SELECT count(*) FROM tide").fetchone()
            writer.execute("INSERT INTO tide VALUES ('Poole', 2.1)")
            writer.commit()
            assert connection.execute("SELECT count(*) FROM tide").fetchone() == before


def test_database_that_is_written_to_after_all_is_refused(path: Path) -> None:
    def reading() -> Iterator[str]:
        with opened(path) as connection:
            yield from (port for (port,) in connection.execute("SELECT port FROM tide"))

    rows = reading()
    assert next(rows) == "Cowes"
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("INSERT INTO tide VALUES ('Ryde', 4.1)")
    with pytest.raises(UnknownTranscript, match="while it was read"):
        list(rows)


def test_database_that_is_locked_is_refused_and_not_taken_for_something_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnknownTranscript, match="locked"):
            ports(path)
        assert has_tables(path, path.read_bytes(), {"other": frozenset()})


def test_database_that_is_gone_is_refused(path: Path) -> None:
    with pytest.raises(UnknownTranscript, match="database"):
        ports(path.with_name("none.db"))
    with pytest.raises(UnknownTranscript, match="while it was read"), opened(path):
        path.unlink()


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ('{"a": 1}', b'{"a": 1}'),
        (b' {"a": 1}\n', b'{"a": 1}'),
        ('{"a":\n1}', b'{"a":1}'),
        ("[1]", b"[1]"),
        ("5", b'"5"'),
        ("tide\n", b'"tide"'),
        (b"\xff", '"\ufffd"'.encode()),
        (None, b"null"),
        (7, b"7"),
        (1.5, b"1.5"),
    ],
)
def test_cell_is_one_line_of_json(cell: object, line: bytes) -> None:
    assert json_of(cell) == line
