"""Changing a session's level, in whichever of a repository's memories it stands.

A level is lowered at once: the copies that too many see are withdrawn, and where it becomes private, carried
over first. It is raised by writing it anew, and only what has been redacted for that level rises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gitmem.format.memory import Folder, Memory
from gitmem.model.errors.withholding import LevelRefused
from gitmem.model.ids import SessionId
from gitmem.model.settings import Level, is_lower
from gitmem.verbs.moving import Target, carry_over, mark, names_there, publish_anew, withdraw

Memories = Mapping[Level, Memory]
"""The memories that there are, by the level of their sessions."""

_ORDER: Final[tuple[Level, ...]] = ("team", "private", "public")


class Standing(NamedTuple):
    """Where a session can be seen: in which memory best, of which level that is, and the widest it has."""

    memory: Memory
    folder: Folder
    home: Level
    level: Level


class Relevelled(NamedTuple):
    """What became of a session: the level that it had, and the refs whose history still holds it."""

    before: Level
    withdrawn_from: tuple[str, ...]


def standing(memories: Memories, session: SessionId, name: str, level: Level) -> Standing:
    """Find where a session stands.

    Raises:
        LevelRefused: It is hidden everywhere: nothing of it is kept that could have a level.
    """
    found: Standing | None = None
    for at in _ORDER:
        memory = memories.get(at)
        folder = memory.find(session) if memory is not None else None
        if memory is None or folder is None or memory.load(folder).is_hidden:
            continue
        if found is None:
            # A public copy may have another name; that there is one is said here.
            has_copy = "public" in memories and memory.load(folder).value("level") == "public"
            found = Standing(memory, folder, at, "public" if has_copy else at)
        elif is_lower(found.level, at):
            found = found._replace(level=at)
    if found is None:
        hint = "gitmem sessions --all: lists what was withdrawn; it does not come back"
        raise LevelRefused(name, level, "nothing of it is to be seen any more", hint)
    return found


def relevel(memories: Memories, at: Standing, to: Level, target_of: Callable[[Level], Target]) -> Relevelled:
    """Give a session another level; `target_of` opens the memory of a level, which is begun by then.

    Doing it again does what is left of it, as after a crash; at level public, it adds what is new.

    Raises:
        StoreError: Something of it cannot be read or written.
        RedactionFailed: It cannot be redacted for the level, and stands as it did.
    """
    session = at.folder.session
    match to:
        case "public":
            if at.home == "private":
                session = publish_anew(at.memory, at.folder, target_of("team"))
            publish_anew(at.memory, at.folder, target_of("public"))
            _mark(target_of("team"), session, "public")
            return Relevelled(at.level, _withdraw(memories, at, to, ("private",), target_of))
        case "team":
            if at.home != "team":
                publish_anew(at.memory, at.folder, target_of("team"))
            _mark(target_of("team"), session, "team")
            return Relevelled(at.level, _withdraw(memories, at, to, ("public", "private"), target_of))
        case "private":
            if at.home != "private":
                carry_over(at.memory, at.folder, target_of("private"))
            return Relevelled(at.level, _withdraw(memories, at, to, ("team", "public"), target_of))
        case "ephemeral":
            everywhere: tuple[Level, ...] = ("team", "public", "private")
            return Relevelled(at.level, _withdraw(memories, at, to, everywhere, target_of))


def _mark(target: Target, session: SessionId, level: Level) -> None:
    mark(target.storage, target.ref, target.writer, session, level)


def _withdraw(
    memories: Memories,
    at: Standing,
    to: Level,
    levels: tuple[Level, ...],
    target_of: Callable[[Level], Target],
) -> tuple[str, ...]:
    left = []
    for level in levels:
        if level not in memories:
            continue
        target = target_of(level)
        for session in sorted(names_there(at.memory, at.folder, target.redactor, memories[level])):
            is_left = withdraw(target.storage, target.ref, target.writer, session, to, target.replace)
            if is_left and level != "private" and target.ref not in left:
                left.append(target.ref)
    return tuple(left)
