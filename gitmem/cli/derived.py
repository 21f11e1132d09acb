"""What was derived of sessions that are erased goes with them: tables, maps and positions, and the index.

All of it can be made again from the memory, so it is done after the memory has let go of them, and once more
where that was interrupted: what it was last done for is noted by the trees of the memories' tombstones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem.cli.context import Context
from gitmem.model.refs import PRIVATE_REF, PUBLIC_REF

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.objects.storage import Storage
    from gitmem.sidecar.wire import Json

_KIND: Final = "erased 1"


def finish_forgetting(context: Context, also: Collection[str] = ()) -> Mapping[str, int]:
    """Follow the tombstones of the repository at hand, as `follow_tombstones` does.

    `also` are sessions that went without one, as private ones do.
    """
    from gitmem.cli.opening import opened_storage

    with opened_storage(context) as storage:
        return finish_in(context, storage, also)


def finish_in(context: Context, storage: Storage, also: Collection[str] = ()) -> Mapping[str, int]:
    """Do the same in a repository that is open already."""
    from gitmem.cli.opening import private_storage
    from gitmem.format.memory import open_memory
    from gitmem.sealed.tips import read_tips

    refs = [ref for ref in (context.settings.memory_ref, PUBLIC_REF) if storage.read_ref(ref) is not None]

    def private() -> list[Memory]:
        return [open_memory(private_storage(context, storage), PRIVATE_REF)] if read_tips(storage) else []

    return follow_tombstones(context, [open_memory(storage, ref) for ref in refs], private, also)


def follow_tombstones(
    context: Context,
    shared: Sequence[Memory],
    private: Callable[[], Sequence[Memory]],
    also: Collection[str] = (),
) -> Mapping[str, int]:
    """Forget what was derived of all that tombstones name, unless that was done since the last one came.

    It costs no more than a look at each of the `shared` memories, the team's and the public one, where none
    came; what is `private` has no tombstones, and is opened where one did. Returns and raises as
    `forget_derived`; nothing is in it where there was nothing to do.
    """
    from gitmem.verbs import caching

    path = context.repository.state_dir / "cache" / "erased"
    now = _tombstones(shared)
    if not also and now == (caching.read_derived(path, _KIND) or b""):
        return {}
    removed = forget_derived(context, gone_from([*shared, *private()]).union(also))
    caching.write_derived(path, _KIND, now)
    return removed


def forget_derived(context: Context, gone: Collection[str]) -> Mapping[str, int]:
    """Forget what was derived of sessions and checkpoints that no memory has any more; go by their names.

    The index is brought to where the memory is, so that has to have let go of them before; their objects
    should be in git still, for without them the index is made anew as a whole.

    Returns:
        How many tables, maps, positions, names of transcripts, and files of the index were rid of something
        or removed.

    Raises:
        GitmemError: Something of it could not be done, and is to be done again.
    """
    return forget_tables(context, gone) | forget_indexed(context)


def forget_tables(context: Context, gone: Collection[str]) -> dict[str, int]:
    """Forget the part of it that is no index; as `forget_derived`."""
    from gitmem.checkpoints import spool, table
    from gitmem.handing_over import placing
    from gitmem.notes import table as notes
    from gitmem.sidecar.folders import state_folder
    from gitmem.verbs import listing, picking, renditions, scanned, sources
    from gitmem.why import edits, touched

    state_dir = context.repository.state_dir
    spool.forget(state_dir)
    return {
        "tables": sum(each.forget(state_dir, gone) for each in (listing, touched, table, notes)),
        "maps": picking.forget(state_dir, gone) + edits.forget(state_dir, gone),
        "positions": sources.forget(state_dir, gone),
        "transcripts": sum(
            scanned.forget_missing(each) for each in (state_dir, state_folder(context.environ))
        ),
        "leftovers": _remove_leftovers(state_dir)
        + renditions.forget(state_dir)
        + placing.forget(state_dir, gone),
    }


def forget_indexed(context: Context) -> dict[str, int]:
    """Forget the part of it that is the index and its vectors; as `forget_derived`."""
    from gitmem.cli.indexing import ask_indexer

    (answer,) = ask_indexer(context, "erase")
    return {name: _number(answer, name) for name in ("files_written", "files_removed", "vectors_removed")}


def gone_from(memories: Sequence[Memory]) -> frozenset[str]:
    """Return the names of all that tombstones name and no memory has."""
    from gitmem.format import layout
    from gitmem.format.burial import all_tombstones
    from gitmem.objects import trees

    buried = {record.target for each in memories for _, record in all_tombstones(each.storage, each.root)}
    return frozenset(
        target
        for target in buried
        if not any(
            trees.find(each.storage, each.root, path)
            for each in memories
            for path in layout.buried_paths(target)
        )
    )


def _tombstones(memories: Iterable[Memory]) -> bytes:
    """Return what changes whenever the tombstones of any memory do; empty where there are none."""
    from gitmem.objects import trees

    found = [(each.ref, trees.find(each.storage, each.root, ("tombstones",))) for each in memories]
    return "".join(sorted(f"{ref} {entry.oid}\n" for ref, entry in found if entry)).encode()


def _remove_leftovers(state_dir: Path) -> int:
    """Remove what writers of tables left that were killed; one that is at it now only writes no table."""
    from gitmem import disk
    from gitmem.verbs.caching import remove_all

    return remove_all(sorted((state_dir / "cache").rglob(f"{disk.UNPUBLISHED}*")))


def _number(answer: Json, name: str) -> int:
    value = answer[name]
    assert isinstance(value, int)
    return value
