"""What is erased leaves the index: no byte of it in a file, and all else is found as by an index made anew."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.searching import SemanticLibraryMissing
from gitmem.model.ids import SessionId
from gitmem.query.filters import Filters
from indexer.lexical import LexicalIndex
from indexer.model.pinned import model_id
from indexer.requests import erasing
from indexer.requests.answer import answer
from indexer.requests.replying import Relay
from indexer.service.answering import Answering
from indexer.upkeep import embedding, follow
from indexer.upkeep import state as states
from indexer.vectors.store import Vectors
from indexer.vectors.writing import build_graphs
from tests.indexer import remains
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, said
from tests.killing import is_interrupted

WORDS = ("anchor", "buoy", "capstan", "deck", "ebb", "fathom", "gale", "hawser", "keel", "mast", "oakum")
QUERIES = ("anchor", "anchor buoy", '"keel mast"', "gale -deck", "role:assistant hawser", "file:rig.py")


@pytest.fixture
def canary(seed: int) -> str:
    """Return a word that stands nowhere else, and is its own stem."""
    return "qa" + "".join(random.Random(seed).choices("bcdfghjkmpqvwxz", k=15))


def root_of(memory: Filled) -> Path:
    return states.root_of(memory.repository.common_dir)


def state_of(memory: Filled) -> states.State:
    loaded = states.load(root_of(memory))
    assert isinstance(loaded, states.State)
    return loaded


def folder_of(memory: Filled) -> Path:
    return root_of(memory) / state_of(memory).folder


def fill(memory: Filled, search: Asked, seed: int, sessions: int = 6) -> None:
    """Add sessions that go into pieces of their own, which never are as many as are merged."""
    rng = random.Random(seed)
    for number in range(sessions):
        lines = [said(" ".join(rng.choices(WORDS, k=8)), rng.choice(("user", "assistant"))) for _ in range(6)]
        memory.add(f"s{number}", [*lines, called("Edit", "c", file_path="rig.py"), gave("c", "keel mast")])
        if number % 2:
            search("anchor")


def with_canary(memory: Filled, canary: str) -> SessionId:
    """Add a session with a canary at every place of it from which something goes into an index."""
    session = memory.add(
        f"native-{canary}",
        [
            said(f"the anchor {canary}ing holds", author=f"Grace {canary}"),
            said(f"{canary} and a buoy", "assistant"),
            called("Edit", "c", file_path=f"src/{canary}.py", new_string=f"keel = '{canary}'"),
            gave("c", f"mast {canary}"),
        ],
        branch=f"fix/{canary}",
    )
    memory.register(session, "title", f"About {canary}")
    memory.register(session, "tags", (f"tag-{canary}",))
    return session


def erase(search: Asked) -> dict[str, Any]:
    (told,) = answer(search.request("erase"), search.memory.environ, search)
    return told


def hits(search: Asked) -> list[list[Any]]:
    return [
        [(hit["session"], hit["ordinal"], hit["score"]) for hit in search(query)["hits"]] for query in QUERIES
    ]


def assert_nothing_is_left(memory: Filled, canary: str) -> None:
    assert remains.places_of(canary, memory.repository.common_dir / "gitmem") == []
    found = list(remains.texts(folder_of(memory)))
    assert any("anchor" in text for text in found), "what stays can be read"
    assert [text for text in found if canary in text] == []


def assert_as_made_anew(search: Asked) -> None:
    before = hits(search)
    assert any(before)
    search.status("rebuild")
    assert hits(search) == before


def test_canary_is_seen_where_it_is(memory: Filled, search: Asked, canary: str) -> None:
    memory.add("stays", [said("the anchor holds")])
    with_canary(memory, canary)
    search("anchor")
    found = [text for text in remains.texts(folder_of(memory)) if canary in text]
    assert len(found) > 10


@pytest.mark.parametrize("when", ["in a piece of its own", "among others", "grown", "changed", "first"])
def test_nothing_of_an_erased_session_is_left(
    memory: Filled, search: Asked, canary: str, seed: int, when: str
) -> None:
    if when != "first":
        fill(memory, search, seed)
    session = with_canary(memory, canary)
    if when in ("among others", "first"):
        fill(memory, search, seed + 1)
    search("anchor")
    if when == "grown":
        for n in range(3):
            memory.add(f"native-{canary}", [said(f"a {canary} deck {n}")])
            search("anchor")
    if when == "changed":
        memory.register(session, "title", f"Another {canary}")
        memory.register(session, "tags", ())
        search("anchor")
    memory.erase(session)
    told = erase(search)
    assert told["files_removed"] > 0
    assert not told["made_anew"] or when == "among others", "there much is of no use then"
    assert_nothing_is_left(memory, canary)
    assert state_of(memory).worn.gone == 0
    assert_as_made_anew(search)


def test_pieces_that_have_nothing_of_it_stay_as_they_are(
    memory: Filled, search: Asked, canary: str, seed: int
) -> None:
    fill(memory, search, seed)
    before = remains.pieces(folder_of(memory)).keys()
    session = with_canary(memory, canary)
    memory.add("beside", [said("the anchor drags")])
    search("anchor")
    memory.erase(session)
    told = erase(search)
    after = remains.pieces(folder_of(memory))
    assert before < after.keys()
    assert len(after) == len(before) + 1
    assert told["bytes_written"] < sum(path.stat().st_size for path in root_of(memory).rglob("*")) / 2
    assert_nothing_is_left(memory, canary)


def test_search_alone_takes_it_out_of_small_pieces(
    memory: Filled, search: Asked, canary: str, seed: int
) -> None:
    fill(memory, search, seed)
    session = with_canary(memory, canary)
    search("anchor")
    memory.erase(session)
    assert search(canary)["hits"] == []
    assert_nothing_is_left(memory, canary)


def test_index_is_made_anew_where_most_of_it_stands_beside(
    memory: Filled, search: Asked, canary: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_FEW_BESIDE", 10)
    session = with_canary(memory, canary)
    fill(memory, search, seed)
    memory.erase(session)
    assert search(canary)["hits"] == []
    assert state_of(memory).worn.gone == 1
    assert erase(search)["made_anew"]
    assert_nothing_is_left(memory, canary)
    assert erase(search)["files_removed"] <= 1, "there is nothing to do but to look"


def test_erased_tree_of_the_past_is_not_needed(
    memory: Filled, search: Asked, canary: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(memory, search, seed)
    session = with_canary(memory, canary)
    search("anchor")
    memory.erase(session)
    states.publish(root_of(memory), replace(state_of(memory), tree="0" * 40, commit="0" * 40, tip=""))
    assert erase(search)["made_anew"]
    assert_nothing_is_left(memory, canary)


@pytest.mark.parametrize("name", ["hidden", "forgotten"])
def test_session_that_waits_to_be_forgotten_is_not_found_until_that_is_taken_back(
    memory: Filled, search: Asked, canary: str, seed: int, name: Any
) -> None:
    fill(memory, search, seed)
    session = with_canary(memory, canary)
    assert len(search(canary)["hits"]) == 4
    memory.register(session, name, True if name == "hidden" else "2027-01-01T00:00:00.000Z")
    assert search(canary)["hits"] == []
    memory.register(session, name, None)
    assert len(search(canary)["hits"]) == 4
    assert len(search(canary, Filters(tags=(f"tag-{canary}",)))["hits"]) == 4
    memory.register(session, name, True if name == "hidden" else "2027-01-01T00:00:00.000Z")
    search("anchor")
    memory.erase(session)
    erase(search)
    assert_nothing_is_left(memory, canary)
    assert_as_made_anew(search)


def test_run_that_is_killed_is_finished_by_the_next_update(
    memory: Filled, search: Asked, canary: str, seed: int
) -> None:
    fill(memory, search, seed, 2)
    for stop_at in range(1, 100):
        session = memory.add(f"native-{canary}-{stop_at}", [said(f"the {canary} holds")])
        search("anchor")
        memory.erase(session)
        done = not is_interrupted(stop_at, lambda: erase(search))
        search.status("update")
        assert_nothing_is_left(memory, canary)
        if done:
            break
    assert done
    assert stop_at > 4
    assert_as_made_anew(search)


def test_without_an_index_nothing_is_made(memory: Filled, search: Asked, canary: str) -> None:
    memory.erase(with_canary(memory, canary))
    assert erase(search) == {
        **dict.fromkeys(("files_written", "bytes_written", "files_removed", "bytes_removed"), 0),
        "made_anew": False,
        "vectors_removed": 0,
    }
    assert not root_of(memory).exists()


def test_vectors_of_what_is_erased_go_but_for_those_of_the_very_same_text(
    memory: Filled, search: Asked, canary: str, seed: int, model_dir: Path
) -> None:
    fill(memory, search, seed)
    memory.add("stays", [said("a text that both have said")])
    session = memory.add("goes", [said(f"a {canary} floods the harbour"), said("a text that both have said")])
    update = search.request("update", model_dir=str(model_dir))
    (before,) = answer(update, memory.environ, search)
    folder = embedding.folder_of(memory.repository.common_dir, model_id())
    build_graphs(folder, model_id(), crossover=0)
    names = {path.name for path in folder.iterdir() if path.name.startswith(("rows-", "graph-", "axes-"))}
    (folder.parent / "another-model").mkdir()
    erased = _meanings(memory, "generic/goes")
    memory.erase(session)
    told = erase(search)
    assert told["vectors_removed"] == 1
    left = Vectors.open(folder, model_id(), with_graphs=False)
    assert left.count == before["vectors"] - 1
    assert sorted(key in left for key in erased) == [False, True]
    assert not names & {path.name for path in folder.iterdir()}, "the block and its graph are written anew"
    assert not (folder.parent / "another-model").exists()
    asked: dict[str, Any] = {"model_dir": str(model_dir), "mode": "hybrid"}
    found = search("harbour floods both", **asked)
    (after,) = answer(update, memory.environ, search)
    assert (after["vectors"], after["unembedded"]) == (before["vectors"] - 1, 0)
    (_,) = answer(search.request("rebuild", model_dir=str(model_dir)), memory.environ, search)
    again = search("harbour floods both", **asked)
    assert [(hit["session"], hit["score"]) for hit in again["hits"]] == [
        (hit["session"], hit["score"]) for hit in found["hits"]
    ]


def test_without_the_libraries_all_vectors_go(
    memory: Filled, search: Asked, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("stays", [said("the anchor holds")])
    session = with_canary(memory, canary)
    search("anchor")
    vectors = states.vectors_of(memory.repository.common_dir)
    (vectors / "model").mkdir(parents=True)

    def miss() -> None:
        raise SemanticLibraryMissing("numpy")

    monkeypatch.setattr(erasing, "load_numpy", miss)
    memory.erase(session)
    erase(search)
    assert not vectors.exists()


def _meanings(memory: Filled, key: str) -> list[int]:
    """Return the keys of the vectors of a session's texts."""
    index = LexicalIndex(folder_of(memory))
    found = index.meanings(index.term("key", key), 100)
    assert found
    return found


def test_process_that_stays_closes_what_has_text_that_is_gone_and_nothing_else(
    memory: Filled, search: Asked, canary: str, seed: int
) -> None:
    fill(memory, search, seed)
    session = with_canary(memory, canary)
    search("anchor")
    staying = Answering(answer)
    (found,) = staying.answer(search.request("search", queries=(canary,)), memory.environ, Relay(len))
    assert found["hits"]
    memory.add("more", [said("the anchor drags")])
    search("anchor")
    assert not staying.is_behind(memory.place, memory.environ)
    assert staying._shelf._opened
    memory.erase(session)
    erase(search)
    assert not staying.is_behind(memory.place, memory.environ)
    assert not staying._shelf._opened
    assert not staying._shelf._answers
