"""What is particular to Continue."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.detect import detect
from gitmem.transcripts.places import places
from gitmem.transcripts.read import read


def session(*history: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"sessionId": "s-1", "title": "T", "history": list(history), **more}).encode()


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("/home/ada/tideline", "/home/ada/tideline"),
        ("file:///home/ada/tide%20line", "/home/ada/tide line"),
        ("vscode-remote://ssh-remote%2Bx/home/ada", "/home/ada"),
        ("https://example.org/x", None),
        ("", None),
        (7, None),
    ],
)
def test_session_began_in_its_workspace(directory: object, expected: str | None) -> None:
    identity = detect(session(workspaceDirectory=directory), PurePath("x.json"))
    assert (identity.agent, identity.shape, identity.cwd) == ("continue", "document", expected)


def test_index_of_sessions_is_none() -> None:
    index = json.dumps([{"sessionId": "s-1", "title": "T", "dateCreated": "1", "workspaceDirectory": "/t"}])
    with pytest.raises(UnknownTranscript):
        detect(index.encode(), PurePath("sessions.json"))


def test_title_that_nobody_gave_is_none() -> None:
    assert read("continue", [("", [session(title="New Session")])]).header.title is None


def test_answer_is_told_once() -> None:
    call = {"id": "c", "function": {"name": "x", "arguments": ""}}
    asked = {
        "message": {"role": "assistant", "content": "", "toolCalls": [call]},
        "toolCallStates": [
            {
                "toolCallId": "c",
                "status": "done",
                "parsedArgs": {"filepath": "a"},
                "output": [{"content": "b"}],
            }
        ],
    }
    told = {"message": {"role": "tool", "toolCallId": "c", "content": "b"}}
    turns = read("continue", [("", [session(asked, told)])]).turns
    assert [(turn.kind, turn.text) for turn in turns] == [("tool_call", "filepath: a"), ("tool_result", "b")]
    assert turns[0].call is not None
    assert turns[0].call.files == ("a",)


def test_sessions_are_looked_for_where_the_setting_says() -> None:
    assert ("continue", Path("/c/sessions")) in places(Path("/h"), {"CONTINUE_GLOBAL_DIR": "/c"})
    assert ("continue", Path("/h/.continue/sessions")) in places(Path("/h"), {})
