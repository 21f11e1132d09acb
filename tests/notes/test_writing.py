"""Writing notes down: what may be one, that a secret is none, and that nothing is lost between two."""

from __future__ import annotations

import threading

import pytest

from gitmem.format import layout, notes, records
from gitmem.model.errors.arguments import BadNote, BadTag
from gitmem.model.errors.naming import NoteAmbiguous, NoteUnknown
from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import RecordId
from gitmem.model.records import MAX_LISTED, MAX_NOTE, MAX_TAGS, Author, Note, Position
from gitmem.notes import finding, likeness
from gitmem.notes.finding import resolve
from gitmem.notes.writing import MAX_TEXT, forget, set_done, set_tags, set_title
from gitmem.objects.history import walk_history
from tests.notes.desks import desk, listed, write
from tests.reading.book import ADA, REF, Book


def test_a_note_says_who_wrote_it_and_for_whom(book: Book) -> None:
    write(book, "by an agent", agent="claude-code")
    write(book, "by Ada")
    assert [(note.agent, note.author) for note in listed(book)] == [(None, ADA), ("claude-code", ADA)]


def test_a_secret_is_redacted_wherever_it_stands_and_is_in_no_message(book: Book) -> None:
    write(book, "the key is SECRET", files=("keys/SECRET.pem",), tags=("SECRET",))
    (note,) = listed(book)
    assert (note.text, note.files, note.tags) == ("the key is [gone]", ("keys/[gone].pem",), ("[gone]",))
    messages = [commit.message for _, commit in walk_history(book.storage, book.storage.read_ref(REF))]
    assert messages[0] == "Note: decision [skip ci]\n"


@pytest.mark.parametrize("text", ["", " \n\t\n", "\x00\u200b", "x" * (MAX_TEXT + 1)])
def test_what_nobody_can_read_is_no_note(book: Book, text: str) -> None:
    with pytest.raises(BadNote):
        write(book, text)
    assert listed(book) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"files": ("x" * 2000,)},
        {"files": tuple(map(str, range(MAX_LISTED + 1)))},
        {"agent": "two words"},
        {"agent": "a/b"},
        {"agent": ""},
    ],
)
def test_what_no_reader_takes_is_not_written(book: Book, fields: dict[str, object]) -> None:
    with pytest.raises(BadNote):
        write(book, "text", **fields)


def test_a_text_keeps_its_lines_and_loses_its_controls(book: Book) -> None:
    write(book, "  one\r\n\n\ttwo \x1b]52;c;eHg=\x07\u202e\n ")
    assert listed(book)[0].text == "one\n\n\ttwo  ]52;c;eHg="


def test_only_what_is_there_is_superseded_or_changed(book: Book) -> None:
    nothing = RecordId("0" * 64)
    for work in (
        lambda: write(book, "new", supersedes=(nothing,)),
        lambda: set_done(desk(book), [nothing]),
        lambda: forget(desk(book), [nothing], 1),
    ):
        with pytest.raises(NoteUnknown):
            work()


def test_two_who_write_at_once_both_have_written(real_book: Book) -> None:
    texts = [f"note number {n}" for n in range(6)]
    threads = [threading.Thread(target=write, args=(real_book, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(note.text for note in listed(real_book)) == texts


def test_registers_of_one_note_are_read_and_written_under_one_lock(book: Book) -> None:
    name = write(book, "tides", tags=("sea",))
    set_title(desk(book), name, "Tides")
    assert set_title(desk(book), name, " The\ttide table of SECRET") == "The tide table of [gone]"
    set_title(desk(book), name, "The tide table")
    assert set_tags(desk(book), name, ["moon", "SECRET"]) == ("[gone]", "moon", "sea")
    assert set_tags(desk(book), name, [], ["SECRET"]) == ("moon", "sea")
    assert set_tags(desk(book), name, ["sea"], ["sky"]) == ("moon", "sea")
    (note,) = listed(book)
    assert (note.title, note.tags) == ("The tide table", ("moon", "sea"))
    stored = notes.find(book.memory(), name)
    assert stored is not None
    assert sorted(each.clock for each in stored.registers.values()) == [1, 2, 3, 4, 5, 6]


def test_a_note_has_no_more_tags_than_a_session(book: Book) -> None:
    name = write(book, "tides")
    with pytest.raises(BadTag):
        set_tags(desk(book), name, map(str, range(MAX_TAGS + 1)))
    with pytest.raises(BadTag):
        set_tags(desk(book), name, ["two words"])


def test_a_note_is_named_by_the_beginning_of_its_id(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write(book, "one")
    memory = book.memory()
    for text in (name, f"note/{name}", f"note/{name[:8]}", name[:12]):
        assert resolve(memory, text) == name
    assert finding.may_name(f"note/{name[:8]}")
    assert not finding.may_name(name)
    assert not finding.may_name("note/mine")
    with pytest.raises(NoteUnknown):
        resolve(memory, "note/00000000")
    alike = (RecordId("ab" * 31 + "c0"), RecordId("ab" * 31 + "c1"))
    monkeypatch.setattr(finding.notes, "find_prefix", lambda memory, prefix: alike)
    with pytest.raises(NoteAmbiguous) as error:
        resolve(memory, "abababab")
    assert error.value.candidates == tuple(f"note/{each}" for each in alike)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * (MAX_NOTE + 1)},
        {"files": ("x" * 5000,)},
        {"supersedes": tuple(RecordId(f"{n:064x}") for n in range(MAX_LISTED + 1))},
        {"about": (Position("0" * 64, "x" * 5000, 1),)},
        {"agent": "x" * 5000},
    ],
)
def test_a_record_beyond_its_bounds_is_refused(fields: dict[str, object]) -> None:
    whole = {"type": "decision", "text": "x", "at": "2026-01-02T03:04:05.678Z", "author": Author("Ada")}
    with pytest.raises(RecordRefused):
        records.seal(Note(**{**whole, **fields}))


def test_what_says_nearly_the_same_is_alike(book: Book) -> None:
    write(book, "One lock per repository, since pushes race each other.")
    write(book, "Times are UTC everywhere, in logs too.")
    write(book, "Locks.")
    asked = {
        "One lock for each repository, because pushes race": [
            "One lock per repository, since pushes race each other."
        ],
        "All times are in UTC, everywhere": ["Times are UTC everywhere, in logs too."],
        "A repository of times": [],
        "locks": ["Locks."],
        "…": [],
    }
    for text, expected in asked.items():
        assert [note.text for note in likeness.alike(text, listed(book))] == expected


def test_a_note_stands_where_the_format_says(book: Book) -> None:
    name = write(book, "one")
    path = layout.note_path(name)
    assert "/".join(path) == f"notes/{name[:2]}/{name[2:4]}/{name[4:]}/note"
    assert layout.place(path) == ("note", name, name)
    register = layout.note_register_path(name, RecordId("cd" * 32))
    assert layout.place(register) == ("register", "cd" * 32, name)
