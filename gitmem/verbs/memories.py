"""The memories of a repository, one for each level that there is: the team's, one's own, and the public one.

What is private is opened by its owner's keys alone; who has none finds no private memory, or less in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.format.absent import NOTHING, Absent
from gitmem.format.memory import Memory, open_memory
from gitmem.format.view import as_one
from gitmem.model.errors.store import NoMemory
from gitmem.model.refs import PRIVATE_REF, PUBLIC_REF
from gitmem.model.settings import Level, Settings
from gitmem.objects.storage import Storage
from gitmem.sealed.tips import read_tips

if TYPE_CHECKING:
    from gitmem.sealed.box import RandomBytes
    from gitmem.sealed.storage import SealedStorage


def sealed_storage(
    storage: Storage, settings: Settings, data_dir: Path, random_bytes: RandomBytes
) -> SealedStorage:
    """Return the storage that seals what is private, for reading: `data_dir` is the user's own for gitmem."""
    from gitmem.sealed.ring import open_ring
    from gitmem.sealed.storage import SealedStorage

    ring = open_ring(settings.recipients, settings.identities, data_dir, random_bytes)
    return SealedStorage(storage, ring)


def open_memories(
    storage: Storage,
    settings: Settings,
    private: Callable[[], Storage],
    absent: Callable[[str], Absent] = lambda ref: NOTHING,
) -> dict[Level, Memory]:
    """Open each memory that there is, the team's first; `private` is asked for the one that seals.

    `absent` says what text of the memory at a ref is not here.

    Raises:
        NoMemory: There is none at all.
    """
    found: dict[Level, Memory] = {}
    if storage.read_ref(settings.memory_ref) is not None:
        team = open_memory(storage, settings.memory_ref)
        found["team"] = team._replace(absent=absent(settings.memory_ref))
    if read_tips(storage):
        found["private"] = open_memory(private(), PRIVATE_REF)
    if storage.read_ref(PUBLIC_REF) is not None:
        found["public"] = open_memory(storage, PUBLIC_REF)._replace(absent=absent(PUBLIC_REF))
    if not found:
        raise NoMemory(settings.memory_ref)
    return found


def open_all(
    storage: Storage,
    settings: Settings,
    private: Callable[[], Storage],
    absent: Callable[[str], Absent] = lambda ref: NOTHING,
) -> Memory:
    """Open all of them as one, for reading; where there is only one, it is that.

    Raises:
        NoMemory: There is none at all.
    """
    return as_one(list(open_memories(storage, settings, private, absent).values()))
