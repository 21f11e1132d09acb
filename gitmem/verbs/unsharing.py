"""Taking a session out of what was shared with nobody yet, as if it had never been captured for others.

A push sends history, so hiding is not enough for what no remote has: the commits since then are written anew
without it. What a remote has stays as it has it; so do other sessions and the order of the commits.
What was taken out is left in this clone's packs until they are cleared of it (gitmem.erasing.erase).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gitmem.format import layout
from gitmem.format.memory import open_memory
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import remote_of, tracking_prefix
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, Commit, encode_commit
from gitmem.objects.history import read_commit, walk_history
from gitmem.objects.storage import Batch, Storage
from gitmem.verbs.committing import SKIP_CI


def shared_tips(storage: Storage, ref: str) -> list[Oid]:
    """Return what remotes had of a memory when they were last asked."""
    found = storage.list_refs(tracking_prefix(ref))
    return [oid for tracking, oid in found.items() if remote_of(tracking, ref) is not None]


def take_out(
    storage: Storage,
    ref: str,
    session: SessionId,
    replace: Callable[[str, Oid], object] = lambda ref, tip: None,
) -> bool:
    """Take a session out of every commit that no remote has; where one has a part of it, that part stays.

    `replace` is told of the tip whose history is left, before the ref moves.

    Returns:
        Whether anything was taken out.

    Raises:
        StoreError: The history cannot be read or written, and nothing has changed.
    """
    with storage.lock():
        tip = storage.read_ref(ref)
        if tip is None:
            return False
        memory = open_memory(storage, ref, tip)
        folder = memory.find(session)
        if folder is None:
            return False
        tips = shared_tips(storage, ref)
        with storage.begin() as batch:
            taking = _TakingOut(storage, batch, session, str(memory.load(folder).key), tips)
            new = taking.without(tip)
            if new == tip or new is None:
                return False
            batch.publish()
        replace(ref, tip)
        storage.move_ref(ref, new, tip, "gitmem: take out what is no longer to be shared")
        storage.tidy()
    return True


class _TakingOut:
    """One session and what remotes have; commits are written anew from the oldest on."""

    def __init__(
        self, storage: Storage, batch: Batch, session: SessionId, name: str, tips: Iterable[Oid]
    ) -> None:
        self._storage, self._batch, self._name = storage, batch, name
        self._path = layout.session_folder(session)
        self._shared = {oid for tip in tips for oid, _ in walk_history(storage, tip)}
        self._kept = next((found for tip in tips if (found := self._folder(tip)) is not None), None)
        self._new: dict[Oid, Oid] = {}
        self._trees: dict[Oid, Oid] = {}

    def without(self, tip: Oid) -> Oid | None:
        """Return the commit that takes the tip's place; None where nothing of the memory would be left."""
        for oid in self._oldest_first(tip):
            commit = read_commit(self._storage, oid)
            parents = tuple(self._new.get(parent, parent) for parent in commit.parents)
            changes: dict[trees.Path, Oid | None] = {self._path: self._kept}
            tree = trees.edit(self._storage, self._batch, commit.tree, changes, mode=TREE_MODE)
            if tree is None:
                return None
            if tree == commit.tree and parents == commit.parents:
                self._new[oid] = oid
            elif len(parents) == 1 and tree == self._tree_of(parents[0]):
                self._new[oid] = parents[0]  # it brought nothing else
            else:
                message = commit.message if self._name not in commit.message else f"Capture {SKIP_CI}\n"
                new = Commit(tree, parents, commit.author, commit.committer, message)
                self._new[oid] = self._batch.add("commit", encode_commit(new))
            self._trees[self._new[oid]] = tree
        return self._new.get(tip, tip)

    def _oldest_first(self, tip: Oid) -> Iterator[Oid]:
        """Yield the commits that no remote has and that hold the session, parents before their children."""
        seen: set[Oid] = set()
        todo = [(tip, False)]
        while todo:
            oid, is_ready = todo.pop()
            if is_ready:
                yield oid
            elif oid not in seen and oid not in self._shared and self._folder(oid) is not None:
                seen.add(oid)
                todo.append((oid, True))
                todo += [(parent, False) for parent in read_commit(self._storage, oid).parents]

    def _folder(self, commit: Oid) -> Oid | None:
        if not self._storage.contains(commit):
            return None  # a shallow clone ends before it
        entry = trees.find(self._storage, read_commit(self._storage, commit).tree, self._path)
        return entry.oid if entry is not None and entry.is_tree else None

    def _tree_of(self, commit: Oid) -> Oid:
        if commit not in self._trees:
            self._trees[commit] = read_commit(self._storage, commit).tree
        return self._trees[commit]
