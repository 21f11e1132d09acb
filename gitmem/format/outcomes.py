"""What uniting two memories comes to: an outcome for each session, and what was kept out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from gitmem.format.layout import EntryKind
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Tombstone

Side = Literal["here", "there"]
Outcome = Literal[
    "new there",
    "new here",
    "grown there",
    "grown here",
    "grown on both sides",
    "forked",
    "tombstoned",
    "refused",
]


class Refusal(NamedTuple):
    """An entry that was kept out, the side that it is on, and why. The path is a stranger's text."""

    path: str
    side: Side
    why: str


class Union(NamedTuple):
    """What two trees come to; `root` can be read once the batch is published.

    `sessions` has an outcome for every session that differs. `arrived` counts, by kind, what only theirs
    had and is now in. `refused` lists the first thousand refusals, `unlisted` counts the rest. `lacking` has
    the sides that are of an earlier epoch than the union, as one without a tree is too, and `tombstones` the
    accepted ones that one of them lacks.
    """

    root: Oid | None
    sessions: Mapping[SessionId, Outcome]
    refused: tuple[Refusal, ...]
    arrived: Mapping[EntryKind, int]
    unlisted: int = 0
    lacking: frozenset[Side] = frozenset()
    tombstones: tuple[Tombstone, ...] = ()


Accept = Callable[[Tombstone], str]
"""Returns why a tombstone from there does not count, or nothing where it does."""


def accept_all(tombstone: Tombstone) -> str:
    """Let every tombstone count: whoever may push may erase."""
    return ""
