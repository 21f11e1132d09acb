"""Cursor's editor database `state.vscdb`: composers of the whole editor, and older chats of one workspace.

A composer is `composerData:<id>` in the table cursorDiskKV, with the order of its bubbles, each of which is a
row `bubbleId:<composer>:<bubble>`; older ones have their bubbles inside. Before composers, a workspace's
database had tabs of chat in ItemTable. A rendition is a line that says which session it is, a line for each
bubble, as its row has it, and a last one with what the composer says of itself.

The database of a busy year has 10 GB and more. The table's keys are unique with REPLACE on conflict, so a row
that is written again gets a rowid above all others, and what changed since a listing are the rows from the
highest of that time on. VACUUM leaves rowids as they are where a table has an index; where the highest row
went, all are listed. Other programs, which patch or import, UPDATE a row where it is: that is seen where they
raise the composer's time in the table composerHeaders of newer versions, as Cursor does with all it writes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.cursor_workspaces import Workspaces, folder_of
from gitmem.transcripts.fields import Object, child, children, integer, string
from gitmem.transcripts.sqlite import columns_of, has_tables, json_of, line_of, object_in, opened, value_of

NAME = "cursor"
KEYS = frozenset(("key", "value"))
TABS = ("workbench.panel.aichat.view.aichat.chatdata", "aiChat.chatdata")
"""Where ItemTable has the chats of a workspace, in Cursor and in Windsurf."""

_COMPOSER, _BUBBLE = "composerData:", "bubbleId:"
_IN_WORKSPACE = "composer.composerData"
_KEPT = (
    "_v",
    "composerId",
    "name",
    "subtitle",
    "createdAt",
    "unifiedMode",
    "forceMode",
    "modelConfig",
    "workspaceIdentifier",
    "createdOnBranch",
    "trackedGitRepos",
    "subagentInfo",
    "latestConversationSummary",
    "todos",
    "newlyCreatedFiles",
    "totalLinesAdded",
    "totalLinesRemoved",
)
"""What a composer says of its session; the rest is how the window stood, and copies of files."""


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """The row with the highest rowid, as it was when the database was listed, and the latest time of any
    composer's, in milliseconds."""

    rowid: int
    key: str
    at_ms: int = 0


def holds(path: Path, head: bytes) -> bool:
    """Tell whether it is a database of an editor that may have composers or chats."""
    if path.suffix != ".vscdb" or is_of_windsurf(path):
        return False
    return has_tables(path, head, {"ItemTable": KEYS}) or has_tables(path, head, {"cursorDiskKV": KEYS})


def is_of_windsurf(path: Path) -> bool:
    """Tell whether it is Windsurf's, whose databases look like those of an old Cursor."""
    return any(part.lower().startswith("windsurf") for part in path.parts)


def sessions(path: Path, since: str | None) -> Listing:
    """List composers and chats: those that were written since, or all."""
    # A composer of the future, by a clock that was wrong, must not hide what comes before it.
    written_ms = path.stat().st_mtime_ns // 1_000_000
    with opened(path) as connection:
        others = _tabs_listed(connection, path) + _inline_listed(connection, path)
        if not columns_of(connection, "cursorDiskKV"):
            return Listing(tuple(others))
        top = connection.execute(
            "SELECT rowid, key FROM cursorDiskKV ORDER BY rowid DESC LIMIT 1"
        ).fetchone() or (0, "")
        mark = _Mark(top[0], str(top[1]), min(_latest_ms(connection), written_ms))
        before = _read_mark(since)
        is_whole = before is None or not _still_stands(connection, before)
        latest = _all(connection) if is_whole or before is None else _changed(connection, before)
        workspaces = Workspaces(path)
        composers = [
            listed
            for own, rowid in latest.items()
            if (listed := _listed(connection, own, rowid, workspaces)) is not None
        ]
    return Listing((*composers, *others), msgspec.json.encode(mark).decode(), is_whole)


def rendition(path: Path, identity: Identity) -> Iterator[bytes]:
    """Yield the lines of one composer, or of one tab."""
    own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
    first = {"composerId": own, "parentComposerId": identity.parent_id}
    yield line_of({"cursor": {name: value for name, value in first.items() if value is not None}})
    with opened(path) as connection:
        if columns_of(connection, "cursorDiskKV"):
            composer = object_in(value_of(connection, "cursorDiskKV", _COMPOSER + own))
            if composer:
                yield from _composer_lines(connection, own, composer, identity.cwd)
                return
        for composer in _inline(connection):
            if string(composer, "composerId") == own:
                yield from _composer_lines(connection, own, composer, identity.cwd)
                return
        for tab in tabs_in(connection):
            if string(tab, "tabId") == own:
                yield from tab_lines(tab, "cursor", identity.cwd)
                return


