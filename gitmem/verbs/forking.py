"""Forked sessions: the same stream went on in two places, and both continuations are kept as its heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import SessionId
from gitmem.model.records import Author
from gitmem.verbs.reading import heads, is_contained
from gitmem.verbs.summaries import Summary


class Continuation(NamedTuple):
    """One way in which a stream went on: who captured its end and when, and its lines beyond what all share.

    `stream` is the name under which `gitmem show --stream` shows it.
    """

    stream: str
    author: Author
    at: str
    own_lines: int


class Fork(NamedTuple):
    """A stream of a session that went on in several places, the one with most lines first."""

    summary: Summary
    stream: str
    shared_lines: int
    continuations: tuple[Continuation, ...]


def find_forks(memory: Memory, summaries: Iterable[Summary]) -> Iterator[Fork]:
    """Yield every fork of some sessions of a memory; what cannot be read is left to `verify`."""
    for summary in summaries:
        folder = memory.find(SessionId(summary.session)) if summary.forks else None
        if folder is None:
            continue
        try:
            stored = memory.load(folder)
            yield from _forks_of(memory, folder, stored, summary)
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            continue


def _forks_of(memory: Memory, folder: Folder, stored: StoredSession, summary: Summary) -> Iterator[Fork]:
    streams: dict[str, list[tuple[str, Head]]] = {}
    for name, head in heads(stored):
        found = streams.setdefault(head.record.stream, [])
        # Two clones that captured the same transcript went nowhere apart.
        if not any(is_contained(memory, folder, head, other) for _, other in found):
            found.append((name, head))
    for stream, found in streams.items():
        if len(found) > 1:
            shared = _shared_lines([head for _, head in found])
            yield Fork(
                summary,
                stream,
                shared,
                tuple(
                    Continuation(name, head.record.author, head.record.at, head.lines - shared)
                    for name, head in found
                ),
            )


def _shared_lines(found: list[Head]) -> int:
    lines = 0
    for spans in zip(*(head.spans for head in found), strict=False):
        if any(span != spans[0] for span in spans):
            break
        lines += spans[0].line_ends
    return lines
