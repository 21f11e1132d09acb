"""Which notes stand, what is due, and that listing them costs nothing while none changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gitmem.format import layout
from gitmem.model.ids import RecordId
from gitmem.model.records import Author
from gitmem.notes import listing, table
from gitmem.notes.listing import list_notes
from gitmem.notes.writing import forget, set_done
from gitmem.objects.storage import add_all
from gitmem.verbs.committing import commit
from tests.notes.desks import desk, listed, texts, write
from tests.reading.book import ADA, REF, START_MS, Book, talk

EVE = Author("Eve", "eve@elsewhere.example")


def test_notes_are_listed_the_newest_first(book: Book) -> None:
    write(book, "first")
    write(book, "second")
    assert texts(book) == ["second", "first"]
    assert texts(book, limit=1) == ["second"]


def test_a_title_is_the_first_line_that_says_something(book: Book) -> None:
    write(book, "\n\nUse UTC everywhere.\nZones cost us a week.")
    assert listed(book)[0].title == "Use UTC everywhere."


def test_what_is_superseded_is_listed_only_on_demand(book: Book) -> None:
    old = write(book, "old")
    new = write(book, "new", supersedes=(old,))
    assert texts(book) == ["new"]
    by_text = {note.text: note for note in listed(book, closed=True)}
    assert (by_text["old"].state, by_text["old"].superseded_by) == ("superseded", (new,))


def test_two_that_supersede_the_same_note_both_stand(book: Book) -> None:
    old = write(book, "old")
    here, there = write(book, "here", supersedes=(old,)), write(book, "there", supersedes=(old,))
    assert texts(book) == ["there", "here"]
    both = write(book, "both", supersedes=(here, there))
    assert texts(book) == ["both"]
    assert [note.superseded_by for note in listed(book, closed=True) if note.name == old] == [(both,)]


def test_what_somebody_unknown_wrote_in_between_revives_nothing(book: Book) -> None:
    first = write(book, "2000")
    between = write(book, "4000", supersedes=(first,), author=EVE)
    again = write(book, "4500", supersedes=(between,), author=EVE)

    def standing(*, closed: bool = False) -> dict[str, tuple[RecordId, ...]]:
        found = listed(book, is_known=lambda address: address != EVE.email, closed=closed)
        return {note.text: note.superseded_by for note in found}

    assert list(standing()) == ["2000"], "whoever is unknown supersedes nothing"
    last = write(book, "5000", supersedes=(again,))
    assert texts(book) == list(standing()) == ["5000"]
    assert standing(closed=True)["2000"] == (last,)


def test_what_is_done_is_open_again_when_that_is_taken_back(book: Book) -> None:
    name = write(book, "mend the table", type="reminder")
    assert set_done(desk(book), [name]) == (name,)
    assert set_done(desk(book), [name]) == ()
    assert texts(book) == []
    assert listed(book, closed=True)[0].state == "done"
    set_done(desk(book), [name], is_done=False)
    assert texts(book) == ["mend the table"]


def test_a_note_is_removed_with_all_that_it_supersedes(book: Book) -> None:
    old = write(book, "old")
    new = write(book, "new", supersedes=(old,))
    assert set(forget(desk(book), [new], START_MS + 1_000_000)) == {old, new}
    assert texts(book) == []
    assert {note.state for note in listed(book, closed=True)} == {"removed"}
    forget(desk(book), [new], None)
    assert texts(book) == ["new"]


def test_what_is_due_comes_the_longest_due_first(book: Book) -> None:
    write(book, "later", type="reminder", due_ms=START_MS + 100_000)
    write(book, "yesterday", type="reminder", due_ms=START_MS - 86_400_000)
    write(book, "last week", type="decision", due_ms=START_MS - 7 * 86_400_000)
    write(book, "whenever", type="reminder")
    write(book, "only a decision")
    assert texts(book, due_at_ms=START_MS + 50_000) == ["last week", "yesterday", "whenever"]


def test_filters_are_of_type_file_tag_and_age(book: Book) -> None:
    write(book, "tides", files=("src/tides.py",), tags=("sea",))
    write(book, "wind", type="pattern", files=("src/weather/wind.py",))
    since_ms = book.clock_s * 1000 + 1
    write(book, "anywhere", type="reminder", tags=("land",))
    assert texts(book, files=["src"]) == ["wind", "tides"]
    assert texts(book, files=["src/weather/", "src/tides.p"]) == ["wind"]
    assert texts(book, types=["pattern", "reminder"]) == ["anywhere", "wind"]
    assert texts(book, tags=["sea", "sky"]) == ["tides"]
    assert texts(book, since_ms=since_ms) == ["anywhere"]


def test_a_stranger_supersedes_nothing_of_those_who_are_known(book: Book) -> None:
    ours = write(book, "ours")
    write(book, "theirs", supersedes=(ours,), author=EVE)
    assert texts(book) == ["theirs"]
    assert texts(book, is_known=lambda address: address != EVE.email) == ["ours"]


def test_what_a_stranger_marks_as_done_is_open_to_those_who_do_not_know_them(book: Book) -> None:
    name = write(book, "ours", type="reminder")
    set_done(desk(book, EVE), [name])
    assert texts(book) == []
    assert listing.people(book.memory(), None) == {ADA.email, EVE.email}
    assert texts(book, is_known=lambda address: address != EVE.email) == ["ours"]
    set_done(desk(book), [name], is_done=False)
    set_done(desk(book), [name])
    assert texts(book, is_known=lambda address: address != EVE.email) == []


def test_a_table_is_read_anew_only_where_a_note_has_changed(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [write(book, "one"), write(book, "two")]
    assert [note.text for note in list_notes(book.memory(), tmp_path)] == ["two", "one"]
    loaded = []
    load = table.notes.load
    monkeypatch.setattr(table.notes, "load", lambda *args: loaded.append(args[1]) or load(*args))
    book.capture(talk(2))
    assert len(list_notes(book.memory(), tmp_path)) == 2
    assert loaded == []
    set_done(desk(book), [names[0]])
    loaded.clear()
    assert [note.text for note in list_notes(book.memory(), tmp_path)] == ["two"]
    assert loaded == [names[0]]


def test_who_makes_up_a_thicket_of_notes_does_not_stop_the_list(book: Book) -> None:
    write(book, "one")
    (one,) = table.read(book.memory(), None).rows
    names = [RecordId(f"{n:064x}") for n in range(2_000)]
    rows = [
        msgspec.structs.replace(one, name=name, supersedes=tuple(names[max(0, n - 100) : n]))
        for n, name in enumerate(names)
    ]
    assert [note.name for note in listing.listed(rows, closed=False)] == names[-1:]
    first = next(listing.listed(rows))
    assert first.state == "superseded"
    assert first.superseded_by != ()


def test_a_damaged_note_is_named_and_keeps_no_other_from_being_listed(book: Book, tmp_path: Path) -> None:
    name = write(book, "whole")
    [junk] = add_all(book.storage, [("blob", b"junk")])
    with book.storage.begin() as batch:
        path = layout.note_path(type(name)("ab" * 32))
        commit(book.storage, REF, book.writer(), "Junk", {path: junk}, batch)
    for _ in range(2):
        found = table.read(book.memory(), tmp_path)
        assert [row.name for row in found.rows] == [name]
        assert [each[0] for each in found.unreadable] == ["ab" * 32]


def test_what_was_erased_is_in_no_table(book: Book, tmp_path: Path) -> None:
    gone, kept = write(book, "gone"), write(book, "kept")
    list_notes(book.memory(), tmp_path)
    assert table.forget(tmp_path, {gone}) == 1
    assert table.forget(tmp_path, {gone}) == 0
    assert [note.name for note in list_notes(book.memory(), tmp_path)] in ([kept], [kept, gone])
    assert b"gone" not in b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())
