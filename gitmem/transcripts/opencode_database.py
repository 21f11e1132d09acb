"""opencode's database: sessions, their messages and the parts of these, written out as its export has them.

A session's rendition is a line for each message, `{"message": {"info", "parts"}}`, and a last one that says
what it is, `{"session": {…}}`; the ids, which the columns have, stand first in each body. A message of which
a part is edited in place is written out anew, and what comes before it is kept. Forks of opencode (Kilo,
MiMo) keep the same tables elsewhere.

A session's time has no index, but the table of sessions is small beside those of messages and of parts, of
which only what changed is read. Its rows have differences of files in them and lie one a page, so all of
its pages are asked for at once. In versions before its usage was kept (1.2 was looked at) an answer is
written after the session's time; so of the sessions of the last day the latest message is looked at too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.fields import Object, integer, string
from gitmem.transcripts.sqlite import has_tables, line_of, object_in, opened, rows_of
from gitmem.transcripts.sqlite_pages import ask_for

_TABLES = {
    "session": frozenset(("id", "parent_id", "directory", "time_updated")),
    "message": frozenset(("id", "session_id", "time_created", "time_updated", "data")),
    "part": frozenset(("id", "message_id", "session_id", "time_updated", "data")),
}
_LATELY_MS = 86_400_000
"""What was updated within a day before the newest of a listing may have been answered since."""


class OpencodeDatabase:
    """The sessions of one database."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it has opencode's tables."""
        return has_tables(path, head, _TABLES)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List sessions by when they were last updated."""
        before = int(since) if since and since.isdecimal() else None
        after = before - _LATELY_MS if before is not None else None
        # A session of the future, by a clock that was wrong, must not hide what comes before it.
        written_ms = path.stat().st_mtime_ns // 1_000_000
        ask_for(path, "session")
        with opened(path) as connection:
            rows = connection.execute(
                "SELECT id, parent_id, directory, time_updated FROM session"
                " WHERE ?1 IS NULL OR time_updated > ?1 ORDER BY id",
                (after,),
            )
            listed = tuple(_listed(connection, row) for row in rows_of(rows))
        newest = max((one.updated_ms or 0 for one in listed), default=0)
        return Listing(listed, str(min(max(newest, before or 0), written_ms)), is_whole=before is None)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield a session's messages in the order in which they were begun, and what it says of itself."""
        own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
        with opened(path) as connection:
            messages = connection.execute(
                "SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id", (own,)
            )
            for message_id, data in messages:
                parts = connection.execute(
                    "SELECT id, data FROM part WHERE message_id = ? ORDER BY id", (message_id,)
                )
                message = {"info": _body(message_id, data), "parts": [_body(*part) for part in parts]}
                yield line_of({"message": message})
            row = connection.execute(
                "SELECT title, directory, version, time_created FROM session WHERE id = ?", (own,)
            ).fetchone()
        if row is not None:
            title, directory, version, created = row
            info = {"id": own, "parentID": identity.parent_id, "title": title, "directory": directory}
            yield line_of({"session": info | {"version": version, "time": {"created": created}}})


def _listed(connection: sqlite3.Connection, row: Object) -> Listed:
    own, parent, updated_ms = str(row["id"]), string(row, "parent_id"), integer(row, "time_updated")
    identity = session_of("opencode", own, parent, string(row, "directory"))
    return Listed(identity, f"{updated_ms}:{_answered(connection, own)}", updated_ms)


def _answered(connection: sqlite3.Connection, own: str) -> str:
    """Return when the latest message of a session was written, and when the latest of its parts."""
    row = connection.execute(
        "SELECT time_updated, (SELECT max(time_updated) FROM part WHERE message_id = message.id) FROM message"
        " WHERE session_id = ? ORDER BY time_created DESC, id DESC LIMIT 1",
        (own,),
    ).fetchone()
    return f"{row[0]}:{row[1]}" if row else ""


def _body(own_id: object, data: object) -> Object:
    """Return what a row holds, behind its id; what is no JSON object is kept as it stands."""
    return {"id": own_id} | (object_in(data) or {"data": data})
