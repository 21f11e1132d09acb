"""Finds secrets in one reading of a line; the only module that knows RE2.

RE2 takes linear time on any input, and so does everything here: patterns come from rules, never from a loop
over attempts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import re2

from gitmem.model.errors import RedactionFailed
from gitmem.redaction.checks import CHECKS
from gitmem.redaction.placeholders import KINDS
from gitmem.redaction.rules import Rule, RuleSet

_SPELLED_OUT = r"\\u00(?:2[0-58-9a-fA-F]|3[0-9abdABDfF]|[4-7][0-9a-fA-F])"
"""Printable ASCII as an escape, which may hide any of the cores. Of these, encoders write `&`, `'`, `<` and
`>` all the time, and no core needs one of them."""

_GATE_MEMORY_BYTES = 32 << 20


class Match(NamedTuple):
    """Where a secret stands in a reading, and what it is; a lower rank wins over a higher."""

    start: int
    end: int
    rank: int
    kind: str


class Engine:
    """A rule set made ready. Compiles on first use, so that making one costs nothing."""

    def __init__(self, rules: RuleSet) -> None:
        for rule in rules.rules:
            if rule.kind not in KINDS:
                raise RedactionFailed("anything", f"a rule is for {rule.kind!r}, a kind that does not exist")
            if rule.check and rule.check not in CHECKS:
                raise RedactionFailed("anything", f"a rule needs {rule.check!r}, a check that does not exist")
        self._tree = _Tree([_Ready(rank, rule) for rank, rule in enumerate(rules.rules)])
        self._gate_pattern = "|".join([*(rule.core for rule in rules.rules), _SPELLED_OUT])

    def suspects(self, raw: bytes, start: int = 0) -> int:
        """Return where, from `start` on, something begins that some reading may find secret; -1 if nowhere.

        One pass at memory speed: what lets nearly every line go by untouched.
        """
        match = self._gate.search(raw, start)
        return -1 if match is None else int(match.start())

    def matches(self, reading: bytes) -> Iterator[Match]:
        """Yield what the rules find in one reading; matches of different rules may overlap."""
        for rule in self._tree.suspected(reading):
            yield from rule.matches(reading)

    @cached_property
    def _gate(self) -> re2._Regexp:
        return _compiled(self._gate_pattern, _GATE_MEMORY_BYTES)


class _Ready:
    """One rule, compiled when first needed."""

    def __init__(self, rank: int, rule: Rule) -> None:
        self.rule = rule
        self._rank = rank
        self._check = CHECKS[rule.check] if rule.check else None

    def matches(self, reading: bytes) -> Iterator[Match]:
        group = 1 if self._pattern.groups else 0
        for match in self._pattern.finditer(reading):
            start, end = match.span(group)
            value = reading[start:end]
            if self._skip is not None and self._skip.fullmatch(value):
                continue
            if self._check is None or self._check(value):
                yield Match(start, end, self._rank, self.rule.kind)

    @cached_property
    def _pattern(self) -> re2._Regexp:
        return _compiled(self.rule.pattern)

    @cached_property
    def _skip(self) -> re2._Regexp | None:
        return _compiled(self.rule.skip) if self.rule.skip else None


class _Tree:
    """Finds the few rules worth trying by halves: eleven searches for one suspect among fifty, not fifty."""

    def __init__(self, rules: list[_Ready]) -> None:
        self._rules = rules
        self._core_pattern = "|".join(ready.rule.core for ready in rules)

    def suspected(self, reading: bytes) -> Iterator[_Ready]:
        if self._rules and self._cores.search(reading):
            if len(self._rules) == 1:
                yield self._rules[0]
            else:
                for half in self._halves:
                    yield from half.suspected(reading)

    @cached_property
    def _cores(self) -> re2._Regexp:
        return _compiled(self._core_pattern, _GATE_MEMORY_BYTES)

    @cached_property
    def _halves(self) -> tuple[_Tree, _Tree]:
        middle = len(self._rules) // 2
        return _Tree(self._rules[:middle]), _Tree(self._rules[middle:])


def _compiled(pattern: str, memory_bytes: int = 8 << 20) -> re2._Regexp:
    """Compile for bytes of any kind: as Latin-1, where each byte is one character."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = memory_bytes
    options.dot_nl = True
    options.log_errors = False
    return re2.compile(pattern.encode(), options)
