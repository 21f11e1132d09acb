"""Keeping kept packs few: the smaller ones are written together, trees as deltas of each other.

A capture rewrites some twenty kilobytes of trees to say that one file came in. Next to each other those
trees shrink to the change itself, so that a long history of small captures stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem import disk
from gitmem.git.midx import drop_midx
from gitmem.git.packs import (
    KEEP_MARK,
    KeptPack,
    PackWriter,
    choose_packs,
    list_kept_packs,
    list_objects,
    remove_pack,
    tree_delta,
)
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid
from gitmem.objects.encoding import Commit, decode_commit, decode_tree
from gitmem.objects.storage import Storage

_FEW_PACKS = 24
_MAX_DELTA_DEPTH = 40
_MIN_DELTA_BYTES = 120
_ABANDONED_S = 24 * 3600.0


def consolidate(storage: Storage, folder: Path, few: int = _FEW_PACKS) -> list[KeptPack]:
    """Write the smaller of gitmem's packs together if there are more than `few`; under the lock.

    Every object is copied, referred to or not: what to forget is not decided here. A damaged pack must not
    stop what is written now, `verify` says which sessions need it: one whose index is damaged stays as it is,
    and where an object cannot be read, all packs do.

    Returns:
        The packs that were replaced by one.
    """
    chosen: list[KeptPack] = []
    names: dict[Oid, None] = {}
    for pack in choose_packs(list_kept_packs(folder), few):
        listed = list_objects(pack, storage.hash_name)
        if listed is not None:
            chosen.append(pack)
            names.update(dict.fromkeys(listed))
    if len(chosen) < 2:
        return []
    try:
        with PackWriter(folder, storage.hash_name) as writer:
            _write_all(storage, writer, names)
            new = writer.publish()
    except (ObjectDamaged, ObjectMissing):
        return []
    replaced = [pack for pack in chosen if pack.path != new]
    drop_midx(folder, [pack.path for pack in replaced])
    for pack in replaced:
        remove_pack(pack.path)
    return replaced


def sweep(folder: Path) -> None:
    """Remove what a process that died while publishing left in the packs' folder; under the lock."""
    for keep in folder.glob("pack-*.keep"):
        if not keep.with_suffix(".idx").exists() and _says_gitmem(keep):
            remove_pack(keep.with_suffix(""))
    now = folder.stat().st_mtime  # something has just been published in it
    for file in folder.glob(f"{disk.UNPUBLISHED}*"):
        try:
            written = file.stat().st_mtime
        except FileNotFoundError:
            continue  # its writer, which needs no lock for that, published or dropped it meanwhile
        if now - written > _ABANDONED_S:
            disk.remove_folder(file) if file.is_dir() else disk.remove_file(file)


def _says_gitmem(keep: Path) -> bool:
    try:
        return keep.read_bytes() == KEEP_MARK
    except FileNotFoundError:
        return False


def _write_all(storage: Storage, writer: PackWriter, names: Iterable[Oid]) -> None:
    """Write commits, then blobs, then trees: the newest whole, each older one as a delta of its next."""
    trees: dict[Oid, bytes] = {}
    commits: dict[Oid, Commit] = {}
    for oid in names:
        kind, data = storage.read(oid)
        if kind == "tree":
            trees[oid] = data
        else:
            writer.add(kind, data)
            if kind == "commit":
                commits[oid] = decode_commit(data, oid)
    bases = dict(_bases(commits, trees))
    depth: dict[Oid, int] = {}
    for oid in trees:
        _write_tree(writer, oid, trees, bases, depth)


def _write_tree(
    writer: PackWriter, oid: Oid, trees: dict[Oid, bytes], bases: dict[Oid, Oid], depth: dict[Oid, int]
) -> None:
    """Write a tree after the ones that it is a delta of."""
    chain: dict[Oid, None] = {}
    at: Oid | None = oid
    while at is not None and at not in depth and at not in chain:
        chain[at] = None
        at = bases.get(at)
    for tree in reversed(chain):
        base = bases.get(tree)
        if base is None or depth.get(base, _MAX_DELTA_DEPTH) >= _MAX_DELTA_DEPTH:
            writer.add("tree", trees[tree])
            depth[tree] = 0
        else:
            writer.add_delta(tree, base, tree_delta(trees[base], trees[tree]))
            depth[tree] = depth[base] + 1


def _bases(commits: dict[Oid, Commit], trees: dict[Oid, bytes]) -> Iterator[tuple[Oid, Oid]]:
    """Yield each tree with the one that took its place in a later commit."""
    for commit in commits.values():
        for parent in commit.parents:
            if parent in commits:
                yield from _pairs(commits[parent].tree, commit.tree, trees)


def _pairs(old: Oid, new: Oid, trees: dict[Oid, bytes]) -> Iterator[tuple[Oid, Oid]]:
    if old == new or old not in trees or new not in trees:
        return
    if len(trees[old]) >= _MIN_DELTA_BYTES:
        yield old, new
    size = len(old) // 2
    before = decode_tree(trees[old], size, old)
    for name, entry in decode_tree(trees[new], size, new).items():
        was = before.get(name)
        if was and was.is_tree and entry.is_tree:
            yield from _pairs(was.oid, entry.oid, trees)
