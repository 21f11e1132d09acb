"""Inspecting a memory's objects: each is hashed again, decoded, and compared with what it refers to.

Nothing stops at a fault: what can still be read beside and below it is looked at too. Each object of the
current tree is read once, and each of an earlier tree only if no other has it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gitmem.format import checking, layout, records, segments
from gitmem.format.layout import Place
from gitmem.format.memory import capture_of, register_of
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused, StoreError
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId
from gitmem.model.records import (
    Capture,
    Checkpoint,
    Note,
    Record,
    SegmentEntry,
    Session,
    Tombstone,
)
from gitmem.model.settings import level_at
from gitmem.objects import trees
from gitmem.objects.encoding import Entry, ObjectKind, decode_tree, encode_tree, object_id
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path

FaultKind = Literal["object", "layout", "record", "segment", "reference"]

_OWNER_DEPTH = 4  # parts of the path of a session's or a note's folder
_OWNERS = ("sessions", "notes")
_PLAIN: dict[str, type[Record]] = {
    "session": Session,
    "checkpoint": Checkpoint,
    "note": Note,
    "tombstone": Tombstone,
}


class Fault(NamedTuple):
    """What is wrong at a path of the tree; the empty path is the root."""

    kind: FaultKind
    path: Path
    why: str


@dataclass
class Counts:
    """How much has been looked at. `bytes` are those of objects, as git hashes them.

    `promised` counts what was not: it is not here, and a remote has promised to keep it.
    """

    refs: int = 0
    commits: int = 0
    objects: int = 0
    bytes: int = 0
    sessions: int = 0
    records: int = 0
    segments: int = 0
    promised: int = 0


class Inspector:
    """Looks at trees, one after the other, and remembers which objects it has seen.

    `tell` is called with the counts after every object. The text of `absent` sessions is with a remote, and
    where the repository `is_lean`, most of what only earlier trees have.
    """

    def __init__(
        self, storage: Storage, ref: str, counts: Counts, *, full: bool, tell: Callable[[Counts], None]
    ) -> None:
        self._storage, self._full, self._tell = storage, full, tell
        self.ref, self.counts = ref, counts
        self._seen: set[bytes] = set()
        self._owners: set[tuple[str, Oid]] = set()
        self.absent: Container[SessionId] = frozenset()
        self.is_lean = False

    def fetch(self, oid: Oid, kind: ObjectKind) -> bytes:
        """Read an object of a kind and hash it again.

        Raises:
            ObjectMissing: It is not here.
            ObjectDamaged: It cannot be read, or is not what its name says.
        """
        found, data = self._storage.read(oid)
        name = object_id(found, data, self._storage.hash_name)
        if name != oid:
            raise ObjectDamaged(oid, f"its content is named {name}")
        if found != kind:
            raise ObjectDamaged(oid, f"expected a {kind}, found a {found}")
        self._seen.add(bytes.fromhex(oid))
        self.counts.objects += 1
        self.counts.bytes += len(data)
        self._tell(self.counts)
        return data

    def has_seen(self, oid: Oid) -> bool:
        """Whether the object was read and is what its name says."""
        return bytes.fromhex(oid) in self._seen

    def current(self, root: Oid) -> Iterator[Fault]:
        """Look at a tree that somebody will read: all of it, and how its parts fit together."""
        folders: dict[Oid, Path] = {}
        tombstones: list[tuple[Path, Tombstone]] = []
        yield from self._folder((), root, folders, tombstones)
        for path, tombstone in tombstones:
            yield from self._check_tombstone(root, path, tombstone)

    def earlier(self, path: Path, oid: Oid) -> Iterator[Fault]:
        """Look at what an earlier tree has and no other: each object for itself."""
        if self.has_seen(oid):
            return
        if self._is_promised(oid):
            return
        try:
            entries = self._read_tree(oid)
        except StoreError as error:
            yield Fault("object", path, _why(error))
            return
        for name, entry in entries.items():
            below = (*path, name)
            place = yield from self._admit(below, entry)
            if entry.is_tree and place is _FOLDER:
                yield from self.earlier(below, entry.oid)
            elif place is not None and not self.has_seen(entry.oid) and not self._is_promised(entry.oid):
                yield from self._record(below, place, entry.oid)

    def _is_promised(self, oid: Oid) -> bool:
        """Count, once, what need not be here: all of an earlier tree that no later one has."""
        if not self.is_lean or self._storage.contains(oid):
            return False
        if not self.has_seen(oid):
            self._seen.add(bytes.fromhex(oid))
            self.counts.promised += 1
        return True

    def _folder(
        self, path: Path, oid: Oid, folders: dict[Oid, Path], others: list[tuple[Path, Tombstone]]
    ) -> Iterator[Fault]:
        """Look at a folder above sessions and notes, and at all below it."""
        if oid in folders:
            # Records have different names, so no two folders are alike; these could unfold without end.
            yield Fault("layout", path, f"it is the same folder as {'/'.join(folders[oid])}")
            return
        folders[oid] = path
        try:
            entries = self._read_tree(oid)
        except StoreError as error:
            yield Fault("object", path, _why(error))
            return
        for name, entry in entries.items():
            below = (*path, name)
            place = yield from self._admit(below, entry)
            if place is _FOLDER and len(below) == _OWNER_DEPTH and below[0] in _OWNERS:
                yield from self._owner(below, entry.oid)
            elif place is _FOLDER:
                yield from self._folder(below, entry.oid, folders, others)
            elif place is not None:
                record = yield from self._record(below, place, entry.oid)
                if isinstance(record, Tombstone):
                    others.append((below, record))

    def _owner(self, path: Path, oid: Oid) -> Iterator[Fault]:
        """Look at a session or a note: its own record first, what refers to others last."""
        owner = "".join(path[1:])
        if (owner, oid) in self._owners:
            return
        self._owners.add((owner, oid))
        files: list[tuple[Path, Place, Oid]] = []
        is_whole = True
        for fault in self._list(path, oid, files):
            is_whole &= fault.kind != "object"
            yield fault
        present: dict[str, dict[str, Oid]] = {"capture": {}, "segment": {}}
        captures: dict[RecordId, Capture] = {}
        for below, place, blob in files:
            present.setdefault(place.kind, {})[place.name] = blob
            if place.kind != "segment":
                record = yield from self._record(below, place, blob)
                if isinstance(record, Capture):
                    captures[RecordId(place.name)] = record
        own = "session" if path[0] == "sessions" else "note"
        if is_whole and own not in present:
            yield Fault("reference", path, f"it has no {own} record")
        if own == "session":
            self.counts.sessions += 1
            session = SessionId(owner)
            held = {SegmentId(name): blob for name, blob in present["segment"].items()}
            if session in self.absent:
                # What came of it is admitted when the rest has; until then nobody reads it.
                self.counts.promised += sum(not self._storage.contains(blob) for blob in held.values())
                return
            listings = {RecordId(name) for name in present["capture"]}
            # Where a folder cannot be read, what would be missing is in it.
            for problem in checking.check_captures(session, captures, listings, held) if is_whole else ():
                yield Fault("reference", problem.path, problem.why)
            yield from self._segments(
                session,
                captures,
                held,
                is_whole=is_whole,
                all_listed=is_whole and len(captures) == len(listings),
            )

    def _list(self, path: Path, oid: Oid, files: list[tuple[Path, Place, Oid]]) -> Iterator[Fault]:
        try:
            entries = self._read_tree(oid)
        except StoreError as error:
            yield Fault("object", path, _why(error))
            return
        for name, entry in entries.items():
            below = (*path, name)
            place = yield from self._admit(below, entry)
            if place is _FOLDER:
                yield from self._list(below, entry.oid, files)
            elif place is not None:
                files.append((below, place, entry.oid))

    def _admit(self, path: Path, entry: Entry) -> Generator[Fault, None, Place | None]:
        """Return what a file or folder stands for; None if nothing of gitmem's can be there."""
        try:
            if entry.is_tree:
                layout.check_folder(path, entry)
                return _FOLDER
            return layout.check_entry(path, entry)
        except RecordRefused as error:
            yield Fault("layout", path, error.why)
            return None

    def _record(self, path: Path, place: Place, oid: Oid) -> Generator[Fault, None, Record | None]:
        try:
            blob = self.fetch(oid, "blob")
        except StoreError as error:
            yield Fault("object", path, _why(error))
            return None
        where = "/".join(path)
        try:
            match place.kind:
                case "root":
                    return None
                case "segment":
                    segments.declared_size(blob, where)
                    return None
                case "capture":
                    record: Record = capture_of(
                        SessionId(str(place.owner)), blob, RecordId(place.name), where
                    )
                case "register":
                    record = register_of(str(place.owner), blob, RecordId(place.name), where)
                case _:
                    record = records.unseal(blob, place.name, where, _PLAIN[place.kind])
            if isinstance(record, Tombstone) and record.target != place.owner:
                raise RecordRefused(where, f"it names {record.target}")
        except StoreError as error:
            yield Fault("record", path, _why(error))
            return None
        self.counts.records += 1
        return record

    def _segments(
        self,
        session: SessionId,
        captures: Mapping[RecordId, Capture],
        held: Mapping[SegmentId, Oid],
        *,
        is_whole: bool,
        all_listed: bool,
    ) -> Iterator[Fault]:
        """Look at a session's segments, in the order of its captures, so that each is decoded once."""
        listed = checking.listed_segments(captures)
        lost: dict[SegmentId, int] = {}
        at_hand: dict[SegmentId, bytes] = {}

        def fetch(name: SegmentId) -> bytes:
            if name in at_hand:
                return at_hand[name]
            if name not in held:
                raise ObjectMissing(name)
            return trees.read_blob(self._storage, held[name])

        opener = segments.Opener(fetch)
        for name in (*(name for name in listed if name in held), *(held.keys() - listed.keys())):
            at_hand.clear()
            path = layout.segment_path(session, name)
            try:
                at_hand[name] = blob = self.fetch(held[name], "blob")
            except StoreError as error:
                yield Fault("object", path, _why(error))
                continue
            self.counts.segments += 1
            if name not in listed and all_listed:
                yield Fault("reference", path, "no capture lists it")
            try:
                why = self._check_segment(blob, listed.get(name), held, opener if self._full else None, name)
            except ObjectMissing as error:
                if not is_whole:
                    continue
                why = f"it builds on segment {error.oid}, which is missing"
            except ObjectDamaged as error:
                if error.name != name:
                    lost[SegmentId(error.name)] = lost.get(SegmentId(error.name), 0) + 1
                    continue
                why = error.why
            if why:
                yield Fault("segment", path, why)
        for culprit, count in lost.items():
            others = "another segment builds" if count == 1 else f"{count} other segments build"
            path = layout.segment_path(session, culprit)
            yield Fault("reference", path, f"{others} on it and cannot be read without it")

    def _check_segment(
        self,
        blob: bytes,
        listed: SegmentEntry | None,
        held: Mapping[SegmentId, Oid],
        opener: segments.Opener | None,
        name: SegmentId,
    ) -> str:
        """Return what is wrong with a segment, or nothing; with an opener its text is decoded too.

        Raises:
            ObjectDamaged: It, or one that it builds on, does not decode.
            ObjectMissing: One that it builds on is not here.
        """
        size_bytes = segments.declared_size(blob, name)
        predecessor = segments.predecessor_of(blob, name)
        if predecessor is not None and predecessor not in held:
            raise ObjectMissing(predecessor)
        if listed is not None and listed.bytes != size_bytes:
            return f"it has {size_bytes} bytes, and its capture lists {listed.bytes}"
        if opener is not None:
            lines = opener.open(name).count(b"\n")
            if listed is not None and listed.lines != lines:
                return f"it has {lines} lines, and its capture lists {listed.lines}"
        return ""

    def _check_tombstone(self, root: Oid, path: Path, tombstone: Tombstone) -> Iterator[Fault]:
        """Look whether what a tombstone names is gone."""
        if tombstone.level != level_at(self.ref):
            yield Fault("reference", path, f"it is for level {tombstone.level}")
            return
        for stood in layout.buried_paths(tombstone.target):
            if self._stands(root, stood):
                yield Fault("reference", stood, "it is here, and has a tombstone")

    def _stands(self, root: Oid, path: Path) -> bool:
        try:
            return trees.find(self._storage, root, path) is not None
        except StoreError:
            return True  # a folder on the way is damaged, which was found already

    def _read_tree(self, oid: Oid) -> dict[str, Entry]:
        data = self.fetch(oid, "tree")
        entries = decode_tree(data, len(oid) // 2, oid)
        if encode_tree(entries) != data:
            raise ObjectDamaged(oid, "its entries are not as git writes them")
        return entries


_FOLDER = Place("root", "")
"""What stands for a folder where a file's place is asked for."""


def _why(error: StoreError) -> str:
    """Return why, without what: a finding says itself where it is."""
    match error:
        case ObjectMissing():
            return f"object {error.oid} is missing"
        case ObjectDamaged():
            return f"{error.name}: {error.why}"
        case RecordRefused():
            return error.why
        case _:
            return str(error)
