"""What is particular to opencode, Copilot CLI and the neutral form."""

from __future__ import annotations

import json

from gitmem.transcripts.read import read
from tests.transcripts.records import generic, lines


def copilot(event_id: str, kind: str, **data: object) -> dict[str, object]:
    return {"type": kind, "data": data, "id": event_id, "timestamp": "2026-05-08T09:00:00Z"}


def test_opencode_messages_of_one_id_are_all_kept() -> None:
    # Redaction may have made two ids one.
    message = {"info": {"id": "[gm:x:1]", "role": "user"}, "parts": [{"type": "text", "text": "hi"}]}
    document = json.dumps({"info": {"id": "ses_1"}, "messages": [message, message]}).encode()
    assert len(read("opencode", [("", [document])]).turns) == 2


def test_copilot_call_that_is_asked_for_and_begun_is_one_call() -> None:
    request = {"toolCallId": "t1", "name": "bash", "arguments": {"command": "ls"}}
    turns = read(
        "copilot-cli",
        [
            (
                "",
                [
                    lines(
                        copilot("e1", "assistant.message", content="", toolRequests=[request]),
                        copilot("e2", "tool.execution_start", toolCallId="t1", toolName="bash", arguments={}),
                        copilot("e3", "tool.execution_start", toolCallId="t2", toolName="bash", arguments={}),
                    )
                ],
            )
        ],
    ).turns
    assert [turn.call and turn.call.id for turn in turns] == ["t1", "t2"]


def test_copilot_reasoning_told_twice_is_one_turn() -> None:
    records = lines(
        copilot("e1", "assistant.reasoning", content="Think."),
        copilot("e2", "assistant.message", content="Done.", reasoningText="Think.", toolRequests=[]),
        copilot("e3", "assistant.message", content="More.", reasoningText="Think.", toolRequests=[]),
    )
    turns = read("copilot-cli", [("", [records])]).turns
    assert [turn.kind for turn in turns] == ["thinking", "message", "thinking", "message"]


def test_generic_messages_of_one_id_are_all_kept() -> None:
    records = lines(generic("1", "a"), generic("1", "b"), generic(None, "c"))
    assert [turn.text for turn in read("generic", [("", [records])]).turns] == ["a", "b", "c"]


def test_generic_fork_is_read_without_what_it_inherited() -> None:
    records = lines(generic("1", "a"), generic("2", "b"))
    transcript = read("generic", [("", [records])], inherited={"1"})
    assert [turn.text for turn in transcript.turns] == ["b"]
    assert transcript.tally.replayed == 1
