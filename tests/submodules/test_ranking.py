"""The hits of many repositories come in the order that one index of everything gives, or nearly.

What is left between them is how long the turns of each index are on average, which BM25 takes from each alone:
terms weigh the same, and so do filters, neighbours and sessions.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gitmem.query.narrowing import Narrowed
from gitmem.query.text import Query
from gitmem.sidecar.wire import Request
from indexer.finding.legs import MEANT, nearest_texts
from indexer.finding.matching import Asked as Matched
from indexer.finding.spread import Spread
from indexer.requests.answer import answer
from tests.conftest import RealGit
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, said

TOPICS = ("harbour", "anchor", "rudder", "sail", "keel")
WORDS = [f"word{n}" for n in range(120)]
QUERIES = [*TOPICS, "harbour word3", "anchor rudder word7", "sail word11 word2", "keel word40", "word5 word9"]
SHOWN = 10


def turns(topic: str, rng: random.Random) -> list[str]:
    """Return turns of a session: in one that is about a topic its word is common, in others rare."""
    found = []
    for _ in range(6):
        words = [WORDS[min(int(rng.expovariate(0.06)), len(WORDS) - 1)] for _ in range(rng.randint(5, 40))]
        words += [topic] * rng.randint(0, 3)
        words += [rng.choice(TOPICS)] if rng.random() < 0.2 else []
        rng.shuffle(words)
        found.append(" ".join(words))
    return found


@pytest.fixture
def apart_and_together(
    tmp_path: Path, git: RealGit, environ: Mapping[str, str], seed: int
) -> tuple[list[Filled], Filled]:
    """Return repositories of a topic each, and one that has everything."""
    rng = random.Random(seed)

    def made(name: str) -> Filled:
        git("init", "--quiet", str(tmp_path / name), cwd=tmp_path)
        return Filled(tmp_path / name, environ)

    together, apart = made("together"), []
    for topic in TOPICS:
        apart.append(made(topic))
        for n in range(4):
            lines = [said(text) for text in turns(topic, rng)]
            for memory in (apart[-1], together):
                memory.add(f"{topic}{n}", lines)
    return apart, together


def ranked(memories: list[Filled], query: str) -> list[str]:
    places = tuple(memory.place for memory in memories)
    request = Request("search", places, queries=(query,), limit=SHOWN, catch_up_ms=60_000, mode="lexical")
    (found,) = answer(request, memories[0].environ, Asked(memories[0]))
    return [f"{hit['session']}#{hit['ordinal']}" for hit in found["hits"]]


def agreement(apart: list[Filled], together: Filled) -> tuple[float, float]:
    """Return which share of the first hits is the same, and how many pairs of those stand in one order."""
    shared, pairs, kept = [], 0, 0
    for query in QUERIES:
        one, many = ranked([together], query), ranked(apart, query)
        common = [hit for hit in one if hit in many]
        shared.append(len(common) / max(1, len(one)))
        for n, first in enumerate(common):
            for second in common[n + 1 :]:
                pairs += 1
                kept += many.index(first) < many.index(second)
    return sum(shared) / len(shared), kept / max(1, pairs)


def test_hits_of_many_stand_nearly_as_those_of_one_index(
    apart_and_together: tuple[list[Filled], Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, in_order = agreement(*apart_and_together)
    monkeypatch.setattr(Spread, "factor", lambda *_: 1.0)
    shared_by_each_alone, in_order_by_each_alone = agreement(*apart_and_together)
    print(f"same hits {shared:.3f} (by each alone {shared_by_each_alone:.3f})")
    print(f"same order {in_order:.3f} (by each alone {in_order_by_each_alone:.3f})")
    assert shared >= 0.9
    assert in_order >= 0.9
    assert shared > shared_by_each_alone


class Near:
    """Stands for vectors: the keys of an index, each with its score."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores
        self.count = len(scores)

    def nearest(self, _: object, limit: int) -> tuple[list[int], list[float]]:
        keys = sorted(range(self.count), key=lambda key: -self._scores[key])[:limit]
        return keys, [self._scores[key] for key in keys]

    def scores(self, _: object, keys: list[int]) -> list[float]:
        return [self._scores[key] for key in keys]


def test_texts_that_join_are_the_nearest_of_all_together() -> None:
    matched = Matched(None, None, 0.0, {}, None, None)
    matcher = SimpleNamespace(match=lambda *_, **__: matched)
    near = [Near(*(0.9 - 0.001 * n for n in range(MEANT))), Near(0.95, 0.1), Near(), None]
    sources: Any = [SimpleNamespace(vectors=each, matcher=matcher) for each in near]
    request = Request("search", (), queries=("x",))
    asked = Narrowed(Query(), (), ())
    found = nearest_texts(sources, asked, request, Any, strictly=True)  # type: ignore[arg-type]
    assert [len(keys) for keys in found] == [MEANT - 1, 1, 0, 0]
    assert found[1] == [0]
    assert found[0][0] == 0
    few = nearest_texts(sources[1:], asked, request, Any, strictly=True)  # type: ignore[arg-type]
    assert few == [[0, 1], [], []]
