"""The private memory's upper trees: an ordinary memory's root over the folders of opened sessions.

They exist in this process alone. Everything in them follows from the sessions and their folders' ids.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitmem.format import layout
from gitmem.format.memory import FORMAT_VERSION
from gitmem.model.ids import Oid, SessionId
from gitmem.objects.encoding import (
    FILE_MODE,
    TREE_MODE,
    Entry,
    HashName,
    ObjectKind,
    encode_tree,
    object_id,
)
from gitmem.objects.storage import Batch

README = b"""\
# What is private

These sessions are sealed, each on refs of its own below refs/gitmem/private/ and refs/gitmem/keys/. git has
no such tree: it is shown by gitmem to whoever has a key.
"""


class Overlay:
    """Objects of this process: a batch that never reaches a repository."""

    def __init__(self, hash_name: HashName) -> None:
        self._hash_name: HashName = hash_name
        self.objects: dict[Oid, tuple[ObjectKind, bytes]] = {}

    def add(self, kind: ObjectKind, data: bytes) -> Oid:
        """Take one object and return its name."""
        oid = object_id(kind, data, self._hash_name)
        self.objects[oid] = (kind, data)
        return oid

    def publish(self) -> None:
        """Nothing to do: what was added can be read."""


def write_root(batch: Batch, folders: Mapping[SessionId, Oid]) -> Oid:
    """Add a memory's root over some sessions' folders to a batch, and return its name."""
    files = {"FORMAT": b"%d\n" % FORMAT_VERSION, "README.md": README}
    root = {name: Entry(FILE_MODE, batch.add("blob", data)) for name, data in files.items()}
    fans: dict[str, dict[str, dict[str, Entry]]] = {}
    for session, folder in folders.items():
        _, first, second, rest = layout.session_folder(session)
        fans.setdefault(first, {}).setdefault(second, {})[rest] = Entry(TREE_MODE, folder)
    if fans:
        tops = {
            first: _folder(batch, {n: _folder(batch, b) for n, b in x.items()}) for first, x in fans.items()
        }
        root["sessions"] = _folder(batch, tops)
    return batch.add("tree", encode_tree(root))


def _folder(batch: Batch, entries: dict[str, Entry]) -> Entry:
    return Entry(TREE_MODE, batch.add("tree", encode_tree(entries)))
