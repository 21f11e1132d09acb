"""What is let into a memory: blobs that decode to the name under which they stand, and fit what stands there.

After it, a session can be read: a capture's parents are there and of its stream, it keeps no more lines than
they have, its text does not repeat the same without bound, and its segments are there and have the lines and
bytes that it lists. Cost follows what is offered; what a memory has already is read only where something new
builds on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

from gitmem.format import layout, manifest, records, segments
from gitmem.format.layout import EntryKind, Place
from gitmem.format.segments import EMPTY_GROUP, Group
from gitmem.model.errors.store import ObjectDamaged, RecordRefused, StoreError
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId
from gitmem.model.records import (
    Capture,
    Checkpoint,
    Note,
    Record,
    Register,
    Session,
    Tombstone,
)
from gitmem.objects import trees
from gitmem.objects.encoding import Entry
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path

_RECORDS: Mapping[EntryKind, type[Record]] = {
    "session": Session,
    "capture": Capture,
    "register": Register,
    "note": Note,
    "checkpoint": Checkpoint,
    "tombstone": Tombstone,
}
_MAX_ROOT_FILE_BYTES = 64 << 10
_T = TypeVar("_T")


class Offer(NamedTuple):
    """One blob at one path. A path may have two: the same content under other versions of zstd."""

    path: Path
    place: Place
    oid: Oid


class Refused(NamedTuple):
    """A blob that stays out, and why."""

    path: Path
    oid: Oid
    why: str


class Admitted(NamedTuple):
    """What may come in, of what was offered to one folder. `streams` tells which stream a capture is of."""

    offers: tuple[Offer, ...]
    refused: tuple[Refused, ...]
    streams: Mapping[Path, str]


def admit_file(storage: Storage, offer: Offer) -> Record | None:
    """Check a blob by itself and return the record in it; None for a file of the root.

    Raises:
        RecordRefused: It does not belong where it stands.
        ObjectDamaged: It does not decode.
    """
    return _decode(offer, _read(storage, offer))


def admit_folder(storage: Storage, own: Path, offers: Iterable[Offer], known: Oid | None) -> Admitted:
    """Check what is offered to the folder of one session or note.

    `own` is the path of the record that the folder is nothing without; `known` the folder as it is on either
    side, to look up what is not on offer because both have it.
    """
    return _Folder(storage, own, known).admit(tuple(offers))


def admit_session(storage: Storage, session: SessionId, folder: Oid) -> Admitted:
    """Check the whole folder of a session that was taken on its word, once its text has come.

    Raises:
        RecordRefused: Something stands in it that is none of gitmem's.
        ObjectMissing: An object is not here.
    """
    offers = []
    for path, entry in _files(storage, layout.session_folder(session), folder, set()):
        offers.append(Offer(path, layout.check_entry(path, entry), entry.oid))
    return admit_folder(storage, layout.session_path(session), offers, None)


def _files(storage: Storage, path: Path, oid: Oid, seen: set[Oid]) -> Iterator[tuple[Path, Entry]]:
    if oid in seen:
        raise RecordRefused("/".join(path), "it is the same as another folder of its session")
    seen.add(oid)
    for name, entry in trees.read_tree(storage, oid).items():
        below = (*path, name)
        if entry.is_tree:
            layout.check_folder(below, entry)
            yield from _files(storage, below, entry.oid, seen)
        else:
            yield below, entry


class _Folder:
    def __init__(self, storage: Storage, own: Path, known: Oid | None) -> None:
        self._storage, self._own, self._known = storage, own, known
        self._session = SessionId("".join(own[1:-1]))
        self._opener = segments.Opener(self._known_segment)
        self._offered: set[Path] = set()
        self._kept: dict[Path, list[Offer]] = {}
        self._refused: list[Refused] = []
        self._captures: dict[RecordId, Capture] = {}
        self._capture_paths: dict[RecordId, Path] = {}
        self._sizes: dict[SegmentId, tuple[int, int] | None] = {}
        self._known_captures: dict[RecordId, Capture | None] = {}
        self._once: frozenset[SegmentId] = frozenset()

    def admit(self, offers: tuple[Offer, ...]) -> Admitted:
        self._offered = {offer.path for offer in offers}
        for offer in offers:
            if offer.place.kind != "segment":
                self._admit_record(offer)
        self._admit_segments([offer for offer in offers if offer.place.kind == "segment"])
        self._admit_captures()
        if self._find(self._own) is None:
            for path in list(self._kept):
                self._refuse(path, "its folder has no record that says what it is")
        return Admitted(
            tuple(offer for kept in self._kept.values() for offer in kept),
            tuple(self._refused),
            {path: self._captures[name].stream for name, path in self._capture_paths.items()},
        )

    def _admit_record(self, offer: Offer) -> None:
        record = self._judge(offer, partial(_decode, offer))
        if record is not None:
            self._kept.setdefault(offer.path, []).append(offer)
        if isinstance(record, Capture):
            name = RecordId(offer.place.name)
            self._captures[name], self._capture_paths[name] = record, offer.path

    def _admit_segments(self, offers: list[Offer]) -> None:
        """Decode each segment once, behind those that it builds on."""
        following: dict[SegmentId | None, list[Offer]] = {}
        for offer in offers:
            found = self._judge(offer, partial(_predecessor, path="/".join(offer.path)))
            if found is not None:
                following.setdefault(found[0], []).append(offer)
        names = {offer.place.name for offer in offers}
        starts = [name for name in following if name is None or name not in names]
        while starts:
            waiting = []
            for start in starts:
                group = EMPTY_GROUP if start is None else self._known_group(start)
                if group is None:
                    waiting.append(start)
                else:
                    self._admit_chain(group, following.pop(start), following)
            # What both have may build on what was accepted only now.
            starts = waiting if len(waiting) < len(starts) else []
        for predecessor, left in following.items():
            for offer in left:
                self._put_out(offer, f"it builds on segment {predecessor}, which is not here")

    def _admit_chain(
        self, group: Group, first: list[Offer], following: dict[SegmentId | None, list[Offer]]
    ) -> None:
        """Decode what follows a group, depth first: no more texts are held than a group has segments."""
        stack: list[tuple[Iterator[Offer], Group]] = [(iter(first), group)]
        while stack:
            offers, group = stack[-1]
            offer = next(offers, None)
            if offer is None:
                stack.pop()
                continue
            name, where = SegmentId(offer.place.name), "/".join(offer.path)
            text = self._judge(offer, partial(segments.unseal, name=name, group=group, path=where))
            if text is not None:
                self._kept.setdefault(offer.path, []).append(offer)
                self._sizes[name] = text.count(b"\n"), len(text)
                after = following.pop(name, ())
                if after:  # else the text of all that went before would be copied for nobody
                    stack.append((iter(after), group.grown(name, text)))

    def _admit_captures(self) -> None:
        """Keep out captures that could not be read, and then those that build on them."""
        following: dict[RecordId, list[RecordId]] = {}
        bad: list[RecordId] = []
        listings = Counter(entry.name for capture in self._captures.values() for entry in capture.segments)
        self._once = frozenset(
            name
            for name, times in listings.items()
            if times == 1 and len(self._kept.get(layout.segment_path(self._session, name), ())) == 1
        )
        for name, capture in self._captures.items():
            for parent in capture.parents:
                following.setdefault(parent, []).append(name)
            why = self._fault(capture)
            if why:
                bad.append(name)
                self._refuse(self._capture_paths.pop(name), why)
        for name in bad:  # grows as it is walked
            for child in following.get(name, ()):
                if child in self._capture_paths:
                    bad.append(child)
                    self._refuse(self._capture_paths.pop(child), f"it builds on capture {name}")

    def _fault(self, capture: Capture) -> str:
        """Tell why a capture could not be read although its parents can."""
        lines = 0
        for nth, name in enumerate(capture.parents):
            parent = self._captures.get(name) or self._known_capture(name)
            if parent is None:
                return f"it builds on capture {name}, which is not here"
            if parent.stream != capture.stream:
                return f"it builds on capture {name}, which is of another stream"
            if nth == 0:
                lines = parent.keep + manifest.total_lines(parent.segments)
        if not 0 <= capture.keep <= lines:
            return f"it keeps {capture.keep} lines where there are {lines}"
        for entry in capture.segments:
            if self._size_of(entry.name) != (entry.lines, entry.bytes):
                return f"it lists segment {entry.name}, which is not here or has other lines"
        if self._repeats(capture, lines):
            return manifest.REPEATS
        return ""

    def _repeats(self, capture: Capture, lines: int) -> bool:
        """Whether the text as of a capture says the same segments too often."""
        if capture.keep == lines and all(entry.name in self._once for entry in capture.segments):
            return False  # what is all new, on top of what does not, needs no look at what came before
        line = [capture]
        while line[-1].keep and line[-1].parents:
            name = line[-1].parents[0]
            parent = self._captures.get(name) or self._known_capture(name)
            if parent is None:
                return False  # which keeps this one out, too
            line.append(parent)
        return manifest.repeats(reversed(line))

    def _size_of(self, name: SegmentId) -> tuple[int, int] | None:
        """Return a segment's line ends and bytes, if it may be built on."""
        if name not in self._sizes:
            text = self._whole(lambda: self._opener.open(name))
            self._sizes[name] = None if text is None else (text.count(b"\n"), len(text))
        return self._sizes[name]

    def _known_group(self, name: SegmentId) -> Group | None:
        return self._whole(lambda: self._opener.group_at(name))

    def _known_segment(self, name: SegmentId) -> bytes:
        path = layout.segment_path(self._session, name)
        return _read(self._storage, self._known_offer(path))

    def _known_capture(self, name: RecordId) -> Capture | None:
        if name not in self._known_captures:
            path = layout.capture_path(self._session, name)
            record = self._whole(lambda: admit_file(self._storage, self._known_offer(path)))
            self._known_captures[name] = record if isinstance(record, Capture) else None
        return self._known_captures[name]

    def _known_offer(self, path: Path) -> Offer:
        oid = self._find(path)
        if oid is None:
            raise RecordRefused("/".join(path), "it is not here")
        return Offer(path, layout.place(path), oid)

    def _find(self, path: Path) -> Oid | None:
        """Return the blob at a path, if both sides have it alike or it has been accepted."""
        if path in self._offered:
            kept = self._kept.get(path)
            return kept[0].oid if kept else None
        if self._known is None:
            return None
        entry = trees.find(self._storage, self._known, path[len(self._own) - 1 :])
        return entry.oid if entry and not entry.is_tree else None

    def _whole(self, read: Callable[[], _T]) -> _T | None:
        """Return what is there already; None where it is not, or not whole, so that nothing builds on it."""
        try:
            return read()
        except (RecordRefused, ObjectDamaged):
            return None

    def _judge(self, offer: Offer, decode: Callable[[bytes], _T]) -> _T | None:
        try:
            return decode(_read(self._storage, offer))
        except (RecordRefused, ObjectDamaged) as error:
            self._put_out(offer, error.why)
            return None

    def _refuse(self, path: Path, why: str) -> None:
        for offer in self._kept.pop(path):
            self._put_out(offer, why)

    def _put_out(self, offer: Offer, why: str) -> None:
        self._refused.append(Refused(offer.path, offer.oid, why))


