"""The private memory, opened with what was learnt of it before: only sessions that moved since are opened.

To open a sealed session takes a millisecond or two, and there may be thousands, of which one has grown. So
where the refs of each stood, and which session and folder that was, is kept beside the index. It holds for
the same keys alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem import disk
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import PRIVATE_REF
from gitmem.objects.encoding import Commit, ObjectKind, encode_commit
from gitmem.objects.storage import Storage
from gitmem.sealed.keeping import NOBODY
from gitmem.sealed.ring import Ring
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips, by_name, read_tips
from gitmem.sealed.virtual import Overlay, write_root
from gitmem.verbs import caching

_NAME: Final = "sealed"
_MOST_OPENED: Final = 16
"""More are opened all together: each one by itself looks where all refs stand."""


class Known(NamedTuple):
    """Which session a sealed one is, and its folder's tree, as long as its refs stand there."""

    key: Oid | None
    content: Oid | None
    session: SessionId
    folder: Oid


_decoder: Final = msgspec.msgpack.Decoder(dict[str, Known])


class RecallingStorage(SealedStorage):
    """A sealed storage to read from, which shows sessions that are known without opening them."""

    def __init__(self, base: Storage, ring: Ring, root: Path) -> None:
        super().__init__(base, ring)
        self._path = root / _NAME
        self._shown = Overlay(base.hash_name)
        self._unopened: dict[Oid, str] = {}
        self._known: dict[str, Known] | None = None

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object; the first one of a session that is known opens that."""
        if oid in self._shown.objects:
            return self._shown.objects[oid]
        name = self._unopened.pop(oid, None)
        if name is not None:
            self.folder_of(name)
        return super().read(oid)

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at; for the private memory's, what it is shown as is made ready."""
        commit = super().read_ref(ref)
        if ref == PRIVATE_REF and commit is not None:
            self._recall(commit)
        return commit

    def keep(self) -> None:
        """Keep what is known now for the next time."""
        known = self._known
        if known is None:
            known = {
                each.name: Known(*each.tips, each.session.session, each.session.folder)
                for each in self.opened()
                if each.session is not None
            }
        caching.write_derived(self._path, self._kind(), msgspec.msgpack.encode(known))

    def _recall(self, commit: Oid) -> None:
        before = caching.load(self._path, self._kind(), _decoder) or {}
        now = by_name(read_tips(self.base))
        known = {name: before[name] for name, tips in now.items() if _stands(before, name, tips)}
        moved = [name for name, tips in now.items() if name not in known and tips.content is not None]
        if len(moved) > _MOST_OPENED:
            return
        old = dict(known)
        for name in moved:
            folder = self.folder_of(name)
            if folder is not None:
                known[name] = Known(*now[name], folder.session, folder.tree)
        if _has_twice(known.values()):
            return  # sealed on two devices, and united only where both are opened
        self._known = known
        self._unopened = {each.folder: name for name, each in old.items()}
        root = write_root(self._shown, {each.session: each.folder for each in known.values()})
        shown = Commit(root, (), NOBODY, NOBODY, "What is private\n")
        self._shown.objects[commit] = ("commit", encode_commit(shown))

    def _kind(self) -> str:
        keys = "\n".join(self.ring.own())
        return f"sealed 1 {hashlib.sha256(keys.encode()).hexdigest()}"


def forget(root: Path) -> None:
    """Remove what was kept, where nothing is private any more.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if (root / _NAME).exists():
        disk.remove_file(root / _NAME)


def _stands(before: Mapping[str, Known], name: str, tips: Tips) -> bool:
    return name in before and tips == before[name][:2]


def _has_twice(known: Iterable[Known]) -> bool:
    sessions = [each.session for each in known]
    return len(set(sessions)) < len(sessions)
