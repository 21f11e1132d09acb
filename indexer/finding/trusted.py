"""Whose captures a search may find, where it is narrowed to people who are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gitmem.query.trusting import Trusting, from_texts
from indexer.lexical import LexicalIndex
from indexer.lexical.schema import NOBODY


def known_addresses(index: LexicalIndex, trusted: Sequence[str]) -> list[str]:
    """Return the addresses of an index, of which there are few, that are known to whoever asks."""
    trusting = from_texts(trusted)
    names = index.names_beginning("by", "")
    return [name for name in names if trusting.of("" if name == NOBODY else name) == "known"]


def count_strangers(index: LexicalIndex, trusted: Sequence[str]) -> int:
    """Return how many addresses of an index are neither known to whoever asks nor distrusted by them."""
    trusting = from_texts(trusted)
    names = index.names_beginning("by", "")
    return sum(trusting.of("" if name == NOBODY else name) == "unknown" for name in names)


def is_by_strangers(known: Trusting, addresses: Collection[str]) -> bool:
    """Tell whether something was done by others alone than those who are known."""
    return bool(addresses) and not any(known.of(address) == "known" for address in addresses)
