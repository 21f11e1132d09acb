"""Looking through a memory once more, with today's rules, for what should not be in it.

Before a push over what the remote lacks, and over all of it when asked. Nothing of what is found is told but
its kind and its place. What was clean under the same rules is not looked at again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gitmem.format import codec, layout
from gitmem.format.memory import Folder, Memory, StoredSession, changed_sessions
from gitmem.format.records import MAX_RECORD_BYTES
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused, StoreError
from gitmem.model.ids import Oid, SegmentId, SessionId
from gitmem.objects import trees
from gitmem.verbs import caching

if TYPE_CHECKING:
    from gitmem.redaction.redactor import Redactor

_TOPS: Final = ("checkpoints", "notes", "tombstones")
_decoder: msgspec.msgpack.Decoder[dict[SessionId, Oid]] = msgspec.msgpack.Decoder(dict[SessionId, Oid])


class Leak(NamedTuple):
    """Something that today's rules would replace: where it stands, and how often what.

    `session` is None for what is of no session. `name` is what people call it; `place` is a stream's name
    and the line from which it was looked at, or the path of a record.
    """

    session: SessionId | None
    name: str
    place: str
    kinds: Mapping[str, int]


class Checked(NamedTuple):
    """What a look came to; `unreadable` are sessions that could not be read, with the reason.

    `absent` counts those whose text is not here, which were not looked at.
    """

    leaks: tuple[Leak, ...]
    sessions: int
    unreadable: Mapping[SessionId, StoreError]
    absent: int = 0


def recheck(
    memory: Memory,
    redactor: Redactor,
    *,
    since: Oid | None = None,
    state_dir: Path | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Checked:
    """Look through all that a memory has more than the tree `since` (None: the empty one).

    With `state_dir`, sessions that were clean under these rules are passed over, as long as they are as they
    were.

    Raises:
        StoreError: What is of no session cannot be read.
        RedactionFailed: The redactor cannot do its work.
    """
    clean = _Clean(state_dir, memory, redactor.fingerprint)
    folders = [folder for _, folder in changed_sessions(memory, since) if folder is not None]
    leaks: list[Leak] = []
    unreadable: dict[SessionId, StoreError] = {}
    absent = 0
    for done, folder in enumerate(folders):
        tell(done, len(folders))
        if folder.session in memory.absent:
            absent += 1
            continue
        if clean.has(folder):
            continue
        old = trees.find(memory.storage, since, layout.session_folder(folder.session))
        try:
            found = list(_in_session(memory, folder, old.oid if old else None, redactor))
        except (ObjectDamaged, ObjectMissing, RecordRefused) as error:
            unreadable[folder.session] = error
            continue
        leaks += found
        if not found:
            clean.add(folder)
    leaks += _beside_sessions(memory, since, redactor)
    clean.save()
    return Checked(tuple(leaks), len(folders) - absent, unreadable, absent)


def was_by_other_rules(memory: Memory, state_dir: Path, fingerprint: str) -> bool:
    """Whether a memory was looked through with other rules than today's; False where it never was."""
    path = caching.table_path(state_dir, "clean", memory)
    return path.exists() and caching.read_derived(path, _kind(fingerprint)) is None


def _kind(fingerprint: str) -> str:
    return f"clean sessions of {fingerprint}"


class _Clean:
    """Which sessions were clean, by the trees that they had; each set of rules has its own."""

    def __init__(self, state_dir: Path | None, memory: Memory, fingerprint: str) -> None:
        self._path = caching.table_path(state_dir, "clean", memory) if state_dir else None
        self._kind = _kind(fingerprint)
        self._known = (caching.load(self._path, self._kind, _decoder) if self._path else None) or {}
        self._has_changed = False

    def has(self, folder: Folder) -> bool:
        return self._known.get(folder.session) == folder.tree

    def add(self, folder: Folder) -> None:
        self._known[folder.session] = folder.tree
        self._has_changed = True

    def save(self) -> None:
        if self._path is not None and self._has_changed:
            caching.write_derived(self._path, self._kind, msgspec.msgpack.encode(self._known))


def _in_session(memory: Memory, folder: Folder, old: Oid | None, redactor: Redactor) -> Iterator[Leak]:
    stored = memory.load(folder)
    name = str(stored.key)
    base = layout.session_folder(folder.session)
    new: set[SegmentId] = set()
    for change in trees.diff(memory.storage, old, folder.tree, base):
        if change.new is None:
            continue
        place = layout.check_entry(change.path, change.new)
        if place.kind == "segment":
            new.add(SegmentId(place.name))
            continue
        where = "/".join(change.path)
        plain = codec.decompress(trees.read_blob(memory.storage, change.new.oid), where, MAX_RECORD_BYTES)
        kinds = kinds_in(redactor, [plain], folder)
        if kinds:
            yield Leak(folder.session, name, where, kinds)
    yield from _in_texts(memory, folder, stored, name, new, redactor)


def _in_texts(
    memory: Memory,
    folder: Folder,
    stored: StoredSession,
    name: str,
    new: set[SegmentId],
    redactor: Redactor,
) -> Iterator[Leak]:
    """Look through the segments that are new: in the order of the text that they make, then those of none."""
    opener = memory.opener(folder)
    left = set(new)
    for stream, heads in stored.heads().items():
        for head in heads:
            first = next((n for n, span in enumerate(head.spans) if span.segment in left), None)
            if first is None:
                continue
            names = [span.segment for span in head.spans[first:]]
            kinds = kinds_in(redactor, (opener.open(segment) for segment in names), folder)
            left -= set(names)
            if kinds:
                line = sum(span.line_ends for span in head.spans[:first])
                yield Leak(folder.session, name, f"{stream or 'main'} from line {line + 1}", kinds)
    for segment in sorted(left):
        kinds = kinds_in(redactor, [opener.open(segment)], folder)
        if kinds:
            yield Leak(folder.session, name, "/".join(layout.segment_path(folder.session, segment)), kinds)


def _beside_sessions(memory: Memory, since: Oid | None, redactor: Redactor) -> Iterator[Leak]:
    for top in _TOPS:
        before = trees.find(memory.storage, since, (top,))
        now = trees.find(memory.storage, memory.root, (top,))
        for change in trees.diff(
            memory.storage, before.oid if before else None, now.oid if now else None, (top,)
        ):
            if change.new is None:
                continue
            layout.check_entry(change.path, change.new)
            where = "/".join(change.path)
            plain = codec.decompress(trees.read_blob(memory.storage, change.new.oid), where, MAX_RECORD_BYTES)
            kinds = kinds_in(redactor, [plain], None)
            if kinds:
                yield Leak(None, where, where, kinds)


def kinds_in(
    redactor: Redactor, chunks: Iterator[bytes] | list[bytes], folder: Folder | None
) -> Mapping[str, int]:
    """Count what would be replaced in a text, of the session whose folder it is."""
    before = Counter(redactor.counts)
    deque(redactor.stream(chunks, folder.session.encode() if folder else b""), maxlen=0)
    return dict(redactor.counts - before)
