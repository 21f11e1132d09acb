"""What a search finds, how it is narrowed, and what an answer says."""

from __future__ import annotations

from contextlib import closing

import pytest

from gitmem.model.errors.searching import ModelMissing
from gitmem.model.errors.store import NoMemory
from gitmem.model.records import Author
from gitmem.query.filters import Filters
from indexer.upkeep.documents import Documents
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said


def test_hit_says_where_it_is_and_why(memory: Filled, search: Asked) -> None:
    first = {"session": {"id": "tides", "title": "Tide tables", "branch": "main", "model": "m-1"}}
    turn = said("The harbour floods at spring tide.", id="T1", author="Bo", at="2026-05-08T13:56:00Z")
    session = memory.add("tides", [first, turn])
    answer = search("flooding harbours")
    (hit,) = answer["hits"]
    marked = [hit["snippet"][start:end] for start, end in hit.pop("marks")]
    assert marked == ["harbour", "floods"]
    assert hit.pop("score") > 0
    assert hit == {
        "session": "generic/tides",
        "turn": "T1",
        "ordinal": 0,
        "role": "user",
        "at": "2026-05-08T13:56:00.000Z",
        "title": "Tide tables",
        "snippet": "The harbour floods at spring tide.",
        "agent": "generic",
        "model": "m-1",
        "repo": "repository",
        "branch": "main",
        "author": "Bo",
        "captured_by": "ada@example.org",
        "titled_by": ["ada@example.org"],
        "level": "team",
        "id": session,
        "stream": "",
        "line": 1,
        "kind": "message",
        "tool": None,
        "error": False,
    }
    assert answer["mode"] == "lexical"
    assert answer["query"] == "flooding harbours"
    assert answer["took_ms"] >= 0
    with closing(memory.storage()) as storage:
        assert answer["indexed"] == {"commit": memory.memory(storage).commit, "behind": 0, "vectors": 0}


def test_turn_without_an_author_is_by_whoever_brought_its_line_in(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("buoys drift")], author=Author("Ada Example", "ada@example.org"), branch="main")
    memory.add("one", [said("buoys sink")], author=Author("Bo Sample", "bo@example.org"), branch="fix")
    found = {hit["snippet"]: (hit["author"], hit["branch"]) for hit in search("buoys")["hits"]}
    assert found == {"buoys drift": ("Ada Example", "main"), "buoys sink": ("Bo Sample", "fix")}
    assert names_of(search("buoys", Filters(authors=("bo@example.org",)))) == ["one#1"]
    assert names_of(search("buoys", Filters(authors=("ada",)))) == ["one#0"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("readTideTable", True),
        ("tide table", True),
        ("read_depth", True),
        ("depth", True),
        ("src/chart.py", True),
        ("chart.py", True),
        ("read_de*", True),
        ('"read_depth in src"', True),
        ('"depth read"', False),
        ("chartpy", False),
        ("café", True),
        ("CAFE", True),
        ("潮汐", True),
        ("汐潮", False),
        ("潮汐*", True),
        ("ตารางน้ำ", True),
        ("조석표", True),
    ],
)
def test_words_are_found_in_identifiers_paths_and_other_scripts(
    memory: Filled, search: Asked, query: str, found: bool
) -> None:
    memory.add("one", [said("call readTideTable and read_depth in src/chart.py, then drink a café")])
    memory.add("two", [said("潮汐表在哪里？ ตารางน้ำขึ้นน้ำลง 조석표를 보여줘")])
    assert bool(search(query)["hits"]) is found


def test_identifier_as_it_was_written_comes_first(memory: Filled, search: Asked) -> None:
    memory.add("parts", [said("somebody wrote depth, read in there, among many other words of that day")])
    memory.add("whole", [said("somebody wrote read_depth in there, among many other words of that day")])
    assert names_of(search("read_depth"))[0] == "whole#0"


def test_what_a_tool_gave_back_counts_less_than_what_was_said(memory: Filled, search: Asked) -> None:
    memory.add("one", [called("shell", "c1", command="ls"), gave("c1", "anchor anchor anchor")])
    memory.add("two", [said("the anchor holds in mud")])
    assert names_of(search("anchor")) == ["two#0", "one#1"]


