"""What is particular to Copilot's chat in VS Code: two forms of file, and calls that are told in two places."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import folders
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.read import Transcript, read
from gitmem.transcripts.vscode_sessions import VSCODE_SESSIONS, began_in, replay
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import line, lines

RENDITION = (FIXTURES / "vscode-copilot" / "harbour-lights" / "main.jsonl").read_bytes()


def session_of(rendition: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the document that a rendition was made of, as VS Code orders it, and the workspace."""
    first, *requests, last = (json.loads(one) for one in rendition.splitlines())
    document = {"requests": [one["chatRequest"] for one in requests], "inputState": {"inputText": "draft"}}
    return {**document, **first["chatSession"], **last["chatSession"]}, first["workspace"]


def make_session(folder: Path, rendition: bytes, data: bytes, suffix: str) -> Path:
    """Put a session where VS Code keeps it, beside its workspace."""
    document, workspace = session_of(rendition)
    path = folder / "chatSessions" / f"{document['sessionId']}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    (folder / "workspace.json").write_text(json.dumps(workspace))
    return path


def log_of(document: dict[str, Any], generator: random.Random) -> bytes:
    """Write a session as the operations that VS Code would have made of it, with some detours."""
    requests = document["requests"]
    begun = {key: value for key, value in document.items() if key not in ("requests", "customTitle")}
    operations: list[object] = [{"kind": 0, "v": begun | {"requests": []}}]
    for number, request in enumerate(requests):
        response = request["response"]
        growing = request | {"response": [], "result": None, "wrong": 1}
        operations.append({"kind": 2, "k": ["requests"], "v": [growing]})
        for at in range(len(response)):
            if generator.random() < 0.3:  # an item that grows is written anew with all behind it
                operations.append({"kind": 2, "k": ["requests", number, "response"], "v": [{"value": "?"}]})
            operations.append(
                {"kind": 2, "k": ["requests", number, "response"], "v": [response[at]], "i": at}
            )
        if "result" in request:
            operations.append({"kind": 1, "k": ["requests", number, "result"], "v": request["result"]})
        else:
            operations.append({"kind": 3, "k": ["requests", number, "result"]})
        operations.append({"kind": 3, "k": ["requests", number, "wrong"]})
    operations.append({"kind": 2, "k": ["requests"], "v": [{"requestId": "undone"}]})
    operations.append({"kind": 2, "k": ["requests"], "i": len(requests)})
    operations.append({"kind": 1, "k": ["customTitle"], "v": document["customTitle"]})
    return lines(*operations)


def rendition_of(path: Path) -> bytes:
    (listed,) = VSCODE_SESSIONS.sessions(path, None).sessions
    return b"".join(VSCODE_SESSIONS.rendition(path, listed.identity))


def decoded(data: bytes) -> list[Any]:
    return [json.loads(one) for one in data.splitlines()]


@pytest.mark.parametrize("indent", [None, 2])
def test_rendition_of_a_document_is_the_fixture(tmp_path: Path, indent: int | None) -> None:
    document, _ = session_of(RENDITION)
    path = make_session(tmp_path, RENDITION, json.dumps(document, indent=indent).encode(), ".json")
    assert VSCODE_SESSIONS.holds(path, path.read_bytes()[:HEAD_BYTES])
    assert decoded(rendition_of(path)) == decoded(RENDITION)


@pytest.mark.parametrize("seed", range(5))
def test_rendition_of_a_log_is_what_it_comes_to(tmp_path: Path, seed: int) -> None:
    document, _ = session_of(RENDITION)
    path = make_session(tmp_path, RENDITION, log_of(document, random.Random(seed)), ".jsonl")
    assert VSCODE_SESSIONS.holds(path, path.read_bytes()[:HEAD_BYTES])
    made = read("vscode-copilot", [("", [rendition_of(path)])])
    expected = read("vscode-copilot", [("", [RENDITION])])
    assert (made.turns, made.header) == (expected.turns, expected.header)


