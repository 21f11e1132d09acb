"""Whose sessions are trusted: by the address that a capture says it is by, which is a claim and no proof."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

Trust = Literal["known", "unknown", "untrusted"]
"""known: an author of the code, the user, or somebody whom they named; untrusted: whom they distrust."""

_LEAST: Final[tuple[Trust, ...]] = ("untrusted", "unknown", "known")
_EXCEPT: Final = "!"


class Trusting(NamedTuple):
    """Who is known: addresses in small letters; those named are patterns, in which * stands for anything.

    Whoever is distrusted is, whatever else holds of them.
    """

    known: frozenset[str] = frozenset()
    named: tuple[str, ...] = ()
    distrusted: tuple[str, ...] = ()

    def of(self, address: str) -> Trust:
        """Return how far somebody of an address is trusted; nobody without one is known, unless all are."""
        address = address.lower()
        if any(fnmatchcase(address, pattern) for pattern in self.distrusted):
            return "untrusted"
        is_named = any(fnmatchcase(address, pattern) for pattern in self.named)
        return "known" if is_named or (address and address in self.known) else "unknown"

    def of_all(self, addresses: Iterable[str]) -> Trust:
        """Return how far what several people brought is trusted: as far as the least of them."""
        return min((self.of(address) for address in addresses), key=_LEAST.index, default="unknown")


def as_texts(trusting: Trusting) -> tuple[str, ...]:
    """Return it as a list of texts, for a filter: addresses and patterns, those that do not count behind a !.

    An address of the code that would read as either is left out: anybody can write one into a commit.
    """
    known = (each for each in trusting.known if not (each.startswith(_EXCEPT) or set("*?[") & set(each)))
    distrusted = (f"{_EXCEPT}{pattern}" for pattern in trusting.distrusted)
    return (*sorted(known), *trusting.named, *distrusted) or (f"{_EXCEPT}*",)


def from_texts(texts: Iterable[str]) -> Trusting:
    """Read what `as_texts` wrote."""
    texts = tuple(texts)
    named = [each for each in texts if not each.startswith(_EXCEPT)]
    return Trusting(
        frozenset(each for each in named if not set("*?[") & set(each)),
        tuple(each for each in named if set("*?[") & set(each)),
        tuple(each.removeprefix(_EXCEPT) for each in texts if each.startswith(_EXCEPT)),
    )