def test_words_are_alternatives_and_stop_words_ask_nothing(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("what is the and of when")])
    memory.add("two", [said("a lighthouse")])
    assert names_of(search("what is the lighthouse of when")) == ["two#0"]
    assert names_of(search("what is the")) == ["one#0"]


def test_phrase_has_to_be_there(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the connection was refused")])
    memory.add("two", [said("error: connection refused by the harbour")])
    memory.add("three", [called("shell", "c1"), gave("c1", "connection refused")])
    assert names_of(search('"connection refused"')) == ["two#0", "three#1"]
    assert names_of(search('harbour "connection refused"')) == ["two#0", "three#1"]
    assert search('"refused connection"')["hits"] == []


def test_phrase_that_nobody_wrote_is_searched_for_as_words_if_there_are_others(
    memory: Filled, search: Asked
) -> None:
    memory.add("one", [said("revert the depth sounder")])
    answer = search('revert "sounder of depth"')
    assert names_of(answer) == ["one#0"]
    assert answer["relaxed"] is True


def test_word_that_is_left_out_is_not_there(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("cache with redis")])
    memory.add("two", [said("cache in memory")])
    assert names_of(search("cache -redis")) == ["two#0"]


def test_turns_beside_a_match_rise(memory: Filled, search: Asked) -> None:
    memory.add("alone", [said("the reef is near"), said("nothing"), said("lunch")])
    memory.add("talk", [said("the reef is near!"), said("which reef do you mean, and where"), said("lunch?")])
    assert names_of(search("reef"))[0] == "talk#0"


def test_same_text_is_found_once(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("raise the anchor"), said("raise the anchor")])
    memory.add("two", [said("raise the anchor")])
    assert len(search("anchor")["hits"]) == 1
    assert {hit["session"] for hit in search("anchor", group="session")["hits"]} == {
        "generic/one",
        "generic/two",
    }


def test_outputs_that_differ_only_where_they_are_cut_are_both_found(memory: Filled, search: Asked) -> None:
    lines = []
    for n in range(3):
        output = "gale " + "x" * 1000 + f" cause {n} " + "y" * 600
        lines += [called("shell", f"c{n}"), gave(f"c{n}", output)]
    memory.add("one", lines)
    assert sorted(names_of(search("gale"))) == ["one#1", "one#3", "one#5"]


def test_same_text_by_another_tool_or_of_another_kind_is_found_too(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("reef ahead"), called("radar", "a"), gave("a", "reef ahead")])
    memory.add("two", [called("sonar", "b"), gave("b", "reef ahead")])
    assert sorted(names_of(search("reef"))) == ["one#0", "one#2", "two#1"]


def test_listing_shows_every_turn_whatever_it_says(memory: Filled, search: Asked) -> None:
    memory.add(
        "one", [line for n in range(3) for line in (called("shell", f"c{n}"), gave(f"c{n}", "", True))]
    )
    memory.add("two", [said("yes"), said("yes")])
    assert len(search("", Filters(errors=True))["hits"]) == 3
    assert len(search("", Filters(roles=("user",)))["hits"]) == 2


def test_turns_without_a_text_are_each_their_own(memory: Filled) -> None:
    memory.add("one", [line for n in range(3) for line in (called("shell", f"c{n}"), gave(f"c{n}", ""))])
    with closing(memory.storage()) as storage:
        opened = memory.memory(storage)
        (folder,) = opened.folders()
        empty = [entry for entry in Documents(opened, folder, opened.load(folder)) if not entry.output]
    results = [entry for entry in empty if entry.role == "tool"]
    assert len({entry.digest for entry in results}) == len(results) == 3


def test_session_comes_once_at_its_best_turn(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("a keel"), said("the keel, the keel and the rudder"), said("the rudder")])
    memory.add("two", [said("one keel among a hundred other things that were on the list of that morning")])
    assert names_of(search("keel rudder", group="session")) == ["one#1", "two#0"]


