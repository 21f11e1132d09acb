"""The two sides of a union, as trees: each read once, and nothing followed that cannot belong.

A tree of a few kilobytes can unfold to any number of folders. So none is opened at two places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from gitmem.format import layout
from gitmem.format.admission import Offer
from gitmem.format.outcomes import Side
from gitmem.format.tally import Tally
from gitmem.model.errors.store import ObjectDamaged, RecordRefused, StoreError
from gitmem.model.ids import Oid
from gitmem.objects import fanout
from gitmem.objects.encoding import Entry, ObjectKind, decode_tree, is_canonical
from gitmem.objects.fanout import Differing
from gitmem.objects.recalling import Recalling
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path

Entries = dict[str, Entry]

OWNER_DEPTH = 4
OWN_RECORDS = {"sessions": "session", "notes": "note"}
"""The record that a folder of sessions/ or notes/ is nothing without."""
_MAX_HELD_TREES = 4096


class Difference(NamedTuple):
    """A file that the two sides do not have alike."""

    path: Path
    ours: Entry | None
    theirs: Entry | None

    def offers(self) -> list[Offer]:
        """Return the blobs that stand here, on either side."""
        place = layout.place(self.path)
        return [Offer(self.path, place, entry.oid) for entry in (self.ours, self.theirs) if entry]

    def side_of(self, oid: Oid) -> Side:
        """Tell which side has a blob here; the other has none or another one."""
        return "here" if self.ours is not None and self.ours.oid == oid else "there"


class Sides:
    """Reads what the two sides have; `storage` hands out once more what was just read."""

    def __init__(self, storage: Storage, tally: Tally) -> None:
        self._recalling = Recalling(storage)
        self.storage = cast("Storage", self._recalling)
        self._tally = tally
        self._places: dict[tuple[Oid, Side], Path] = {}
        self._places_below: dict[tuple[Oid, Side], Path] = {}
        self._trees: dict[Oid, Entries] = {}

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Read an object; one that this disk has lost or spoilt is no side's fault, and ends everything."""
        try:
            return self.storage.read(oid)
        except ObjectDamaged as error:
            raise StoreError(str(error), hint=error.hint) from error

    def tree(self, oid: Oid) -> Entries:
        """Return a tree's entries; those of one session are looked at several times.

        Raises:
            ObjectDamaged: It is no tree as gitmem and git write it.
        """
        entries = self._trees.get(oid)
        if entries is None:
            entries = _decode(oid, *self.read(oid))
            if len(self._trees) < _MAX_HELD_TREES:
                self._trees[oid] = entries
        return entries

    def open(self, path: Path, oid: Oid | None, side: Side) -> Entries:
        """Return a folder's entries; none where it is not a tree as gitmem and git write it."""
        if oid is None:
            return {}
        try:
            return self.tree(oid)
        except ObjectDamaged as error:
            self._tally.refuse(path, side, error.why)
            return {}

    def compare(self, ours: Oid, theirs: Oid) -> Differing | None:
        """Compare two folders row by row; None where either is no fan-out folder, or decoded already."""
        if ours in self._trees or theirs in self._trees:
            return None
        read = [self.read(oid) for oid in (ours, theirs)]
        if any(kind != "tree" for kind, _ in read):
            return None
        return fanout.compare(read[0][1], read[1][1], len(ours) // 2)

    def forget(self) -> None:
        """Let go of what is held: another session's folder comes."""
        self._trees.clear()
        self._recalling.forget()

    def admit(self, path: Path, entry: Entry | None, side: Side) -> Entry | None:
        """Return an entry if something of gitmem's can stand there; its object has not been looked at."""
        if entry is None:
            return None
        try:
            if entry.is_tree:
                layout.check_folder(path, entry)
            else:
                layout.check_entry(path, entry)
        except RecordRefused as error:
            self._tally.refuse(path, side, error.why)
            return None
        if len(path) == 1 or (len(path) == OWNER_DEPTH and path[0] in OWN_RECORDS):
            return entry
        # Names are made of contents, so that nothing stands twice; but two sessions may have said the same.
        is_below = path[0] in OWN_RECORDS and len(path) > OWNER_DEPTH
        places = self._places_below if is_below else self._places
        if places.setdefault((entry.oid, side), path) != path:
            self._tally.refuse(path, side, f"it is the same as {'/'.join(places[entry.oid, side])}")
            return None
        return entry

    def differences(self, path: Path, ours: Oid | None, theirs: Oid | None) -> list[Difference]:
        """Return what differs in the folder of a session or a note, file by file, in order of names."""
        self._places_below.clear()
        return list(self._differences(path, ours, theirs))

    def _differences(self, path: Path, ours: Oid | None, theirs: Oid | None) -> Iterator[Difference]:
        here, there = self.open(path, ours, "here"), self.open(path, theirs, "there")
        for name in sorted(here.keys() | there.keys()):
            if here.get(name) != there.get(name):
                below = (*path, name)
                mine = self.admit(below, here.get(name), "here")
                other = self.admit(below, there.get(name), "there")
                sample = mine or other
                if sample is not None and sample.is_tree:
                    yield from self._differences(
                        below, mine.oid if mine else None, other.oid if other else None
                    )
                elif sample is not None:
                    yield Difference(below, mine, other)


def _decode(oid: Oid, kind: ObjectKind, data: bytes) -> Entries:
    if kind != "tree":
        raise ObjectDamaged(oid, f"it is a {kind}")
    if not data:
        raise ObjectDamaged(oid, "it is empty")
    entries = decode_tree(data, len(oid) // 2, oid)
    if not is_canonical(entries, data):
        raise ObjectDamaged(oid, "its tree is not in canonical form")
    return entries
