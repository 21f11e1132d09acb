"""What is erased without anybody asking for it: what was forgotten long enough ago, and what is too old."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitmem.cli.absence import absent_of
from gitmem.cli.context import Context
from gitmem.cli.forgetting import erase_for_good, find_everywhere
from gitmem.model.ids import SessionId

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.format.memory import Memory
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage
    from gitmem.verbs.forgetting import Erasure
    from gitmem.verbs.forgotten import Waiting
    from gitmem.verbs.listing import Listing


def expire(context: Context, storage: Storage) -> list[Erasure]:
    """Erase what has been forgotten long enough, and what is older than the settings keep."""
    from gitmem.cli.levels import Shelf
    from gitmem.cli.opening import private_storage
    from gitmem.verbs.memories import open_memories

    memories = open_memories(
        storage, context.settings, lambda: private_storage(context, storage), absent_of(context)
    )
    shelf = Shelf(context, storage, memories)
    due = [
        find_everywhere(context, shelf, session, (level,))
        for level, session in due_everywhere(context, shelf)
    ]
    return erase_for_good(context, shelf, due) if due else []


def due_everywhere(context: Context, shelf: Shelf) -> Iterator[tuple[Level, SessionId]]:
    """Yield what has been forgotten long enough, and what is older than the settings keep."""
    from gitmem.verbs.forgotten import due, outdated

    days = context.settings.retention_days
    for level, memory in shelf.memories.items():
        for session in due(waiting_in(context, memory).values(), context.now_ms()):
            yield level, session
        if days is not None:
            for session in outdated(listing_of(context, memory).summaries, days, context.now_ms()):
                yield level, session


def waiting_in(context: Context, memory: Memory) -> dict[SessionId, Waiting]:
    """Return the forgotten sessions of a memory."""
    from gitmem.verbs.forgotten import waiting

    return waiting(memory, context.repository.state_dir, context.now_ms())


def listing_of(context: Context, memory: Memory) -> Listing:
    """Return every session of a memory, summed up."""
    from gitmem.verbs.listing import Summaries

    return Summaries(memory, context.repository.state_dir, context.repository.name).all()