def knows(path: Path, own: str) -> bool:
    """Tell whether a database has a session of this name, with something said in it."""
    with opened(path) as connection:
        if not columns_of(connection, "cursorDiskKV"):
            return False
        composer = object_in(value_of(connection, "cursorDiskKV", _COMPOSER + own))
        return bool(composer.get("fullConversationHeadersOnly") or composer.get("conversation"))


def tabs_in(connection: sqlite3.Connection) -> list[Object]:
    """Return the chats of a workspace, older than composers."""
    if not columns_of(connection, "ItemTable") >= KEYS:
        return []
    found = (children(object_in(value_of(connection, "ItemTable", key)), "tabs") for key in TABS)
    return [tab for tabs in found for tab in tabs if string(tab, "tabId") and children(tab, "bubbles")]


def tab_lines(tab: Object, name: str, cwd: str | None) -> Iterator[bytes]:
    """Yield the lines of a chat, but for the first."""
    for bubble in children(tab, "bubbles"):
        yield line_of({"bubble": bubble})
    rest = {key: value for key, value in tab.items() if key != "bubbles"}
    yield line_of({name: rest | ({"cwd": cwd} if cwd else {})})


def tab_listed(tab: Object, name: str, cwd: str | None) -> Listed:
    """Return how a chat is listed; it has no times of its own."""
    encoded = msgspec.json.encode(tab)
    identity = Identity(name, str(tab["tabId"]), MAIN_STREAM, None, "document", cwd, None)
    return Listed(identity, hashlib.sha256(encoded).hexdigest()[:32], size_bytes=len(encoded))


def _tabs_listed(connection: sqlite3.Connection, path: Path) -> list[Listed]:
    return [tab_listed(tab, NAME, folder_of(path)) for tab in tabs_in(connection)]


def _inline(connection: sqlite3.Connection) -> list[Object]:
    """Return composers that a workspace's own database has whole; mostly it has only their names."""
    if not columns_of(connection, "ItemTable") >= KEYS:
        return []
    stored = object_in(value_of(connection, "ItemTable", _IN_WORKSPACE))
    named = [one for one in children(stored, "allComposers") if string(one, "composerId")]
    return [one for one in named if children(one, "conversation")]


def _inline_listed(connection: sqlite3.Connection, path: Path) -> list[Listed]:
    found = []
    for composer in _inline(connection):
        encoded = msgspec.json.encode(composer)
        identity = _identity(str(composer["composerId"]), composer, {}, folder_of(path))
        mark = hashlib.sha256(encoded).hexdigest()[:32]
        found.append(Listed(identity, mark, integer(composer, "lastUpdatedAt"), len(encoded)))
    return found


def _read_mark(since: str | None) -> _Mark | None:
    try:
        return msgspec.json.decode(since, type=_Mark) if since else None
    except msgspec.DecodeError:
        return None


def _still_stands(connection: sqlite3.Connection, mark: _Mark) -> bool:
    """Tell whether the highest row is still there: a rowid above all that are left is given out again."""
    row = connection.execute("SELECT key FROM cursorDiskKV WHERE rowid = ?", (mark.rowid,)).fetchone()
    if row is not None:
        return str(row[0]) == mark.key
    # It was written again, with a higher rowid, if its key is still there.
    row = connection.execute("SELECT rowid FROM cursorDiskKV WHERE key = ?", (mark.key,)).fetchone()
    return row is not None and bool(row[0] > mark.rowid)


