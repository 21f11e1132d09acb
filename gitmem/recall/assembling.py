"""Which turns answer within a budget, and how much of each: many short ones, of several sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gitmem.recall.likeness import Seen
from gitmem.recall.trimming import telling, trim
from gitmem.recall.turns import Hit, Told
from gitmem.recall.writing import Quotation, cost_of

LONG: Final = 110
SHORT: Final = 60
FIRST: Final = 5
AGAIN: Final = 0.93
ANSWER: Final = 45
QUESTION: Final = 30


Cite = Callable[[Told], tuple[str, str]]
"""The citation of a turn, and the commit that it led to, empty where none is known."""


def assemble(hits: Sequence[Hit], budget: int, cite: Cite) -> list[Quotation]:
    """Return what is quoted of the hits, best first, in at most so many tokens.

    A hit of a session that has been quoted counts less each time, so that several sessions have their say.
    """
    seen = Seen()
    taken: dict[tuple[str, str, str, int], Quotation] = {}
    sessions: dict[tuple[str, str], int] = {}
    left = list(hits)
    while left:
        best = max(
            left, key=lambda hit: hit.told.score * AGAIN ** sessions.get((hit.told.repo, hit.told.id), 0)
        )
        left.remove(best)
        if best.told.place in taken:
            continue
        tokens = LONG if len(taken) < FIRST else SHORT
        for quotation in _with_neighbours(best, tokens):
            told = quotation.told
            session = (told.repo, told.id)
            if told.place in taken or not quotation.text or seen.has_like(quotation.text):
                continue
            found, commit = cite(told)
            quotation = quotation._replace(cite=found, commit=commit)
            needed = cost_of(quotation, session not in sessions)
            if needed > budget:
                continue
            budget -= needed
            taken[told.place] = quotation
            sessions[session] = sessions.get(session, 0) + 1
    return list(taken.values())


def _with_neighbours(hit: Hit, tokens: int) -> Iterator[Quotation]:
    """Yield a turn, and what it cannot be understood without: an answer, what a call came to."""
    told = hit.told
    yield Quotation(told, trim(told.passage, tokens))
    behind = [one for one in hit.beside if one.ordinal > told.ordinal]
    before = [one for one in reversed(hit.beside) if one.ordinal < told.ordinal]
    match told.kind:
        case "tool_call":
            for one in behind[:1]:
                if one.kind == "tool_result":
                    yield Quotation(one, telling(one.passage.text, ANSWER))
        case "tool_result":
            for one in before[:1]:
                if one.kind == "tool_call":
                    yield Quotation(one, trim(one.passage, QUESTION))
        case "message" if _asks(told):
            for one in behind:
                if one.kind == "message" and one.role != told.role:
                    yield Quotation(one, trim(one.passage, ANSWER))
                    break
        case "message":
            for one in before[:1]:
                if one.kind == "message" and one.role != told.role and _asks(one):
                    yield Quotation(one, trim(one.passage, QUESTION))


def _asks(told: Told) -> bool:
    return "?" in told.passage.text[-200:]
