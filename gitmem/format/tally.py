"""What a union has come to so far: an outcome for each session, what arrived, and what was kept out."""

from __future__ import annotations

from collections import Counter

from gitmem.format.layout import EntryKind
from gitmem.format.outcomes import Outcome, Refusal, Side
from gitmem.model.ids import SessionId
from gitmem.objects.trees import Path

_SHOWN_CHARACTERS = 300
_MAX_LISTED = 1000
"""Refusals that are listed; whoever has more looks at what is wrong with the first."""


class Tally:
    """Outcomes, refusals and arrivals of one union on its way.

    `refused` counts how often anything was refused, the same thing again included.
    """

    def __init__(self) -> None:
        self.outcomes: dict[SessionId, Outcome] = {}
        self.arrived: Counter[EntryKind] = Counter()
        self.refused = self.unlisted = 0
        self._listed: dict[tuple[Path, Side], Refusal] = {}

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What was kept out, as far as it is listed."""
        return tuple(self._listed.values())

    def conclude(self, path: Path, outcome: Outcome) -> None:
        """Say what became of the session of a folder; of a note nothing is said."""
        if path[0] == "sessions":
            self.outcomes[SessionId("".join(path[1:]))] = outcome

    def refuse(self, path: Path, side: Side, why: str) -> bool:
        """Report, once, what stays out; return whether it is listed."""
        self.refused += 1
        is_listed = (path, side) in self._listed or len(self._listed) < _MAX_LISTED
        if is_listed:
            self._listed[path, side] = Refusal("/".join(path)[:_SHOWN_CHARACTERS], side, why)
        else:
            self.unlisted += 1
        return is_listed

    def count_refusals(self) -> int:
        """Return how many places something was kept out of."""
        return len(self._listed) + self.unlisted
