"""Which turns answer within a budget, and how much of each: enough to be understood, of several sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gitmem.recall.likeness import Seen
from gitmem.recall.trimming import telling, tokens_of, trim
from gitmem.recall.turns import Hit, Told
from gitmem.recall.worth import announces, is_routine, tells
from gitmem.recall.writing import Quotation, cost_of, cost_of_example

LONG: Final = 600
SHORT: Final = 280
BESIDE: Final = 160
"""Characters: of one of the first turns, of one behind them, of what stands beside."""

FIRST: Final = 5
"""So many turns are long."""

_DENSE: Final = 2.5
"""Characters that a token has at least, where it is said how many are shown: other scripts show fewer."""

FOR_THE_BEST: Final = 0.25
FOR_OTHERS: Final = 0.7
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
    worth = [hit for hit in hits if tells(hit.told)] or hits
    ordered = sorted(worth, key=lambda hit: (announces(hit), -hit.told.score))
    for hit in ordered:
        if page.left < budget * (1 - FOR_THE_BEST):
            break
        page.add(hit, LONG if len(page.taken) < FIRST else SHORT)
    for hit in ordered:
        if page.left < budget * (1 - FOR_THE_BEST - FOR_OTHERS):
            break
        if hit.told.place[:2] not in page.sessions:
            page.add(hit, SHORT, alone=True)
    for hit in ordered:
        if page.left < LEAST:
            break
        page.add(hit, SHORT)
    return list(page.taken.values())


class _Page:
    """What has been quoted, and how much room is left."""

    def __init__(self, budget: int, cite: Cite) -> None:
        self.left = budget
        self.taken: dict[tuple[str, str, str, int], Quotation] = {}
        self.sessions: dict[tuple[str, str], Quotation] = {}
        self._seen, self._cite = Seen(), cite
        self._scale = max(1.0, budget / PLENTY)

    def add(self, hit: Hit, characters: int, *, alone: bool = False) -> None:
        """Quote so much of a hit, and what it needs beside it, as far as that is new and there is room."""
        if hit.told.place in self.taken:
            return
        tokens = self._room(hit.told, characters)
        if not self.taken:
            # The best is cut to what room there is, rather than left out for one that is short.
            best = Quotation(hit.told, "", *self._cite(hit.told))
            needed = cost_of(best, None) + cost_of_example(best)
            tokens = max(_LEAST_TEXT, min(tokens, self.left - needed - _LINE_BREAKS))
        for told, text in self._with_neighbours(hit, tokens):
            if told.place not in self.taken and text and not self._seen.has_like(text):
                session = told.place[:2]
                quotation = Quotation(told, text, *self._cite(told))
                needed = cost_of(quotation, self.sessions.get(session))
                needed += 0 if self.taken else cost_of_example(quotation)
                if needed <= self.left:
                    self.left -= needed
                    self.taken[told.place] = quotation
                    self.sessions.setdefault(session, quotation)
            if alone:
                break

    def _with_neighbours(self, hit: Hit, tokens: int) -> Iterator[tuple[Told, str]]:
        """Yield a turn, and what it cannot be understood without: an answer, what a call came to."""
        told = hit.told
        yield told, trim(told.passage, tokens)
        behind = [one for one in hit.beside if one.ordinal > told.ordinal]
        before = [one for one in reversed(hit.beside) if one.ordinal < told.ordinal]
        match told.kind:
            case "tool_call":
                for one in behind[:1]:
                    if one.kind == "tool_result" and not is_routine(one):
                        yield one, telling(one.passage.text, self._room(one, BESIDE))
            case "tool_result":
                for one in before[:1]:
                    if one.kind == "tool_call":
                        yield one, trim(one.passage, self._room(one, BESIDE))
            case "message" if _asks(told):
                for one in behind:
                    if one.kind == "message" and one.role != told.role:
                        yield one, trim(one.passage, self._room(one, BESIDE))
                        break
            case "message":
                for one in before[:1]:
                    if one.kind == "message" and one.role != told.role and _asks(one):
                        yield one, trim(one.passage, self._room(one, BESIDE))

    def _room(self, told: Told, characters: int) -> int:
        """Return how many tokens so many characters of a turn may take."""
        characters = int(self._scale * characters)
        return min(tokens_of(told.passage.text, characters), int(characters / _DENSE))


def _asks(told: Told) -> bool:
    return "?" in told.passage.text[-200:]
