"""What is particular to Claude Code."""

from __future__ import annotations

from gitmem.model.turns import Tokens, Turn
from gitmem.transcripts.read import Transcript, read
from tests.transcripts.records import claude_assistant, claude_user, lines


def read_lines(*records: object, inherited: frozenset[str] = frozenset()) -> Transcript:
    return read("claude-code", [("", [lines(*records)])], inherited=inherited)


def texts(turns: list[Turn]) -> list[str]:
    return [turn.text for turn in turns]


def test_usage_of_a_message_on_several_lines_is_counted_once_at_its_largest() -> None:
    transcript = read_lines(
        claude_assistant("u1", "m1", "a", 2),
        claude_assistant("u2", "m1", "b", 90),
        claude_assistant("u3", "m1", "c", 90),
        claude_assistant("u4", "m2", "d", 5),
    )
    tokens = [turn.tokens for turn in transcript.turns if turn.tokens is not None]
    assert tokens == [Tokens(input=7, output=2), Tokens(output=88), Tokens(input=7, output=5)]


def test_same_message_id_of_another_request_is_another_message() -> None:
    one, other = claude_assistant("u1", "m1", "a", 2), claude_assistant("u2", "m1", "b", 2, "req-2")
    assert [turn.tokens for turn in read_lines(one, other).turns] == [Tokens(input=7, output=2)] * 2


def test_line_with_a_uuid_that_was_there_is_dropped_and_counted() -> None:
    transcript = read_lines(
        claude_user("u1", "first"), claude_user("u2", "second"), claude_user("u1", "first")
    )
    assert texts(transcript.turns) == ["first", "second"]
    assert transcript.tally.replayed == 1


def test_fork_is_read_without_what_it_inherited() -> None:
    origin = read_lines(claude_user("u1", "before the fork"))
    fork = read_lines(
        claude_user("u1", "before the fork", sessionId="s-2"),
        claude_user("u2", "after it", sessionId="s-2"),
        inherited=origin.ids,
    )
    assert texts(fork.turns) == ["after it"]
    assert fork.turns[0].ordinal == 0
    assert fork.tally.replayed == 1


def test_preamble_and_words_of_one_message_are_two_turns() -> None:
    said = "<system-reminder>\nIt is Friday.\n</system-reminder>\nWhen is low water?"
    turns = read_lines(claude_user("u1", said)).turns
    assert [(turn.kind, turn.text) for turn in turns] == [
        ("preamble", "<system-reminder>\nIt is Friday.\n</system-reminder>"),
        ("message", "When is low water?"),
    ]
    assert {turn.id for turn in turns} == {"u1"}


def test_summary_of_another_session_is_no_title() -> None:
    foreign = {"type": "summary", "summary": "Moon phases", "leafUuid": "elsewhere"}
    own = {"type": "summary", "summary": "Tides", "leafUuid": "u1"}
    assert read_lines(foreign, claude_user("u1", "hi")).header.title is None
    assert read_lines(claude_user("u1", "hi"), own).header.title == "Tides"


def test_title_that_a_person_gave_outlasts_a_later_one_of_the_program() -> None:
    custom = {"type": "custom-title", "customTitle": "Mine", "sessionId": "s-1"}
    made = {"type": "ai-title", "aiTitle": "Its", "sessionId": "s-1"}
    assert read_lines(made, custom, made).header.title == "Mine"


def test_cycle_among_parents_is_kept_as_it_is() -> None:
    turns = read_lines(claude_user("u1", "a", parentUuid="u2"), claude_user("u2", "b", parentUuid="u1")).turns
    assert [(turn.id, turn.parent) for turn in turns] == [("u1", "u2"), ("u2", "u1")]


def test_exit_code_is_read_only_of_a_call_that_failed() -> None:
    def result(is_error: bool) -> list[object]:
        return [
            {"type": "tool_result", "tool_use_id": "t", "content": "Exit code 3\n…", "is_error": is_error}
        ]

    turns = read_lines(claude_user("u1", result(True)), claude_user("u2", result(False))).turns
    assert [turn.result and turn.result.exit_status for turn in turns] == [3, None]
