"""Sessions that one of two memories alone has: which they are, and whether all of such a folder belongs.

To decode them is most of what a first pull costs. Whether a folder belongs depends on nothing else, so that
several processes may look at once; what they do not vouch for, the union looks at itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from gitmem.format import layout
from gitmem.format.layout import EntryKind
from gitmem.format.owned import Owned
from gitmem.format.sides import OWNER_DEPTH, Sides
from gitmem.format.tally import Tally
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import Oid
from gitmem.objects.encoding import Entry
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path

_TOP = "sessions"

Vouch = Callable[[Path, Oid], "Mapping[EntryKind, int] | None"]
"""Returns how many records and segments the folder of a lone session has, if all of it belongs and was
decoded; None where that is not known."""


def vouch_for_none(path: Path, folder: Oid) -> None:
    """Know nothing: the union looks at every session itself."""
    return


class Lone(NamedTuple):
    """The folder of a session that one side alone has."""

    path: Path
    folder: Oid


def lone_sessions(storage: Storage, ours: Oid | None, theirs: Oid | None) -> Iterator[Lone]:
    """Yield what is looked at as one side's own when two memories are united, in the order of that.

    Nothing is refused here: what cannot be read or belong is passed over, for the union to name.

    Raises:
        ObjectMissing: An object is not here.
        StoreError: An object cannot be read.
    """
    yield from _Looking(storage).below((), ours, theirs)


class _Looking:
    def __init__(self, storage: Storage) -> None:
        self._sides = Sides(storage, Tally())
        self._seen: set[Oid] = set()

    def below(self, path: Path, ours: Oid | None, theirs: Oid | None) -> Iterator[Lone]:
        # As in the union none is opened at two places: few trees can unfold to any number.
        opened = {oid for oid in (ours, theirs) if oid}
        if opened <= self._seen:
            return
        self._seen |= opened
        for name, mine, other in self._differing(path, ours, theirs):
            below = (*path, name)
            here, there = self._folder(below, mine), self._folder(below, other)
            if len(below) < OWNER_DEPTH:
                if here or there:
                    yield from self.below(below, here, there)
            elif (mine is None or other is None) and (found := here or there):
                yield Lone(below, found)

    def _differing(
        self, path: Path, ours: Oid | None, theirs: Oid | None
    ) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        differing = self._sides.compare(ours, theirs) if ours and theirs else None
        if differing:
            here, there = differing.here, differing.there
        else:
            self._sides.forget()
            here, there = self._sides.open(path, ours, "here"), self._sides.open(path, theirs, "there")
        for name in sorted(here.keys() | there.keys()) if path else [_TOP]:
            if here.get(name) != there.get(name):
                yield name, here.get(name), there.get(name)

    def _folder(self, path: Path, entry: Entry | None) -> Oid | None:
        if entry is None:
            return None
        try:
            layout.check_folder(path, entry)
        except RecordRefused:
            return None
        return entry.oid


class Looker:
    """Decodes the folders of lone sessions, one after the other."""

    def __init__(self, storage: Storage) -> None:
        self._tally = Tally()
        self._sides = Sides(storage, self._tally)
        self._owned = Owned(self._sides, self._tally)

    def look(self, lone: Lone) -> Mapping[EntryKind, int] | None:
        """Return what a folder has, if all of it belongs; what is wrong with it is for the union to say."""
        self._sides.forget()
        self._tally.arrived.clear()
        refused = self._tally.refused
        try:
            if not self._owned.belongs(lone.path, None, lone.folder):
                return None
            self._owned.choose(lone.path, None, lone.folder)
        except GitmemError:
            return None
        return dict(self._tally.arrived) if self._tally.refused == refused else None