def test_long_session_hides_no_short_ones(memory: Filled, search: Asked) -> None:
    memory.add("giant", [said(f"oakum {n} oakum", at="2026-05-01T00:00:00Z") for n in range(1200)])
    for n in range(5):
        memory.add(f"small{n}", [said(f"oakum and tar and rope {n}", at=f"2026-01-0{n + 1}T00:00:00Z")])
    newest = ["small4#0", "small3#0", "small2#0", "small1#0", "small0#0"]
    listed = names_of(search("", Filters(roles=("user",)), group="session", limit=10))
    assert listed[0].startswith("giant#")
    assert listed[1:] == newest
    found = names_of(search("oakum", group="session", limit=10))
    assert found[0].startswith("giant#")
    assert sorted(found[1:]) == sorted(newest)
    assert len(search("oakum", group="session", limit=3)["hits"]) == 3


def test_many_turns_that_say_the_same_hide_no_others(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("ahoy")] * 1100)
    memory.add("two", [said("ahoy there, and a long answer that has many other words in it")])
    assert len(search("ahoy", limit=10)["hits"]) == 2


def test_title_is_the_given_one_then_the_headers_then_the_first_words(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [{"session": {"id": "one", "title": "From the header"}}, said("moored")])
    memory.add(
        "two", [said("sitting moored", "assistant"), said("First words\nand more"), said("moored twice")]
    )
    titles = {hit["session"]: hit["title"] for hit in search("moored")["hits"]}
    assert titles == {"generic/one": "From the header", "generic/two": "First words"}
    memory.register(one, "title", "Given")
    assert {hit["title"] for hit in search("moored")["hits"]} == {"Given", "First words"}


def test_hidden_session_is_not_found_until_it_is_shown_again(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("a secret cove")])
    memory.add("two", [said("an open cove")])
    assert len(search("cove")["hits"]) == 2
    memory.register(one, "hidden", True)
    assert names_of(search("cove")) == ["two#0"]
    memory.register(one, "hidden", False)
    assert len(search("cove")["hits"]) == 2


def test_subagents_turns_are_found_with_their_stream(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("look at the mast")])
    memory.add("one", [said("the mast is cracked", "assistant")], stream="helper")
    found = {(hit["stream"], hit["ordinal"]) for hit in search("mast")["hits"]}
    assert found == {("", 0), ("helper", 0)}


def test_filters_alone_list_the_latest_turns(memory: Filled, search: Asked) -> None:
    memory.add("one", [said(f"step {n}", at=f"2026-05-0{n}T10:00:00Z") for n in range(1, 6)])
    memory.add("two", [said("no time at all")])
    assert names_of(search("", Filters(roles=("user",)))) == [
        "one#4",
        "one#3",
        "one#2",
        "one#1",
        "one#0",
        "two#0",
    ]
    assert names_of(search("", Filters(roles=("user",)), group="session")) == ["one#4", "two#0"]
    assert search("")["hits"] == []
    assert search("...", Filters(roles=("user",)))["hits"] == []


@pytest.mark.parametrize("letter", ["n", "汐"])
def test_names_too_long_for_a_term_are_found(memory: Filled, search: Asked, letter: str) -> None:
    name = letter * 65_535
    lines = [said("windlass", branch=name), called(name, "c")]
    session = memory.add(name, lines)
    memory.add(name + letter, [said("capstan")])
    memory.register(session, "tags", (letter * 1024,))
    key = f"generic/{name}"
    for narrowed, count in [
        (Filters(sessions=(f"generic/{letter * 1000}",)), 3),
        (Filters(sessions=(key,)), 2),
        (Filters(branches=(name,)), 2),
        (Filters(tags=(letter * 1024,)), 2),
        (Filters(tools=(name,)), 1),
        (Filters(branches=(name[:-1],)), 0),
        (Filters(sessions=(name,)), 0),
    ]:
        assert len(search("", narrowed)["hits"]) == count
    assert search("windlass")["hits"][0]["session"] == key


def test_meaning_needs_a_model(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("sails")])
    with pytest.raises(ModelMissing, match="no embedding model"):
        search("sails", mode="semantic")


def test_repository_without_a_memory_says_so(memory: Filled, search: Asked, git: object) -> None:
    with closing(memory.storage()) as storage:
        tip = storage.read_ref(memory.ref)
        assert tip is not None
    (memory.repository.common_dir / memory.ref).unlink()
    with pytest.raises(NoMemory):
        search("sails")
