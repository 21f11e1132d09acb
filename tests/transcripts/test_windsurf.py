"""What is particular to Windsurf's hook transcripts."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from gitmem.transcripts.detect import detect
from gitmem.transcripts.edits import edits_of
from gitmem.transcripts.read import read
from tests.transcripts.records import line, lines


def step(kind: str, **fields: object) -> dict[str, object]:
    return {"status": "done", "type": kind, kind: fields}


def test_conversation_is_named_after_its_file() -> None:
    data = line(step("user_input", user_response="hi"))
    assert detect(data, PurePath("1f0a.jsonl")).native_id == "1f0a"


@pytest.mark.parametrize(
    ("first", "cwd"),
    [
        (step("run_command", command="ls", cwd="/home/ada/tideline"), "/home/ada/tideline"),
        (step("code_action", path="file:///home/ada/tide%20line/x.py"), "/home/ada/tide line"),
        (step("view_file", path="/etc/hosts"), None),
        (step("code_action", path="file://["), None),
        (step("code_action", path="x.py"), None),
    ],
)
def test_conversation_began_where_its_first_command_or_edit_was(
    first: dict[str, object], cwd: str | None
) -> None:
    assert detect(line(first), PurePath("x.jsonl")).cwd == cwd


def test_edit_says_what_it_took_out() -> None:
    data = line(step("code_action", path="/h/x.py", original_content="a\nb\n", new_content="a\nc\n"))
    [call] = [turn.call for turn in read("windsurf", [("", [data])]).turns if turn.call]
    [edit] = edits_of(call)
    assert (edit.path, edit.added, edit.removed) == ("/h/x.py", ("c",), ("b",))


def test_file_written_whole_is_an_edit_too() -> None:
    data = line(step("code_action", path="/h/x.py", new_content="a\n"))
    [call] = [turn.call for turn in read("windsurf", [("", [data])]).turns if turn.call]
    assert edits_of(call)[0].added == ("a",)


def test_step_of_a_kind_to_come_is_counted() -> None:
    data = lines(step("user_input", user_response="hi"), step("hologram", text="?"), {"status": "done"})
    transcript = read("windsurf", [("", [data])])
    assert [turn.text for turn in transcript.turns] == ["hi"]
    assert transcript.tally.unknown == {"hologram": 1, "(no type)": 1}
