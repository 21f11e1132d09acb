"""How two memories are united, folder by folder; gitmem.format.union says what comes of it.

Tombstones come first, for they decide what of the rest is gone. A session or a note is admitted as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple, cast

from gitmem.format import layout, records
from gitmem.format.admission import Admitted, Offer, admit_file, admit_folder
from gitmem.format.burial import counts_any
from gitmem.format.layout import EntryKind
from gitmem.format.outcomes import Accept, Outcome, Refusal, Side, Union
from gitmem.model.errors import ObjectDamaged, RecordRefused, StoreError
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Tombstone
from gitmem.model.settings import Level
from gitmem.objects import trees
from gitmem.objects.encoding import (
    FILE_MODE,
    TREE_MODE,
    Entry,
    ObjectKind,
    decode_tree,
    encode_tree,
    is_canonical,
)
from gitmem.objects.recalling import Recalling
from gitmem.objects.storage import Batch, Storage
from gitmem.objects.trees import Path

Entries = dict[str, Entry]

_OWN_RECORDS = {"sessions": "session", "notes": "note"}
"""The record that a folder of sessions/ or notes/ is nothing without."""
_OWNER_DEPTH = 4
_SHOWN_CHARACTERS = 300
_MAX_FORMAT_DIGITS = 6
_MAX_HELD_TREES = 4096
_MAX_LISTED = 1000
"""Refusals that are listed; whoever has more looks at what is wrong with the first."""


class _Difference(NamedTuple):
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


class _Owner(NamedTuple):
    """The session or note that a folder's own record makes it, or an empty name; why no other, and where."""

    name: str
    why: str
    at: Path = ()


