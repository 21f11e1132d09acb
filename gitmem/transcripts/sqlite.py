"""Reading agents' databases: SQLite files that their agents may be writing to at this moment, and are never
written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from gitmem.model.errors import UnknownTranscript

MAGIC = b"SQLite format 3\x00"
_BUSY_S = 5.0
_CACHE_KIB = 8_192


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, as it stands with what is written ahead of it; it sees one moment
    throughout.

    Text that is no UTF-8 has U+FFFD in it.

    Raises:
        UnknownTranscript: It is no database, is damaged, has not the tables that were asked for, or stayed
        locked.
    """
    try:
        with closing(_connect(path)) as connection:
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise UnknownTranscript(str(path), f"its database says: {error}") from error


def has_tables(path: Path, head: bytes, wanted: dict[str, frozenset[str]]) -> bool:
    """Tell whether a file is a database with these columns, by table; False for what cannot be opened."""
    if not head.startswith(MAGIC):
        return False
    try:
        with opened(path) as connection:
            return all(columns <= columns_of(connection, table) for table, columns in wanted.items())
    except UnknownTranscript:
        return False


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the names of a table's columns; none where there is no such table."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def _connect(path: Path) -> sqlite3.Connection:
    # Without `immutable`, what is in the -wal file is seen. Where its folder cannot be written, a database
    # that is written ahead cannot be opened so; nobody writes to it either then.
    address = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(
            f"{address}&immutable=1", uri=True, timeout=_BUSY_S, isolation_level=None
        )
    connection.text_factory = _text
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
