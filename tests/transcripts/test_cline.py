"""What is particular to Cline and Roo: tasks in several files, and calls that stand in the model's text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import folders
from gitmem.transcripts.agent import Collection
from gitmem.transcripts.cline import AGENT as CLINE
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.read import Transcript, read
from gitmem.transcripts.roo import AGENT as ROO
from gitmem.transcripts.tagged_tools import pieces_of
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import line, lines

assert CLINE.collection is not None
assert ROO.collection is not None
COLLECTIONS: dict[str, Collection] = {"cline": CLINE.collection, "roo": ROO.collection}


def decoded(data: bytes) -> list[Any]:
    return [json.loads(one) for one in data.splitlines()]


def make_task(storage: Path, agent: str, rendition: bytes) -> Path:
    """Put a task's files where its extension has them, from a rendition."""
    records = decoded(rendition)
    entry = records[0][f"{agent}Task"] | records[-1][f"{agent}Task"]
    folder = storage / "tasks" / entry["id"]
    folder.mkdir(parents=True)
    messages = [record["api"] for record in records if "api" in record]
    shown = [record["ui"] for record in records if "ui" in record]
    path = folder / "api_conversation_history.json"
    path.write_text(json.dumps(messages))
    (folder / "ui_messages.json").write_text(json.dumps(shown))
    if agent == "roo":
        (folder / "history_item.json").write_text(json.dumps(entry))
    else:
        (storage / "state").mkdir(exist_ok=True)
        (storage / "state" / "taskHistory.json").write_text(json.dumps([{"id": "1"}, entry]))
    return path


def make_session(folder: Path, rendition: bytes) -> Path:
    """Put the two files of a session of Cline's SDK into a folder, from a rendition."""
    first, *records, last = decoded(rendition)
    session = first["clineSession"] | last["clineSession"]
    own = {"version", "updated_at", "agent", "sessionId", "system_prompt"} & session.keys()
    folder.mkdir(parents=True, exist_ok=True)
    document = {key: session.pop(key) for key in sorted(own)}
    document["messages"] = [record["clineMessage"] for record in records]
    path = folder / f"{session['session_id']}.messages.json"
    path.write_text(json.dumps(document, indent=2))
    (folder / f"{session['session_id']}.json").write_text(json.dumps(session, indent=2))
    return path


def rendition_of(agent: str, path: Path) -> bytes:
    collection = COLLECTIONS[agent]
    (listed,) = collection.sessions(path, None).sessions
    return b"".join(collection.rendition(path, listed.identity))


@pytest.mark.parametrize(
    ("agent", "name", "stream"),
    [
        ("cline", "low-water", "main"),
        ("roo", "tide-windows", "main"),
        ("roo", "tide-windows", "agent-0197bbbb-1111-7222-8333-444455556666"),
    ],
)
def test_rendition_of_a_task_is_the_fixture(tmp_path: Path, agent: str, name: str, stream: str) -> None:
    fixture = (FIXTURES / agent / name / f"{stream}.jsonl").read_bytes()
    path = make_task(tmp_path, agent, fixture)
    head = path.read_bytes()[:HEAD_BYTES]
    other = {"cline": "roo", "roo": "cline"}[agent]
    assert (COLLECTIONS[agent].holds(path, head), COLLECTIONS[other].holds(path, head)) == (True, False)
    assert decoded(rendition_of(agent, path)) == decoded(fixture)
    (listed,) = COLLECTIONS[agent].sessions(path, None).sessions
    assert listed.identity.cwd == "/home/ada/tideline"
    assert listed.identity.stream == ("" if stream == "main" else stream)


@pytest.mark.parametrize("stream", ["main", "agent-sess_tide_1__explore"])
def test_rendition_of_a_session_is_the_fixture(tmp_path: Path, stream: str) -> None:
    fixture = (FIXTURES / "cline" / "sdk-session" / f"{stream}.jsonl").read_bytes()
    path = make_session(tmp_path, fixture)
    assert COLLECTIONS["cline"].holds(path, path.read_bytes())
    made = read("cline", [("", [rendition_of("cline", path)])])
    expected = read("cline", [("", [fixture])])
    assert (made.turns, made.header) == (expected.turns, expected.header)
    (listed,) = COLLECTIONS["cline"].sessions(path, None).sessions
    assert listed.identity.parent_id == (None if stream == "main" else "sess_tide_1")


def test_task_that_the_history_does_not_know_began_where_the_model_was_told(tmp_path: Path) -> None:
    fixture = (FIXTURES / "cline" / "low-water" / "main.jsonl").read_bytes()
    path = make_task(tmp_path, "cline", fixture)
    (tmp_path / "state" / "taskHistory.json").write_text("[")
    (listed,) = COLLECTIONS["cline"].sessions(path, None).sessions
    assert (listed.identity.native_id, listed.identity.cwd) == (path.parent.name, "/home/ada/tideline")


def test_task_without_what_was_shown_is_read_without_times(tmp_path: Path) -> None:
    fixture = (FIXTURES / "cline" / "low-water" / "main.jsonl").read_bytes()
    path = make_task(tmp_path, "cline", fixture)
    (path.parent / "ui_messages.json").unlink()
    turns = read("cline", [("", [rendition_of("cline", path)])]).turns
    assert len(turns) == 23
    assert {turn.at_ms for turn in turns[:10]} == {None}


