"""Forgetting at the command line: what is named is found at every level, erased there, and cleared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.cli.auditing import log_of
from gitmem.cli.context import Context
from gitmem.cli.leaving import leave, leave_sealed
from gitmem.cli.opening import redactor_of, writer_of
from gitmem.cli.signing import signed_tombstone
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.refs import PRIVATE_REF

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.erasing.erase import Erased
    from gitmem.forgetting.forget import Erasing, Erasure
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage

_SHARED: Final[tuple[Level, ...]] = ("team", "public")


class Found(NamedTuple):
    """A session that is to be forgotten: what it is called, and its id in each memory that has it.

    `lowered` is one that somebody has hidden as if it had a lower level, who is not known.
    """

    key: SessionKey
    title: str
    ids: Mapping[Level, SessionId]
    lowered: bool = False


class Followed(NamedTuple):
    """What went from this clone: objects, and how many files of each kind that was derived of them."""

    cleared: Erased | None
    derived: Mapping[str, int]

    @property
    def is_something(self) -> bool:
        """Whether there is anything to tell of."""
        return self.cleared is not None or bool(self.derived)


def find_everywhere(
    context: Context, shelf: Shelf, session: SessionId, levels: Sequence[Level] | None
) -> Found:
    """Return in which memories a session stands, of the levels that are asked about; None asks about all.

    A copy has a name of its own where the session's had to be redacted, or was erased there once.
    """
    from gitmem.verbs.moving import names_there
    from gitmem.verbs.naming import title_of

    home, own = next(
        (memory, folder) for memory in shelf.memories.values() if (folder := memory.find(session)) is not None
    )
    ids: dict[Level, SessionId] = {}
    title = ""
    for level, memory in shelf.memories.items():
        names = names_there(home, own, redactor_of(context, level), memory)
        if names:
            ids[level] = session if session in names else max(names)
            folder = memory.find(ids[level])
            title = title or (title_of(memory.load(folder)) if folder else None) or ""
    key = home.load(own).key
    return Found(
        key, title, {level: name for level, name in ids.items() if levels is None or level in levels}
    )


def hide(context: Context, shelf: Shelf, found: Found, until_ms: int) -> None:
    """Take a session out of everybody's sight, in each memory that has it."""
    from gitmem.forgetting.forget import forget
    from gitmem.handing_over import placing

    log = log_of(context)
    for level, session in found.ids.items():
        memory = shelf.memories[level]
        log.note("forget", partial(log.session, session, level), detail={"level": level})
        forget(memory.storage, memory.ref, writer_of(context, level), session, until_ms)
    placing.forget(context.repository.state_dir, tuple(found.ids.values()))


def show_again(context: Context, shelf: Shelf, found: Found) -> None:
    """Take back that a session is forgotten, in each memory that has it."""
    from gitmem.forgetting.forget import unforget

    log = log_of(context)
    for level, session in found.ids.items():
        memory = shelf.memories[level]
        log.note("unforget", partial(log.session, session, level), detail={"level": level})
        lowered = found.lowered and level == "team"
        unforget(memory.storage, memory.ref, writer_of(context, level), session, lowered=lowered)


def erase_for_good(
    context: Context,
    shelf: Shelf,
    found: Iterable[Found],
    reason: str = "",
    checkpoints: Mapping[Level, Sequence[str]] | None = None,
    notes: Mapping[Level, Sequence[str]] | None = None,
) -> list[Erasure]:
    """Erase sessions from each memory that has them, in one epoch for each; checkpoints and notes by their
    names, too.

    What is private is shed: its key goes, and it is not captured again.
    """
    from gitmem.forgetting.forget import erase

    sessions = list(found)
    done = []
    for level in _SHARED:
        ids = [each.ids[level] for each in sessions if level in each.ids]
        others = [tuple((names or {}).get(level, ())) for names in (checkpoints, notes)]
        targets = [*ids, *others[0], *others[1]]
        if not targets:
            continue
        memory = shelf.memories[level]
        _note_erased(context, level, ids, *map(len, others))
        erasure = erase(erasing_at(context, memory.storage, memory.ref, level), targets, reason)
        if erasure is not None:
            done.append(erasure)
    private = [each for each in sessions if "private" in each.ids]
    if private:
        _shed(context, shelf, private)
    return done


def erasing_at(context: Context, storage: Storage, ref: str, level: Level) -> Erasing:
    """Return what erasing from the memory of a level needs."""
    from gitmem.forgetting.forget import Erasing

    return Erasing(
        storage,
        ref,
        writer_of(context, level),
        sign=partial(signed_tombstone, context),
        replace=partial(leave, context, storage),
    )


def follow(context: Context, storage: Storage, shed: Collection[SessionId] = ()) -> Followed:
    """Let everything follow what was erased: index, vectors and caches, and then the objects in this clone.

    It costs next to nothing where nothing was. What was interrupted is gone on with. `shed` are private
    sessions, which no tombstone names.
    """
    from gitmem.cli.derived import finish_in

    derived = finish_in(context, storage, shed)
    return Followed(clear(context, storage), derived)


def clear(context: Context, storage: Storage) -> Erased | None:
    """Remove from this clone what only histories reach that a memory has left.

    Where refs still lead to them, as a remote's do before the next push, it is tried again once they have
    moved.

    Returns:
        What went from where; None where there was nothing to do.
    """
    from gitmem.forgetting.left import note_tried, read_left

    state_dir = context.repository.state_dir
    todo = [each for each in read_left(state_dir) if not each.cleared]
    if all(each.held and _stand_still(storage, each.held) for each in todo):
        return None
    from gitmem.erasing.erase import erase
    from gitmem.git.storage import GitStorage

    tips = dict.fromkeys(oid for each in todo for oid in (each.tip, *each.remotes.values()))
    with storage.lock():
        done = erase(context.repository, context.git, context.settings.memory_ref, tips)
        if isinstance(storage, GitStorage):  # no other has any packs open
            storage.forget_packs()
    held = {name: oid for name in done.held_by if (oid := _read(storage, name)) is not None}
    is_clear = not done.held_by and not done.in_use
    note_tried(state_dir, [each.tip for each in todo], None if is_clear else held)
    return done


def _stand_still(storage: Storage, held: Mapping[str, Oid]) -> bool:
    return all(_read(storage, name) == oid for name, oid in held.items())


def _read(storage: Storage, name: str) -> Oid | None:
    return storage.read_ref(name) if name.startswith("refs/") else None


def _note_erased(
    context: Context, level: Level, ids: Sequence[SessionId], checkpoints: int, notes: int
) -> None:
    log = log_of(context)
    for session in ids:
        log.note("erase", partial(log.session, session, level), detail={"level": level})
    if checkpoints:
        log.note("erase", detail={"level": level, "checkpoints": checkpoints})
    if notes:
        log.note("erase", detail={"level": level, "notes": notes})


def _shed(context: Context, shelf: Shelf, private: Sequence[Found]) -> None:
    from gitmem.verbs.moving import withdraw

    log = log_of(context)
    storage = shelf.memories["private"].storage
    for each in private:
        session = each.ids["private"]
        log.note("erase", partial(log.session, session, "private"), detail={"level": "private"})
        shelf.levels.give(each.key, "ephemeral")
        leave_sealed(context, storage, session)
        withdraw(storage, PRIVATE_REF, writer_of(context), session, "ephemeral")
