"""How two memories are united, folder by folder; gitmem.format.union says what comes of it.

Tombstones come first, for they decide what of the rest is gone. A session or a note is admitted as a whole.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from gitmem.format import layout
from gitmem.format.admission import Offer, admit_file
from gitmem.format.burial import counts_any
from gitmem.format.lone import Vouch
from gitmem.format.outcomes import Accept, Side, Union
from gitmem.format.owned import Owned
from gitmem.format.sides import OWN_RECORDS, OWNER_DEPTH, Difference, Entries, Sides
from gitmem.format.tally import Tally
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Tombstone
from gitmem.model.settings import Level
from gitmem.objects import fanout, trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, encode_tree
from gitmem.objects.fanout import Differing
from gitmem.objects.storage import Batch, Storage
from gitmem.objects.trees import Path

_MAX_FORMAT_DIGITS = 6


class _Folder(NamedTuple):
    """A folder of one side, and its entries; no name where it has none."""

    oid: Oid | None
    entries: Entries


class Uniting:
    """One union on its way: two roots, and what has been found so far."""

    def __init__(
        self,
        storage: Storage,
        batch: Batch,
        level: Level,
        accept: Accept,
        promised: Container[SessionId],
        vouch: Vouch,
    ) -> None:
        self._tally = Tally()
        self._sides = Sides(storage, self._tally)
        self._owned = Owned(self._sides, self._tally)
        self._storage, self._batch = self._sides.storage, batch
        self._level, self._accept, self._promised, self._vouch = level, accept, promised, vouch
        self._versions = (-1, -1)
        self._visited: set[Path] = set()
        self._lacking: set[Side] = set()
        self._buried: set[str] = set()
        self._tops: tuple[Oid | None, Oid | None] = (None, None)
        self._tombstones: list[Tombstone] = []
        self._chosen: Mapping[Path, Oid] = {}

    def unite(self, ours: Oid | None, theirs: Oid | None) -> Union:
        """Unite two trees, of which either may be empty."""
        here, there = self._sides.open((), ours, "here"), self._sides.open((), theirs, "there")
        self._versions = self._version(here), self._version(there)
        tops = [entries.get("tombstones") for entries in (here, there)]
        mine, other = (top.oid if top and top.is_tree else None for top in tops)
        self._tops = mine, other
        # Tombstones first, for they decide what of the rest is gone.
        names = sorted(here.keys() | there.keys(), key=lambda name: (name != "tombstones", name))
        root = self._unite_entries_of((), names, _Folder(ours, here), _Folder(theirs, there))
        return Union(
            root,
            self._tally.outcomes,
            self._tally.refusals,
            self._tally.arrived,
            self._tally.unlisted,
            frozenset(self._lacking),
            tuple(self._tombstones),
        )

    def _unite_folders(self, path: Path, ours: Oid | None, theirs: Oid | None) -> Oid | None:
        """Unite two folders; what is alike in them is not decoded where nothing in it is buried."""
        if ours and theirs and path not in self._visited:
            differing = self._sides.compare(ours, theirs)
            if differing:
                return self._unite_differing(path, ours, theirs, differing)
        here = _Folder(ours, self._sides.open(path, ours, "here"))
        there = _Folder(theirs, self._sides.open(path, theirs, "there"))
        return self._unite_entries_of(path, sorted(here.entries.keys() | there.entries.keys()), here, there)

    def _unite_entries_of(self, path: Path, names: list[str], ours: _Folder, theirs: _Folder) -> Oid | None:
        """Unite two folders, name by name."""
        here, there = ours.entries, theirs.entries
        united: Entries = {}
        for name in names:
            below, mine, other = (*path, name), here.get(name), there.get(name)
            entry = (
                mine
                if mine == other and below not in self._visited
                else self._unite_below(below, mine, other)
            )
            if entry is not None:
                united[name] = entry
        if not united:
            return None
        own = [side.oid for side in (ours, theirs) if side.oid and side.entries == united]
        return own[0] if own else self._batch.add("tree", encode_tree(united))

    def _unite_differing(self, path: Path, ours: Oid, theirs: Oid, differing: Differing) -> Oid | None:
        """Unite two fan-out folders, given in what they differ."""
        common, here, there = differing
        united: Entries = {}
        for name in sorted(here.keys() | there.keys()):
            entry = self._unite_below((*path, name), here.get(name), there.get(name))
            if entry is not None:
                united[name] = entry
        own = [oid for oid, entries in ((ours, here), (theirs, there)) if entries == united]
        if own:
            return own[0]
        return self._batch.add("tree", fanout.unite(common, united)) if common or united else None

    def _unite_below(self, path: Path, mine: Entry | None, other: Entry | None) -> Entry | None:
        """Unite what stands at a path, as far as anything of gitmem's can stand there."""
        admit = self._sides.admit
        return self._unite_entries(path, admit(path, mine, "here"), admit(path, other, "there"))

    def _unite_entries(self, path: Path, mine: Entry | None, other: Entry | None) -> Entry | None:
        """Unite what stands at a path; where both sides have something, both have a folder or both a file."""
        sample = mine or other
        if sample is None:
            return None
        is_owner = len(path) == OWNER_DEPTH and path[0] in OWN_RECORDS
        if sample.is_tree:
            ours, theirs = mine.oid if mine else None, other.oid if other else None
            if is_owner:
                return self._unite_owned(path, ours, theirs, sample)
            root = self._unite_folders(path, ours, theirs)
            return Entry(TREE_MODE, root) if root else None
        if path[0] == "checkpoints" and self._is_buried(path):
            return None
        is_chosen_already = len(path) > OWNER_DEPTH and path[0] in OWN_RECORDS
        oid = self._chosen.get(path) if is_chosen_already else self._choose(Difference(path, mine, other))
        return Entry(FILE_MODE, oid) if oid else None

    def _unite_owned(self, path: Path, ours: Oid | None, theirs: Oid | None, sample: Entry) -> Entry | None:
        """Unite the folder of a session or note; `sample` is its entry on a side that has it."""
        self._sides.forget()
        if self._is_buried(path):
            self._tally.conclude(path, "tombstoned")
            return None
        is_of_one_side = ours is None or theirs is None
        is_promised = path[0] == "sessions" and SessionId("".join(path[1:])) in self._promised
        arrived = self._vouch(path, sample.oid) if is_of_one_side and not is_promised else None
        if arrived is not None:
            self._tally.conclude(path, "new there" if theirs else "new here")
            self._tally.arrived.update(arrived if theirs else {})
            return sample
        if not self._owned.belongs(path, ours, theirs):
            return None
        if is_promised:
            if is_of_one_side:
                self._tally.conclude(path, "new there" if theirs else "new here")
                return sample
            self._chosen = self._owned.take_on_word(path, ours, theirs)
        else:
            refused = self._tally.refused
            self._chosen = self._owned.choose(path, ours, theirs)
            if self._tally.refused == refused and is_of_one_side:
                return sample  # all of it belongs, and the other side has nothing to add
        root = self._unite_folders(path, ours, theirs)
        return Entry(TREE_MODE, root) if root else None

    def _choose(self, change: Difference) -> Oid | None:
        """Choose a blob for a file of the root, or for a record that stands for itself."""
        accepted = [Oid("")]
        for offer in change.offers():
            side = change.side_of(offer.oid)
            try:
                record = admit_file(self._storage, offer)
            except (RecordRefused, ObjectDamaged) as error:
                self._tally.refuse(change.path, side, error.why)
                continue
            why = self._why_not(record, side) if isinstance(record, Tombstone) else ""
            if why:
                self._tally.refuse(change.path, side, why)
                continue
            accepted.append(offer.oid)
            self._count(change, offer)
            if isinstance(record, Tombstone):
                self._bury(record, change)
        if layout.place(change.path).kind == "root":
            found = [entry.oid if entry else Oid("") for entry in (change.ours, change.theirs)]
            rows = [row for row in zip(self._versions, found, strict=True) if row[1] in accepted]
            return (max(rows)[1] or None) if rows else None
        return max(accepted) or None

    def _version(self, root: Entries) -> int:
        """Return a side's format version; none, where its FORMAT will be refused, is lower than any."""
        entry = root.get("FORMAT")
        if entry is None or entry.mode != FILE_MODE:
            return -1
        digits = trees.read_blob(self._storage, entry.oid).removesuffix(b"\n")
        return int(digits) if digits.isdigit() and len(digits) < _MAX_FORMAT_DIGITS else -1

    def _why_not(self, tombstone: Tombstone, side: Side) -> str:
        """Tell why a tombstone does not count; what is here was let count before."""
        if tombstone.level != self._level:
            return f"it is for level {tombstone.level}"
        return self._accept(tombstone) if side == "there" else ""

    def _bury(self, tombstone: Tombstone, change: Difference) -> None:
        """See that what a tombstone names is looked at, wherever it may stand, though both sides have it."""
        if change.ours is None:
            self._lacking.add("here")
        if change.theirs is None:
            self._lacking.add("there")
        if change.ours is None or change.theirs is None:
            self._tombstones.append(tombstone)
        self._buried.add(tombstone.target)
        for path in layout.buried_paths(tombstone.target):
            self._visited.update(path[:depth] for depth in range(1, len(path) + 1))

    def _is_buried(self, path: Path) -> bool:
        """Whether an accepted tombstone of one side, or one that both have, names what stands at a path."""
        target = layout.target_at(path)
        if target is None or target in self._buried:
            return target is not None
        here, there = (self._tombstones_at(top, path[1:OWNER_DEPTH]) for top in self._tops)
        common = {name: entry for name, entry in here.items() if there.get(name) == entry}
        return bool(common) and counts_any(self._storage, target, common, self._level)

    def _tombstones_at(self, top: Oid | None, path: Path) -> Mapping[str, Entry]:
        try:
            folder = trees.find(self._storage, top, path)
            return trees.known_tree(self._storage, folder.oid) if folder and folder.is_tree else {}
        except ObjectDamaged:
            return {}  # reported where it is met as a difference

    def _count(self, change: Difference, offer: Offer) -> None:
        if change.ours is None:
            self._tally.arrived[offer.place.kind] += 1
