"""Chats of Windsurf's older databases: what is listed of them, written out, and read."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gitmem.transcripts import folders
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.head import read_head
from gitmem.transcripts.windsurf_database import (
    WindsurfDatabase,
    identify_chat,
)
from tests.transcripts import cursor_files as files
from tests.transcripts.fixture import FIXTURES

DATABASE = WindsurfDatabase()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".config" / "Windsurf" / "User" / "workspaceStorage" / "0a" / "state.vscdb"


def test_rendition_is_the_fixture(path: Path) -> None:
    files.make_chats(path)
    assert DATABASE.holds(path, path.read_bytes()[:HEAD_BYTES])
    [one] = DATABASE.sessions(path, None).sessions
    assert (one.identity.agent, one.identity.native_id, one.identity.cwd) == (
        "windsurf",
        files.TAB,
        files.FOLDER,
    )
    fixture = FIXTURES / "windsurf" / "chat" / "main.jsonl"
    assert b"".join(DATABASE.rendition(path, one.identity)) == fixture.read_bytes()


def test_chats_under_the_other_name_are_listed_and_marked_anew_as_they_grow(path: Path) -> None:
    files.make_database(path)
    bubble = {"type": "user", "rawText": "hi"}
    files.put(path, "aiChat.chatdata", {"tabs": [{"tabId": "a/../b", "bubbles": [bubble]}]}, "ItemTable")
    [before] = DATABASE.sessions(path, None).sessions
    assert before.identity.native_id == "a/../b"
    files.put(path, "aiChat.chatdata", {"tabs": [{"tabId": "a/../b", "bubbles": [bubble] * 2}]}, "ItemTable")
    [after] = DATABASE.sessions(path, None).sessions
    assert after.mark != before.mark
    assert (
        list(DATABASE.rendition(path, after.identity))[:2]
        == list(DATABASE.rendition(path, before.identity))[:2]
    )


@pytest.mark.parametrize(
    "value", ["", "{", "[]", '{"tabs": 5}', '{"tabs": [5, {"tabId": 7}]}', b"\xff", None]
)
def test_what_is_not_to_be_understood_has_no_chats(path: Path, value: str | bytes | None) -> None:
    files.make_database(path)
    files.put(path, "aiChat.chatdata", value, "ItemTable")
    assert DATABASE.sessions(path, None).sessions == ()


def test_other_databases_and_lines_are_not_windsurfs(path: Path, tmp_path: Path) -> None:
    files.make_chats(path)
    cursors = files.editor_in(tmp_path)
    files.make_database(cursors)
    assert not DATABASE.holds(cursors, cursors.read_bytes())
    assert not DATABASE.holds(path, b"no database")
    assert identify_chat(read_head(b'{"windsurf": {"tabId": "a"}, "type": "x"}\n', PurePath("x"))) is None
    assert path in folders.windsurf(tmp_path, {})
