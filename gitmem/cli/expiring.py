"""What is erased without anybody asking for it: what was forgotten long enough ago, and what is too old."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gitmem.cli.absence import absent_of
from gitmem.cli.context import Context
from gitmem.cli.forgetting import erase_for_good, find_everywhere
from gitmem.model.ids import RecordId, SessionId

if TYPE_CHECKING:
    from gitmem.forgetting.forget import Erasure
    from gitmem.forgetting.waiting import Waiting
    from gitmem.format.memory import Memory
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage
    from gitmem.verbs.listing import Listing


def expire(context: Context, storage: Storage, catch_up: Callable[[], object]) -> list[Erasure]:
    """Erase what has been forgotten long enough, and what is older than the settings keep.

    Before anything is, `catch_up` brings in what others did: they may have taken it back, or gone on with it.
    Where the settings name who may erase, somebody has to ask for it: nobody vouches for what only says when
    a session is to go.
    """
    if context.settings.erasers or not _is_any_due(context, _opened(context, storage)):
        return []
    from gitmem.cli.levels import Shelf

    catch_up()
    memories = _opened(context, storage)
    shelf = Shelf(context, storage, memories)
    due = [find_everywhere(context, shelf, session, (level,)) for level, session in due_in(context, memories)]
    notes = due_notes(context, memories)
    return erase_for_good(context, shelf, due, notes={"team": notes}) if due or notes else []


def _is_any_due(context: Context, memories: Mapping[Level, Memory]) -> bool:
    return any(due_in(context, memories)) or bool(due_notes(context, memories))


def _opened(context: Context, storage: Storage) -> dict[Level, Memory]:
    from gitmem.cli.opening import private_storage
    from gitmem.verbs.memories import open_memories

    absent = absent_of(context)
    return open_memories(storage, context.settings, lambda: private_storage(context, storage), absent)


def due_in(context: Context, memories: Mapping[Level, Memory]) -> Iterator[tuple[Level, SessionId]]:
    """Yield what has been forgotten long enough, and what is older than the settings keep.

    What somebody wants forgotten whom the settings distrust is never due.
    """
    from gitmem.forgetting.waiting import DAY_MS, due, outdated

    days = context.settings.retention_days
    for level, memory in memories.items():
        grace_ms = context.settings.grace_days * DAY_MS
        for session in due(_heard(context, waiting_in(context, memory)), context.now_ms(), grace_ms):
            yield level, SessionId(session)
        if days is not None:
            for session in outdated(listing_of(context, memory).summaries, days, context.now_ms()):
                yield level, session


def due_notes(context: Context, memories: Mapping[Level, Memory]) -> list[RecordId]:
    """Return the notes that have been removed long enough; only the team's memory has notes."""
    from gitmem.forgetting.waiting import DAY_MS, due

    if "team" not in memories:
        return []
    rows = _heard(context, waiting_notes_in(context, memories["team"]))
    grace_ms = context.settings.grace_days * DAY_MS
    return [RecordId(name) for name in due(rows, context.now_ms(), grace_ms)]


def _heard(context: Context, rows: Mapping[Any, Waiting]) -> Iterator[Waiting]:
    """Yield what is forgotten by the word of anybody but those whom the settings distrust."""
    from gitmem.query.trusting import Trusting

    nobody = Trusting(distrusted=context.settings.distrust)
    return (row for row in rows.values() if nobody.of(row.by) != "untrusted")


def waiting_notes_in(context: Context, memory: Memory) -> dict[RecordId, Waiting]:
    """Return the removed notes of a memory."""
    from gitmem.forgetting.waiting import waiting_notes

    return waiting_notes(memory, context.repository.state_dir, context.now_ms())


def waiting_in(context: Context, memory: Memory) -> dict[SessionId, Waiting]:
    """Return the forgotten sessions of a memory."""
    from gitmem.forgetting.waiting import waiting

    return waiting(memory, context.repository.state_dir, context.now_ms())


def listing_of(context: Context, memory: Memory) -> Listing:
    """Return every session of a memory, summed up."""
    from gitmem.verbs.listing import Summaries

    return Summaries(memory, context.repository.state_dir, context.repository.name).all()