def test_session_is_found_where_its_workspace_is(tmp_path: Path) -> None:
    document, _ = session_of(RENDITION)
    user = tmp_path / ".config" / "Code" / "User"
    path = make_session(user / "workspaceStorage" / "0f", RENDITION, json.dumps(document).encode(), ".json")
    assert path.parent in folders.vscode_copilot(tmp_path, {})
    assert user / "globalStorage" / "emptyWindowChatSessions" in folders.vscode_copilot(tmp_path, {})
    (listed,) = VSCODE_SESSIONS.sessions(path, None).sessions
    assert (listed.identity.native_id, listed.identity.cwd) == (document["sessionId"], "/home/ada/tideline")
    path.parent.parent.joinpath("workspace.json").unlink()
    (alone,) = VSCODE_SESSIONS.sessions(path, None).sessions
    assert alone.identity.cwd is None
    assert alone.mark != listed.mark


@pytest.mark.parametrize(
    ("workspace", "expected"),
    [
        ({"folder": "file:///home/ada/tide%20line"}, "/home/ada/tide line"),
        ({"folder": "file:///c%3A/Users/ada/tideline"}, "c:/Users/ada/tideline"),
        ({"folder": "vscode-remote://wsl%2Bubuntu/home/ada/tideline"}, "/home/ada/tideline"),
        ({"workspace": "file:///home/ada/tide.code-workspace"}, "/home/ada"),
        ({"configuration": {"scheme": "file", "path": "/home/ada/tide.code-workspace"}}, "/home/ada"),
        ({"folder": "vscode-vfs://github/ada/tideline"}, None),
        ({"folder": "file://[::1/x"}, None),
        ({"folder": 7}, None),
        ({}, None),
    ],
)
def test_session_began_in_the_folder_of_its_workspace(workspace: Any, expected: str | None) -> None:
    assert began_in(workspace) == expected


def test_draft_is_no_part_of_a_session(tmp_path: Path) -> None:
    document, _ = session_of(RENDITION)
    path = make_session(tmp_path, RENDITION, json.dumps(document).encode(), ".json")
    assert b"draft" in path.read_bytes()
    assert b"draft" not in rendition_of(path)


def test_document_that_is_being_written_is_refused(tmp_path: Path) -> None:
    document, _ = session_of(RENDITION)
    path = make_session(tmp_path, RENDITION, json.dumps(document).encode()[:-40], ".json")
    with pytest.raises(UnknownTranscript, match="being written"):
        rendition_of(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"[]", b'{"kind":1,"k":["a"],"v":1}\n', b'{"kind":0,"v":7}\n'])
def test_log_without_a_beginning_is_refused(tmp_path: Path, data: bytes) -> None:
    path = make_session(tmp_path, RENDITION, data, ".jsonl")
    with pytest.raises(UnknownTranscript):
        rendition_of(path)


BEGUN = {"kind": 0, "v": {"requests": [{"a": 1}, {"a": 2}], "title": "t"}}


@pytest.mark.parametrize(
    "operation",
    [
        b'{"kind":1,"k":["requests",9,"a"],"v":1}',
        b'{"kind":1,"k":["requests",-1],"v":1}',
        b'{"kind":1,"k":["requests",true],"v":1}',
        b'{"kind":1,"k":["requests",3],"v":1}',
        b'{"kind":1,"k":["title","x"],"v":1}',
        b'{"kind":1,"k":[7],"v":1}',
        b'{"kind":1,"k":[],"v":1}',
        b'{"kind":1,"k":"title","v":1}',
        b'{"kind":2,"k":["nobody","x"],"v":[1]}',
        b'{"kind":3,"k":["nobody"]}',
        b'{"kind":4,"k":["title"],"v":1}',
        b'{"kind":"1","k":["title"],"v":1}',
        b'{"kind":1,"k":["title"],"v":',
        b"not json",
        b"7",
        b'{"kind":1,"k":[' + b'"x",' * 200 + b'"y"],"v":1}',
    ],
)
def test_operation_that_leads_nowhere_changes_nothing(operation: bytes) -> None:
    after = {"kind": 1, "k": ["requests", 1, "a"], "v": 3}
    log = [line(BEGUN).strip(), operation, line(after).strip()]
    assert replay(log) == {"requests": [{"a": 1}, {"a": 3}], "title": "t"}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"kind": 2, "k": ["title"], "v": [1]}, {"requests": [{"a": 1}, {"a": 2}], "title": [1]}),
        ({"kind": 2, "k": ["requests"], "i": 1, "v": [7]}, {"requests": [{"a": 1}, 7], "title": "t"}),
        ({"kind": 2, "k": ["requests"], "i": -5}, {"requests": [], "title": "t"}),
        ({"kind": 2, "k": ["requests"], "i": 10**9}, {"requests": [{"a": 1}, {"a": 2}], "title": "t"}),
        ({"kind": 3, "k": ["requests", 0]}, {"requests": [None, {"a": 2}], "title": "t"}),
        ({"kind": 3, "k": ["requests", 0, "a"]}, {"requests": [{}, {"a": 2}], "title": "t"}),
        ({"kind": 1, "k": ["requests", 2], "v": 7}, {"requests": [{"a": 1}, {"a": 2}, 7], "title": "t"}),
        ({"kind": 0, "v": {"b": 1}}, {"b": 1}),
    ],
)
def test_operations_do_as_vscode_does(operation: object, expected: object) -> None:
    assert replay([line(BEGUN), line(operation)]) == expected