class Uniting:
    """One union on its way: two roots, and what has been found so far."""

    def __init__(
        self,
        storage: Storage,
        batch: Batch,
        level: Level,
        accept: Accept,
        promised: Container[SessionId],
    ) -> None:
        self._recalling = Recalling(storage)
        self._storage, self._batch = cast("Storage", self._recalling), batch
        self._level, self._accept, self._promised = level, accept, promised
        self._outcomes: dict[SessionId, Outcome] = {}
        self._refusals: dict[tuple[Path, Side], Refusal] = {}
        self._unlisted = self._refused = 0
        self._places: dict[tuple[Oid, Side], Path] = {}
        self._places_below: dict[tuple[Oid, Side], Path] = {}
        self._owners: dict[tuple[str, Oid], _Owner] = {}
        self._arrived: Counter[EntryKind] = Counter()
        self._versions = (-1, -1)
        self._visited: set[Path] = set()
        self._lacking: set[Side] = set()
        self._buried: set[str] = set()
        self._tops: tuple[Oid | None, Oid | None] = (None, None)
        self._tombstones: list[Tombstone] = []
        self._chosen: Mapping[Path, Oid] = {}
        self._trees: dict[Oid, Entries] = {}

    def unite(self, ours: Oid | None, theirs: Oid | None) -> Union:
        """Unite two trees, of which either may be empty."""
        here, there = self._open((), ours, "here"), self._open((), theirs, "there")
        self._versions = self._version(here), self._version(there)
        tops = [entries.get("tombstones") for entries in (here, there)]
        mine, other = (top.oid if top and top.is_tree else None for top in tops)
        self._tops = mine, other
        united: Entries = {}
        # Tombstones first, for they decide what of the rest is gone.
        for name in sorted(here.keys() | there.keys(), key=lambda name: (name != "tombstones", name)):
            entry = self._unite_below((name,), here.get(name), there.get(name))
            if entry is not None:
                united[name] = entry
        root = self._write(united, ours, here, theirs, there)
        return Union(
            root,
            self._outcomes,
            tuple(self._refusals.values()),
            self._arrived,
            self._unlisted,
            frozenset(self._lacking),
            tuple(self._tombstones),
        )

    def _unite_folders(
        self, path: Path, ours: Oid | None, here: Entries, theirs: Oid | None, there: Entries
    ) -> Oid | None:
        """Unite two folders, given their entries too."""
        united: Entries = {}
        for name in sorted(here.keys() | there.keys()):
            entry = self._unite_below((*path, name), here.get(name), there.get(name))
            if entry is not None:
                united[name] = entry
        return self._write(united, ours, here, theirs, there)

    def _unite_below(self, path: Path, mine: Entry | None, other: Entry | None) -> Entry | None:
        if mine == other and path not in self._visited:
            return mine
        return self._unite_entries(path, self._admit(path, mine, "here"), self._admit(path, other, "there"))

    def _write(
        self, united: Entries, ours: Oid | None, here: Entries, theirs: Oid | None, there: Entries
    ) -> Oid | None:
        """Return the tree of what was united: a side's own, where it is that."""
        if not united:
            return None
        own = [oid for oid, entries in ((ours, here), (theirs, there)) if oid and entries == united]
        return own[0] if own else self._batch.add("tree", encode_tree(united))

    def _unite_entries(self, path: Path, mine: Entry | None, other: Entry | None) -> Entry | None:
        """Unite what stands at a path; where both sides have something, both have a folder or both a file."""
        sample = mine or other
        if sample is None:
            return None
        if not sample.is_tree:
            if path[0] == "checkpoints" and self._is_buried(path):
                return None
            is_chosen_already = len(path) > _OWNER_DEPTH and path[0] in _OWN_RECORDS
            oid = (
                self._chosen.get(path) if is_chosen_already else self._choose(_Difference(path, mine, other))
            )
            return Entry(FILE_MODE, oid) if oid else None
        ours, theirs = mine.oid if mine else None, other.oid if other else None
        if len(path) == _OWNER_DEPTH and path[0] in _OWN_RECORDS:
            self._trees.clear()
            self._recalling.forget()
            if self._is_buried(path):
                if path[0] == "sessions":
                    self._outcomes[SessionId("".join(path[1:]))] = "tombstoned"
                return None
            if not self._is_owned(path, ours, theirs):
                return None
            if path[0] == "sessions" and SessionId("".join(path[1:])) in self._promised:
                if mine is None or other is None:
                    self._outcomes[SessionId("".join(path[1:]))] = "new there" if other else "new here"
                    return sample
                self._chosen = self._take_on_word(path, ours, theirs)
            else:
                refusals = self._refused
                self._chosen = self._choose_below(path, ours, theirs)
                if self._refused == refusals and (ours is None or theirs is None):
                    return sample  # all of it belongs, and the other side has nothing to add
        here, there = self._open(path, ours, "here"), self._open(path, theirs, "there")
        root = self._unite_folders(path, ours, here, theirs, there)
        return Entry(TREE_MODE, root) if root else None

    def _is_owned(self, path: Path, ours: Oid | None, theirs: Oid | None) -> bool:
        """Tell whether either side has the record that the folder of a session or note is nothing without."""
        sides: tuple[tuple[Oid | None, Side], ...] = ((ours, "here"), (theirs, "there"))
        owners = [(self._owner(path, oid), side) for oid, side in sides if oid]
        if any(owner.name == "".join(path[1:]) for owner, _ in owners):
            return True
        is_listed = [self._refuse(path + owner.at, side, owner.why) for owner, side in owners]
        if path[0] == "sessions" and any(is_listed):
            self._outcomes[SessionId("".join(path[1:]))] = "refused"
        return False

    def _owner(self, path: Path, oid: Oid) -> _Owner:
        """Read whose a folder is, once, wherever else it stands."""
        if (path[0], oid) not in self._owners:
            self._owners[path[0], oid] = self._read_owner(path, oid)
        return self._owners[path[0], oid]

    def _read_owner(self, path: Path, oid: Oid) -> _Owner:
        own = _OWN_RECORDS[path[0]]
        try:
            entry = self._tree(oid).get(own)
            if entry is None or entry.mode != FILE_MODE:
                return _Owner("", f"it has no {own} record")
            kind, blob = self._read(entry.oid)
            if kind != "blob":
                return _Owner("", f"it is a {kind}", (own,))
        except ObjectDamaged as error:
            return _Owner("", error.why)
        try:
            name = records.read_name(blob, "/".join((*path, own)))
        except (RecordRefused, ObjectDamaged) as error:
            return _Owner("", error.why, (own,))
        return _Owner(name, f"its content is named {name}", (own,))

    def _choose(self, change: _Difference) -> Oid | None:
        """Choose a blob for a file of the root, or for a record that stands for itself."""
        accepted = [Oid("")]
        for offer in change.offers():
            side = change.side_of(offer.oid)
            try:
                record = admit_file(self._storage, offer)
            except (RecordRefused, ObjectDamaged) as error:
                self._refuse(change.path, side, error.why)
                continue
            why = self._why_not(record, side) if isinstance(record, Tombstone) else ""
            if why:
                self._refuse(change.path, side, why)
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

    def _choose_below(self, path: Path, ours: Oid | None, theirs: Oid | None) -> dict[Path, Oid]:
        """Choose a blob for every file that differs in the folder of a session or a note."""
        refusals = self._count_refusals()
        self._places_below.clear()
        differences = {change.path: change for change in self._differences(path, ours, theirs)}
        offers = [offer for change in differences.values() for offer in change.offers()]
        admitted = admit_folder(self._storage, (*path, _OWN_RECORDS[path[0]]), offers, ours or theirs)
        for refused in admitted.refused:
            self._refuse(refused.path, differences[refused.path].side_of(refused.oid), refused.why)
        chosen: dict[Path, Oid] = {}
        for offer in admitted.offers:
            chosen[offer.path] = max(offer.oid, chosen.get(offer.path, Oid("")))
            self._count(differences[offer.path], offer)
        if path[0] == "sessions":
            outcome = _outcome(
                differences, admitted, ours, theirs, is_refused=self._count_refusals() > refusals
            )
            if outcome:
                self._outcomes[SessionId("".join(path[1:]))] = outcome
        return chosen

    def _take_on_word(self, path: Path, ours: Oid | None, theirs: Oid | None) -> dict[Path, Oid]:
        """Choose a blob for every file that differs in the folder of a session whose text is not here."""
        self._places_below.clear()
        differences = list(self._differences(path, ours, theirs))
        records = [change for change in differences if layout.place(change.path).kind != "segment"]
        here = any(change.theirs is None for change in records)
        there = any(change.ours is None for change in records)
        if here or there:
            self._outcomes[SessionId("".join(path[1:]))] = (
                "grown on both sides" if here and there else "grown here" if here else "grown there"
            )
        return {change.path: max(offer.oid for offer in change.offers()) for change in differences}

    def _differences(self, path: Path, ours: Oid | None, theirs: Oid | None) -> Iterator[_Difference]:
        here, there = self._open(path, ours, "here"), self._open(path, theirs, "there")
        for name in sorted(here.keys() | there.keys()):
            if here.get(name) != there.get(name):
                below = (*path, name)
                mine = self._admit(below, here.get(name), "here")
                other = self._admit(below, there.get(name), "there")
                sample = mine or other
                if sample is not None and sample.is_tree:
                    yield from self._differences(
                        below, mine.oid if mine else None, other.oid if other else None
                    )
                elif sample is not None:
                    yield _Difference(below, mine, other)

    def _admit(self, path: Path, entry: Entry | None, side: Side) -> Entry | None:
        """Return an entry if something of gitmem's can stand there; its object has not been looked at."""
        if entry is None:
            return None
        try:
            if entry.is_tree:
                layout.check_folder(path, entry)
            else:
                layout.check_entry(path, entry)
        except RecordRefused as error:
            self._refuse(path, side, error.why)
            return None
        if len(path) == 1 or (len(path) == _OWNER_DEPTH and path[0] in _OWN_RECORDS):
            return entry
        # Names are made of contents, so that nothing stands twice; but two sessions may have said the same.
        is_below = path[0] in _OWN_RECORDS and len(path) > _OWNER_DEPTH
        places = self._places_below if is_below else self._places
        if places.setdefault((entry.oid, side), path) != path:
            self._refuse(path, side, f"it is the same as {'/'.join(places[entry.oid, side])}")
            return None
        return entry

    def _open(self, path: Path, oid: Oid | None, side: Side) -> Entries:
        """Return a folder's entries; none where it is not a tree as gitmem and git write it."""
        if oid is None:
            return {}
        try:
            return self._tree(oid)
        except ObjectDamaged as error:
            self._refuse(path, side, error.why)
            return {}

    def _tree(self, oid: Oid) -> Entries:
        """Return a tree's entries; those of one session are looked at several times."""
        entries = self._trees.get(oid)
        if entries is None:
            entries = self._decode(oid, *self._read(oid))
            if len(self._trees) < _MAX_HELD_TREES:
                self._trees[oid] = entries
        return entries

    def _read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Read an object; one that this disk has lost or spoilt is no side's fault, and ends everything."""
        try:
            return self._storage.read(oid)
        except ObjectDamaged as error:
            raise StoreError(str(error), hint=error.hint) from error

    def _decode(self, oid: Oid, kind: ObjectKind, data: bytes) -> Entries:
        if kind != "tree":
            raise ObjectDamaged(oid, f"it is a {kind}")
        if not data:
            raise ObjectDamaged(oid, "it is empty")
        entries = decode_tree(data, len(oid) // 2, oid)
        if not is_canonical(entries, data):
            raise ObjectDamaged(oid, "its tree is not in canonical form")
        return entries

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

    def _bury(self, tombstone: Tombstone, change: _Difference) -> None:
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
        here, there = (self._tombstones_at(top, path[1:_OWNER_DEPTH]) for top in self._tops)
        common = {name: entry for name, entry in here.items() if there.get(name) == entry}
        return bool(common) and counts_any(self._storage, target, common, self._level)

    def _tombstones_at(self, top: Oid | None, path: Path) -> Mapping[str, Entry]:
        try:
            folder = trees.find(self._storage, top, path)
            return trees.known_tree(self._storage, folder.oid) if folder and folder.is_tree else {}
        except ObjectDamaged:
            return {}  # reported where it is met as a difference

    def _count(self, change: _Difference, offer: Offer) -> None:
        if change.ours is None:
            self._arrived[offer.place.kind] += 1

    def _refuse(self, path: Path, side: Side, why: str) -> bool:
        """Report, once, what stays out; return whether it is listed."""
        self._refused += 1
        is_listed = (path, side) in self._refusals or len(self._refusals) < _MAX_LISTED
        if is_listed:
            self._refusals[path, side] = Refusal("/".join(path)[:_SHOWN_CHARACTERS], side, why)
        else:
            self._unlisted += 1
        return is_listed

    def _count_refusals(self) -> int:
        return len(self._refusals) + self._unlisted


def _outcome(
    differences: Mapping[Path, _Difference],
    admitted: Admitted,
    ours: Oid | None,
    theirs: Oid | None,
    *,
    is_refused: bool,
) -> Outcome | None:
    """Name what became of a session; None where it came to nothing new."""
    changes = [differences[offer.path] for offer in admitted.offers if offer.place.kind != "segment"]
    only_here = {change.path for change in changes if change.theirs is None}
    only_there = {change.path for change in changes if change.ours is None}
    if not (only_here or only_there):
        return "refused" if is_refused else None
    if ours is None:
        return "new there"
    if theirs is None:
        return "new here"
    if not only_here:
        return "grown there"
    if not only_there:
        return "grown here"
    streams_here = {admitted.streams[path] for path in only_here if path in admitted.streams}
    streams_there = {admitted.streams[path] for path in only_there if path in admitted.streams}
    return "forked" if streams_here & streams_there else "grown on both sides"