def test_what_grows_stands_last(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": str(n)} for n in range(4)]
    shown = [{"ts": n, "say": "text", "conversationHistoryIndex": n - 1} for n in range(4)]
    grown = []
    for size in (2, 4):
        records = [{"clineTask": {"id": "7"}}, *({"api": m} for m in messages[:size])]
        records += [*({"ui": s} for s in shown[:size]), {"clineTask": {"ts": size}}]
        path = make_task(tmp_path / str(size), "cline", lines(*records))
        grown.append(rendition_of("cline", path).splitlines()[:-1])
    assert grown[1][: len(grown[0])] == grown[0]


def damaged(tmp_path: Path, data: bytes) -> Path:
    path = make_task(tmp_path, "cline", lines({"clineTask": {"id": "7"}}, {"clineTask": {}}))
    path.write_bytes(data)
    (path.parent / "ui_messages.json").write_bytes(data)
    return path


@pytest.mark.parametrize("data", [b"", b"{}", b"[{", b'{"role": "user"}', b"7", b"\xff\xfe"])
def test_task_without_a_list_of_messages_is_refused(tmp_path: Path, data: bytes) -> None:
    path = damaged(tmp_path, data)
    with pytest.raises(UnknownTranscript, match="api_conversation_history"):
        rendition_of("cline", path)


@pytest.mark.parametrize("data", [b"[]", b'["a", 7, null, {}]', b"[" * 3000 + b"]" * 3000])
def test_what_is_no_message_is_counted(tmp_path: Path, data: bytes) -> None:
    rendition = rendition_of("cline", damaged(tmp_path, data))
    transcript = read("cline", [("", [rendition])])
    assert transcript.turns == []
    assert transcript.tally.unknown or data == b"[]"


def test_id_with_slashes_is_data(tmp_path: Path) -> None:
    rendition = lines({"rooTask": {"id": "7"}}, {"rooTask": {}})
    path = make_task(tmp_path, "roo", rendition)
    (path.parent / "history_item.json").write_text(json.dumps({"id": "../../etc/passwd"}))
    (listed,) = COLLECTIONS["roo"].sessions(path, None).sessions
    assert listed.identity.native_id == "../../etc/passwd"


def test_tasks_are_looked_for_in_each_editor_and_below_the_settings(tmp_path: Path) -> None:
    tasks = "User/globalStorage/saoudrizwan.claude-dev/tasks"
    assert tmp_path / ".config" / "Code" / tasks in folders.cline(tmp_path, {})
    assert tmp_path / ".config" / "Cursor" / tasks in folders.cline(tmp_path, {})
    assert tmp_path / ".vscode-server" / "data" / tasks in folders.cline(tmp_path, {})
    assert Path("/x/Code") / tasks in folders.cline(tmp_path, {"XDG_CONFIG_HOME": "/x"})
    assert Path("/r/Code") / tasks in folders.cline(tmp_path, {"APPDATA": "/r"})
    assert tmp_path / ".cline" / "data" / "sessions" in folders.cline(tmp_path, {})
    assert Path("/d/data/sessions") in folders.cline(tmp_path, {"CLINE_DIR": "/d"})
    assert Path("/d/sessions") in folders.cline(tmp_path, {"CLINE_DATA_DIR": "/d"})
    assert Path("/s") in folders.cline(tmp_path, {"CLINE_SESSION_DATA_DIR": "/s"})
    roo = tmp_path / ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks"
    assert roo in folders.roo(tmp_path, {})


def read_messages(*messages: dict[str, Any]) -> Transcript:
    return read("roo", [("", [b"".join(line({"api": message}) for message in messages)])])


def test_words_of_a_person_within_a_result_are_theirs() -> None:
    text = "[attempt_completion] Result:\n<user_message>\nOne more.\n</user_message>"
    turns = read_messages({"role": "user", "content": [{"type": "text", "text": text}]}).turns
    assert [(turn.kind, turn.text) for turn in turns][1] == ("message", "One more.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [(None, "plain")]),
        ("<read_file>", [(None, "<read_file>")]),
        ("a <read_file> b </write_to_file>", [(None, "a <read_file> b </write_to_file>")]),
        (
            "<unknown_tool><path>x</path></unknown_tool>",
            [(None, "<unknown_tool><path>x</path></unknown_tool>")],
        ),
        (
            "x\n<list_files>\n<path>.</path>\n</list_files>\ny",
            [(None, "x"), ("list_files", "<path>.</path>"), (None, "y")],
        ),
        ("<thinking>t</thinking>", [("thinking", "t")]),
        ("<list_files></list_files>", [("list_files", "")]),
    ],
)
def test_text_is_cut_at_its_calls(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert [(piece.name, piece.text) for piece in pieces_of(text)] == expected


def test_content_ends_at_the_last_closing_tag() -> None:
    text = "<write_to_file><path>a</path><content>\n<content>x</content>\n</content></write_to_file>"
    (piece,) = pieces_of(text)
    assert piece.arguments == {"path": "a", "content": "<content>x</content>"}


@pytest.mark.parametrize("text", ["<read_file>", "<read_file><path>", "<task>", "</task><answer>"])
def test_text_full_of_openings_stays_what_it_is(text: str) -> None:
    content = text * (1_000_000 // len(text))  # looked for at each, the closing tags would take minutes
    turns = read_messages(*({"role": role, "content": content} for role in ("user", "assistant"))).turns
    assert [turn.text for turn in turns] == [content, content]
