"""Where there are more turns than are ranked: nothing is lost at the edges of what is looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmem.query.filters import Filters
from indexer.requests.answer import answer
from indexer.requests.shelf import Shelf
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, names_of, said

MANY = 2_500


@pytest.fixture
def hybrid(search: Asked, model_dir: Path) -> Callable[..., dict[str, Any]]:
    def ask(query: str, **more: Any) -> dict[str, Any]:
        (_,) = answer(search.request("update", model_dir=str(model_dir)), search.memory.environ, search)
        return search(query, **{"model_dir": str(model_dir), "limit": 10, **more})

    return ask


def test_turns_that_have_all_words_are_not_lost_for_being_many(
    memory: Filled, hybrid: Callable[..., dict[str, Any]]
) -> None:
    memory.add("calls", [called("Bash", f"c{n}", command=f"anchor keel {n}") for n in range(MANY)])
    memory.add("coast", [said("an anchor at the coast"), said("the weather at the coast is cold")])
    for mode in ("lexical", "hybrid"):
        hits = hybrid("anchor keel", mode=mode)["hits"]
        assert sum("keel" in hit["snippet"] for hit in hits) >= 9, mode


def test_text_that_is_said_all_the_time_leaves_room_for_others(
    memory: Filled, hybrid: Callable[..., dict[str, Any]]
) -> None:
    memory.add("often", [said("go on") for _ in range(MANY)])
    memory.add("once", [said("carry on"), said("resume the work"), said("keep going"), said("proceed")])
    for mode in ("semantic", "hybrid"):
        assert len(hybrid("continue please", mode=mode)["hits"]) == 5, mode


def test_what_somebody_said_who_is_named_is_found_among_many(memory: Filled, search: Asked) -> None:
    memory.add("bob", [said(f"anchor {n}", author="Bob") for n in range(900)])
    long = "the anchor that we spoke of, with many other words about this and that and yet another thing"
    memory.add("eve", [said(long, author="Eve")])
    assert names_of(search("eve anchor", limit=3))[0] == "eve#0"


@pytest.mark.parametrize("query", ["deploy", "deplo*", '"deploy"'])
def test_of_many_that_score_alike_the_newest_are_shown(memory: Filled, search: Asked, query: str) -> None:
    for session in range(3):
        at = [f"2026-0{session + 1}-{1 + n // 60:02}T10:{n % 60:02}:00Z" for n in range(800)]
        lines = [said(f"deploy number{session * 800 + n}", at=moment) for n, moment in enumerate(at)]
        memory.add(f"s{session}", lines)
    # The last two have fewer neighbours that lend them something.
    assert names_of(search(query, limit=3)) == ["s2#797", "s2#796", "s2#795"]


def test_order_at_the_edge_is_that_of_an_index_made_anew(memory: Filled, search: Asked) -> None:
    for session in range(5):
        at = [f"2026-03-{1 + n // 60:02}T1{session}:{n % 60:02}:00Z" for n in range(300)]
        lines = [said(f"deploy number{session * 300 + n}", at=moment) for n, moment in enumerate(at)]
        memory.add(f"s{session}", lines)
        search("deploy")
    grown = names_of(search("deploy", limit=20))
    search.status("rebuild")
    assert names_of(search("deploy", limit=20)) == grown


def test_index_of_which_much_was_taken_out_scores_as_one_made_anew_after_an_update(
    memory: Filled, search: Asked
) -> None:
    sessions = [memory.add(name, [said(f"anchor only {name}"), said("keel")]) for name in "abc"]
    search("anchor")
    for n in range(8):
        memory.register(sessions[0], "tags", (f"t{n}",))
        search("anchor")
    search.status("update")
    grown = [(hit["session"], hit["score"]) for hit in search("anchor only keel")["hits"]]
    search.status("rebuild")
    assert [(hit["session"], hit["score"]) for hit in search("anchor only keel")["hits"]] == grown


@pytest.mark.parametrize("how", ["removed", "hidden"])
def test_words_of_a_session_that_is_gone_are_not_offered_and_leave_the_files(
    memory: Filled, search: Asked, how: str
) -> None:
    memory.add("stays", [said("the anchor holds")])
    gone = memory.add("goes", [said("the xylophonic windlass")])
    search("anchor")
    if how == "removed":
        memory.remove(gone)
    else:
        memory.register(gone, "hidden", True)
    assert search("xylophonic")["hits"] == []
    assert "corrected" not in search("xylophonik")
    request = search.request("complete", queries=("xylo",))
    (completed,) = answer(request, memory.environ, search)
    assert completed["words"] == []
    search.status("update")
    root = memory.repository.common_dir / "gitmem" / "index"
    assert not any(b"xylophonic" in path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_answers_that_are_kept_are_bounded_by_their_hits(memory: Filled, search: Asked) -> None:
    memory.add("one", [said(f"oakum {n}") for n in range(300)])
    shelf = Shelf()
    for n in range(60):
        request = search.request("search", queries=(f"oakum {n}",))._replace(limit=300 if n % 2 else 60)
        list(answer(request, memory.environ, search, shelf))
    kept = [len(each["hits"]) for each in shelf._answers.values()]  # type: ignore[arg-type]
    assert kept
    assert max(kept) <= 100
    assert sum(kept) <= 2_000


def test_many_sessions_are_left_out_and_found_again(memory: Filled, search: Asked) -> None:
    for n in range(40):
        memory.add(f"s{n}", [said(f"oakum {n}")])
    assert len(search("oakum", limit=100)["hits"]) == 40
    left = search("oakum", Filters(without=("generic/s1", "generic/s2")), limit=100)
    assert len(left["hits"]) == 40 - 22
    assert {hit["session"] for hit in left["hits"]}.isdisjoint({"generic/s1", "generic/s27"})


def test_query_that_only_leaves_out_lists_the_rest_where_something_narrows_it(
    memory: Filled, search: Asked
) -> None:
    memory.add("one", [said("a test"), said("an anchor")])
    assert names_of(search("-test", Filters(agents=("generic",)))) == ["one#1"]
    assert names_of(search("agent:generic -test")) == ["one#1"]
    assert names_of(search("-test")) == ["one#0"]


def test_memory_that_cannot_be_read_is_searched_as_it_was_indexed(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    before = {path for path in (memory.repository.common_dir / "objects").rglob("*") if path.is_file()}
    memory.add("two", [said("an anchor too")])
    for path in (memory.repository.common_dir / "objects").rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    answer = search("anchor")
    assert names_of(answer) == ["one#0"]
    assert answer["indexed"]["behind"] >= 1
    assert any("indexed before" in notice for notice in search.notices)
