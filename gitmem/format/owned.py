"""The folder of one session or note, as two sides have it: whose it is, and what of it belongs.

It is looked at only where its own record belongs, and is admitted as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gitmem.format import layout, records
from gitmem.format.admission import Admitted, admit_folder
from gitmem.format.outcomes import Outcome, Side
from gitmem.format.sides import OWN_RECORDS, Difference, Sides
from gitmem.format.tally import Tally
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import Oid
from gitmem.objects.encoding import FILE_MODE
from gitmem.objects.trees import Path


class _Owner(NamedTuple):
    """The session or note that a folder's own record makes it, or an empty name; why no other, and where."""

    name: str
    why: str
    at: Path = ()


class Owned:
    """Chooses what of the folders of sessions and notes is taken; reports to the tally what is not."""

    def __init__(self, sides: Sides, tally: Tally) -> None:
        self._sides, self._tally = sides, tally
        self._owners: dict[tuple[str, Oid], _Owner] = {}

    def belongs(self, path: Path, ours: Oid | None, theirs: Oid | None) -> bool:
        """Tell whether either side has the record that the folder of a session or note is nothing without."""
        sides: tuple[tuple[Oid | None, Side], ...] = ((ours, "here"), (theirs, "there"))
        owners = [(self._owner(path, oid), side) for oid, side in sides if oid]
        if any(owner.name == "".join(path[1:]) for owner, _ in owners):
            return True
        is_listed = [self._tally.refuse(path + owner.at, side, owner.why) for owner, side in owners]
        if any(is_listed):
            self._tally.conclude(path, "refused")
        return False

    def choose(self, path: Path, ours: Oid | None, theirs: Oid | None) -> dict[Path, Oid]:
        """Choose a blob for every file that differs in a folder."""
        refusals = self._tally.count_refusals()
        differences = {change.path: change for change in self._sides.differences(path, ours, theirs)}
        offers = [offer for change in differences.values() for offer in change.offers()]
        own = (*path, OWN_RECORDS[path[0]])
        admitted = admit_folder(self._sides.storage, own, offers, ours or theirs)
        for refused in admitted.refused:
            self._tally.refuse(refused.path, differences[refused.path].side_of(refused.oid), refused.why)
        chosen: dict[Path, Oid] = {}
        for offer in admitted.offers:
            chosen[offer.path] = max(offer.oid, chosen.get(offer.path, Oid("")))
            if differences[offer.path].ours is None:
                self._tally.arrived[offer.place.kind] += 1
        is_refused = self._tally.count_refusals() > refusals
        outcome = _outcome(differences, admitted, ours, theirs, is_refused=is_refused)
        if outcome:
            self._tally.conclude(path, outcome)
        return chosen

    def take_on_word(self, path: Path, ours: Oid | None, theirs: Oid | None) -> dict[Path, Oid]:
        """Choose a blob for every file that differs in the folder of a session whose text is not here."""
        differences = self._sides.differences(path, ours, theirs)
        changes = [change for change in differences if layout.place(change.path).kind != "segment"]
        here = any(change.theirs is None for change in changes)
        there = any(change.ours is None for change in changes)
        if here or there:
            self._tally.conclude(
                path, "grown on both sides" if here and there else "grown here" if here else "grown there"
            )
        return {change.path: max(offer.oid for offer in change.offers()) for change in differences}

    def _owner(self, path: Path, oid: Oid) -> _Owner:
        """Read whose a folder is, once, wherever else it stands."""
        if (path[0], oid) not in self._owners:
            self._owners[path[0], oid] = self._read_owner(path, oid)
        return self._owners[path[0], oid]

    def _read_owner(self, path: Path, oid: Oid) -> _Owner:
        own = OWN_RECORDS[path[0]]
        try:
            entry = self._sides.tree(oid).get(own)
            if entry is None or entry.mode != FILE_MODE:
                return _Owner("", f"it has no {own} record")
            kind, blob = self._sides.read(entry.oid)
            if kind != "blob":
                return _Owner("", f"it is a {kind}", (own,))
        except ObjectDamaged as error:
            return _Owner("", error.why)
        try:
            name = records.read_name(blob, "/".join((*path, own)))
        except (RecordRefused, ObjectDamaged) as error:
            return _Owner("", error.why, (own,))
        return _Owner(name, f"its content is named {name}", (own,))


def _outcome(
    differences: Mapping[Path, Difference],
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
