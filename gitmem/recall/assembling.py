"""Which turns answer within a budget, and how much of each: many short ones, of several sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gitmem.recall.likeness import Seen
from gitmem.recall.trimming import telling, trim
from gitmem.recall.turns import Hit, Told
from gitmem.recall.worth import announces, is_routine, tells
from gitmem.recall.writing import Quotation, cost_of

LONG: Final = 80
SHORT: Final = 40
OTHERS: Final = 40
ANSWER: Final = 30
QUESTION: Final = 20
"""Tokens: of one of the first turns, of one behind them, of another session's, of what stands beside."""

FIRST: Final = 5
"""So many turns are long."""

FOR_THE_BEST: Final = 0.5
FOR_OTHERS: Final = 0.4
"""Shares of the budget; docs/decisions/recall.md says what they gain."""

LEAST: Final = 16
"""Tokens that the shortest quotation takes, with its citation."""

_LEAST_TEXT: Final = 8
_LINE_BREAKS: Final = 6
"""Tokens that quoting a text may add to it."""

PLENTY: Final = 3_000
"""Tokens; whoever spends more gets longer turns for it as well."""

Cite = Callable[[Told], tuple[str, str]]
"""The citation of a turn, and the commit that it led to, empty where none is known."""


def assemble(hits: Sequence[Hit], budget: int, cite: Cite) -> list[Quotation]:
    """Return what is quoted of the hits, best first, in at most so many tokens.

    The best take a share of it; then other sessions have a word at their best turn, as many as there is room
    for in another share; what is left is again for the best.
    """
    page = _Page(budget, cite)
    scale = max(1.0, budget / PLENTY)
    worth = [hit for hit in hits if tells(hit.told)] or hits
    ordered = sorted(worth, key=lambda hit: (announces(hit), -hit.told.score))
    for hit in ordered:
        if page.left < budget * (1 - FOR_THE_BEST):
            break
        page.add(hit, int(scale * (LONG if len(page.taken) < FIRST else SHORT)))
    for hit in ordered:
        if page.left < budget * (1 - FOR_THE_BEST - FOR_OTHERS):
            break
        if hit.told.place[:2] not in page.sessions:
            page.add(hit, int(scale * OTHERS), alone=True)
    for hit in ordered:
        if page.left < LEAST:
            break
        page.add(hit, int(scale * SHORT))
    return list(page.taken.values())


class _Page:
    """What has been quoted, and how much room is left."""

    def __init__(self, budget: int, cite: Cite) -> None:
        self.left = budget
        self.taken: dict[tuple[str, str, str, int], Quotation] = {}
        self.sessions: dict[tuple[str, str], Told] = {}
        self._seen, self._cite = Seen(), cite

    def add(self, hit: Hit, tokens: int, *, alone: bool = False) -> None:
        """Quote a hit, and what it needs beside it, as far as that is new and there is room."""
        if hit.told.place in self.taken:
            return
        if (
            not self.taken
        ):  # the best is cut to what room there is, rather than left out for one that is short
            needed = cost_of(Quotation(hit.told, "", *self._cite(hit.told)), None)
            tokens = max(_LEAST_TEXT, min(tokens, self.left - needed - _LINE_BREAKS))
        for quotation in _with_neighbours(hit, tokens):
            told = quotation.told
            session = told.place[:2]
            if told.place not in self.taken and quotation.text and not self._seen.has_like(quotation.text):
                found, commit = self._cite(told)
                quotation = quotation._replace(cite=found, commit=commit)
                needed = cost_of(quotation, self.sessions.get(session))
                if needed <= self.left:
                    self.left -= needed
                    self.taken[told.place] = quotation
                    self.sessions.setdefault(session, told)
            if alone:
                break


def _with_neighbours(hit: Hit, tokens: int) -> Iterator[Quotation]:
    """Yield a turn, and what it cannot be understood without: an answer, what a call came to."""
    told = hit.told
    yield Quotation(told, trim(told.passage, tokens))
    behind = [one for one in hit.beside if one.ordinal > told.ordinal]
    before = [one for one in reversed(hit.beside) if one.ordinal < told.ordinal]
    match told.kind:
        case "tool_call":
            for one in behind[:1]:
                if one.kind == "tool_result" and not is_routine(one):
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
