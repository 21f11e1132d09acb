"""goose's sessions: a database of them, or files of JSON lines of versions before it.

A rendition is a line that says which session it is, a line for each message, `{"message": {…}}` with the
columns of its row, and a last one with what the session says of itself. An older file begins with that, and
writes it anew; its other lines are the messages. goose took such files over into its database and left them
where they were, so a file is read only if the database beside it has not the session.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.fields import Object, integer, mapping, string
from gitmem.transcripts.head import read_head
from gitmem.transcripts.sqlite import has_tables, json_of, line_of, object_in, opened, rows_of
from gitmem.transcripts.times import to_ms

NAME = "goose"
_TABLES = {
    "sessions": frozenset(("id", "working_dir", "updated_at")),
    "messages": frozenset(("id", "session_id", "role", "content_json", "created_timestamp")),
}
_KEPT = (
    "id",
    "name",
    "description",
    "session_type",
    "working_dir",
    "created_at",
    "parent_session_id",
    "schedule_id",
    "provider_name",
    "accumulated_total_tokens",
    "accumulated_input_tokens",
    "accumulated_output_tokens",
)
_DATE = 10
"""Characters. Versions write times in two ways, which are compared by their dates."""


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """The latest message, and when a session was updated last."""

    message: int
    updated: str


class GooseSessions:
    """The sessions of a database, or the one of an older file."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it has goose's tables, or begins as an older file."""
        if path.suffix == ".db":
            return has_tables(path, head, _TABLES)
        return path.suffix == ".jsonl" and is_legacy(read_head(head, path).records)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List those that have new messages since, or were updated on that day or later."""
        if path.suffix != ".db":
            return _legacy_listing(path)
        before = _read_mark(since)
        with opened(path) as connection:
            [latest] = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
            changed = connection.execute(
                "SELECT * FROM sessions WHERE updated_at >= ?"
                " UNION SELECT * FROM sessions WHERE id IN (SELECT session_id FROM messages WHERE id > ?)"
                " ORDER BY id",
                (before.updated[:_DATE], before.message) if before else ("", -1),
            )
            listed = tuple(_listed(connection, row) for row in rows_of(changed))
            [updated] = connection.execute("SELECT coalesce(max(updated_at), '') FROM sessions").fetchone()
        mark = msgspec.json.encode(_Mark(latest, str(updated))).decode()
        return Listing(listed, mark, is_whole=before is None)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of a session."""
        own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
        parent = {"parent_session_id": identity.parent_id} if identity.parent_id else {}
        yield line_of({"goose": {"id": own} | parent})
        if path.suffix != ".db":
            yield from _legacy_lines(path)
            return
        with opened(path) as connection:
            messages = connection.execute("SELECT * FROM messages WHERE session_id = ? ORDER BY id", (own,))
            for row in rows_of(messages):
                yield b'{"message":' + _message(row) + b"}\n"
            found = rows_of(connection.execute("SELECT * FROM sessions WHERE id = ?", (own,)))
            about = next(found, {})
            kept = {name: about[name] for name in _KEPT if about.get(name) not in (None, "")}
            model = object_in(about.get("model_config_json"))
            yield line_of({"goose": kept | ({"model_config": model} if model else {})})


def is_legacy(records: tuple[Object, ...]) -> bool:
    """Tell an older file by what its first line says of the session, and by its first message."""
    first = records[0] if records else {}
    if not isinstance(first.get("description"), str) or not isinstance(first.get("working_dir"), str):
        return False
    return "message_count" in first or any(
        "role" in record and "created" in record and isinstance(record.get("content"), list)
        for record in records[1:]
    )


def _read_mark(since: str | None) -> _Mark | None:
    try:
        return msgspec.json.decode(since, type=_Mark) if since else None
    except msgspec.DecodeError:
        return None


def _listed(connection: sqlite3.Connection, row: Object) -> Listed:
    own, parent = str(row["id"]), string(row, "parent_session_id")
    [count, latest] = connection.execute(
        "SELECT count(*), coalesce(max(id), 0) FROM messages WHERE session_id = ?", (own,)
    ).fetchone()
    identity = session_of(NAME, own, parent, string(row, "working_dir"))
    return Listed(identity, f"{latest}:{count}:{row.get('updated_at')}", to_ms(row.get("updated_at")))


def _message(row: Object) -> bytes:
    """Return a message as JSON, under the names that older files have; a row's own number changes."""
    about = {
        "id": string(row, "message_id") or integer(row, "id"),
        "role": row.get("role"),
        "created": row.get("created_timestamp"),
    }
    encoded = msgspec.json.encode(about)[:-1] + b',"content":' + json_of(row.get("content_json"))
    metadata = object_in(row.get("metadata_json"))
    return encoded + (b',"metadata":' + msgspec.json.encode(metadata) if metadata else b"") + b"}"


def _legacy_listing(path: Path) -> Listing:
    status = path.stat()
    database = path.parent / "sessions.db"
    if database.is_file() and _has(database, path.stem):
        return Listing(())
    with path.open("rb") as file:
        about = mapping(object_in(file.readline(1 << 20)))
    identity = Identity(NAME, path.stem, MAIN_STREAM, None, "document", string(about, "working_dir"), None)
    looks = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
    mark = hashlib.sha256(looks.encode()).hexdigest()[:32]
    return Listing((Listed(identity, mark, status.st_mtime_ns // 1_000_000, status.st_size),), is_one=True)


def _has(database: Path, own: str) -> bool:
    try:
        with opened(database) as connection:
            row = connection.execute("SELECT 1 FROM sessions WHERE id = ?", (own,)).fetchone()
    except UnknownTranscript:
        return False  # then the file is all that there is
    return row is not None


def _legacy_lines(path: Path) -> Iterator[bytes]:
    """Yield the messages as they are, and the first line last, since it is written anew."""
    with path.open("rb") as file:
        first = file.readline()
        yield from (line for line in file if line.endswith(b"\n"))  # else it is being written
    about = object_in(first)
    if about:
        yield line_of({"goose": about})