def _all(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the highest row of each composer, from the index of keys alone: no value is read."""
    rows = connection.execute(
        "SELECT key, rowid FROM cursorDiskKV WHERE key >= ? AND key < ?", (_COMPOSER, _after(_COMPOSER))
    )
    latest = {str(key)[len(_COMPOSER) :]: rowid for key, rowid in rows}
    rows = connection.execute(
        "SELECT key, rowid FROM cursorDiskKV WHERE key >= ? AND key < ?", (_BUBBLE, _after(_BUBBLE))
    )
    return _raise(latest, rows)


def _changed(connection: sqlite3.Connection, since: _Mark) -> dict[str, int]:
    rows = connection.execute("SELECT key FROM cursorDiskKV WHERE rowid >= ?", (since.rowid,)).fetchall()
    latest = {own: 0 for (key,) in rows if (own := _composer_of(key)) is not None}
    if _has_times(connection):
        named = "SELECT composerId FROM composerHeaders WHERE lastUpdatedAt >= ?"
        latest |= {str(own): 0 for (own,) in connection.execute(named, (since.at_ms,))}
    for own in latest:
        bubbles = f"{_BUBBLE}{own}:"
        [latest[own]] = connection.execute(
            "SELECT max(coalesce((SELECT rowid FROM cursorDiskKV WHERE key = ?), 0),"
            " coalesce((SELECT max(rowid) FROM cursorDiskKV WHERE key >= ? AND key < ?), 0))",
            (_COMPOSER + own, bubbles, _after(bubbles)),
        ).fetchone()
    return latest


def _has_times(connection: sqlite3.Connection) -> bool:
    return columns_of(connection, "composerHeaders") >= {"composerId", "lastUpdatedAt"}


def _latest_ms(connection: sqlite3.Connection) -> int:
    if not _has_times(connection):
        return 0
    row = connection.execute("SELECT max(lastUpdatedAt) FROM composerHeaders").fetchone()
    return row[0] if isinstance(row[0], int) else 0


def _raise(latest: dict[str, int], rows: Iterable[tuple[object, int]]) -> dict[str, int]:
    for key, rowid in rows:
        own = _composer_of(key)
        if own in latest and latest[own] < rowid:
            latest[own] = rowid
    return latest


def _composer_of(key: object) -> str | None:
    name = str(key)
    if name.startswith(_COMPOSER):
        return name[len(_COMPOSER) :] or None
    return name[len(_BUBBLE) :].rpartition(":")[0] or None if name.startswith(_BUBBLE) else None


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _listed(connection: sqlite3.Connection, own: str, rowid: int, workspaces: Workspaces) -> Listed | None:
    cell = value_of(connection, "cursorDiskKV", _COMPOSER + own)
    composer = object_in(cell)
    if not (children(composer, "fullConversationHeadersOnly") or children(composer, "conversation")):
        return None  # an empty window
    header = _header(connection, own)
    cwd = _began_in(connection, own, composer, header, workspaces)
    size_bytes = len(cell) if isinstance(cell, str | bytes) else 0
    updated_ms = integer(header, "lastUpdatedAt") or integer(composer, "lastUpdatedAt")
    mark = f"{rowid}:{updated_ms or 0}:{size_bytes}"
    return Listed(_identity(own, composer, header, cwd), mark, updated_ms, size_bytes)


def _identity(own: str, composer: Object, header: Object, cwd: str | None) -> Identity:
    about = child(header, "subagentInfo") or child(composer, "subagentInfo")
    parent = string(about, "parentComposerId")
    return session_of(NAME, own, parent, cwd)


def _header(connection: sqlite3.Connection, own: str) -> Object:
    """Return what newer versions say of a composer in a table of its own."""
    if not columns_of(connection, "composerHeaders") >= {"composerId", "value"}:
        return {}
    row = connection.execute("SELECT value FROM composerHeaders WHERE composerId = ?", (own,)).fetchone()
    return object_in(row[0]) if row else {}


def _began_in(
    connection: sqlite3.Connection, own: str, composer: Object, header: Object, workspaces: Workspaces
) -> str | None:
    found = workspaces.identified(header) or workspaces.identified(composer) or workspaces.of_composer(own)
    if found is not None:
        return found
    headers = children(composer, "fullConversationHeadersOnly")
    for bubble_id in [string(one, "bubbleId") for one in headers[:1]]:
        bubble = object_in(value_of(connection, "cursorDiskKV", f"{_BUBBLE}{own}:{bubble_id}"))
        return workspaces.of_bubble(bubble)
    return workspaces.of_bubble(next(iter(children(composer, "conversation")), {}))


def _composer_lines(
    connection: sqlite3.Connection, own: str, composer: Object, cwd: str | None
) -> Iterator[bytes]:
    inside = child(composer, "conversationMap")
    for header in children(composer, "fullConversationHeadersOnly"):
        bubble_id = string(header, "bubbleId")
        cell = value_of(connection, "cursorDiskKV", f"{_BUBBLE}{own}:{bubble_id}")
        if cell is not None:
            yield b'{"bubble":' + json_of(cell) + b"}\n"
        elif bubble_id in inside:
            yield line_of({"bubble": inside[bubble_id]})
    if not composer.get("fullConversationHeadersOnly"):
        for bubble in children(composer, "conversation"):
            yield line_of({"bubble": bubble})
    about = {name: composer[name] for name in _KEPT if composer.get(name) not in (None, "", [], {})}
    header = _header(connection, own)
    about |= {name: header[name] for name in _KEPT if name not in about and header.get(name)}
    yield line_of({"cursor": about | ({"cwd": cwd} if cwd else {})})
