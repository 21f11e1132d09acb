"""Objects and refs through libgit2: the fast way, for repositories that it can open.

It opens neither SHA-256 nor reftable repositories nor partial clones; those go through
`gitmem.git.plumbing`. Refs move in a locked transaction that reads the ref again: pygit2's other ways
to set one lose updates when two processes write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygit2

from gitmem import disk
from gitmem.git.loose import read_loose
from gitmem.model.errors.repositories import ForeignOwner, RepositoryError
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefDamaged, RefMoved
from gitmem.model.ids import Oid
from gitmem.objects.encoding import ObjectKind

_MAPPED_PIECE_BYTES = 8 << 20
_MAPPED_BYTES = 32 << 20
_KINDS: dict[int, ObjectKind] = {
    int(pygit2.enums.ObjectType.COMMIT): "commit",
    int(pygit2.enums.ObjectType.TREE): "tree",
    int(pygit2.enums.ObjectType.BLOB): "blob",
    int(pygit2.enums.ObjectType.TAG): "tag",
}


class LibgitBackend:
    """One open repository. Not for use by several threads at once."""

    def __init__(self, common_dir: Path) -> None:
        # Packs are mapped in pieces, few at a time: whole, a consolidation would hold all that it reads.
        pygit2.settings.mwindow_size = _MAPPED_PIECE_BYTES
        pygit2.settings.mwindow_mapped_limit = _MAPPED_BYTES
        self._common_dir = common_dir
        self._objects = f"{common_dir}/objects/"
        self._open()

    def _open(self) -> None:
        try:
            self._repository = pygit2.Repository(str(self._common_dir))
        except pygit2.GitError as error:
            if "not owned by" in str(error):
                raise ForeignOwner(str(self._common_dir)) from None
            self._repository = self._without_working_tree(str(error))
        self._odb: Any = self._repository.odb

    def _without_working_tree(self, why: str) -> pygit2.Repository:
        """Open a submodule's git directory whose working tree is gone: its configuration names that."""
        try:
            return pygit2.Repository(str(self._common_dir), pygit2.enums.RepositoryOpenFlag.BARE)
        except pygit2.GitError:
            raise RepositoryError(f"could not open {self._common_dir}: {why}") from None

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object; libgit2 checks its hash as it reads."""
        loose = read_loose(self._objects, oid)  # libgit2 never comes back from one that is cut short
        if loose is not None:
            return loose
        try:
            found, data = self._read_packed(oid)
        except KeyError:
            raise ObjectMissing(oid) from None
        except (pygit2.GitError, ValueError) as error:
            raise ObjectDamaged(oid, str(error)) from None
        return _KINDS[int(found)], bytes(data)

    def _read_packed(self, oid: Oid) -> Any:
        try:
            return self._odb.read(oid)
        except KeyError:
            # Packs that were listed may have been written together, and removed, before they were opened.
            self.forget_packs()
            return self._odb.read(oid)

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here."""
        return oid in self._odb

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at."""
        try:
            target: Any = self._repository.references[ref].resolve().target
        except KeyError:
            return None
        except pygit2.GitError as error:
            raise RefDamaged(ref, str(error).removeprefix(f"{ref}: ")) from None
        return Oid(str(target))

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix, and the ref of that very name."""
        own = prefix.removesuffix("/")
        names = [
            ref.name
            for ref in self._repository.references.iterator()
            if ref.name.startswith(prefix) or ref.name == own
        ]
        found = {name: self.read_ref(name) for name in sorted(names)}
        return {name: oid for name, oid in found.items() if oid is not None}

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected`.

        Raises:
            BlockingIOError: Another process holds the ref's lock; try again.
        """
        disk.announce("move ref", self._common_dir / ref)
        try:
            with disk.refusing("write", self._common_dir / ref), self._repository.transaction() as moving:
                moving.lock_ref(ref)
                found = self.read_ref(ref)
                if found != expected:
                    raise RefMoved(ref, expected, found)
                moving.set_target(ref, pygit2.Oid(hex=new), message=reason)
        except (pygit2.GitError, ValueError) as error:
            if (self._common_dir / f"{ref}.lock").exists():
                raise BlockingIOError(str(error)) from None
            raise RepositoryError(f"could not move {ref}: {error}") from None

    def forget_packs(self) -> None:
        """Let go of packs that are gone: libgit2 keeps each one open, and looks into it, for good."""
        old = self._repository
        self._open()
        old.free()

    def close(self) -> None:
        """Let go of the repository's open files."""
        self._odb = None  # holds them open as the repository does
        self._repository.free()
