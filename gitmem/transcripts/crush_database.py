"""Crush's database: sessions of one project and their messages, which are lists of parts.

A rendition is a line that says which session it is, a line for each message, `{"message": {…}}` with the
columns of its row, and a last one with what the session says of itself. A message is written anew as it
grows, within the same second even, and its session is not always touched: of the sessions that were updated
lately, the messages are looked at too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.fields import Object, string
from gitmem.transcripts.sqlite import has_tables, json_of, line_of, opened, rows_of
from gitmem.transcripts.times import to_ms

NAME = "crush"
_TABLES = {
    "sessions": frozenset(("id", "parent_session_id", "title", "updated_at", "created_at")),
    "messages": frozenset(("id", "session_id", "role", "parts", "created_at", "updated_at")),
}
_LATELY_S = 3_600
_SECONDS_BELOW = 100_000_000_000
"""Rows are written with seconds, though the schema's comments say milliseconds."""
_SUMMED = ("message_count", "prompt_tokens", "completion_tokens", "cost", "updated_at")
"""What grows with every message, and is known from these or is of no use."""


class CrushDatabase:
    """The sessions of one project's database."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it has Crush's tables."""
        return path.suffix == ".db" and has_tables(path, head, _TABLES)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List sessions by when they were last updated; they began in the tree that has the database."""
        before = int(since) if since and since.isdecimal() else None
        with opened(path) as connection:
            [newest] = connection.execute("SELECT coalesce(max(updated_at), 0) FROM sessions").fetchone()
            lately = _LATELY_S * (1000 if newest > _SECONDS_BELOW else 1)
            changed = connection.execute(
                "SELECT * FROM sessions WHERE updated_at >= ? ORDER BY id",
                (before - lately if before is not None else -1,),
            )
            listed = tuple(_listed(connection, row) for row in rows_of(changed))
        return Listing(listed, str(newest), is_whole=before is None)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield a session's messages in the order in which they were begun."""
        own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
        parent = {"parent_session_id": identity.parent_id} if identity.parent_id else {}
        yield line_of({"crush": {"id": own} | parent})
        with opened(path) as connection:
            messages = connection.execute(
                "SELECT * FROM messages WHERE session_id = ? ORDER BY created_at, rowid", (own,)
            )
            for row in rows_of(messages):
                yield b'{"message":' + _message(row) + b"}\n"
            about = next(rows_of(connection.execute("SELECT * FROM sessions WHERE id = ?", (own,))), {})
        kept = {
            name: value
            for name, value in about.items()
            if name not in _SUMMED and isinstance(value, str | int) and value != ""
        }
        yield line_of({"crush": kept})


def _listed(connection: sqlite3.Connection, row: Object) -> Listed:
    own, parent = str(row["id"]), string(row, "parent_session_id")
    [count, latest] = connection.execute(
        "SELECT count(*), coalesce(max(updated_at), 0) FROM messages WHERE session_id = ?", (own,)
    ).fetchone()
    identity = session_of(NAME, own, parent, string(row, "workspace_cwd"))
    mark = f"{row.get('updated_at')}:{latest}:{count}"
    return Listed(identity, mark, to_ms(row.get("updated_at")))


def _message(row: Object) -> bytes:
    about = {
        name: value
        for name, value in row.items()
        if name not in ("parts", "session_id", "updated_at") and isinstance(value, str | int | float)
    }
    return msgspec.json.encode(about)[:-1] + b',"parts":' + json_of(row.get("parts")) + b"}"
