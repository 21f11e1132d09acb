"""Listing notes at the command line: those of the repository at hand, or of a superproject and all in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.note_text import Told, as_json
from gitmem.cli.noting import files_of
from gitmem.cli.opening import opened_memory
from gitmem.cli.trusting import trusting_here
from gitmem.model.errors.arguments import BadNote
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import NoMemory
from gitmem.notes.listing import list_notes, longest_due_first, newest_first, people

if TYPE_CHECKING:
    from gitmem.cli.recursing import Reach
    from gitmem.format.memory import Memory
    from gitmem.model.records import NoteType
    from gitmem.notes.listing import Listed


class Wanted(NamedTuple):
    """Which notes are listed; moments are milliseconds since 1970, and `files` as somebody typed them."""

    types: Sequence[NoteType] = ()
    files: Sequence[str] = ()
    tags: Sequence[str] = ()
    since_ms: int | None = None
    is_due: bool = False
    closed: bool = False
    is_trusted: bool = False
    limit: int | None = None


def find_notes(context: Context, reached: Reach, wanted: Wanted) -> list[Told]:
    """Return the notes of all repositories together, in the order of each alone.

    Those that remember nothing have none.

    Raises:
        NoMemory: None of them remembers anything.
        BadNote: A path is in none of them.
    """
    found: list[Told] = []
    missing: list[GitmemError] = []
    for each in reached.contexts:
        try:
            found += _of_one(context, each, reached.name_of(each), wanted)
        except (NoMemory, BadNote) as error:
            missing.append(error)
        except GitmemError as error:
            if len(reached.contexts) == 1:
                raise
            context.output.warn(f"{reached.name_of(each)} was left out: {error}")
    if missing and len(missing) == len(reached.contexts):
        raise missing[0]
    order = longest_due_first if wanted.is_due else newest_first
    return sorted(found, key=lambda told: order(told.note))[: wanted.limit]


def count_untold(context: Context, reached: Reach, wanted: Wanted) -> int:
    """Return how many notes are left out of those of trusted authors since nobody knows who wrote them."""
    number = 0
    for each in reached.contexts:
        with suppress(GitmemError), opened_memory(each) as memory:  # told of where it is listed
            trusting = trusting_here(context, people(memory, each.repository.state_dir), each.repository)
            notes = _listed(context, each, memory, wanted, lambda address: True)
            number += sum(trusting.of(note.author.email) == "unknown" for note in notes)
    return number


def _of_one(context: Context, there: Context, repo: str, wanted: Wanted) -> Iterator[Told]:
    with opened_memory(there) as memory:
        trusting = trusting_here(context, None, there.repository)

        def is_known(address: str) -> bool:
            return not wanted.is_trusted or trusting.of(address) == "known"

        for note in _listed(context, there, memory, wanted, is_known):
            document = {"repo": repo, **as_json(memory, note, trusting, context.now_ms())}
            yield Told(note, repo, trusting.of(note.author.email), document)


def _listed(
    context: Context, there: Context, memory: Memory, wanted: Wanted, is_known: Callable[[str], bool]
) -> tuple[Listed, ...]:
    return list_notes(
        memory,
        there.repository.state_dir,
        types=wanted.types,
        # What is typed is a path from where somebody stands, whichever repository it leads into.
        files=files_of(there, wanted.files, start=context.start),
        tags=wanted.tags,
        due_at_ms=context.now_ms() if wanted.is_due else None,
        since_ms=wanted.since_ms,
        closed=wanted.closed,
        is_known=is_known,
        limit=wanted.limit,
    )
