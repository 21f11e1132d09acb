"""Forgetting: out of everybody's sight at once, and later, or now, out of the memory for good.

What is forgotten is hidden by a register, which tells from when on it may be erased, and which can be taken
back until then. Erasing puts a tombstone in the place of what goes, and begins a new epoch without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from gitmem.format import layout, records
from gitmem.format.burial import is_buried
from gitmem.format.lines import lines_of
from gitmem.format.memory import Folder, Memory, StoredSession, open_memory
from gitmem.model.errors.store import RefMoved
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Author, Checkpoint, Tombstone
from gitmem.model.settings import level_at
from gitmem.model.times import to_text
from gitmem.notes.listing import Listed
from gitmem.objects import trees
from gitmem.objects.storage import Batch, Storage
from gitmem.verbs.committing import Writer
from gitmem.verbs.epochs import begin_epoch
from gitmem.verbs.moving import Changes, Values, set_values
from gitmem.verbs.naming import tags_of, title_of

_TRIES = 8


class Erasing(NamedTuple):
    """What erasing needs: the memory, who erases, and what is to be done with a tombstone and an old tip.

    `sign` returns a tombstone as it is to be stored. `replace` is told of the tip whose history is about to
    be left, before the ref moves.
    """

    storage: Storage
    ref: str
    writer: Writer
    sign: Callable[[Tombstone], Tombstone] = lambda tombstone: tombstone
    replace: Callable[[str, Oid], object] = lambda ref, tip: None


class Erasure(NamedTuple):
    """What was erased from a memory: the names of what went, and where the ref was and is."""

    ref: str
    targets: tuple[str, ...]
    before: Oid
    after: Oid


def forget(storage: Storage, ref: str, writer: Writer, session: SessionId, until_ms: int) -> bool:
    """Hide a session from every reader; from a moment on, in milliseconds since 1970, it may be erased.

    Returns:
        Whether that changed anything.
    """
    return set_values(storage, ref, writer, session, {"forgotten": to_text(until_ms)}, "Forget a session")


def unforget(
    storage: Storage, ref: str, writer: Writer, session: SessionId, *, lowered: bool = False
) -> bool:
    """Let a session be seen again, though it was `lowered` too; return whether it had not been seen."""
    values: Values = {"forgotten": None}
    if lowered:
        values |= {"hidden": None, "level": level_at(ref)}
    return set_values(storage, ref, writer, session, values, "Take back that a session is forgotten")


def erase(
    erasing: Erasing,
    targets: Iterable[str],
    reason: str = "",
    adding: Callable[[Memory, Batch, Sequence[str]], Changes] = lambda memory, batch, targets: {},
) -> Erasure | None:
    """Put tombstones in the place of sessions, notes or checkpoints, and begin an epoch without
    them.

    What is not there, or has its tombstone, is passed over. `adding` returns what comes into the memory with
    the same commit, given what goes.

    Returns:
        What went; None where there was nothing.

    Raises:
        NoMemory: There is none.
        RefMoved: git moved the ref again and again meanwhile.
        StoreError: The memory cannot be read or written, and stands as it did.
    """
    storage, ref = erasing.storage, erasing.ref
    wanted = tuple(dict.fromkeys(targets))
    signed: dict[str, Tombstone] = {}
    for tries in range(_TRIES):
        with storage.lock(), storage.begin() as batch:
            memory = open_memory(storage, ref)
            for target in wanted:
                if target not in signed and _stands(memory, target):
                    signed[target] = erasing.sign(_tombstone(erasing, target, reason))
            going = {
                target: signed[target] for target in wanted if target in signed and _stands(memory, target)
            }
            if not going:
                return None
            changes = {**adding(memory, batch, tuple(going)), **dict(_changes(memory, batch, going))}
            root = trees.edit(storage, batch, memory.root, changes)
            assert root is not None, "tombstones are left"
            new = begin_epoch(batch, root, going.values())
            batch.publish()
            erasing.replace(ref, memory.commit)
            try:
                storage.move_ref(ref, new, memory.commit, "gitmem: erase")
            except RefMoved:
                if tries == _TRIES - 1:
                    raise
                continue
            storage.tidy()
            return Erasure(ref, tuple(going), memory.commit, new)
    raise AssertionError("the last try returns or raises")


def is_by(author: Author, who: str) -> bool:
    """Whether somebody is meant by an address or by a whole name; erasing guesses at nobody."""
    return who.casefold().strip() in (author.email.casefold(), author.name.casefold())


def has_part_of(stored: StoredSession, who: str) -> bool:
    """Whether anything of a session was captured by somebody."""
    return any(is_by(capture.author, who) for capture in stored.captures.values())


def fits(memory: Memory, folder: Folder, stored: StoredSession, is_found: Callable[[bytes], bool]) -> bool:
    """Whether something is found in any line of a session's text, its title or one of its tags."""
    words = (title_of(stored) or "", *tags_of(stored))
    if any(is_found(word.encode("utf-8", "replace")) for word in words):
        return True
    heads = (head for found in stored.heads().values() for head in found)
    return any(is_found(line) for head in heads for line in lines_of(memory.text(folder, head)))


def fits_note(note: Listed, is_found: Callable[[bytes], bool]) -> bool:
    """Whether something is found in a note's text, its title, its tags or the paths that it names."""
    return any(
        is_found(text.encode("utf-8", "replace")) for text in (note.text, note.title, *note.tags, *note.files)
    )


def checkpoints_by(memory: Memory, who: str) -> Iterator[str]:
    """Yield the names of the checkpoints that somebody made."""
    top = trees.find(memory.storage, memory.root, ("checkpoints",))
    for path, entry in trees.walk(memory.storage, top.oid if top else None, ("checkpoints",)):
        name = layout.check_entry(path, entry).name
        blob = trees.read_blob(memory.storage, entry.oid)
        if is_by(records.unseal(blob, name, "/".join(path), Checkpoint).author, who):
            yield name


def _tombstone(erasing: Erasing, target: str, reason: str) -> Tombstone:
    level = level_at(erasing.ref)
    assert level == "team" or level == "public", "what is private is shed"
    return Tombstone(target, level, erasing.writer.now(), erasing.writer.author, reason)


def _stands(memory: Memory, target: str) -> bool:
    is_here = any(
        trees.find(memory.storage, memory.root, path) is not None for path in layout.buried_paths(target)
    )
    return is_here and not is_buried(memory.storage, memory.root, target, level_at(memory.ref))


def _changes(
    memory: Memory, batch: Batch, going: dict[str, Tombstone]
) -> Iterator[tuple[trees.Path, Oid | None]]:
    for target, tombstone in going.items():
        name, blob = records.seal(tombstone)
        yield layout.tombstone_path(target, name), batch.add("blob", blob)
        for path in layout.buried_paths(target):
            if trees.find(memory.storage, memory.root, path) is not None:
                yield path, None
