"""What an index hands out: documents that match, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(slots=True)
class Candidate:
    """A document that matches: where it is, what it scored, and what ranking has to know of it.

    `place` is its stream's number and its own together: the turn behind it has the next. `source` tells
    indexes apart that are searched together, and is part of the place then; `cosine` is how near the turn is
    in meaning, `coverage` how much it has of what was asked for. Ranking changes the scores.
    """

    address: Any
    score: float
    session: int
    place: int
    digest: int
    meaning: int
    at_ms: int
    source: int = 0
    cosine: float = 0.0
    coverage: float = 0.0


class Reached(NamedTuple):
    """How far a stream is in the index: its documents, and the chain at the last of them."""

    turns: int
    chain: int


class Counted(NamedTuple):
    """What an index holds."""

    turns: int
    sessions: int


def place_in(source: int, place: int) -> int:
    """Return a document's place among those of several indexes."""
    return place + (source << 64)
