"""Reading agents' databases: SQLite files that their agents may be writing to at this moment, and are never
written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.fields import NOTHING, Object

MAGIC = b"SQLite format 3\x00"
_VALUE_OF = {
    "ItemTable": "SELECT value FROM ItemTable WHERE key = ?",
    "cursorDiskKV": "SELECT value FROM cursorDiskKV WHERE key = ?",
}
_VERSIONS, _WRITTEN_AHEAD = slice(18, 20), b"\x02\x02"
"""Where a database's head says how it is written and read, and that it is by a file ahead of it (WAL)."""
_BUSY_S = 5.0
_CACHE_KIB = 8_192


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, as it stands with what is written ahead of it; it sees one moment
    throughout, and nothing is left beside it.

    Text that is no UTF-8 has U+FFFD in it.

    Raises:
        UnknownTranscript: It is no database, is damaged, has not the tables that were asked for, stayed
        locked, or was written to while nobody was expected to.
    """
    at_rest = _looks_at_rest(path)
    try:
        with closing(_connect(path, is_at_rest=at_rest is not None)) as connection:
            connection.execute("BEGIN")
            yield connection
    except RecursionError:  # decoded from nearer the bottom of the stack than it is encoded from
        raise UnknownTranscript(str(path), "something in its database nests too deep") from None
    except (sqlite3.Error, UnicodeDecodeError) as error:  # damage may be in a name, which SQLite's error has
        raise UnknownTranscript(str(path), f"its database says: {error}") from error
    if at_rest is not None and at_rest != _looks(path):
        raise UnknownTranscript(str(path), "its database was written to while it was read")


def has_tables(path: Path, head: bytes, wanted: dict[str, frozenset[str]]) -> bool:
    """Tell whether a file is a database with these columns, by table.

    False for what cannot be opened; but one that is locked may have them, and whoever asks it for more is
    told.
    """
    if not head.startswith(MAGIC):
        return False
    try:
        with opened(path) as connection:
            return all(columns <= columns_of(connection, table) for table, columns in wanted.items())
    except UnknownTranscript as error:
        return isinstance(error.__cause__, sqlite3.Error) and _is_busy(error.__cause__)


def columns_of(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the names of a table's columns; none where there is no such table."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def rows_of(cursor: sqlite3.Cursor) -> Iterator[Object]:
    """Yield the rows of an answer as objects: versions of an agent differ in the columns that there are."""
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def value_of(connection: sqlite3.Connection, table: Literal["ItemTable", "cursorDiskKV"], key: str) -> object:
    """Return the value that a table of keys and values has for a key; None where it has none."""
    row = connection.execute(_VALUE_OF[table], (key,)).fetchone()
    return row[0] if row else None


def object_in(cell: object) -> Object:
    """Return the JSON object that a cell holds, as text or as bytes; an empty one for anything else."""
    value = _decoded(cell)
    return value if isinstance(value, dict) else NOTHING


def list_in(cell: object) -> list[object]:
    """Return the JSON list that a cell holds; an empty one for anything else."""
    value = _decoded(cell)
    return value if isinstance(value, list) else []


def json_of(cell: object) -> bytes:
    """Return a cell as JSON in one line: as it stands there, where it is an object or a list, or as text."""
    data = _bytes(cell)
    if not isinstance(_decoded(cell), dict | list):
        return msgspec.json.encode(data.decode(errors="replace") if isinstance(cell, str | bytes) else cell)
    return data if b"\n" not in data and b"\r" not in data else msgspec.json.encode(_decoded(cell))


def line_of(value: object) -> bytes:
    """Return a line of a rendition."""
    return msgspec.json.encode(value) + b"\n"


def _bytes(cell: object) -> bytes:
    if isinstance(cell, str):
        return cell.encode(errors="replace").strip()
    return cell.strip() if isinstance(cell, bytes) else b""


def _decoded(cell: object) -> object:
    try:
        return msgspec.json.decode(_bytes(cell))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _connect(path: Path, *, is_at_rest: bool) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        connection = _try(address, is_immutable=is_at_rest)
    except sqlite3.OperationalError as error:
        if is_at_rest or _is_busy(error):
            raise  # somebody is writing: what is read now may be half of it
        # Where a folder cannot be written, a database that is written ahead cannot be opened as others do;
        # nobody writes to it either then.
        connection = _try(address, is_immutable=True)
    connection.text_factory = _text
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _try(address: str, *, is_immutable: bool) -> sqlite3.Connection:
    full = f"{address}&immutable=1" if is_immutable else address
    connection = sqlite3.connect(full, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _looks_at_rest(path: Path) -> tuple[int, int, int] | None:
    """Return how a database looks that is written ahead, and has nothing ahead: no program has it open.

    To open it as others do would leave two files beside it. None for all others.
    """
    looks = _looks(path)
    try:
        with path.open("rb") as file:
            head = file.read(_VERSIONS.stop)
    except OSError:
        return None  # opening it says what is amiss
    return None if head[_VERSIONS] != _WRITTEN_AHEAD or Path(f"{path}-wal").exists() else looks


def _looks(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None  # it is gone
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_busy(error: sqlite3.Error) -> bool:
    # An error of the module itself, and no other, has no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
