"""Finding a session by a name for it, and reading what it holds."""

from __future__ import annotations

import pytest

from gitmem.format import layout
from gitmem.format.memory import require
from gitmem.model.errors.arguments import BadSessionName
from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.errors.naming import SessionAmbiguous, SessionUnknown, StreamUnknown
from gitmem.verbs import reading
from tests.reading.book import Book, said, talk


def test_a_session_is_found_by_its_key_its_id_and_the_beginning_of_either(book: Book) -> None:
    session, _ = book.capture(talk(2), "0f3a81c2-one")
    book.capture(talk(2), "77aa-two")
    memory = book.memory()
    for name in (
        "claude-code/0f3a81c2-one",
        "claude-code/0f",
        "0f3a81c2-o",
        "0f3a",
        session,
        session[:7],
        "claude-code/0f3a…",
        "0f3a…",
    ):
        assert reading.resolve(memory, name).session == session, name


@pytest.mark.parametrize(
    "name",
    ["claude-code/9", "claude-code/9…", "codex/0f3a81c2-one", "deadbeef", "0", "..", "claude-code/../x"],
)
def test_a_name_that_fits_nothing_is_unknown(book: Book, name: str) -> None:
    book.capture(talk(2), "1f3a81c2-one")
    with pytest.raises(SessionUnknown):
        reading.resolve(book.memory(), name)


@pytest.mark.parametrize("name", ["", "/", "/x", "x/"])
def test_a_name_of_nothing_is_a_mistake_in_usage(book: Book, name: str) -> None:
    with pytest.raises(BadSessionName):
        reading.resolve(book.memory(), name)


def test_a_whole_key_wins_over_longer_ones_that_begin_with_it(book: Book) -> None:
    short, _ = book.capture(talk(2), "one")
    book.capture(talk(2), "one-more")
    assert reading.resolve(book.memory(), "claude-code/one").session == short


def test_a_beginning_that_fits_two_names_them_both(book: Book) -> None:
    book.capture(talk(2), "0f3a81c2-one")
    book.capture(talk(2), "0f3a81c2-two", agent="codex")
    with pytest.raises(SessionAmbiguous) as caught:
        reading.resolve(book.memory(), "0f3a81c2")
    assert set(caught.value.candidates) == {"claude-code/0f3a81c2-one", "codex/0f3a81c2-two"}


def test_sessions_of_one_key_are_told_apart_by_names_that_work(book: Book) -> None:
    first, _ = book.capture(talk(2), "one", beginning="here")
    second, _ = book.capture(talk(2), "one", beginning="there")
    with pytest.raises(SessionAmbiguous) as caught:
        reading.resolve(book.memory(), "claude-code/one")
    found = {reading.resolve(book.memory(), name).session for name in caught.value.candidates}
    assert found == {first, second}


def test_a_damaged_session_does_not_keep_others_from_being_found(book: Book) -> None:
    session, _ = book.capture(talk(2), "one")
    damaged, _ = book.capture(talk(2), "two")
    book.put(damaged, layout.session_path(damaged), b"junk")
    assert reading.resolve(book.memory(), "on").session == session


@pytest.mark.parametrize(
    "native_id",
    ["a/b/../../c", "../../../etc/passwd", "x" * 5000, "\x1b]52;c;eHg=\x07", "a#12", "#", "ü\u202e"],
)
def test_any_native_id_can_be_named(book: Book, native_id: str) -> None:
    session, _ = book.capture(talk(2), native_id)
    assert reading.address(book.memory(), f"claude-code/{native_id}") == (book.memory().find(session), None)
    assert reading.address(book.memory(), f"claude-code/{native_id}#1").turn == "1"


def test_a_turn_stands_behind_the_last_number_sign(book: Book) -> None:
    session, _ = book.capture(talk(2), "a#12")
    assert reading.address(book.memory(), "claude-code/a#12#3") == (book.memory().find(session), "3")
    assert reading.address(book.memory(), f"{session[:9]}#agent-7:3").turn == "agent-7:3"


def test_text_is_returned_byte_for_byte(book: Book) -> None:
    lines = [b"not json\r\n", b"\xff\xfe\n", b"{}\n", b"no end"]
    session, _ = book.capture(lines)
    folder = book.memory().find(session)
    assert folder is not None
    assert b"".join(reading.text(book.memory(), folder)) == b"".join(lines)


def test_every_head_of_a_fork_is_a_stream_of_its_own(book: Book) -> None:
    session, base = book.capture(talk(4))
    book.capture([said(10, "user", "here")], parents=(base,), keep=4)
    book.capture([said(20, "user", "there"), said(21, "assistant", "yes")], parents=(base,), keep=4)
    stored = book.stored(session)
    main, other = reading.heads(stored)
    assert (main[0], main[1].lines, other[1].lines) == ("", 6, 5)
    assert other[0] == f"@{other[1].capture[:8]}"
    folder = book.memory().find(session)
    assert folder is not None
    turns = reading.transcript(book.memory(), folder).turns
    assert [(turn.stream, turn.ordinal) for turn in turns] == [("", n) for n in range(6)] + [(other[0], 0)]
    assert turns[-1].text == "here"


def test_a_stream_that_is_not_there_is_named_with_those_that_are(book: Book) -> None:
    session, _ = book.capture(talk(2), stream="agent-7")
    with pytest.raises(StreamUnknown, match="1 of subagents") as caught:
        reading.head_of(book.stored(session), "agent-8")
    assert "agent-7" in caught.value.hint


def test_a_session_of_an_unknown_agent_is_an_expected_failure(book: Book) -> None:
    session, _ = book.capture(["{}"], agent="agent-of-tomorrow")
    folder = book.memory().find(session)
    assert folder is not None
    with pytest.raises(ReaderMissing, match="agent-of-tomorrow"):
        reading.transcript(book.memory(), folder)


@pytest.mark.parametrize("origins", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}, {"a": "a"}])
def test_what_sessions_in_a_circle_have_in_common_is_said_once_at_least(
    book: Book, origins: dict[str, str]
) -> None:
    sessions = []
    for name, origin in origins.items():
        repeated = [said(n, "user", f"words {n}", forkedFrom={"sessionId": origin}) for n in range(3)]
        sessions.append(book.capture(repeated, name)[0])
    memory = book.memory()
    counts = {
        session: len(reading.transcript(memory, require(memory, session)).turns)
        for session in sorted(sessions)
    }
    assert next(iter(counts.values())) == 3
    assert len(counts) == 1 or list(counts.values())[-1] == 0


def test_a_fork_repeats_nothing_of_its_origin_whichever_id_is_smaller(book: Book) -> None:
    for name in "abcdefgh":
        fork = [said(n, "user", f"words {n}", forkedFrom={"sessionId": "origin"}) for n in range(3)]
        book.capture([*fork, said(9, "user", "another way")], name)
    book.capture([said(n, "user", f"words {n}") for n in range(3)], "origin")
    memory = book.memory()
    counts = [len(reading.transcript(memory, folder).turns) for folder in memory.folders()]
    assert sorted(counts) == [1] * 8 + [3]
