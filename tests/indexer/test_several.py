"""Several repositories are searched as if they were one."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import tantivy

from gitmem.model.errors.store import NoMemory
from gitmem.query.filters import Filters
from gitmem.query.text import Term
from gitmem.sidecar.wire import Place
from indexer.finding.spread import Spread, rarity
from indexer.lexical import LexicalIndex
from indexer.upkeep import state as states
from tests.conftest import RealGit
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, names_of, said


class Fleet:
    """Repositories by name, each with a memory, that are asked together."""

    def __init__(self, folder: Path, git: RealGit, environ: Mapping[str, str]) -> None:
        self.folder, self.git, self.environ = folder, git, environ
        self.memories: dict[str, Filled] = {}

    def __getitem__(self, name: str) -> Filled:
        if name not in self.memories:
            self.memories[name] = Filled(self.bare(name), self.environ)
        return self.memories[name]

    def bare(self, name: str) -> Path:
        """Make a repository without a memory."""
        top = self.folder / name
        self.git("init", "--quiet", str(top), cwd=self.folder)
        self.git.commit(top)
        return top

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(memory.place for memory in self.memories.values())

    def __call__(self, query: str, filters: Filters | None = None, **changes: Any) -> dict[str, Any]:
        changes = {"places": self.places, **changes}
        return Asked(next(iter(self.memories.values())))(query, filters or Filters(), **changes)


@pytest.fixture
def fleet(tmp_path: Path, git: RealGit, environ: Mapping[str, str]) -> Fleet:
    (tmp_path / "fleet").mkdir()
    return Fleet(tmp_path / "fleet", git, environ)


@pytest.fixture
def three(fleet: Fleet) -> Fleet:
    fleet["brig"].add("b", [said("the anchor of the brig"), said("its rudder", "assistant")])
    fleet["cutter"].add("c", [said("the anchor of the cutter")])
    fleet["dinghy"].add("d", [said("no such thing but a rudder in the dinghy")])
    return fleet


def test_hits_of_all_say_which_repository_they_are_of(three: Fleet) -> None:
    assert where(three("anchor")) == {("brig", "b#0"), ("cutter", "c#0")}
    assert where(three("rudder")) == {("brig", "b#1"), ("dinghy", "d#0")}
    assert where(three("", Filters(roles=("user",)))) == {
        ("brig", "b#0"),
        ("cutter", "c#0"),
        ("dinghy", "d#0"),
    }


def test_answer_says_how_far_each_index_is(three: Fleet) -> None:
    indexed = three("anchor")["indexed"]
    assert [each["repo"] for each in indexed["repos"]] == ["brig", "cutter", "dinghy"]
    tips = [
        fleet.git.run(["rev-parse", fleet.ref], doing="look", cwd=fleet.top).text
        for fleet in three.memories.values()
    ]
    assert [each["commit"] for each in indexed["repos"]] == tips
    assert indexed["commit"] == tips[0]
    assert indexed["behind"] == 0


def test_repositories_are_narrowed_by_name(three: Fleet) -> None:
    assert where(three("anchor", Filters(repos=("cutter",)))) == {("cutter", "c#0")}
    assert where(three("anchor repo:brig")) == {("brig", "b#0")}
    assert where(three("anchor repo:brig repo:cutter")) == {("brig", "b#0"), ("cutter", "c#0")}
    assert where(three("anchor -repo:brig")) == {("cutter", "c#0")}
    assert where(three("", Filters(repos=("dinghy",)))) == {("dinghy", "d#0")}
    assert where(three("anchor", Filters(repos=("galleon",)))) == set()


def test_hits_are_counted_over_all(three: Fleet) -> None:
    facets = three("anchor rudder", facets=("repo", "role", "agent"))["facets"]
    assert facets == {
        "repo": {"brig": 2, "cutter": 1, "dinghy": 1},
        "role": {"user": 3, "assistant": 1},
        "agent": {"generic": 4},
    }
    assert three("cutter", facets=("repo",))["facets"] == {"repo": {"cutter": 1}}


def test_repository_without_a_memory_is_left_out(three: Fleet, git: RealGit) -> None:
    empty = three["brig"].place._replace(common_dir=str(three.bare("empty") / ".git"), name="empty")
    gone = empty._replace(common_dir=str(three.folder / "nowhere"), start=str(three.folder / "nowhere"))
    for places in ((empty, *three.places), (*three.places, gone), (gone, *three.places, empty)):
        answer = three("anchor", places=places)
        assert where(answer) == {("brig", "b#0"), ("cutter", "c#0")}
        assert [each["repo"] for each in answer["indexed"]["repos"]] == ["brig", "cutter", "dinghy"]
    for places in ((empty,), (empty, gone)):
        with pytest.raises(NoMemory):
            three("anchor", places=places)


def test_repository_that_is_none_any_more_is_left_out_and_named(three: Fleet) -> None:
    lost = three["brig"]
    shutil.rmtree(lost.top / ".git" / "objects")
    shutil.rmtree(lost.top / ".git" / "gitmem", ignore_errors=True)
    asked = Asked(lost)
    (found,) = [asked("anchor", places=three.places)]
    assert where(found) == {("cutter", "c#0")}
    assert any("searched without brig" in notice for notice in asked.notices)


def test_damaged_index_of_one_is_made_anew(three: Fleet) -> None:
    three("anchor")
    folder = three["cutter"].repository.common_dir / "gitmem/index/lexical"
    segments = [path for path in folder.rglob("*") if path.suffix in (".store", ".term", ".idx")]
    assert segments
    for path in segments:
        path.write_bytes(b"\0" * path.stat().st_size)
    assert where(three("anchor")) == {("brig", "b#0"), ("cutter", "c#0")}


def test_session_in_two_repositories_is_found_once_in_each_way(fleet: Fleet) -> None:
    lines = [said("the anchor holds"), said("the anchor drags")]
    for name in ("brig", "cutter"):
        fleet[name].add("same", lines)
    fleet["cutter"].add("other", [said("an anchor of another kind, and a long talk about many other things")])
    assert sorted(names_of(fleet("anchor"))) == ["other#0", "same#0", "same#1"]
    assert sorted(names_of(fleet("anchor", group="session"))) in (
        ["other#0", "same#0"],
        ["other#0", "same#1"],
    )
    assert len(fleet("anchor", group="session", limit=2)["hits"]) == 2


def test_many_sessions_in_both_hide_no_others(fleet: Fleet) -> None:
    for name in ("brig", "cutter"):
        for n in range(2):
            fleet[name].add(f"long{n}", [said(f"oakum {n} {m} oakum") for m in range(520)])
    fleet["cutter"].add("short", [said("oakum and tar and rope")])
    assert {name.partition("#")[0] for name in names_of(fleet("oakum", group="session", limit=3))} == {
        "long0",
        "long1",
        "short",
    }


def test_neighbours_lend_within_one_repository_alone(fleet: Fleet) -> None:
    fleet["brig"].add("talk", [said("the reef is near"), said("which reef do you mean")])
    fleet["cutter"].add("talk2", [said("the reef is near!"), said("lunch")])
    assert names_of(fleet("reef near"))[0] == "talk#0"


def test_phrase_that_one_repository_has_is_not_relaxed_in_the_other(fleet: Fleet) -> None:
    fleet["brig"].add("b", [said("connection refused by the harbour")])
    fleet["cutter"].add("c", [said("refused a connection to the harbour")])
    assert where(fleet('harbour "connection refused"')) == {("brig", "b#0")}


def test_typo_is_corrected_by_what_any_repository_has(three: Fleet) -> None:
    answer = three("dinhgy")
    assert answer["corrected"] == {"dinhgy": "dinghy"}
    assert where(answer) == {("dinghy", "d#0")}


def test_term_counts_in_each_index_as_in_all_of_them(three: Fleet) -> None:
    three("anchor")
    indexes = [opened(memory) for memory in three.memories.values()]
    size = sum(index.size for index in indexes)
    spread = Spread(indexes)
    assert spread.count("body", "anchor") == 2
    assert spread.rarity("anchor") == pytest.approx(math.log(1 + (size - 2 + 0.5) / 2.5))
    for index in indexes:
        factor = spread.factor(index, "exact", "anchor")
        here = rarity(index.spread("exact", "anchor"), index.size)
        assert here * factor == pytest.approx(rarity(2, size))
        both = sum(rarity(index.spread("exact", word), index.size) for word in ("the", "anchor"))
        phrase = spread.factor(index, "exact", "the", "anchor")
        assert both * phrase == pytest.approx(rarity(spread.count("exact", "the"), size) + rarity(2, size))
        assert spread.factor(index, "exact") == 1.0
    beginning = tantivy.Query.fuzzy_term_query(indexes[0].schema, "exact", "anch", distance=0, prefix=True)
    assert spread.matching(Term("prefix", "anch"), lambda each: each.matching(beginning)) == 2
    assert Spread(indexes[:1]).factor(indexes[0], "exact", "anchor") == 1.0


def test_word_that_everything_has_still_counts_for_something() -> None:
    assert 0 < rarity(100, 100) < rarity(99, 100) < rarity(0, 100)
    assert rarity(120, 100) > 0  # of deleted documents the words are counted until they are merged away


def opened(memory: Filled) -> LexicalIndex:
    root = states.root_of(memory.repository.common_dir)
    state = states.load(root)
    assert isinstance(state, states.State)
    return LexicalIndex(root / state.folder)


VOCABULARY = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in ("rk", "mble", "stor")]
PHRASES = ["src/tide.py", "read_depth", "readTideTable", "潮汐"]


@pytest.mark.parametrize("count", [2, 3])
def test_order_is_that_of_one_index_that_holds_all(fleet: Fleet, seed: int, count: int) -> None:
    rng = random.Random(seed)
    names = ["brig", "cutter", "dinghy"][:count]
    # Each repository talks of other things, so that a word is rare in one and common in another.
    for at, name in enumerate(names):
        weights = [10 if n % count == at else 1 for n in range(len(VOCABULARY))]
        for n in range(25):
            lines = [said(text(rng, weights, name, n, m)) for m in range(rng.randint(1, 4))]
            fleet[name].add(f"{name}{n}", lines)
            fleet["all"].add(f"{name}{n}", lines)
    places = tuple(fleet[name].place for name in names)
    for _ in range(25):
        query = " ".join(rng.sample(VOCABULARY, rng.randint(1, 4)))
        if rng.random() < 0.4:
            query += " " + rng.choice([*PHRASES, "ba*", "fo*"])
        together = fleet(query, places=places, limit=40)
        alone = fleet(query, places=(fleet["all"].place,), limit=40)
        assert len(together["hits"]) == len(alone["hits"]) > 0
        # BM25 also looks at how long texts are on average, which is each index's own.
        assert overlap(together, alone, 10) >= 9, query


def text(rng: random.Random, weights: Sequence[int], name: str, n: int, m: int) -> str:
    words = rng.choices(VOCABULARY, weights, k=20)
    if rng.random() < 0.3:
        words[3] = rng.choice(PHRASES)
    return " ".join([*words, f"unique{name}{n}x{m}"])


def overlap(one: dict[str, Any], other: dict[str, Any], count: int) -> int:
    """Count what the best of two answers have in common; of equals at the end, any may be among them."""
    least = other["hits"][:count][-1]["score"]
    best = set(names_of(one)[:count])
    good = {name for name, hit in zip(names_of(other), other["hits"], strict=True) if hit["score"] >= least}
    return len(best & good) + (count - min(count, len(best)))


def where(answer: dict[str, Any]) -> set[tuple[str, str]]:
    found = [(hit["repo"], name) for hit, name in zip(answer["hits"], names_of(answer), strict=True)]
    assert len(set(found)) == len(found)
    return set(found)
