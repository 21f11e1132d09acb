"""Cursor's databases, stores and transcripts: what is listed of them, and what is written out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import cursor_store, folders
from gitmem.transcripts.agent import Listed
from gitmem.transcripts.cursor import CursorCollection
from gitmem.transcripts.cursor_transcripts import directory_named
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.read import Transcript, read
from tests.transcripts import cursor_files as files
from tests.transcripts.fixture import FIXTURES

CURSORS = CursorCollection()
OWN = FIXTURES / "cursor"


def listed(path: Path, since: str | None = None) -> list[Listed]:
    assert CURSORS.holds(path, path.read_bytes()[:HEAD_BYTES])
    return list(CURSORS.sessions(path, since).sessions)


def written(path: Path, one: Listed, **changes: Any) -> bytes:
    return b"".join(CURSORS.rendition(path, replace(one.identity, **changes)))


def ids(sessions: list[Listed]) -> set[str]:
    return {one.identity.stream.removeprefix("agent-") or one.identity.native_id for one in sessions}


def texts(transcript: Transcript) -> list[str]:
    return [turn.text for turn in transcript.turns]


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    return files.editor_in(tmp_path)


def make_three(path: Path) -> None:
    files.make_database(path)
    for own in ("a", "b", "c"):
        files.put_composer(path, own, [files.said(1, 1, f"of {own}")], **files.in_folder(files.FOLDER))


def test_renditions_are_the_fixtures(tmp_path: Path) -> None:
    editor, chats = files.editor_in(tmp_path), tmp_path / "workspaceStorage" / "0a" / "state.vscdb"
    files.make_editor(editor)
    files.make_chats(chats)
    store = files.store_in(tmp_path)
    files.make_store(store)
    lines = files.transcript_in(tmp_path, Path(files.FOLDER), "t-1")
    lines.parent.mkdir(parents=True)
    lines.write_text("".join(json.dumps(line) + "\n" for line in files.LINES))
    text = files.transcript_in(tmp_path, Path(files.FOLDER), "t-2", ".txt")
    text.write_text(files.TEXT)
    paths = {"composer": editor, "chat": chats, "command-line": store, "transcript": lines, "text": text}
    assert set(paths) == {folder.name for folder in OWN.iterdir()}
    for name, path in paths.items():
        found = listed(path)
        assert len(found) == len(list((OWN / name).glob("*.jsonl")))
        for one in found:
            fixture = OWN / name / f"{one.identity.stream or 'main'}.jsonl"
            assert written(path, one, cwd=files.FOLDER) == fixture.read_bytes()


def test_composers_began_in_their_folders(editor: Path) -> None:
    files.make_editor(editor)
    assert {one.identity.cwd for one in listed(editor)} == {files.FOLDER}


def test_composer_without_a_folder_has_that_of_the_workspace_that_names_it(editor: Path) -> None:
    files.make_database(editor)
    files.put_composer(editor, "named", [files.said(1, 1, "hi")])
    files.put_composer(editor, "by-id", [files.said(1, 1, "hi")], workspaceIdentifier={"id": "0a"})
    files.put_composer(editor, "nowhere", [files.said(1, 1, "hi")], workspaceIdentifier={"id": "../.."})
    files.put_composer(editor, "uri", [files.said(1, 1, "hi", workspaceUris=["file:///home/ada/ebb%20tide"])])
    workspace = editor.parent.parent / "workspaceStorage" / "0a" / "state.vscdb"
    files.make_database(workspace)
    (workspace.parent / "workspace.json").write_text('{"folder": "file:///home/ada/flood"}')
    files.put(workspace, "composer.composerData", {"allComposers": [{"composerId": "named"}]}, "ItemTable")
    broken = workspace.parent.parent / "0b" / "state.vscdb"
    broken.parent.mkdir()
    broken.write_bytes(b"no database")
    (broken.parent / "workspace.json").write_text('{"folder": "file:///home/ada/broken"}')
    found = {one.identity.native_id: one.identity.cwd for one in listed(editor)}
    assert found == {
        "named": "/home/ada/flood",
        "by-id": "/home/ada/flood",
        "nowhere": None,
        "uri": "/home/ada/ebb tide",
    }


def test_only_composers_that_were_written_since_are_listed(editor: Path) -> None:
    make_three(editor)
    before = CURSORS.sessions(editor, None)
    assert (ids(list(before.sessions)), before.is_whole) == ({"a", "b", "c"}, True)
    again = CURSORS.sessions(editor, before.mark)
    assert (list(again.sessions), again.is_whole) == ([before.sessions[2]], False), "the last may be racy"
    files.put(editor, "bubbleId:a:bubble-1", files.said(1, 1, "of a, edited"))
    files.put(editor, "checkpointId:b:1", {"files": []})
    after = CURSORS.sessions(editor, before.mark)
    assert (ids(list(after.sessions)), after.is_whole) == ({"a", "c"}, False)
    [a] = [one for one in after.sessions if one.identity.native_id == "a"]
    assert a.mark not in {one.mark for one in before.sessions}
    assert b"edited" in written(editor, a)


def test_row_that_is_updated_where_it_is_is_seen_by_its_composers_time(editor: Path) -> None:
    files.make_database(editor, headers=True)
    for at_ms, own in enumerate("abc", 1):
        files.put_composer(editor, own, [files.said(1, 1, f"of {own}")])
        files.put_header(editor, own, {"lastUpdatedAt": at_ms}, at_ms)
    before = CURSORS.sessions(editor, None)
    with closing(sqlite3.connect(editor)) as connection, connection:
        edited = json.dumps(files.said(1, 1, "patched"))
        key = "bubbleId:a:bubble-1"
        connection.execute("UPDATE cursorDiskKV SET value = ? WHERE key = ?", (edited, key))
    files.put_header(editor, "a", {"lastUpdatedAt": 7}, 7)
    after = CURSORS.sessions(editor, before.mark)
    changed = {one.identity.native_id for one in after.sessions} - {
        one.identity.native_id for one in before.sessions if one in after.sessions
    }
    assert (changed, after.is_whole) == ({"a"}, False)
    [a] = [one for one in after.sessions if one.identity.native_id == "a"]
    assert b"patched" in written(editor, a)


def test_listing_reads_no_values_but_those_of_what_changed(editor: Path) -> None:
    make_three(editor)
    mark = CURSORS.sessions(editor, None).mark
    with closing(sqlite3.connect(editor)) as connection:
        plans = [
            connection.execute(f"EXPLAIN QUERY PLAN SELECT {what}", values).fetchall()[0][3]
            for what, values in (
                ("key, rowid FROM cursorDiskKV WHERE key >= ? AND key < ?", ("bubbleId:", "bubbleId;")),
                ("key, rowid FROM cursorDiskKV WHERE rowid >= ?", (1,)),
                ("value FROM cursorDiskKV WHERE key = ?", ("",)),
            )
        ]
    assert "COVERING INDEX" in plans[0]
    assert all(plan.startswith("SEARCH") for plan in plans)
    assert mark is not None


def test_vacuum_leaves_the_marks_right(editor: Path) -> None:
    make_three(editor)
    with closing(sqlite3.connect(editor)) as connection:
        connection.execute("DELETE FROM cursorDiskKV WHERE key LIKE '%:b%'")
        connection.commit()
        before = CURSORS.sessions(editor, None)
        connection.execute("VACUUM")
    after = CURSORS.sessions(editor, None)
    assert after == before
    files.put(editor, "bubbleId:a:bubble-1", files.said(1, 1, "edited"))
    assert ids(list(CURSORS.sessions(editor, before.mark).sessions)) == {"a", "c"}


@pytest.mark.parametrize("mark", ["nonsense", "[]", '[999999,"bubbleId:c:bubble-1"]', '[2,"gone"]'])
def test_all_are_listed_where_the_highest_row_is_not_what_it_was(editor: Path, mark: str) -> None:
    make_three(editor)
    listing = CURSORS.sessions(editor, mark)
    assert (ids(list(listing.sessions)), listing.is_whole) == ({"a", "b", "c"}, True)


def test_row_with_the_number_of_one_that_went_is_seen(editor: Path) -> None:
    make_three(editor)
    before = CURSORS.sessions(editor, None)
    with closing(sqlite3.connect(editor)) as connection, connection:
        connection.execute("DELETE FROM cursorDiskKV WHERE key = 'composerData:c'")
    files.put(editor, "bubbleId:a:bubble-1", files.said(1, 1, "edited"))
    after = CURSORS.sessions(editor, before.mark)
    assert (ids(list(after.sessions)), after.is_whole) == ({"a", "b"}, True)


def test_composer_with_its_bubbles_inside_is_read(editor: Path) -> None:
    files.make_database(editor)
    old = {"composerId": "old", "conversation": [files.said(1, 1, "long ago")], "createdAt": 1700000000000}
    files.put(editor, "composerData:old", old)
    mapped = files.composer("mapped", [files.said(1, 1, "x")])
    files.put(
        editor, "composerData:mapped", mapped | {"conversationMap": {"bubble-1": files.said(1, 1, "y")}}
    )
    found = {one.identity.native_id: read("cursor", [("", [written(editor, one)])]) for one in listed(editor)}
    assert {name: texts(transcript) for name, transcript in found.items()} == {
        "old": ["long ago"],
        "mapped": ["y"],
    }


def test_composer_of_a_workspaces_own_database_is_read(tmp_path: Path) -> None:
    path = tmp_path / "workspaceStorage" / "0a" / "state.vscdb"
    files.make_database(path)
    whole = {"composerId": "w", "conversation": [files.said(1, 1, "here")]}
    stored = {"allComposers": [whole, {"composerId": "elsewhere"}]}
    files.put(path, "composer.composerData", stored, "ItemTable")
    [one] = listed(path)
    assert texts(read("cursor", [("", [written(path, one)])])) == ["here"]


@pytest.mark.parametrize(
    "value", [None, "", "{", b"\xff\xfe", "[]", '"text"', "{}", '{"fullConversationHeadersOnly": 5}', 7]
)
def test_composer_that_is_not_to_be_understood_is_passed_over(editor: Path, value: Any) -> None:
    make_three(editor)
    files.put(editor, "composerData:b", value)
    files.put(editor, "composerData:", value)
    assert ids(listed(editor)) == {"a", "c"}


@pytest.mark.parametrize(
    "value", ["", '{"type": 2, "te', b"\xff\xfe", "[1]", "{}", '{\n"type": 1, "text": "hi"}']
)
def test_bubble_that_is_not_to_be_understood_is_one_line(editor: Path, value: Any) -> None:
    make_three(editor)
    files.put(editor, "bubbleId:b:bubble-1", value)
    [one] = [one for one in listed(editor) if one.identity.native_id == "b"]
    lines = written(editor, one).splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"cursor"}, {"bubble"}, {"cursor"}]


def test_bubble_that_is_not_there_has_no_line(editor: Path) -> None:
    make_three(editor)
    with closing(sqlite3.connect(editor)) as connection, connection:
        connection.execute("DELETE FROM cursorDiskKV WHERE key = 'bubbleId:b:bubble-1'")
    [one] = [one for one in listed(editor) if one.identity.native_id == "b"]
    assert len(written(editor, one).splitlines()) == 2


@pytest.mark.parametrize("own", ["a/b/../c", "a:b", "%", "ä\u202e", "'; --"])
def test_id_may_be_any_text(editor: Path, own: str) -> None:
    make_three(editor)
    mark = CURSORS.sessions(editor, None).mark
    files.put_composer(editor, own, [files.said(1, 1, "odd")])
    found = [one for one in CURSORS.sessions(editor, mark).sessions if one.identity.native_id == own]
    assert b"odd" in written(editor, found[0])


def test_database_that_is_locked_or_replaced_is_refused_by_name(
    editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_three(editor)
    [one, *_] = listed(editor)
    with closing(sqlite3.connect(editor)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        monkeypatch.setattr("gitmem.transcripts.sqlite._BUSY_S", 0.01)
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnknownTranscript, match="locked"):
            CURSORS.sessions(editor, None)
    lines = CURSORS.rendition(editor, one.identity)
    next(lines)
    editor.write_bytes(b"SQLite format 3\x00" + bytes(9000))
    with pytest.raises(UnknownTranscript, match="database"):
        list(lines)


def test_other_editors_database_has_no_sessions_and_windsurfs_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "Code" / "User" / "globalStorage" / "state.vscdb"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
    assert listed(path) == []
    windsurfs = tmp_path / "Windsurf" / "User" / "globalStorage" / "state.vscdb"
    files.make_database(windsurfs)
    assert not CURSORS.holds(windsurfs, windsurfs.read_bytes())


def test_store_is_of_the_directory_that_its_folder_is_named_by(tmp_path: Path) -> None:
    path = files.store_in(tmp_path)
    files.make_store(path)
    assert [one.identity.cwd for one in listed(path)] == [files.FOLDER]
    other = files.store_in(tmp_path, "/home/ada/elsewhere")
    files.make_store(other)
    assert [one.identity.cwd for one in listed(other)] == [None]
    (other.parent / "meta.json").write_text('{"cwd": "/home/ada/told", "updatedAtMs": 1778231400000}')
    assert [(one.identity.cwd, one.updated_ms) for one in listed(other)] == [
        ("/home/ada/told", 1778231400000)
    ]


def test_growing_store_keeps_its_earlier_lines(tmp_path: Path) -> None:
    path = files.store_in(tmp_path)
    files.make_store(path, files.MESSAGES[:3])
    [before] = listed(path)
    lines = written(path, before).splitlines()
    files.make_store(path)
    [after] = listed(path)
    assert after.mark != before.mark
    assert written(path, after).splitlines()[:4] == lines[:4]


def test_stores_subagent_is_a_stream_of_its_parent(tmp_path: Path) -> None:
    path = files.store_in(tmp_path)
    files.make_store(path, subagentInfo={"parentAgentId": "p"})
    [one] = listed(path)
    assert (one.identity.native_id, one.identity.stream) == ("p", f"agent-{files.AGENT}")
    assert b'"parentAgentId":"p"' in written(path, one)


@pytest.mark.parametrize(
    ("value", "is_refused"), [("zz", True), ("ff", False), ("7b7d", False), ("{}", True)]
)
def test_store_that_says_nothing_has_no_session(tmp_path: Path, value: str, *, is_refused: bool) -> None:
    path = files.store_in(tmp_path)
    files.make_store(path)
    _tell(path, value)
    with pytest.raises(UnknownTranscript, match="meta") if is_refused else nullcontext():
        assert listed(path) == []


def _tell(path: Path, value: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = ?", (value,))


def test_node_that_lists_itself_ends(tmp_path: Path) -> None:
    path = files.store_in(tmp_path)
    files.make_store(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        own = bytes(range(32))
        connection.execute("INSERT INTO blobs VALUES (?, ?)", (own.hex(), files.field(1, own)))
    told = {"agentId": "x", "latestRootBlobId": own.hex()}
    _tell(path, json.dumps(told).encode().hex())
    [one] = listed(path)
    assert len(written(path, one).splitlines()) == 2


@pytest.mark.parametrize(
    "data",
    [b"\x0a", b"\x0a\xff", b"\xff" * 12, b"\x0b\x00", b"\x0d\x00", b"\x09", b"\x80", b"\x0a\x20" + b"x"],
)
def test_protobuf_that_breaks_off_ends(data: bytes) -> None:
    assert list(cursor_store.fields_of(files.field(2, b"whole") + data))[:1] == [(2, b"whole")]


def test_transcript_of_a_session_that_a_database_has_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "tideline"
    folder.mkdir()
    path = files.transcript_in(tmp_path, folder, "s-1")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(files.LINES[0]) + "\n")
    assert [one.identity.native_id for one in listed(path)] == ["s-1"]
    editor = files.editor_in(tmp_path)
    make_three(editor)
    assert len(listed(path)) == 1
    files.put_composer(editor, "s-1", [files.said(1, 1, "hi")])
    assert listed(path) == []
    editor.write_bytes(b"SQLite format 3\x00" + bytes(9000))
    editor.with_name("state.vscdb-wal").unlink(missing_ok=True)
    assert len(listed(path)) == 1
    files.make_store(files.store_in(tmp_path, own="s-1"))
    assert listed(path) == []


def test_transcript_is_of_the_directory_that_its_folder_is_named_after(tmp_path: Path) -> None:
    (tmp_path / "a.b" / "tide-line").mkdir(parents=True)
    assert directory_named("a-b-tide-line", tmp_path) == str(tmp_path / "a.b" / "tide-line")
    (tmp_path / "a-b" / "tide" / "line").mkdir(parents=True)
    assert directory_named("a-b-tide-line", tmp_path) is None, "there are two of this name"
    assert directory_named("a-b-tide-table", tmp_path) is None


def test_subagents_transcript_is_a_stream_of_its_session(tmp_path: Path) -> None:
    path = tmp_path / "projects" / "x" / folders.CURSOR_TRANSCRIPTS / "s-1" / "subagents" / "s-2.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(files.LINES[0]) + "\n" + '{"role": "ass')
    [one] = listed(path)
    assert (one.identity.native_id, one.identity.stream) == ("s-1", "agent-s-2")
    assert len(written(path, one).splitlines()) == 2, "a line that is being written waits"


def test_places_are_cursors_alone(tmp_path: Path) -> None:
    user = tmp_path / ".config" / "Cursor" / "User"
    (user / "workspaceStorage" / "0a" / "other").mkdir(parents=True)
    (user / "workspaceStorage" / "0a" / "state.vscdb").touch()
    transcripts = tmp_path / ".cursor" / "projects" / "x" / "agent-transcripts"
    transcripts.mkdir(parents=True)
    found = {path.relative_to(tmp_path).as_posix() for path in folders.cursor(tmp_path, {})}
    assert found >= {
        ".cursor/chats",
        ".config/Cursor/User/globalStorage/state.vscdb",
        ".config/Cursor/User/workspaceStorage/0a/state.vscdb",
        ".cursor/projects/x/agent-transcripts",
        "Library/Application Support/Cursor/User/globalStorage/state.vscdb",
    }
    assert not any(path.endswith("workspaceStorage") for path in found)


def test_huge_bubble_is_read_shortened(editor: Path) -> None:
    files.make_database(editor)
    bubbles = [files.said(1, 1, "low water " * 600_000), files.said(2, 2, "yes")]
    files.put_composer(editor, "huge", bubbles)
    [one] = listed(editor)
    turns = read("cursor", [("", CURSORS.rendition(editor, one.identity))]).turns
    assert [(turn.shortened, len(turn.text) < 100_000) for turn in turns] == [(True, True), (False, True)]
