"""What a search is narrowed to, before anything is ranked."""

from __future__ import annotations

from typing import Final, NamedTuple

KINDS: Final = ("message", "note", "decision", "pattern", "reminder")
"""What somebody said, a note of any type, or one of a type."""


class Filters(NamedTuple):
    """All that was said must hold; of several values of one kind, any may.

    `sessions` are names or beginnings of names, and so are `without`, those that are left out. `files` are
    paths or parts of paths. `trusted` says whose captures count, as `gitmem.query.trusting` has it. `kinds`
    are `message`, `note` and the types of notes; with `closed`, those that do not stand any more are found
    too. With `firsthand`, no turn counts in which gitmem itself repeats what others said. Moments are in
    milliseconds since 1970, both ends included; `since_ms` and `until_ms` are of turns, `as_of_ms` is of the
    captures that they came in by.
    """

    agents: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    closed: bool = False
    errors: bool = False
    firsthand: bool = False
    since_ms: int | None = None
    until_ms: int | None = None
    as_of_ms: int | None = None
