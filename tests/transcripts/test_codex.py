"""What is particular to Codex."""

from __future__ import annotations

import json

import pytest

from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.read import Transcript, read
from tests.transcripts.records import codex, codex_message, codex_usage, lines


def read_lines(*records: object, inherited: frozenset[str] = frozenset()) -> Transcript:
    return read("codex", [("", [lines(*records)])], inherited=inherited)


def turn(turn_id: str) -> dict[str, object]:
    return codex("event_msg", type="task_started", turn_id=turn_id)


def output(text: object, call_id: str = "c1") -> dict[str, object]:
    return codex("response_item", type="function_call_output", call_id=call_id, output=text)


def call(call_id: str = "c1") -> dict[str, object]:
    return codex("response_item", type="function_call", name="exec_command", arguments="{}", call_id=call_id)


def result_of(*records: object) -> ToolResult:
    result = read_lines(*records).turns[-1].result
    assert result is not None
    return result


def test_usage_behind_a_message_is_its_own() -> None:
    transcript = read_lines(codex_message("assistant", "a"), codex_usage(20, 5), codex_message("user", "b"))
    assert [turn.tokens for turn in transcript.turns] == [Tokens(input=6, output=5, cache_read=4), None]


def test_usage_behind_a_result_is_that_of_the_call() -> None:
    transcript = read_lines(call(), output("done"), codex_usage(20, 5))
    assert [turn.tokens for turn in transcript.turns] == [Tokens(input=6, output=5, cache_read=4), None]


def test_usage_that_is_told_again_is_counted_once() -> None:
    told = [codex_usage(20, 5), codex_usage(20, 5), codex_usage(40, 5)]
    transcript = read_lines(codex_message("assistant", "a"), *told)
    assert transcript.turns[0].tokens == Tokens(input=12, output=10, cache_read=8)


def test_usage_of_secret_reasoning_goes_to_what_the_model_says_next() -> None:
    secret = codex("response_item", type="reasoning", summary=[], encrypted_content="b3BhcXVl")
    transcript = read_lines(secret, codex_usage(20, 5), codex_message("assistant", "a"))
    assert transcript.turns[0].tokens == Tokens(input=6, output=5, cache_read=4)


@pytest.mark.parametrize(
    ("text", "status", "is_error"),
    [
        ("Chunk ID: 1\nProcess exited with code 0\nOutput:\nfine", 0, False),
        ("Command: make\nProcess exited with code 2\nOutput:\nno", 2, True),
        ("Exit code: 1\nWall time: 0 seconds\nOutput:\n", 1, True),
        (json.dumps({"output": "text", "metadata": {"exit_code": 4}}), 4, True),
        ("Process running with session ID 7\nOutput:\nProcess exited with code 9", None, False),
        ("apply_patch verification failed: no such lines", None, True),
        ("Plan updated", None, False),
        ([{"type": "input_text", "text": "Script completed"}], None, False),
    ],
)
def test_exit_status_is_what_codex_says_before_the_output(
    text: object, status: int | None, is_error: bool
) -> None:
    assert result_of(output(text)) == ToolResult("c1", is_error, status)


def test_exit_status_of_an_event_is_that_of_the_output_behind_it() -> None:
    event = codex("event_msg", type="exec_command_end", call_id="c1", exit_code=7)
    assert result_of(event, output("…")) == ToolResult("c1", is_error=True, exit_status=7)


def test_patch_that_could_not_be_applied_is_an_error() -> None:
    event = codex("event_msg", type="patch_apply_end", call_id="c1", success=False)
    assert result_of(event, output("…")).is_error


def test_turns_of_the_session_that_was_forked_are_dropped() -> None:
    origin = read_lines(codex("session_meta", id="a"), turn("t1"), codex_message("user", "before"))
    fork = read_lines(
        codex("session_meta", id="b", forked_from_id="a"),
        codex("session_meta", id="a"),
        turn("t1"),
        codex_message("user", "before"),
        codex_usage(20, 5),
        turn("t2"),
        codex_message("user", "after"),
        inherited=origin.ids,
    )
    assert [turn.text for turn in fork.turns] == ["after"]
    assert fork.header.forked_from == "a"
    assert fork.tally.replayed == 1


def test_subagent_is_read_without_its_parents_turns() -> None:
    parent = lines(codex("session_meta", id="a"), turn("t1"), codex_message("user", "before"))
    child = lines(
        codex("session_meta", id="b", forked_from_id="a"),
        turn("t1"),
        codex_message("user", "before"),
        turn("t2"),
        codex_message("user", "task"),
    )
    turns = read("codex", [("", [parent]), ("agent-b", [child])]).turns
    assert [(turn.stream, turn.ordinal, turn.text) for turn in turns] == [
        ("", 0, "before"),
        ("agent-b", 0, "task"),
    ]


def test_turn_that_is_gone_back_to_is_no_replay() -> None:
    records = [turn("t1"), codex_message("user", "a"), turn("t2"), codex_message("user", "b"), turn("t1")]
    assert len(read_lines(*records, codex_message("user", "c")).turns) == 3


def test_model_and_directory_are_those_of_the_turn() -> None:
    context = codex("turn_context", turn_id="t", model="m2", cwd="/b")
    turns = read_lines(
        codex("session_meta", id="a", cwd="/a"),
        codex_message("assistant", "x"),
        context,
        codex_message("assistant", "y"),
    ).turns
    assert [(turn.model, turn.cwd) for turn in turns] == [(None, "/a"), ("m2", "/b")]
