"""What is particular to Qwen Code: its lines look like Claude Code's, and say what Gemini's API says."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.detect import detect
from gitmem.transcripts.places import places
from gitmem.transcripts.read import read
from tests.transcripts.records import claude_assistant, claude_user, line, lines


def qwen(uuid: str, text: str, kind: str = "user", **more: object) -> dict[str, object]:
    message = {"role": "user", "parts": [{"text": text}]}
    return {"uuid": uuid, "sessionId": "s-1", "type": kind, "message": message, "cwd": "/t", **more}


def test_lines_of_claude_code_are_not_taken() -> None:
    content = lines(claude_user("u1", "hi"), claude_assistant("u2", "m", "ho", 1))
    assert detect(content, PurePath("x.jsonl")).agent == "claude-code"
    with pytest.raises(UnknownTranscript):
        detect(line({"type": "system", "uuid": "u", "session": 1}), PurePath("x.jsonl"))


def test_session_that_begins_with_an_event_is_recognised() -> None:
    event = {
        "uuid": "e",
        "sessionId": "s-1",
        "type": "system",
        "subtype": "ui_telemetry",
        "systemPayload": {},
    }
    assert detect(line(event), PurePath("x.jsonl")).agent == "qwen"


def test_subagent_is_a_stream_of_its_session() -> None:
    identity = detect(line(qwen("1", "a", isSidechain=True, agentId="x-1")), PurePath("agent-x-1.jsonl"))
    assert (identity.native_id, identity.stream, identity.parent_id) == ("s-1", "agent-x-1", "s-1")


def test_fork_names_its_origin_and_is_read_without_what_it_copied() -> None:
    copied = qwen("1", "a", forkedFrom={"sessionId": "s-0", "messageUuid": "1"})
    assert detect(line(copied), PurePath("x.jsonl")).forked_from == "s-0"
    transcript = read("qwen", [("", [lines(copied, qwen("2", "b"))])], inherited={"1"})
    assert [turn.text for turn in transcript.turns] == ["b"]
    assert (transcript.tally.replayed, transcript.header.forked_from) == (1, "s-0")


def test_title_that_a_person_gave_stands() -> None:
    def title(text: str, **source: str) -> dict[str, object]:
        payload = {"customTitle": text, **source}
        return {
            "uuid": text,
            "sessionId": "s",
            "type": "system",
            "subtype": "custom_title",
            "systemPayload": payload,
        }

    auto, older, later = title("auto", titleSource="auto"), title("older"), title("x", titleSource="auto")
    for records, expected in (((auto,), "auto"), ((auto, older), "older"), ((older, later), "older")):
        assert read("qwen", [("", [lines(*records)])]).header.title == expected


def test_sessions_are_below_the_projects() -> None:
    assert ("qwen", Path("/home/ada/.qwen/projects")) in places(Path("/home/ada"), {})
