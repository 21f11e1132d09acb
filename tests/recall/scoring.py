"""How good an order of hits is: recall, the first right one's rank, and gain discounted by rank."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

DEPTH = 10


class Score(NamedTuple):
    """Means over `n` queries; each between 0 and 1."""

    n: int
    recall_1: float
    recall_5: float
    recall_10: float
    mrr_10: float
    ndcg_10: float


def mean_score(ranked: Iterable[Sequence[str]], golds: Iterable[Collection[str]]) -> Score:
    """Score the answers to queries, best hits first, against what should have been found."""
    rows = [_score(list(dict.fromkeys(one)), set(gold)) for one, gold in zip(ranked, golds, strict=True)]
    assert rows, "there are queries"
    return Score(len(rows), *(sum(column) / len(rows) for column in zip(*rows, strict=True)))


def _score(ranked: Sequence[str], gold: set[str]) -> tuple[float, ...]:
    at = [place for place, name in enumerate(ranked[:DEPTH]) if name in gold]
    gain = sum(1 / math.log2(place + 2) for place in at)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(DEPTH, len(gold))))
    recalls = (len(gold.intersection(ranked[:depth])) / len(gold) for depth in (1, 5, DEPTH))
    return (*recalls, 1 / (at[0] + 1) if at else 0.0, gain / ideal)
