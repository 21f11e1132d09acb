"""What is particular to Antigravity: steps, of which nothing says where they were made."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gitmem.transcripts import folders
from gitmem.transcripts.detect import detect
from gitmem.transcripts.edits import edits_of
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import line, lines

LOG = PurePath("/home/ada/.gemini/antigravity/brain/b-1/.system_generated/logs/transcript.jsonl")


def step(
    text: str, source: str = "USER_EXPLICIT", kind: str = "USER_INPUT", **more: object
) -> dict[str, object]:
    return {"step_index": 0, "source": source, "type": kind, "content": text, **more}


def test_conversation_is_named_by_its_folder() -> None:
    assert detect(line(step("hi")), LOG).native_id == "b-1"
    assert detect(line(step("hi")), PurePath("talk.jsonl")).native_id == "talk"


def test_session_began_where_its_first_command_ran() -> None:
    calls = [
        {"name": "view_file", "args": {}},
        {"name": "run_command", "args": {"Cwd": "/home/ada/tideline"}},
    ]
    answer = step("", "MODEL", "PLANNER_RESPONSE", tool_calls=calls)
    assert detect(line(step("hi")), LOG).cwd is None
    assert detect(lines(step("hi"), answer), LOG).cwd == "/home/ada/tideline"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<USER_REQUEST>\na\n</USER_REQUEST>\n<X>b</X>", [("preamble", "<X>b</X>"), ("message", "a")]),
        ("before <USER_REQUEST>a</USER_REQUEST>", [("preamble", "before"), ("message", "a")]),
        ("<USER_REQUEST>a", [("message", "<USER_REQUEST>a")]),
        ("a", [("message", "a")]),
        ("", []),
    ],
)
def test_what_was_asked_is_parted_from_what_the_host_added(
    text: str, expected: list[tuple[str, str]]
) -> None:
    turns = read("antigravity", [("", [line(step(text))])]).turns
    assert [(turn.kind, turn.text) for turn in turns] == expected


def test_edits_of_its_tools_are_edits() -> None:
    data = (FIXTURES / "antigravity" / "swell" / "main.jsonl").read_bytes()
    calls = [turn.call for turn in read("antigravity", [("", [data])]).turns if turn.call]
    edits = [edit for call in calls for edit in edits_of(call)]
    assert [(edit.path, edit.added, edit.removed) for edit in edits] == [
        ("/home/ada/tideline/swell.py", ("def swell(): return 2.5",), ("def swell(): ...",)),
        ("/home/ada/tideline/buoy.py", ("BUOY = 62100",), ()),
    ]


def test_only_the_logs_are_looked_at(tmp_path: Path) -> None:
    logs = tmp_path / ".gemini" / "antigravity-cli" / "brain" / "b-1" / ".system_generated" / "logs"
    logs.mkdir(parents=True)
    for name in ("transcript.jsonl", "transcript_full.jsonl"):
        (logs / name).touch()
    assert folders.antigravity(tmp_path, {}) == [logs / "transcript.jsonl"]
