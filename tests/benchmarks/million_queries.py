"""What a million turns are asked: words that stand together in a turn, and what a corpus asks itself."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

from indexer.lexical.words import STOP_WORDS
from tests.benchmarks.million_turns import SEED, RealSession

_TRIES = 1_000
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,30}")


def queries(real: Sequence[RealSession], count: int) -> list[str]:
    """Return queries, no two alike; half are the corpus' own, where it has any."""
    rng = random.Random(SEED)
    given = _given()
    rng.shuffle(given)
    found = dict.fromkeys(given[: count // 2])
    turns = [turn for session in real for turn in session.turns if turn.text]
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        every = _WORD.findall(rng.choice(turns).text[:20_000])
        words = [word for word in every if word.lower() not in STOP_WORDS]
        wanted = rng.randrange(2, 7)
        if len(words) >= wanted:
            at = rng.randrange(len(words) - wanted + 1)
            found[" ".join(words[at : at + wanted])] = None
    assert len(found) == count, f"there are no {count} different queries in it"
    ordered = list(found)
    rng.shuffle(ordered)
    return ordered


def _given() -> list[str]:
    corpus = os.environ.get("GITMEM_CORPUS")
    files = sorted(Path(corpus).rglob("queries.jsonl")) if corpus else []
    lines = [line for path in files for line in path.read_text().splitlines()]
    return [json.loads(line)["query"].replace("\n", " ") for line in lines]
