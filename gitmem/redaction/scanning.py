"""Tells where rules may match, fast: what a scanner promises, and the scanner that is always there.

A scanner never decides what is secret. It says where some rule's core stands, and which rules' cores a text
holds; RE2 then confirms with the rules themselves. So two scanners lead to the same findings as long as
neither misses a core, and either may tell of more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitmem.redaction.expressions import compiled, compiled_set

if TYPE_CHECKING:
    import re2

_MEMORY_BYTES = 64 << 20
_TOGETHER = 128


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
    """Expressions as a few automata; which of them matched is asked of a set, and if need be by halves.

    One automaton for many hundred expressions has more states than fit, and is ten times slower than six.
    """

    name = "re2"

    def __init__(self, expressions: Sequence[str]) -> None:
        self._expressions = expressions
        self._trees = [
            _Tree(expressions[first : first + _TOGETHER], first)
            for first in range(0, len(expressions), _TOGETHER)
        ]

    def first(self, text: bytes, start: int = 0) -> int:
        places = [match.start() for tree in self._trees if (match := tree.any.search(text, start))]
        return min(places, default=-1)

    def places(self, block: bytes) -> Iterator[int]:
        for tree in self._trees:
            position = 0
            while match := tree.any.search(block, position):
                yield match.start()
                position = (block.find(b"\n", match.start()) + 1) or len(block) + 1

    def hits(self, text: bytes) -> Sequence[Hit]:
        found = (match.span() for tree in self._trees for match in tree.any.finditer(text))
        return sorted(Hit(start, end, -1) for start, end in found)

    def numbers(self, text: bytes) -> Sequence[int]:
        if not self._expressions:
            return []
        # A set whose automaton outgrows its memory says that nothing matches, as it does where nothing does.
        found = sorted(self._set.Match(text) or ())
        return found or [number for tree in self._trees for number in tree.numbers(text)]

    @cached_property
    def _set(self) -> re2.Set:
        return compiled_set(self._expressions, _MEMORY_BYTES)


class _Tree:
    """Finds the few expressions that match by halves: some searches for one among hundreds, not hundreds."""

    def __init__(self, expressions: Sequence[str], first: int) -> None:
        self._expressions = expressions
        self._first = first

    def numbers(self, text: bytes) -> Iterator[int]:
        if self.any.search(text):
            if len(self._expressions) == 1:
                yield self._first
            else:
                for half in self._halves:
                    yield from half.numbers(text)

    @cached_property
    def any(self) -> re2._Regexp:
        return compiled("|".join(self._expressions), _MEMORY_BYTES)

    @cached_property
    def _halves(self) -> tuple[_Tree, _Tree]:
        middle = len(self._expressions) // 2
        return (
            _Tree(self._expressions[:middle], self._first),
            _Tree(self._expressions[middle:], self._first + middle),
        )
