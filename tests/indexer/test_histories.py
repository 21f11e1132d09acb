"""Forks, and histories at random: an index that followed them is one that was made anew."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from typing import Any

from gitmem.model.ids import SessionId
from gitmem.query.filters import Filters
from indexer.upkeep import state as states
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, names_of, said

WORDS = [
    "anchor",
    "buoy",
    "chart",
    "deck",
    "ebb",
    "fender",
    "galley",
    "hull",
    "inlet",
    "jetty",
    "keel",
    "ledge",
]


def forked(name: str, origin: str, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"session": {"id": name, "forked_from": origin}}, *lines]


SHARED = [said(f"the anchor drags, {n}", id=f"p{n}") for n in range(3)]


def test_fork_gives_up_what_it_repeats_when_its_origin_arrives(memory: Filled, search: Asked) -> None:
    memory.add("child", forked("child", "parent", *SHARED, said("the child sings", id="c")))
    assert names_of(search("sings")) == ["child#3"]
    memory.add("parent", SHARED)
    assert names_of(search("sings")) == ["child#0"]
    assert {name.partition("#")[0] for name in names_of(search("drags"))} == {"parent"}


def test_fork_gives_up_what_its_origin_says_too_by_growing(memory: Filled, search: Asked) -> None:
    memory.add("parent", SHARED[:1])
    memory.add("child", forked("child", "parent", *SHARED, said("the child sings", id="c")))
    assert names_of(search("sings")) == ["child#2"]
    memory.add("parent", SHARED[1:])
    assert names_of(search("sings")) == ["child#0"]


def test_fork_has_all_of_its_turns_again_when_its_origin_goes(memory: Filled, search: Asked) -> None:
    parent = memory.add("parent", SHARED)
    memory.add("child", forked("child", "parent", *SHARED, said("the child sings", id="c")))
    assert names_of(search("sings")) == ["child#0"]
    memory.remove(parent)
    assert names_of(search("sings")) == ["child#3"]
    assert sorted(names_of(search("drags"))) == ["child#0", "child#1", "child#2"]


def test_fork_whose_origin_only_got_a_title_is_not_read_again(memory: Filled, search: Asked) -> None:
    parent = memory.add("parent", SHARED)
    memory.add("child", forked("child", "parent", *SHARED))
    search("drags")
    memory.register(parent, "title", "Anchors")
    search.progressed.clear()
    search("drags")
    assert search.progressed == [(0, 1)]


def everything(search: Asked, group: str) -> list[list[dict[str, Any]]]:
    """Return the hits of many queries, without what differs from run to run."""
    return [search(query, group=group)["hits"] for query in [*WORDS, "anchor hull keel"]]


def test_index_that_only_grew_answers_as_one_made_anew(memory: Filled, search: Asked, seed: int) -> None:
    dice = random.Random(seed)
    for n in range(6):
        # A title that came later would replace the session's card, and the old one weighs until it is merged.
        memory.add(f"s{n}", [{"session": {"id": f"s{n}", "title": f"title {n}"}}])
    for _ in range(12):
        lines = [
            said(" ".join(dice.choices(WORDS, k=dice.randint(1, 12)))) for _ in range(dice.randint(1, 5))
        ]
        memory.add(f"s{dice.randrange(6)}", lines, stream=dice.choice(["", "", "helper"]))
        if dice.random() < 0.5:
            search.status("update")
    search.status("update")
    grown = everything(search, "turn") + everything(search, "session")
    search.status("rebuild")
    assert everything(search, "turn") + everything(search, "session") == grown
    assert any(grown)


def test_index_of_any_history_finds_what_one_made_anew_finds(
    memory: Filled, search: Asked, seed: int
) -> None:
    dice = random.Random(seed)
    sessions: dict[str, SessionId] = {}
    shared = [said(" ".join(dice.choices(WORDS, k=6)) + f" {n}", id=f"shared-{n}") for n in range(6)]
    for _ in range(35):
        name = f"s{dice.randrange(5)}"
        lines = [
            said(" ".join(dice.choices(WORDS, k=6)) + f" {dice.random()}") for _ in range(dice.randint(1, 4))
        ]
        match dice.randrange(10):
            case 0 | 1:
                sessions[name] = memory.add(name, lines, stream=dice.choice(["", "helper"]))
            case 2 | 3:
                header = [] if name in sessions else forked(name, f"s{dice.randrange(5)}")
                repeated = [dict(line) for line in shared[: dice.randint(1, 6)]]
                sessions[name] = memory.add(name, [*header, *repeated, *lines])
            case 4 if name in sessions and (sessions[name], "") in memory.lines:
                kept = dice.randint(0, memory.lines[sessions[name], ""])
                memory.add(name, lines, keep=kept)
            case 5 if name in sessions:
                memory.register(sessions[name], "hidden", dice.random() < 0.5)
            case 6 if name in sessions:
                memory.register(sessions[name], "title", f"title {dice.random()}")
            case 7 if name in sessions:
                memory.register(sessions[name], "tags", tuple(dice.sample(WORDS, dice.randint(0, 2))))
            case 8 if name in sessions:
                memory.register(sessions[name], "level", dice.choice(["private", "team", "public"]))
            case 9 if name in sessions:
                memory.remove(sessions.pop(name))
        if dice.random() < 0.6:
            search.status("update")
    search.status("update")
    followed = found_anyhow(search)
    counted = search.status()
    rebuilt_state = search.status("rebuild")
    assert found_anyhow(search) == followed
    assert any(followed)
    assert (counted["turns"], counted["sessions"]) == (rebuilt_state["turns"], rebuilt_state["sessions"])


def found_anyhow(search: Asked) -> list[list[str]]:
    """Return what is found by words, by tags and by levels."""
    narrowed = [Filters(tags=(tag,)) for tag in WORDS]
    narrowed += [Filters(levels=(level,)) for level in ("private", "team", "public")]
    hits = everything(search, "turn") + [search("", filters)["hits"] for filters in narrowed]
    return [found(each) for each in hits]


def found(hits: list[dict[str, Any]]) -> list[str]:
    """Return what was found, whatever it scored: turns taken out still weigh until their files are merged."""
    return sorted(repr({**hit, "score": None}) for hit in hits)


def test_erased_tree_of_the_past_is_not_needed(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("an anchor")])
    search("anchor")
    memory.add("two", [said("an anchor too")])
    root = states.root_of(memory.repository.common_dir)
    loaded = states.load(root)
    assert isinstance(loaded, states.State)
    states.publish(root, replace(loaded, tree="1" * 40))
    assert len(search("anchor")["hits"]) == 2
    with closing(memory.storage()) as storage:
        state = states.load(root)
        assert isinstance(state, states.State)
        assert state.tree == memory.memory(storage).root
