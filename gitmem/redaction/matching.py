"""One rule at work in one reading: what it finds, and what may not be found.

Invariant: nothing here takes more than linear time, checks in Python included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gitmem.redaction.checks import CHECKS
from gitmem.redaction.expressions import compiled, expression
from gitmem.redaction.rules import LEFT, Group, Rule
from gitmem.redaction.views import View, innermost

if TYPE_CHECKING:
    import re2

MOST_CHECKED = 2000
"""Different values of one text that Python is asked about; what comes after is what its form says."""

LONGEST_CHECKED = 4 << 10
"""Bytes of a value that Python is asked about: what is checked is shorter, and a check may be quadratic."""

_BEFORE = r"(?:^|[^A-Za-z0-9]|\\[bfnrt]|\\u00[0-9a-fA-F]{2}|%[0-9A-F]{2}|\\x[0-9a-fA-F]{2})$"
_ITS_END = re.compile(r"(?:\(\?:\\b\|_\)|\(\?:\[\^[^\]]*\]\|\$\))$")
"""What in a pattern tells where a secret ends: its last characters may have come from the next line."""
_GUESSED = re.compile(r"^assigned-|^authorization|^session-|-password$|-header$")
"""Kinds of values that may look like anything: put together with the next line, most texts would."""
_FURTHEST = 4 << 10
"""How far a token goes on behind what makes it one, where it was put together again."""
_GOES_ON = r"[A-Za-z0-9+/=_-]*"


class Match(NamedTuple):
    """Where a secret stands in a reading, and what it is; a lower rank wins over a higher."""

    start: int
    end: int
    rank: int
    kind: str
    group: Group
    value: bytes | None = None
    """The secret, where it is not what stands there with its escapes taken away."""


class Judge:
    """Asks Python's checks about values, each once, and not about more than a bounded number."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[int, bytes], bool] = {}

    def agrees(self, ready: ReadyRule, value: bytes) -> bool:
        """Tell whether a rule's check takes the value for a secret; one too long to ask about is one."""
        if ready.check is None or len(value) > LONGEST_CHECKED:
            return True
        value = innermost(value)
        verdict = self._verdicts.get((ready.rank, value))
        if verdict is None:
            if len(self._verdicts) >= MOST_CHECKED:
                return True
            verdict = self._verdicts[ready.rank, value] = ready.check(value)
        return verdict


class ReadyRule:
    """One rule, compiled when first needed."""

    def __init__(self, rank: int, rule: Rule) -> None:
        self.rule = rule
        self.rank = rank
        self.check = CHECKS[rule.check] if rule.check else None

    def matches(self, reading: bytes, judge: Judge) -> Iterator[Match]:
        """Yield what the rule finds in one reading."""
        group = 1 if self._pattern.groups else 0
        for match in self._pattern.finditer(reading):
            start, end = match.span(group)
            if start == end:
                continue  # an alternative without the group, which eats what must not be found
            value = reading[start:end]
            if not self._is_template(value) and judge.agrees(self, value):
                yield Match(start, end, self.rank, self.rule.kind, self.rule.group)

    def joined_matches(self, view: View, judge: Judge) -> Iterator[Match]:
        """Yield what the rule finds across something taken away, up to where the next was taken away."""
        group = 1 if self._joins.groups else 0
        for match in self._joins.finditer(view.data):
            start, end = match.span(group)
            if start == end:
                continue
            cuts = view.cuts(match.start(), end + _FURTHEST)
            if not any(start < cut < end for cut in cuts) or not self._begins(view.data, match.start(), cuts):
                continue
            limit = next((cut for cut in cuts if cut >= end), end + _FURTHEST)
            end = expression(_GOES_ON).match(view.data, end, min(limit, len(view.data))).end()
            value = view.data[start:end]
            if not self._is_template(value) and judge.agrees(self, value):
                yield Match(start, end, self.rank, self.rule.kind, self.rule.group)

    def _begins(self, reading: bytes, start: int, cuts: list[int]) -> bool:
        return (
            (bool(cuts) and cuts[0] == start)
            or not reading[start : start + 1].isalnum()
            or bool(expression(_BEFORE).search(reading[max(start - 6, 0) : start]))
        )

    def _is_template(self, value: bytes) -> bool:
        return self._skip is not None and bool(self._skip.fullmatch(value))

    @cached_property
    def _pattern(self) -> re2._Regexp:
        return compiled(self.rule.pattern)

    @cached_property
    def _joins(self) -> re2._Regexp:
        return compiled(joins_of(self.rule))

    @cached_property
    def _skip(self) -> re2._Regexp | None:
        return compiled(self.rule.skip) if self.rule.skip else None


def joins_of(rule: Rule) -> str:
    """Return the expression for a secret that was put together again: the rule's own, asked for the least."""
    if rule.joins or rule.group == "personal":
        return rule.joins
    if rule.group == "user" or _GUESSED.search(rule.kind):
        return ""
    return f"(?U){_ITS_END.sub('', rule.pattern.removeprefix(LEFT))}"
