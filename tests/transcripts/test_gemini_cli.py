"""What is particular to Gemini CLI: messages that are written anew and taken back."""

from __future__ import annotations

import json

import pytest

from gitmem.model.turns import Tokens
from gitmem.transcripts import gemini_cli
from gitmem.transcripts.read import Transcript, iterate, read
from tests.transcripts.records import gemini, lines

SESSION = {"sessionId": "g", "projectHash": "0f", "startTime": "2026-05-08T09:00:00Z"}


def read_lines(*records: object, inherited: frozenset[str] = frozenset()) -> Transcript:
    return read("gemini-cli", [("", [lines(SESSION, *records)])], inherited=inherited)


def numbered(transcript: Transcript) -> list[tuple[int, str]]:
    return [(turn.ordinal, turn.text) for turn in transcript.turns]


def test_message_written_anew_wins() -> None:
    transcript = read_lines(gemini("a", "draft"), gemini("a", "final"))
    assert numbered(transcript) == [(1, "final")]


def test_turns_that_did_not_change_keep_their_numbers() -> None:
    call = {"id": "c", "name": "glob", "args": {"pattern": "*.py"}, "status": "executing"}
    done = call | {"status": "success", "result": [{"functionResponse": {"response": {"output": "cli.py"}}}]}
    transcript = read_lines(
        gemini("a", "looking"),
        gemini("a", "looking", toolCalls=[call]),
        gemini("b", "Context is full.", "info"),
        gemini("a", "looking", toolCalls=[done], tokens={"input": 9, "output": 2, "cached": 4}),
    )
    assert numbered(transcript) == [(0, "looking"), (1, "*.py"), (2, "Context is full."), (3, "cli.py")]
    assert transcript.turns[0].tokens == Tokens(input=5, output=2, cache_read=4)


def test_rewind_takes_back_the_message_and_all_behind_it() -> None:
    transcript = read_lines(
        gemini("a", "one", "user"),
        gemini("b", "two"),
        gemini("c", "three"),
        {"$rewindTo": "b"},
        gemini("d", "four"),
    )
    assert numbered(transcript) == [(0, "one"), (3, "four")]


def test_message_may_come_again_after_a_rewind() -> None:
    transcript = read_lines(gemini("a", "one"), {"$rewindTo": "a"}, gemini("a", "again"))
    assert numbered(transcript) == [(1, "again")]
    assert transcript.tally.replayed == 0


def test_list_that_is_replaced_takes_nothing_back() -> None:
    patch = {"$set": {"messages": [gemini("s", "Summary of what was said.", "user")]}}
    transcript = read_lines(gemini("a", "one", "user"), gemini("b", "two"), patch)
    assert numbered(transcript) == [(0, "one"), (1, "two"), (2, "Summary of what was said.")]


def test_turns_that_were_given_out_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemini_cli, "HELD_LIMIT", 100)
    records = [gemini(f"m{n}", "x" * 40) for n in range(20)]
    reading = iterate("gemini-cli", [("", [lines(SESSION, *records, {"$rewindTo": "m0"})])])
    turns = list(reading)
    assert [turn.ordinal for turn in turns] == list(range(len(turns)))
    assert reading.tally.unknown == {"taken back too late": len(turns)}
    assert 0 < len(turns) < 20


def test_message_that_was_given_out_may_still_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemini_cli, "HELD_LIMIT", 0)
    call = {"id": "c", "name": "glob", "args": {"pattern": "*.py"}, "status": "success"}
    transcript = read_lines(
        gemini("a", "looking"), gemini("b", "more"), gemini("a", "looking", toolCalls=[call])
    )
    assert [text for _, text in numbered(transcript)] == ["looking", "more", "*.py", ""]


def test_document_on_one_line_reads_as_one_on_many() -> None:
    document = SESSION | {"messages": [gemini("a", "one", "user"), gemini("b", "two")], "summary": "Numbers"}
    short = read("gemini-cli", [("", [json.dumps(document).encode()])])
    long = read("gemini-cli", [("", [json.dumps(document, indent=2).encode()])])
    assert numbered(short) == numbered(long) == [(0, "one"), (1, "two")]
    assert short.header == long.header


def test_what_was_shown_is_the_message_and_what_was_sent_the_preamble() -> None:
    turns = read_lines(gemini("a", "See @x\n--- x ---\nrows", "user", displayContent="See @x")).turns
    assert [(turn.kind, turn.text) for turn in turns] == [
        ("preamble", "See @x\n--- x ---\nrows"),
        ("message", "See @x"),
    ]
