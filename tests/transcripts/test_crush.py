"""Crush's database: what is listed of it, and what is written out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.crush_database import CrushDatabase
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.places import places_in_tree
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES

DATABASE = CrushDatabase()
OWN = FIXTURES / "crush" / "ebb"

Part = dict[str, Any]
Message = tuple[str, list[Part]]


def part(kind: str, **data: Any) -> Part:
    return {"type": kind, "data": data}


def call(own: str, name: str, given: str) -> Part:
    return part("tool_call", id=own, name=name, input=given, provider_executed=False, finished=True)


def result(own: str, content: str, *, is_error: bool = False) -> Part:
    return part("tool_result", tool_call_id=own, name="bash", content=content, metadata="", is_error=is_error)


MESSAGES: list[Message] = [
    ("user", [part("text", text="When is the ebb?"), part("finish", reason="stop", time=0)]),
    (
        "assistant",
        [
            part("reasoning", thinking="It follows the flood.", signature="x"),
            part("text", text="I run the table."),
            call("c1", "bash", '{"command": "tides ebb", "description": "the ebb"}'),
            call("c2", "edit", '{"file_path": "ebb.txt", "old_string": "05", "new_string": "17"}'),
            call("c3", "view", ""),
            part("finish", reason="tool_use", time=1778230802),
        ],
    ),
    ("tool", [result("c1", "\nno such port\nExit code 2\n\n<cwd>/home/ada</cwd>"), result("c2", "edited")]),
    ("tool", [result("c3", "no file", is_error=True)]),
    ("user", [part("shell_command", command="date", output="Fri", exit_code=0)]),
    ("user", [part("binary", Path="map.png", MIMEType="image/png", Data="eA=="), part("image_url", url="u")]),
    ("user", [part("text", text="Go on.", hidden=True)]),
    ("system", [part("text", text="Be brief.")]),
    ("summary", [part("text", text="The ebb was asked for.")]),
    (
        "assistant",
        [
            part("hologram"),
            part("finish", reason="error", time=1, message="Overloaded", details="Try later."),
        ],
    ),
    ("pilot", []),
]


def make_database(path: Path) -> None:
    """Make a database as Crush has it, with its triggers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL,
                message_count INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0,
                completion_tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0.0,
                updated_at INTEGER NOT NULL, created_at INTEGER NOT NULL, summary_message_id TEXT, todos TEXT);
            CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL,
                parts BLOB NOT NULL default '[]', model TEXT, created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL, finished_at INTEGER, provider TEXT,
                is_summary_message INTEGER NOT NULL DEFAULT 0);
            CREATE INDEX idx_messages_session_id ON messages (session_id);
            """
        )


def put(
    path: Path, own: str, messages: list[Message], *, at: int = 1778230800, parent: str | None = None
) -> None:
    """Write a session with its messages, or write over it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO sessions (id, parent_session_id, title, updated_at, created_at, cost)"
            " VALUES (?, ?, ?, ?, ?, 0.5)",
            (own, parent, f"Of {own}", at, 1778230800),
        )
        for number, (role, parts) in enumerate(messages):
            is_summary = role == "summary"
            connection.execute(
                "INSERT OR REPLACE INTO messages (id, session_id, role, parts, model, created_at, updated_at,"
                " is_summary_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    f"{own}-{number}",
                    own,
                    "assistant" if is_summary else role,
                    json.dumps(parts),
                    "tidal-large" if role in ("assistant", "summary") else "",
                    1778230800 + number // 3,
                    at,
                    is_summary,
                ),
            )


def make_ebb(path: Path) -> None:
    """Make the database of the fixture."""
    make_database(path)
    put(path, "e-1", MESSAGES)
    put(path, "e-2", [("user", [part("text", text="Find the table.")])], parent="e-1")


def renditions(path: Path) -> dict[str, bytes]:
    return {
        one.identity.stream or "main": b"".join(DATABASE.rendition(path, one.identity))
        for one in DATABASE.sessions(path, None).sessions
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".crush" / "crush.db"


def test_renditions_are_the_fixture(path: Path) -> None:
    make_ebb(path)
    assert DATABASE.holds(path, path.read_bytes()[:HEAD_BYTES])
    assert renditions(path) == {file.stem: file.read_bytes() for file in OWN.glob("*.jsonl")}


def test_database_is_in_the_working_tree(path: Path) -> None:
    assert ("crush", path) in places_in_tree(path.parent.parent)


@pytest.mark.parametrize("unit", [1, 1000])
def test_only_what_was_updated_lately_is_listed(path: Path, unit: int) -> None:
    make_database(path)
    for number in range(5):
        put(path, f"s{number}", MESSAGES[:1], at=(1778230800 + number * 10_000) * unit)
    before = DATABASE.sessions(path, None)
    assert (len(before.sessions), before.is_whole) == (5, True)
    put(path, "s1", MESSAGES[:2], at=(1778230800 + 60_000) * unit)
    after = DATABASE.sessions(path, before.mark)
    assert {one.identity.native_id for one in after.sessions} == {"s1", "s4"}
    assert not after.is_whole
    assert {one.updated_ms for one in after.sessions} == {1778290800000, 1778270800000}


def test_message_that_grows_while_its_session_is_not_touched_is_seen(path: Path) -> None:
    make_ebb(path)
    before = DATABASE.sessions(path, None)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE messages SET updated_at = updated_at + 5 WHERE id = 'e-1-1'")
    after = DATABASE.sessions(path, before.mark)
    assert len({one.mark for one in after.sessions} - {one.mark for one in before.sessions}) == 1


def test_growing_session_keeps_its_earlier_lines(path: Path) -> None:
    make_database(path)
    put(path, "s", MESSAGES[:3])
    before = renditions(path)["main"].splitlines()
    put(path, "s", MESSAGES, at=1778239999)
    after = renditions(path)["main"].splitlines()
    assert after[:4] == before[:4]
    assert after[-1] == before[-1]


@pytest.mark.parametrize(
    "cell", ["", "{", "null", "5", '{"type": "text"}', '[1, {"type": []}]', b"\xff", None]
)
def test_parts_that_are_not_to_be_understood_are_one_line(path: Path, cell: Any) -> None:
    make_ebb(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE OR IGNORE messages SET parts = ?", (cell,))
    written = renditions(path)["agent-e-2"]
    assert [next(iter(json.loads(line))) for line in written.splitlines()] == ["crush", "message", "crush"]
    read("crush", [("", [written])])


def test_id_may_be_any_text(path: Path) -> None:
    make_database(path)
    names = ["a/b/../c", "%", "ä\u202e", "'; --"]
    for own in names:
        put(path, own, MESSAGES[:1])
    found = DATABASE.sessions(path, None).sessions
    assert sorted(one.identity.native_id for one in found) == sorted(names)
    assert all(b"ebb" in b"".join(DATABASE.rendition(path, one.identity)) for one in found)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + bytes(5000)])
def test_what_is_no_database_of_crush_is_not_held(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "crush.db"
    path.write_bytes(content)
    assert not DATABASE.holds(path, content)


def test_damaged_database_is_refused_by_name(path: Path) -> None:
    make_ebb(path)
    [one, *_] = DATABASE.sessions(path, None).sessions
    path.with_name("crush.db-wal").unlink(missing_ok=True)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 20_000)
    with pytest.raises(UnknownTranscript, match="database"):
        list(DATABASE.rendition(path, one.identity))
