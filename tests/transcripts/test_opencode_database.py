"""opencode's database: what is listed of it, and what is written out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.opencode_database import OpencodeDatabase
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES

ALMANAC = FIXTURES / "opencode" / "almanac"
DATABASE = OpencodeDatabase()


def make_database(path: Path, documents: list[Mapping[str, Any]]) -> None:
    """Put sessions, as `opencode export` has them, into the tables that opencode keeps them in."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE session (id text PRIMARY KEY, project_id text, parent_id text, title text,
                directory text, version text, time_created integer, time_updated integer);
            CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer,
                time_updated integer, data text);
            CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, time_created integer,
                time_updated integer, data text);
            CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
            CREATE INDEX part_message_id_id_idx ON part (message_id, id);
            CREATE INDEX part_session_idx ON part (session_id);
            """
        )
        for document in documents:
            put(connection, document)


def put(connection: sqlite3.Connection, document: Mapping[str, Any]) -> None:
    """Add a session, or write over it."""
    info = document["info"]
    row = (info["id"], info.get("projectID"), info.get("parentID"), info.get("title"), info.get("directory"))
    times = (info.get("version"), info["time"]["created"], info["time"]["updated"])
    connection.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, *times))
    for number, message in enumerate(document["messages"]):
        body = {key: value for key, value in message["info"].items() if key not in ("id", "sessionID")}
        message_id = f"msg_{info['id']}_{number:04}"
        row = (message_id, info["id"], number, number, json.dumps(body))
        connection.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", row)
        for place, part in enumerate(message["parts"]):
            body = {key: value for key, value in part.items() if key not in ("id", "sessionID", "messageID")}
            row = (f"prt_{message_id}_{place:04}", message_id, info["id"], place, place, json.dumps(body))
            connection.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)", row)


def documents() -> list[dict[str, Any]]:
    return [
        json.loads(path.read_bytes()) for path in sorted(ALMANAC.glob("*.json")) if path.stem != "expected"
    ]


def session(own: str, *texts: str, updated: int = 1, **more: str) -> dict[str, Any]:
    messages = [
        {"info": {"role": "user", "time": {"created": 1}}, "parts": [{"type": "text", "text": text}]}
        for text in texts
    ]
    info = {"id": own, "directory": "/home/ada/tideline", "time": {"created": 1, "updated": updated}, **more}
    return {"info": info, "messages": messages}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "opencode.db"


def test_rendition_reads_as_the_export_does(path: Path) -> None:
    make_database(path, documents())
    streams, exported = [], []
    for listed in DATABASE.sessions(path, None).sessions:
        streams.append((listed.identity.stream, list(DATABASE.rendition(path, listed.identity))))
    streams.sort()
    for name, file in (("", "main.json"), *((f.stem, f.name) for f in ALMANAC.glob("agent-*.json"))):
        exported.append((name, [(ALMANAC / file).read_bytes()]))
    ours, theirs = read("opencode", streams), read("opencode", exported)
    assert [(t.role, t.kind, t.text, t.call, t.result, t.tokens) for t in ours.turns] == [
        (t.role, t.kind, t.text, t.call, t.result, t.tokens) for t in theirs.turns
    ]
    assert len(ours.turns) > 10
    assert ours.header == theirs.header


def test_only_sessions_that_were_updated_since_are_listed(path: Path) -> None:
    day = 86_400_000
    make_database(path, [session(f"ses_{n}", "hi", updated=n * 2 * day) for n in range(1, 6)])
    before = DATABASE.sessions(path, None)
    assert (len(before.sessions), before.is_whole) == (5, True)
    with closing(sqlite3.connect(path)) as connection, connection:
        put(connection, session("ses_2", "hi", "again", updated=12 * day))
    after = DATABASE.sessions(path, before.mark)
    assert {one.identity.native_id for one in after.sessions} == {"ses_2", "ses_5"}, "of the last day, all"
    assert not after.is_whole
    assert len({one.mark for one in after.sessions} - {one.mark for one in before.sessions}) == 1


def test_session_of_the_future_hides_no_other(path: Path) -> None:
    make_database(path, [session("ses_1", "hi", updated=4_000_000_000_000), session("ses_2", "hi")])
    before = DATABASE.sessions(path, None)
    now_ms = path.stat().st_mtime_ns // 1_000_000
    with closing(sqlite3.connect(path)) as connection, connection:
        put(connection, session("ses_2", "hi", "again", updated=now_ms))
    assert {one.identity.native_id for one in DATABASE.sessions(path, before.mark).sessions} == {
        "ses_1",
        "ses_2",
    }


def test_session_without_a_time_is_listed(path: Path) -> None:
    make_database(path, [session("ses_1", "hi")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE session SET time_updated = NULL")
    assert [one.updated_ms for one in DATABASE.sessions(path, None).sessions] == [None]


@pytest.mark.parametrize("table", ["message", "part"])
def test_answer_that_is_written_after_its_session_is_seen(path: Path, table: str) -> None:
    make_database(
        path, [session("ses_1", "hi", updated=5_000_000), session("ses_2", "hi", updated=6_000_000)]
    )
    before = DATABASE.sessions(path, None)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET time_updated = 7000000 WHERE session_id = 'ses_1'")
    after = DATABASE.sessions(path, before.mark)
    changed = [one for one in after.sessions if one.mark not in {was.mark for was in before.sessions}]
    assert [one.identity.native_id for one in changed] == ["ses_1"]


def test_what_is_written_ahead_is_seen(path: Path) -> None:
    make_database(path, [session("ses_1", "hi")])
    with closing(sqlite3.connect(path)) as writer:
        put(writer, session("ses_2", "not yet", updated=2))
        assert len(DATABASE.sessions(path, None).sessions) == 1
        writer.commit()
        assert path.with_name("opencode.db-wal").stat().st_size
        assert len(DATABASE.sessions(path, None).sessions) == 2


def test_growing_session_keeps_its_earlier_lines(path: Path) -> None:
    make_database(path, [session("ses_1", "one")])
    [listed] = DATABASE.sessions(path, None).sessions
    before = list(DATABASE.rendition(path, listed.identity))
    with closing(sqlite3.connect(path)) as connection, connection:
        put(connection, session("ses_1", "one", "two", updated=5))
    after = list(DATABASE.rendition(path, listed.identity))
    assert after[:1] == before[:1]
    assert after[-1] == before[-1]
    assert len(after) == 3


def test_cell_that_is_no_json_is_kept(path: Path) -> None:
    make_database(path, [session("ses_1", "one")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('UPDATE part SET data = \'{"type": "te\'')
    [listed] = DATABASE.sessions(path, None).sessions
    text = b"".join(DATABASE.rendition(path, listed.identity))
    assert b'{\\"type\\": \\"te' in text
    assert read("opencode", [("", [text])]).tally.unknown == {"user/(no type)": 1}


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + bytes(5000)])
def test_what_is_no_database_of_opencode_is_not_held(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert not DATABASE.holds(path, content[:HEAD_BYTES])


def test_damaged_database_is_refused_by_name(path: Path) -> None:
    make_database(path, [session(f"ses_{n}", "word " * 4000, updated=n) for n in range(20)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[8192 : len(data) // 2] = b"\xff" * (len(data) // 2 - 8192)
    path.write_bytes(data)
    with pytest.raises(UnknownTranscript, match="database"):
        b"".join(
            line
            for listed in DATABASE.sessions(path, None).sessions
            for line in DATABASE.rendition(path, listed.identity)
        )
