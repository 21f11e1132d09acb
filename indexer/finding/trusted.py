"""Whose captures a search may find, where it is narrowed to people who are known."""

from __future__ import annotations

from collections.abc import Sequence

from gitmem.query.trusting import from_texts
from indexer.lexical import LexicalIndex
from indexer.lexical.schema import NOBODY


def known_addresses(index: LexicalIndex, trusted: Sequence[str]) -> list[str]:
    """Return the addresses of an index, of which there are few, that are known to whoever asks."""
    trusting = from_texts(trusted)
    names = index.names_beginning("by", "")
    return [name for name in names if trusting.of("" if name == NOBODY else name) == "known"]