def test_last_line_of_a_log_that_breaks_off_is_left_for_later(tmp_path: Path) -> None:
    document, _ = session_of(RENDITION)
    whole = line({"kind": 0, "v": document})
    cut = line({"kind": 1, "k": ["customTitle"], "v": "Buoys"})[:-9]
    path = make_session(tmp_path, RENDITION, whole + cut, ".jsonl")
    assert decoded(rendition_of(path)) == decoded(RENDITION)


def request_of(response: list[dict[str, Any]], calls: list[dict[str, Any]], **results: str) -> Transcript:
    metadata = {
        "toolCallRounds": [{"toolCalls": calls}],
        "toolCallResults": {own: {"content": [{"value": text}]} for own, text in results.items()},
    }
    request = {"requestId": "r", "response": response, "result": {"metadata": metadata}}
    return read("vscode-copilot", [("", [line({"chatRequest": request})])])


def shown(tool: str, own: str) -> dict[str, Any]:
    return {"kind": "toolInvocationSerialized", "toolId": tool, "toolCallId": own, "isComplete": True}


def asked(name: str, own: str) -> dict[str, Any]:
    return {"name": name, "id": own, "arguments": json.dumps({"path": own})}


def test_calls_are_matched_by_their_id_where_they_share_it() -> None:
    invocations = [shown("a", "c2__vscode-5"), shown("b", "c1")]
    transcript = request_of(invocations, [asked("x", "c1"), asked("y", "c2__vscode-7")], c1="one")
    assert [turn.call.files for turn in transcript.turns if turn.call] == [("c2__vscode-7",), ("c1",)]
    assert transcript.turns[-1].text == "one"


def test_calls_are_matched_in_order_where_there_are_as_many() -> None:
    transcript = request_of([shown("a", "1"), shown("b", "2")], [asked("x", "c1"), asked("y", "c2")])
    assert [turn.call.files for turn in transcript.turns if turn.call] == [("c1",), ("c2",)]


def test_calls_are_matched_by_the_tool_where_some_are_not_shown() -> None:
    invocations = [shown("copilot_findFiles", "1"), shown("copilot_replaceString", "2"), shown("mcp_x", "3")]
    calls = [asked("read_file", "c0"), asked("file_search", "c1"), asked("replace_string_in_file", "c2")]
    transcript = request_of(invocations, [*calls, asked("run_in_terminal", "c3")])
    assert [turn.call.files for turn in transcript.turns if turn.call] == [("c1",), ("c2",), ()]


def test_request_that_goes_on_has_no_results_yet() -> None:
    item = shown("copilot_readFile", "1") | {"isComplete": False}
    transcript = request_of([item], [])
    assert [turn.kind for turn in transcript.turns] == ["tool_call"]


def test_other_json_files_are_no_sessions() -> None:
    for data in (
        b'{"requests": 7, "sessionId": "x"}',
        b'{"requests": []}',
        b'{"kind":0,"v":{"a":1}}\n',
        b'{"sessionId": "s", "projectHash": "0f", "startTime": ""}\n',
        b"[]",
        b"\xff\x00",
    ):
        assert not VSCODE_SESSIONS.holds(Path("x.json"), data)
