"""goose's database and its older files: what is listed of them, and what is written out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import folders
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.goose_sessions import GooseSessions
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import lines

SESSIONS = GooseSessions()
OWN = FIXTURES / "goose"
FOLDER = "/home/ada/tideline"

Json = dict[str, Any]


def said(number: int, role: str, *content: Json, **metadata: bool) -> Json:
    return {
        "id": f"m{number}",
        "role": role,
        "created": 1778230800 + number,
        "content": list(content),
        **({"metadata": metadata} if metadata else {}),
    }


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def request(own: str, name: str, **arguments: str) -> Json:
    value = {"name": name, "arguments": arguments}
    return {"type": "toolRequest", "id": own, "toolCall": {"status": "success", "value": value}}


def response(own: str, result: Json) -> Json:
    return {"type": "toolResponse", "id": own, "toolResult": result}


MESSAGES = [
    said(1, "user", text("When is high water in Cowes?")),
    said(
        2,
        "assistant",
        {"type": "thinking", "thinking": "The table knows.", "signature": "x"},
        {"type": "redactedThinking", "data": "x"},
        text("I read the table."),
        request("r1", "developer__shell", command="cat tides.csv"),
        request("r2", "developer__text_editor", command="write", path="cowes.txt", file_text="11:02"),
    ),
    said(
        3,
        "user",
        response("r1", {"status": "success", "value": [{"type": "text", "text": "Cowes 11:02"}]}),
        response("r2", {"status": "success", "value": {"content": [text("written")], "isError": False}}),
    ),
    said(
        4,
        "assistant",
        {"type": "toolRequest", "id": "r3", "toolCall": {"status": "error", "error": "no such"}},
    ),
    said(5, "user", response("r4", {"status": "error", "error": "refused"})),
    said(
        6, "user", response("r5", {"status": "success", "value": {"content": [text("bad")], "isError": True}})
    ),
    said(7, "user", text("<info>it is noon</info>"), userVisible=False, agentVisible=True),
    said(
        8,
        "assistant",
        {"type": "systemNotification", "notificationType": "inlineMessage", "msg": "Compacted."},
    ),
    said(9, "assistant", {"type": "image", "data": "x", "mimeType": "image/png"}, {"type": "hologram"}),
    said(10, "system", text("Be brief.")),
    said(11, "pilot", text("of a role from the future")),
]
HELPER = [said(1, "user", text("Find the table.")), said(2, "assistant", text("tides.csv"))]


def make_database(path: Path, *, version: int = 15) -> None:
    """Make a database as goose has it, of this version or of the first."""
    later = "" if version < 7 else ", message_id TEXT, metadata_json TEXT"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            f"""
            PRAGMA journal_mode = WAL;
            CREATE TABLE sessions (id TEXT PRIMARY KEY, description TEXT NOT NULL DEFAULT '',
                working_dir TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, extension_data TEXT DEFAULT '{{}}');
            CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
                session_id TEXT NOT NULL REFERENCES sessions(id), role TEXT NOT NULL,
                content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL,
                timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, tokens INTEGER{later});
            CREATE INDEX idx_messages_session ON messages(session_id);
            CREATE INDEX idx_sessions_updated ON sessions(updated_at DESC);
            """
        )
        for column in ("name", "session_type", "provider_name", "model_config_json", "parent_session_id"):
            if version >= 7:
                connection.execute(f"ALTER TABLE sessions ADD COLUMN {column} TEXT")


def put(
    path: Path, own: str, messages: list[Json], *, updated: str = "2026-05-08 09:00:00", **about: Any
) -> None:
    """Add messages to a session."""
    with closing(sqlite3.connect(path)) as connection, connection:
        row = {"id": own, "working_dir": FOLDER, "created_at": "2026-05-08 09:00:00", **about}
        row["updated_at"] = updated
        marks = ", ".join("?" * len(row))
        connection.execute(
            f"INSERT OR REPLACE INTO sessions ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
        )
        for message in messages:
            values: Json = {
                "session_id": own,
                "role": message["role"],
                "content_json": json.dumps(message["content"]),
                "created_timestamp": message["created"],
            }
            if "message_id" in [one[1] for one in connection.execute("PRAGMA table_info(messages)")]:
                values["message_id"] = message["id"]
                values["metadata_json"] = json.dumps(message.get("metadata"))
            connection.execute(
                f"INSERT INTO messages ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                tuple(values.values()),
            )


def make_tides(path: Path) -> None:
    """Make the database of the fixture."""
    make_database(path)
    about = {"name": "High water", "provider_name": "tidal", "session_type": "user"}
    put(path, "20260508_1", MESSAGES, model_config_json='{"model_name": "tidal-large"}', **about)
    put(path, "20260508_2", HELPER, parent_session_id="20260508_1", session_type="sub_agent")


def rendition(path: Path, own: str) -> bytes:
    [one] = [
        one
        for one in SESSIONS.sessions(path, None).sessions
        if own in (one.identity.stream.removeprefix("agent-"), one.identity.native_id)
        and (one.identity.parent_id is None or own in one.identity.stream)
    ]
    return b"".join(SESSIONS.rendition(path, one.identity))


def legacy(**about: Any) -> bytes:
    first = {"description": "High water", "working_dir": FOLDER, "message_count": len(MESSAGES), **about}
    return lines(first, *({k: v for k, v in message.items() if k != "metadata"} for message in MESSAGES))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def test_renditions_are_the_fixtures(path: Path) -> None:
    make_tides(path)
    assert SESSIONS.holds(path, path.read_bytes()[:HEAD_BYTES])
    assert rendition(path, "20260508_1") == (OWN / "high-water" / "main.jsonl").read_bytes()
    helper = (OWN / "high-water" / "agent-20260508_2.jsonl").read_bytes()
    assert rendition(path, "20260508_2") == helper


def test_older_file_is_the_fixture_and_its_first_line_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "20250101_101010.jsonl"
    path.write_bytes(legacy() + b'{"role": "us')
    assert SESSIONS.holds(path, path.read_bytes())
    [one] = SESSIONS.sessions(path, None).sessions
    assert (one.identity.native_id, one.identity.cwd) == (path.stem, FOLDER)
    written = b"".join(SESSIONS.rendition(path, one.identity))
    assert b"message_count" in written.splitlines()[-1]
    direct = read("goose", [("", [legacy()])])
    through = read("goose", [("", [written])])
    assert [turn.text for turn in through.turns] == [turn.text for turn in direct.turns]
    assert through.header == direct.header
    assert (OWN / "older-file" / "main.jsonl").read_bytes() == legacy()


def test_older_file_that_was_taken_over_is_left_out(tmp_path: Path, path: Path) -> None:
    old = tmp_path / "20250101_101010.jsonl"
    old.write_bytes(legacy())
    make_database(path)
    assert len(SESSIONS.sessions(old, None).sessions) == 1
    put(path, old.stem, MESSAGES)
    assert SESSIONS.sessions(old, None).sessions == ()
    path.write_bytes(b"SQLite format 3\x00" + bytes(9000))
    path.with_name("sessions.db-wal").unlink(missing_ok=True)
    assert len(SESSIONS.sessions(old, None).sessions) == 1


def test_only_what_has_new_messages_or_was_updated_is_listed(path: Path) -> None:
    make_database(path)
    for number in range(1, 6):
        put(path, f"s{number}", HELPER, updated=f"2026-05-0{number} 09:00:00")
    before = SESSIONS.sessions(path, None)
    assert (len(before.sessions), before.is_whole) == (5, True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO messages (session_id, role, content_json, created_timestamp)"
            " VALUES ('s2', 'user', '[]', 1)"
        )
        connection.execute("UPDATE sessions SET updated_at = '2026-05-05T08:00:00Z' WHERE id = 's4'")
    after = SESSIONS.sessions(path, before.mark)
    assert {one.identity.native_id for one in after.sessions} == {"s2", "s4", "s5"}
    assert not after.is_whole
    marks = {one.identity.native_id: one.mark for one in before.sessions}
    changed = {one.identity.native_id for one in after.sessions if one.mark != marks[one.identity.native_id]}
    assert changed == {"s2", "s4"}
    assert SESSIONS.sessions(path, "nonsense").is_whole


def test_conversation_that_is_put_in_anew_has_the_same_lines(path: Path) -> None:
    make_tides(path)
    before = rendition(path, "20260508_1")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM messages WHERE session_id = '20260508_1'")
    put(path, "20260508_1", [*MESSAGES, said(12, "user", text("more"))], name="High water")
    assert rendition(path, "20260508_1").splitlines()[: len(MESSAGES)] == before.splitlines()[: len(MESSAGES)]


def test_database_of_the_first_version_is_read(path: Path) -> None:
    make_database(path, version=1)
    put(path, "old", HELPER, description="From before")
    transcript = read("goose", [("", [rendition(path, "old")])])
    assert [turn.text for turn in transcript.turns] == ["Find the table.", "tides.csv"]
    assert (transcript.header.title, transcript.header.cwd) == ("From before", FOLDER)


@pytest.mark.parametrize("cell", ["", "{", "null", "5", '{"type": "text"}', '[1, {"type": []}]', "\x00"])
def test_content_that_is_not_to_be_understood_is_one_line(path: Path, cell: str) -> None:
    make_tides(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE messages SET content_json = ?, metadata_json = ?", (cell, cell))
    written = rendition(path, "20260508_2").splitlines()
    assert [next(iter(json.loads(line))) for line in written] == ["goose", "message", "message", "goose"]


@pytest.mark.parametrize("own", ["a/b/../c", "%", "ä\u202e", "'; --", ""])
def test_id_may_be_any_text(path: Path, own: str) -> None:
    make_database(path)
    put(path, own, HELPER)
    [one] = SESSIONS.sessions(path, None).sessions
    assert one.identity.native_id == own
    assert b"Find the table." in b"".join(SESSIONS.rendition(path, one.identity))


def test_other_databases_and_lines_are_not_gooses(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (id, working_dir)")
    assert not SESSIONS.holds(path, path.read_bytes())
    other = tmp_path / "x.jsonl"
    other.write_bytes(lines({"description": "x", "working_dir": "/x"}, {"role": "user"}))
    assert not SESSIONS.holds(other, other.read_bytes())
    assert not SESSIONS.holds(tmp_path / "x.json", b"")


def test_damaged_database_is_refused_by_name(path: Path) -> None:
    make_tides(path)
    [one, *_] = SESSIONS.sessions(path, None).sessions
    path.with_name("sessions.db-wal").unlink(missing_ok=True)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 20_000)
    with pytest.raises(UnknownTranscript, match="database"):
        list(SESSIONS.rendition(path, one.identity))


def test_places_are_the_database_and_the_files_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "share" / "goose" / "sessions"
    (folder / "backups").mkdir(parents=True)
    (folder / "20250101_101010.jsonl").touch()
    (folder / "backups" / "copy.db").touch()
    assert folders.goose(tmp_path, {})[:2] == [folder / "sessions.db", folder / "20250101_101010.jsonl"]
    root = {"GOOSE_PATH_ROOT": "/g", "XDG_DATA_HOME": "/x"}
    assert folders.goose(tmp_path, root) == [Path("/g/data/sessions/sessions.db")]
