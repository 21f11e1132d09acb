"""Listing notes at the command line: those of the repository at hand, or of a superproject and all in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.note_text import Told, as_json
from gitmem.cli.noting import files_of
from gitmem.cli.opening import opened_memory
from gitmem.cli.trusting import trusting_here
from gitmem.model.errors.arguments import BadNote
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import NoMemory
from gitmem.notes.listing import list_notes, longest_due_first, newest_first

if TYPE_CHECKING:
    from gitmem.cli.recursing import Reach
    from gitmem.model.records import NoteType


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


def _of_one(context: Context, there: Context, repo: str, wanted: Wanted) -> Iterator[Told]:
    # What is typed is a path from where somebody stands, whichever repository it leads into.
    files = files_of(there, wanted.files, start=context.start)
    now_ms = context.now_ms()
    with opened_memory(there) as memory:
        known = trusting_here(context, None, there.repository)
        notes = list_notes(
            memory,
            there.repository.state_dir,
            types=wanted.types,
            files=files,
            tags=wanted.tags,
            due_at_ms=now_ms if wanted.is_due else None,
            since_ms=wanted.since_ms,
            closed=wanted.closed,
            is_known=(lambda address: known.of(address) == "known")
            if wanted.is_trusted
            else lambda address: True,
            limit=wanted.limit,
        )
        for note in notes:
            document = {"repo": repo, **as_json(memory, note, known, now_ms)}
            yield Told(note, repo, known.of(note.author.email), document)
