"""Tells where rules may match, fast: what a scanner promises, and the scanner that is always there.

A scanner never decides what is secret. It says where some rule's core stands, and which rules' cores a text
holds; RE2 then confirms with the rules themselves. So two scanners lead to the same findings as long as
neither misses a core, and either may tell of more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitmem.redaction.expressions import compiled, compiled_set

if TYPE_CHECKING:
    import re2

_MEMORY_BYTES = 64 << 20
_TOGETHER = 512
"""Expressions of one automaton at most."""

_LITERAL = re.compile(r"(?:[A-Za-z0-9_]|\\[-_])(?![?*+{|])")
_NAME = "(?i:"


class Hit(NamedTuple):
    """Where a core stands, and which: the number of its expression, or -1 where that is not known."""

    start: int
    end: int
    number: int


class Scanner(Protocol):
    """Searches for many expressions at once."""

    name: str

    def first(self, text: bytes, start: int = 0) -> int:
        """Return a place from `start` on that a match of an expression touches; -1 if there is none."""
        ...

    def places(self, block: bytes) -> Iterator[int]:
        """Yield a place in each line that holds a match; some may be in other lines, and some twice."""
        ...

    def hits(self, text: bytes) -> Sequence[Hit]:
        """Return hits in order such that each match of each expression overlaps one of them."""
        ...

    def numbers(self, text: bytes) -> Sequence[int]:
        """Return which expressions match somewhere, in order."""
        ...


class Re2Scanner:
    """Expressions as a few automata; which of them matched is asked of sets, and if need be by halves.

    One automaton for many hundred expressions has more states than fit, unless they are alike: what begins
    with literal text, sorted, is one tree, and needs a state for few of its branches. What begins with a name
    in any case is another. Numbers that are `apart` have automata of their own, so that a scanner that does
    without them shares the others; of these so few begin with literal text that they need no third.
    """

    name = "re2"

    def __init__(self, expressions: Sequence[str], apart: Container[int] = ()) -> None:
        families: defaultdict[tuple[bool, int], list[tuple[str, int]]] = defaultdict(list)
        for number, expression in enumerate(expressions):
            is_apart = number in apart
            families[is_apart, _family(expression, is_apart)].append((expression, number))
        self._groups = [
            _Group(some) for members in families.values() for some in _batches(sorted(members), _TOGETHER)
        ]

    def first(self, text: bytes, start: int = 0) -> int:
        places = [match.start() for group in self._groups if (match := group.any.search(text, start))]
        return min(places, default=-1)

    def places(self, block: bytes) -> Iterator[int]:
        for group in self._groups:
            position = 0
            while match := group.any.search(block, position):
                yield match.start()
                position = (block.find(b"\n", match.start()) + 1) or len(block) + 1

    def hits(self, text: bytes) -> Sequence[Hit]:
        found = (match.span() for group in self._groups for match in group.any.finditer(text))
        return sorted(Hit(start, end, -1) for start, end in found)

    def numbers(self, text: bytes) -> Sequence[int]:
        return sorted(number for group in self._groups for number in group.numbers(text))


class _Group:
    """Expressions that are alike, sorted, with their numbers; nothing is compiled that nothing asks for."""

    def __init__(self, members: Sequence[tuple[str, int]]) -> None:
        self._members = members

    def numbers(self, text: bytes) -> Iterator[int]:
        if not self.any.search(text):
            return
        if len(self._members) == 1:
            yield self._members[0][1]
            return
        # A set whose automaton outgrows its memory says that nothing matches, as it does where nothing does.
        if found := self._set.Match(text):
            yield from (self._members[place][1] for place in found)
        else:
            for half in self._halves:
                yield from half.numbers(text)

    @cached_property
    def any(self) -> re2._Regexp:
        """Finds whether and where one of the expressions matches."""
        return compiled("|".join(dict.fromkeys(expression for expression, _ in self._members)), _MEMORY_BYTES)

    @cached_property
    def _set(self) -> re2.Set:
        return compiled_set(tuple(expression for expression, _ in self._members), _MEMORY_BYTES)

    @cached_property
    def _halves(self) -> tuple[_Group, _Group]:
        middle = len(self._members) // 2
        return _Group(self._members[:middle]), _Group(self._members[middle:])


def _family(expression: str, is_apart: bool) -> int:
    if expression.startswith(_NAME):
        return 1
    return 0 if _LITERAL.match(expression) and not is_apart else 2


def _batches(members: Sequence[tuple[str, int]], size: int) -> Iterator[Sequence[tuple[str, int]]]:
    for first in range(0, len(members), size):
        yield members[first : first + size]
