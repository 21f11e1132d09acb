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
    """All expressions as one automaton; which of them matched is asked of a set, and if need be by halves."""

    name = "re2"

    def __init__(self, expressions: Sequence[str]) -> None:
        self._expressions = expressions
        self._tree = _Tree(expressions, 0)

    def first(self, text: bytes, start: int = 0) -> int:
        match = self._tree.any.search(text, start) if self._expressions else None
        return -1 if match is None else int(match.start())

    def places(self, block: bytes) -> Iterator[int]:
        position = 0
        while (place := self.first(block, position)) >= 0:
            yield place
            position = (block.find(b"\n", place) + 1) or len(block) + 1

    def hits(self, text: bytes) -> Sequence[Hit]:
        if not self._expressions:
            return []
        return [Hit(match.start(), match.end(), -1) for match in self._tree.any.finditer(text)]

    def numbers(self, text: bytes) -> Sequence[int]:
        if not self._expressions:
            return []
        # A set whose automaton outgrows its memory says that nothing matches, as it does where nothing does.
        return sorted(self._set.Match(text) or ()) or list(self._tree.numbers(text))

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
