"""Titles and tags: what may be one, that a secret is none, and that nothing is lost between two who tag."""

from __future__ import annotations

import threading

import pytest

from gitmem.model.errors.arguments import BadTag, BadTitle
from gitmem.model.errors.naming import SessionUnknown
from gitmem.model.ids import SessionId
from gitmem.objects.history import walk_history
from gitmem.verbs.naming import MAX_TAG, MAX_TAGS, MAX_TITLE, set_tags, set_title, tags_of, title_of
from tests.reading.book import REF, Book, talk


@pytest.fixture
def session(book: Book) -> SessionId:
    return book.capture(talk(2))[0]


def test_a_title_is_kept_on_one_line_without_controls(book: Book, session: SessionId) -> None:
    assert (
        set_title(book.naming(), session, "  The\ttide \x1b]52;c;eHg=\x07 \u202etable\n ")
        == "The tide ]52;c;eHg= table"
    )
    assert title_of(book.stored(session)) == "The tide ]52;c;eHg= table"


def test_the_last_title_holds_and_can_be_taken_back(book: Book, session: SessionId) -> None:
    set_title(book.naming(), session, "first")
    set_title(book.naming(), session, "second")
    assert title_of(book.stored(session)) == "second"
    assert set_title(book.naming(), session, None) is None
    assert title_of(book.stored(session)) is None


def test_the_same_title_or_tag_again_commits_nothing(book: Book, session: SessionId) -> None:
    set_title(book.naming(), session, "tides")
    set_tags(book.naming(), session, ["a", "b"])
    before = book.memory().commit
    set_title(book.naming(), session, " tides ")
    set_tags(book.naming(), session, ["b"], ["c"])
    assert book.memory().commit == before


def test_a_secret_in_a_title_or_tag_is_redacted_and_in_no_message(book: Book, session: SessionId) -> None:
    assert set_title(book.naming(), session, "the key is SECRET") == "the key is [gone]"
    assert set_tags(book.naming(), session, ["SECRET"]) == ("[gone]",)
    messages = [commit.message for _, commit in walk_history(book.storage, book.storage.read_ref(REF))]
    assert messages[:2] == [
        "Tag claude-code/0f3a81c2-one [skip ci]\n",
        "Title claude-code/0f3a81c2-one [skip ci]\n",
    ]
    assert not any("SECRET" in message or "[gone]" in message for message in messages)
    assert set_tags(book.naming(), session, remove=["SECRET"]) == ()


@pytest.mark.parametrize("title", ["", " \n\t", "\x00\u200b", "x" * (MAX_TITLE + 1)])
def test_what_nobody_can_read_is_no_title(book: Book, session: SessionId, title: str) -> None:
    with pytest.raises(BadTitle):
        set_title(book.naming(), session, title)


@pytest.mark.parametrize(
    "tag", ["", "-x", "a b", "a,b", "a\x1b[2J", "a\u202eb", "\udc80", "x" * (MAX_TAG + 1)]
)
def test_what_cannot_be_typed_again_is_no_tag(book: Book, session: SessionId, tag: str) -> None:
    before = book.memory().commit
    with pytest.raises(BadTag):
        set_tags(book.naming(), session, ["good", tag])
    assert book.memory().commit == before


def test_tags_are_a_set_in_order_whichever_way_they_are_written(book: Book, session: SessionId) -> None:
    assert set_tags(book.naming(), session, ["zoe\u0301", "b"]) == ("b", "zo\u00e9")
    assert set_tags(book.naming(), session, ["zo\u00e9", "a"], ["b"]) == ("a", "zo\u00e9")
    assert tags_of(book.stored(session)) == ("a", "zo\u00e9")


def test_a_session_has_a_bounded_number_of_tags(book: Book, session: SessionId) -> None:
    set_tags(book.naming(), session, [f"t{n}" for n in range(MAX_TAGS)])
    with pytest.raises(BadTag):
        set_tags(book.naming(), session, ["one-more"])
    assert len(set_tags(book.naming(), session, ["one-more"], ["t0"])) == MAX_TAGS


def test_a_tag_that_another_machine_wrote_badly_can_be_taken_away(book: Book, session: SessionId) -> None:
    book.register(session, "tags", ("a b\x1b", "good"))
    assert set_tags(book.naming(), session, remove=["a b\x1b"]) == ("good",)


def test_nobody_names_a_session_that_is_not_there(book: Book) -> None:
    with pytest.raises(SessionUnknown):
        set_title(book.naming(), SessionId("ab" * 32), "tides")


def test_two_who_tag_at_once_lose_nothing(real_book: Book) -> None:
    session, _ = real_book.capture(talk(2))
    naming = real_book.naming()

    def tag(writer: int) -> None:
        for n in range(4):
            set_tags(naming, session, [f"w{writer}-{n}"])

    threads = [threading.Thread(target=tag, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags_of(real_book.stored(session))) == 12


def test_a_long_native_id_makes_no_long_message(book: Book) -> None:
    session, _ = book.capture(talk(2), native_id="../\x1b[2J" + "x" * 5000)
    set_title(book.naming(), session, "tides")
    [message] = [commit.message for oid, commit in walk_history(book.storage, book.memory().commit)][:1]
    assert len(message) < 200
    assert message.strip().isprintable()
