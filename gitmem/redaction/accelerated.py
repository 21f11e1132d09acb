"""The scanner on hyperscan, where that is installed: one pass says where cores stand and whose they are.

Its database takes longer to build than a short text takes to search, so it is built once and kept. Whoever
can write what is kept can blind the scanner: it belongs to the user alone, and never comes from a repository.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from gitmem.redaction.scanning import Hit, Re2Scanner, Scanner

if TYPE_CHECKING:
    import hyperscan

_MOST_HITS = 1 << 16
"""Hits of one text that are taken one by one; hostile text may have one at each byte."""


class Databases(Protocol):
    """Keeps compiled databases for one user; it may forget any of them."""

    def load(self, name: str) -> bytes | None:
        """Return what was stored under a name, if it is there, whole, and nobody else's."""
        ...

    def store(self, name: str, data: bytes) -> None:
        """Keep something under a name; failing to is no error."""
        ...


def scanner_for(
    expressions: Sequence[str], databases: Databases | None, apart: Container[int] = ()
) -> Scanner:
    """Return hyperscan's scanner if it is installed and somebody keeps its database, else RE2's.

    RE2's it is, too, where hyperscan does not load on this machine or does not know an expression's syntax.
    """
    if databases is not None:
        with suppress(ImportError):
            import hyperscan

            with suppress(hyperscan.error):
                return HyperscanScanner(expressions, databases)
    return Re2Scanner(expressions, apart)


class HyperscanScanner:
    """All expressions as one database. It reports where matches end; RE2 confirms what they are.

    Raises:
        ImportError: Hyperscan is not installed, or does not load on this machine.
    """

    name = "hyperscan"

    def __init__(self, expressions: Sequence[str], databases: Databases) -> None:
        import hyperscan

        self._library = hyperscan
        self._expressions = expressions
        self._database = self._loaded(databases) or self._built(databases)
        self._fallback = Re2Scanner(expressions)

    def first(self, text: bytes, start: int = 0) -> int:
        ends: list[int] = []

        def stop(_number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            ends.append(end)
            return True

        self._scan(text[start:], stop)
        return start + max(ends[0] - 1, 0) if ends else -1

    def places(self, block: bytes) -> Iterator[int]:
        hits = self._hits(block)
        return self._fallback.places(block) if hits is None else (max(end - 1, 0) for end, _ in hits)

    def hits(self, text: bytes) -> Sequence[Hit]:
        hits = self._hits(text)
        if hits is None:
            return self._fallback.hits(text)
        return [Hit(end, end, number) for end, number in sorted(hits)]

    def numbers(self, text: bytes) -> Sequence[int]:
        numbers: set[int] = set()

        def note(number: int, _start: int, _end: int, _flags: int, _context: object) -> bool:
            numbers.add(number)
            return False

        self._scan(text, note)
        return sorted(numbers)

    def _hits(self, text: bytes) -> list[tuple[int, int]] | None:
        """Return the ends and numbers of all matches; None if there are too many to take."""
        hits: list[tuple[int, int]] = []

        def took_too_many(number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            hits.append((end, number))
            return len(hits) >= _MOST_HITS

        return hits if self._scan(text, took_too_many) else None

    def _scan(self, text: bytes, report: Callable[[int, int, int, int, object], bool]) -> bool:
        """Report each match until told to stop; False if told so."""
        try:
            self._database.scan(text, match_event_handler=report)
        except self._library.ScanTerminated:
            return False
        return True

    def _loaded(self, databases: Databases) -> hyperscan.Database | None:
        kept = databases.load(self._name())
        if kept is None:
            return None
        try:
            database: hyperscan.Database = self._library.loadb(kept, self._library.HS_MODE_BLOCK)
            database.scratch = self._library.Scratch(database)
        except (self._library.HyperscanError, ValueError, TypeError):
            return None  # it was damaged, or is of another version: it is built again
        return database

    def _built(self, databases: Databases) -> hyperscan.Database:
        library = self._library
        database: hyperscan.Database = library.Database(mode=library.HS_MODE_BLOCK)
        flags = library.HS_FLAG_PREFILTER | library.HS_FLAG_DOTALL
        database.compile(
            expressions=[expression.encode() for expression in self._expressions],
            ids=list(range(len(self._expressions))),
            flags=[flags] * len(self._expressions),
        )
        databases.store(self._name(), library.dumpb(database))
        return database

    def _name(self) -> str:
        """Return another name for other expressions, another library and another processor."""
        release = str(vars(self._library)["__version__"])  # the stubs leave it out
        parts = (release, platform.machine(), platform.processor(), *self._expressions)
        return sha256("\x00".join(parts).encode()).hexdigest()[:32]
