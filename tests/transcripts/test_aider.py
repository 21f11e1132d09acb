"""Aider's log: which runs it has, and how one is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.turns import Turn
from gitmem.transcripts.aider_log import AiderLog
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.read import read
from tests.transcripts.fixture import FIXTURES

SPRING = (FIXTURES / "aider" / "spring-tides" / "main.md").read_bytes()
LOG = AiderLog()


def run(at: str, *said: str) -> bytes:
    return f"\n# aider chat started at 2026-05-08 {at}\n\n".encode() + "\n".join(said).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".aider.chat.history.md"


def turns_of(text: bytes) -> list[Turn]:
    return read("aider", [("", [text])]).turns


def renditions(path: Path) -> dict[str, bytes]:
    return {
        listed.identity.native_id: b"".join(LOG.rendition(path, listed.identity))
        for listed in LOG.sessions(path, None).sessions
    }


def test_runs_are_the_fixture_and_what_stands_around_it(path: Path) -> None:
    path.write_bytes(run("08:00:00", "#### hi  ") + b"\n" + SPRING + run("10:00:00", "#### bye  "))
    found = renditions(path)
    assert list(found) == ["2026-05-08T08-00-00", "2026-05-08T09-00-00", "2026-05-08T10-00-00"]
    assert found["2026-05-08T09-00-00"].rstrip() == SPRING.rstrip()
    assert b"".join(found.values()).strip() == path.read_bytes().strip()


def test_runs_of_one_second_are_two_sessions(path: Path) -> None:
    path.write_bytes(run("08:00:00", "#### a") + run("08:00:00", "#### b"))
    assert list(renditions(path)) == ["2026-05-08T08-00-00", "2026-05-08T08-00-00-2"]


def test_growth_marks_only_the_last_run(path: Path) -> None:
    path.write_bytes(run("08:00:00", "#### a") + run("09:00:00", "#### b"))
    first, last = LOG.sessions(path, None).sessions
    before = renditions(path)
    path.write_bytes(path.read_bytes() + b"answer\n")
    first_now, last_now = LOG.sessions(path, None).sessions
    assert first_now == first
    assert (last_now.identity, last_now.mark == last.mark) == (last.identity, False)
    assert renditions(path)[last.identity.native_id].startswith(before[last.identity.native_id])


def test_rest_of_a_run_whose_begin_was_cut_off_is_a_session(path: Path) -> None:
    path.write_bytes(b"the end of an answer\n" + run("08:00:00", "#### a"))
    assert list(renditions(path)) == ["beginning", "2026-05-08T08-00-00"]


def test_heading_in_the_middle_of_a_line_begins_nothing(path: Path) -> None:
    long = b"x" * (256 << 10)  # as much as is read at once
    path.write_bytes(run("08:00:00", "#### a") + long + b"# aider chat started at 2026-05-08 09:00:00\n")
    assert list(renditions(path)) == ["2026-05-08T08-00-00"]


def test_run_that_was_cut_off_meanwhile_is_refused(path: Path) -> None:
    path.write_bytes(run("08:00:00", "#### a") + run("09:00:00", "#### b"))
    first, _ = LOG.sessions(path, None).sessions
    path.write_bytes(run("09:00:00", "#### b"))
    with pytest.raises(UnknownTranscript, match="not in it any more"):
        list(LOG.rendition(path, first.identity))


@pytest.mark.parametrize("name", [".aider.chat.history.md", "notes.md"])
@pytest.mark.parametrize("content", [b"", b"# Notes\n", b"\xff\x00" * 100, b"# aider chat started at noon\n"])
def test_other_markdown_is_no_log(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert not LOG.holds(path, content)
    with pytest.raises(UnknownTranscript):
        LOG.sessions(path, None)


def test_text_that_quotes_a_heading_is_no_log_unless_it_is_named_so(tmp_path: Path) -> None:
    head = (b"# Why\n" + run("08:00:00"))[:HEAD_BYTES]
    assert not LOG.holds(tmp_path / "notes.md", head)
    assert LOG.holds(tmp_path / "notes.md", run("08:00:00"))
    assert LOG.holds(tmp_path / ".aider.chat.history.md", head)


def test_appending_changes_only_the_block_that_grows() -> None:
    lines, after = SPRING.splitlines(keepends=True), turns_of(SPRING)
    for count in range(len(lines)):
        before = turns_of(b"".join(lines[:count]))
        growing = before[-1].line if before else 0  # a block of several turns has one line
        whole = [turn for turn in before if turn.line < growing]
        assert whole == after[: len(whole)]


def test_edits_that_nobody_ended_cost_no_more_than_words() -> None:
    hostile = run("08:00:00", *["<<<<<<< SEARCH"] * 20_000, *["======="] * 20_000)
    [turn] = turns_of(hostile)
    assert turn.kind == "message"


def test_edit_without_a_path_has_none() -> None:
    text = run(
        "08:00:00", "Try this:", "```", "<<<<<<< SEARCH", "a", "=======", "b", ">>>>>>> REPLACE", "```"
    )
    message, call = turns_of(text)
    assert (message.text, call.call and call.call.files) == ("Try this:", ())


def test_answer_without_end_is_read_in_pieces() -> None:
    turns = turns_of(run("08:00:00", *["word " * 200] * 10_000))
    assert len(turns) > 1
    assert all(len(turn.text) < (5 << 20) for turn in turns)
