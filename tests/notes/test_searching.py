"""Notes in the index: found with the rest, by all filters, as long as they stand; and gone when they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.forgetting.forget import Erasing, erase
from gitmem.format import layout
from gitmem.model.ids import RecordId
from gitmem.model.records import Author
from gitmem.notes import writing
from gitmem.notes.writing import Desk, Draft
from gitmem.objects.storage import add_all
from gitmem.query.filters import Filters
from gitmem.verbs.committing import Writer, commit
from indexer.lexical import LexicalIndex
from indexer.requests.answer import answer
from indexer.upkeep import state as states
from indexer.upkeep.state import State
from tests.indexer.conftest import Asked
from tests.indexer.memories import ADA, Filled, said
from tests.notes.conftest import Here

EVE = Author("Eve", "eve@elsewhere.example")
NOTES = Filters(kinds=("note",))


class Pinboard:
    """Writes notes into a memory that is searched."""

    def __init__(self, memory: Filled) -> None:
        self.memory, self.search = memory, Asked(memory)
        self.now_s = 1_800_000_000

    def do(self, work: Any, *args: Any, author: Author = ADA, **more: Any) -> Any:
        self.now_s += 60
        with closing(self.memory.storage()) as storage:
            writer = Writer(author, lambda: self.now_s)
            return work(Desk(storage, self.memory.ref, writer, lambda text: text), *args, **more)

    def add(self, text: str, author: Author = ADA, **fields: Any) -> RecordId:
        draft = Draft(**{"type": "decision", "text": text, **fields})
        found: RecordId = self.do(writing.add, draft, author=author)
        return found

    def titles(self, query: str, filters: Filters = Filters(), **more: Any) -> list[str]:  # noqa: B008
        return [hit["title"] or hit["snippet"] for hit in self.search(query, filters, **more)["hits"]]


@pytest.fixture
def board(repository: Path, environ: Mapping[str, str]) -> Pinboard:
    memory = Filled(repository, environ)
    memory.add("one", [said("where is the tide table of the port?"), said("in tides.py", "assistant")])
    return Pinboard(memory)


def test_a_note_is_found_beside_turns_and_says_what_it_is(board: Pinboard) -> None:
    name = board.add(
        "The tide table counts from one.\nSince the port's own does.", agent="codex", tags=("sea",)
    )
    hits = board.search("tide table")["hits"]
    assert {hit["kind"] for hit in hits} == {"note", "message"}
    (hit,) = [hit for hit in hits if hit["kind"] == "note"]
    assert {
        key: hit[key] for key in ("session", "turn", "ordinal", "role", "title", "agent", "author", "id")
    } == {
        "session": f"note/{name}",
        "turn": None,
        "ordinal": 0,
        "role": "assistant",
        "title": "The tide table counts from one.",
        "agent": "codex",
        "author": "Ada Example",
        "id": name,
    }
    assert hit["note"] == {"kind": "decision", "state": "open", "due": None}
    assert hit["captured_by"] == "ada@example.org"
    assert hit["titled_by"] == ["ada@example.org"]


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        (Filters(kinds=("note",)), "tides"),
        (Filters(kinds=("pattern", "reminder")), "tides"),
        (Filters(files=("src/tides.py",)), "tides"),
        (Filters(files=("src",)), ""),
        (Filters(tags=("sea",)), "tides"),
        (Filters(authors=("eve",)), "tides"),
        (Filters(since_ms=1_800_000_100_000), "tides"),
        (Filters(agents=("codex",)), "tides"),
        (Filters(), "tides kind:pattern"),
        (Filters(), "tides kind:note -kind:decision"),
        (Filters(sessions=("note/",)), "tides kind:pattern"),
    ],
)
def test_filters_are_for_notes_too(board: Pinboard, filters: Filters, query: str) -> None:
    board.add("Tides are in feet.", author=ADA)
    board.add(
        "Tides are in metres.",
        author=EVE,
        type="pattern",
        agent="codex",
        files=("src/tides.py",),
        tags=("sea",),
    )
    found = board.titles(query, filters)
    assert "Tides are in metres." in found
    if filters != NOTES:
        assert "Tides are in feet." not in found


def test_only_trusted_ones_are_found_where_only_these_are_asked_for(board: Pinboard) -> None:
    board.add("Tides by Ada.")
    board.add("Tides by Eve.", author=EVE)
    filters = NOTES._replace(trusted=("ada@example.org",))
    assert board.titles("tides", filters) == ["Tides by Ada."]


def test_a_stranger_takes_the_place_of_nothing_where_only_trusted_ones_count(board: Pinboard) -> None:
    mine = board.add("Tides by Ada.")
    board.add("Tides by Eve.", author=EVE, supersedes=(mine,))
    trusted = NOTES._replace(trusted=("ada@example.org",))
    assert board.titles("tides", NOTES) == ["Tides by Eve."]
    assert board.titles("tides", trusted) == ["Tides by Ada."]
    board.add("More tides by Ada.", supersedes=(mine,))
    assert board.titles("tides", trusted) == ["More tides by Ada."]


def test_what_a_stranger_marks_as_done_is_found_where_only_trusted_ones_count(board: Pinboard) -> None:
    mine = board.add("Measure the tides.", type="reminder")
    board.do(writing.set_done, [mine], author=EVE)
    assert board.titles("tides", NOTES) == []
    assert board.titles("tides", NOTES._replace(trusted=("ada@example.org",))) == ["Measure the tides."]


def test_what_does_not_stand_is_found_only_on_demand(board: Pinboard) -> None:
    old = board.add("Tides are in feet.")
    board.add("Tides are in metres.", supersedes=(old,))
    done = board.add("Measure the tides.", type="reminder")
    assert len(board.titles("tides", NOTES)) == 2
    board.do(writing.set_done, [done])
    removed = board.add("Tides are not.")
    board.do(writing.forget, [removed], 1_900_000_000_000)
    assert board.titles("tides", NOTES) == ["Tides are in metres."]
    assert board.titles("", NOTES) == ["Tides are in metres."]
    closed = NOTES._replace(closed=True)
    assert set(board.titles("tides", closed)) == {
        "Tides are in metres.",
        "Tides are in feet.",
        "Measure the tides.",
    }
    counted = {"decision": 0, **board.search("tides", NOTES, facets=("role",))["facets"]["role"]}
    assert counted["user"] == 1
    assert board.search("tides", closed, facets=("role",))["facets"]["role"] == {"user": 3}
    board.do(writing.set_done, [done], is_done=False)
    assert set(board.titles("tides", NOTES)) == {"Tides are in metres.", "Measure the tides."}


def test_an_index_brought_up_is_the_same_as_one_made_anew(board: Pinboard) -> None:
    old = board.add("Tides are in feet.")
    board.titles("tides")
    new = board.add("Tides are in metres.", supersedes=(old,))
    board.titles("tides")
    board.add("Tides are in fathoms.", supersedes=(new,), tags=("sea",))
    board.do(writing.set_tags, new, ["moon"])
    closed = NOTES._replace(closed=True)
    brought_up = told(board.search("tides", closed))
    board.search.status("rebuild")
    assert brought_up == told(board.search("tides", closed))
    assert len(brought_up) == 3


def told(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return hits without their scores, which count what was taken out until files are merged."""
    return sorted(({**hit, "score": 0} for hit in answer["hits"]), key=lambda hit: str(hit["id"]))