def _read(storage: Storage, offer: Offer) -> bytes:
    """Read a blob; one that this disk has lost or spoilt is no fault of its content, and ends everything."""
    try:
        kind, data = storage.read(offer.oid)
    except ObjectDamaged as error:
        raise StoreError(str(error), hint=error.hint) from error
    if kind != "blob":
        raise RecordRefused("/".join(offer.path), f"it is a {kind}")
    return data


def _predecessor(blob: bytes, path: str) -> tuple[SegmentId | None]:
    return (segments.predecessor_of(blob, path),)


def _decode(offer: Offer, blob: bytes) -> Record | None:
    where = "/".join(offer.path)
    if offer.place.kind == "root":
        if len(blob) > _MAX_ROOT_FILE_BYTES:
            raise RecordRefused(where, f"it has {len(blob)} bytes, more than {_MAX_ROOT_FILE_BYTES}")
        return None
    record = records.unseal(blob, offer.place.name, where, _RECORDS[offer.place.kind])
    owner = offer.place.owner
    if isinstance(record, Capture) and record.session != owner:
        raise RecordRefused(where, f"it is of session {record.session}")
    if isinstance(record, Register) and record.target != owner:
        raise RecordRefused(where, f"it is about {record.target}")
    if isinstance(record, Tombstone) and record.target != owner:
        raise RecordRefused(where, f"it names {record.target}")
    return record
