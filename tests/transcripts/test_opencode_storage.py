"""opencode's files of before its database: the same lines as from the database that they were taken over into."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import folders
from gitmem.transcripts.opencode import OpencodeSessions
from tests.transcripts.test_opencode_database import documents, make_database, put

SESSIONS = OpencodeSessions()


def store(data: Path, document: dict[str, Any]) -> Path:
    """Write a session as opencode did before 1.2, and return its own file."""
    info, storage = document["info"], data / "storage"
    for number, message in enumerate(document["messages"]):
        own = f"msg_{info['id']}_{number:04}"
        body = {key: value for key, value in message["info"].items() if key not in ("id", "sessionID")}
        time = {**body.get("time", {}), "created": number}
        _write(
            storage / "message" / info["id"] / own, {"id": own, "sessionID": info["id"], **body, "time": time}
        )
        for place, part in enumerate(message["parts"]):
            named = f"prt_{own}_{place:04}"
            body = {key: value for key, value in part.items() if key not in ("id", "sessionID", "messageID")}
            of = {"id": named, "sessionID": info["id"], "messageID": own}
            _write(storage / "part" / own / named, of | body)
    return _write(storage / "session" / "project" / info["id"], info)


def _write(path: Path, value: object) -> Path:
    file = path.with_name(f"{path.name}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=2))
    return file


def timed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose messages were begun when the database's columns say so."""
    for number, message in enumerate(document["messages"]):
        message["info"]["time"] = {**message["info"].get("time", {}), "created": number}
    return document


def listed(path: Path) -> Any:
    assert SESSIONS.holds(path, path.read_bytes())
    return SESSIONS.sessions(path, None).sessions


def test_files_have_the_lines_that_the_database_has(tmp_path: Path) -> None:
    database = tmp_path / "elsewhere.db"
    make_database(database, [timed(document) for document in documents()])
    stored = {one.identity.stream: one for one in SESSIONS.sessions(database, None).sessions}
    assert len(stored) == len(documents()) > 1
    for document in documents():
        path = store(tmp_path, document)
        [one] = listed(path)
        same = stored[one.identity.stream]
        assert (one.identity, one.updated_ms) == (same.identity, same.updated_ms)
        assert list(SESSIONS.rendition(path, one.identity)) == list(
            SESSIONS.rendition(database, same.identity)
        )


def test_session_that_the_database_has_is_left_out(tmp_path: Path) -> None:
    [first, *others] = documents()
    path = store(tmp_path, first)
    database = tmp_path / "opencode.db"
    make_database(database, others)
    assert len(listed(path)) == 1
    with closing(sqlite3.connect(database)) as connection, connection:
        put(connection, first)
    assert listed(path) == ()
    database.write_bytes(b"no database")
    assert len(listed(path)) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"role": 5, "time": []}'])
def test_damaged_message_or_part_is_passed_over(tmp_path: Path, content: bytes) -> None:
    path = store(tmp_path, documents()[0])
    [one] = listed(path)
    whole = list(SESSIONS.rendition(path, one.identity))
    for kind in ("message", "part"):
        next((tmp_path / "storage" / kind).glob("*/*.json")).write_bytes(content)
    assert 0 < len(list(SESSIONS.rendition(path, one.identity))) <= len(whole)


@pytest.mark.parametrize("content", [b'{"id"', b'{"id": 5}', b'["id"]'])
def test_session_that_is_not_to_be_understood_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = store(tmp_path, documents()[0])
    path.write_bytes(content)
    with pytest.raises(UnknownTranscript):
        listed(path)


@pytest.mark.parametrize("own", ["../../x", "a/b", ""])
def test_id_never_leads_elsewhere(tmp_path: Path, own: str) -> None:
    path = store(tmp_path, documents()[0])
    path.write_text(json.dumps({"id": own or "msg", "directory": "/x"}))
    (tmp_path / "x.json").write_text("{}")
    [one] = listed(path)
    assert len(list(SESSIONS.rendition(path, one.identity))) == 1


def test_other_documents_are_none_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    path.write_text('{"id": "ses_1"}')
    assert not SESSIONS.holds(path, path.read_bytes())
    assert tmp_path / "opencode" / "storage" / "session" in folders.opencode(
        Path("/h"), {"XDG_DATA_HOME": str(tmp_path)}
    )