def test_what_was_erased_is_in_no_file_of_the_index_and_what_it_superseded_is_back(board: Pinboard) -> None:
    old = board.add("Tides are in feet.")
    new = board.add("Tides are in cubits.", supersedes=(old,))
    assert board.titles("tides", NOTES) == ["Tides are in cubits."]
    with closing(board.memory.storage()) as storage:
        assert erase(Erasing(storage, board.memory.ref, Writer(ADA, lambda: 1_900_000_000)), [new])
    board.search.status("erase")
    assert board.titles("tides", NOTES) == ["Tides are in feet."]
    assert board.titles("tides table") != []
    root = states.root_of(board.memory.repository.common_dir)
    state = states.load(root)
    assert isinstance(state, State)
    assert not LexicalIndex(root / state.folder).holds(new)
    assert not any(b"cubits" in path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_a_session_that_is_erased_takes_no_note_with_it(board: Pinboard) -> None:
    board.add("Tides are in feet.")
    (session,) = {hit["id"] for hit in board.search("tide table", Filters(sessions=("generic/",)))["hits"]}
    with closing(board.memory.storage()) as storage:
        assert erase(Erasing(storage, board.memory.ref, Writer(ADA, lambda: 1_900_000_000)), [session])
    board.search.status("erase")
    assert board.titles("tides") == ["Tides are in feet."]


def test_a_damaged_note_is_named_and_tried_again(board: Pinboard) -> None:
    name = RecordId("ab" * 32)
    board.add("Tides are in feet.")
    with closing(board.memory.storage()) as storage:
        [junk] = add_all(storage, [("blob", b"junk")])
        with storage.begin() as batch:
            changes = {layout.note_path(name): junk}
            commit(storage, board.memory.ref, Writer(ADA, lambda: 1_900_000_000), "x", changes, batch)  # type: ignore[arg-type]
    assert board.titles("tides", NOTES) == ["Tides are in feet."]
    status = board.search.status("update")
    assert [each["session"] for each in status["unreadable"]] == [f"note/{name}"]
    assert board.titles("tides", NOTES) == ["Tides are in feet."]


def test_a_note_is_found_by_its_meaning(board: Pinboard, model_dir: Path) -> None:
    name = board.add("The kitten sleeps on the sofa.")
    board.add("The landlord wants the rent by Friday.")
    request = board.search.request("update", model_dir=str(model_dir))
    (status,) = answer(request, board.memory.environ, board.search)
    assert status["unembedded"] == 0
    hits = board.search("a cat naps", NOTES, mode="semantic", model_dir=str(model_dir))["hits"]
    assert hits[0]["id"] == name
    assert math.isfinite(hits[0]["score"])
    board.do(writing.set_done, [name])
    hits = board.search("a cat naps", NOTES, mode="semantic", model_dir=str(model_dir))["hits"]
    assert name not in [hit["id"] for hit in hits]


def test_what_means_nearly_the_same_is_pointed_out_where_there_are_vectors(
    here: Here, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMEM_MODEL_DIR", str(model_dir))
    first = here.add("Always use UTC for timestamps.")
    here.add("Run the linter before each commit.")
    here("index", "update")
    said = here("note", "add", 'All dates "and" times -must be stored in UTC').stderr
    assert said == f'similar to {first[:17]}: "Always use UTC for timestamps."\n'
    assert here("note", "add", "The harbour master is called Smith.").stderr == ""
