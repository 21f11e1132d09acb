"""Memories to share, made up record by record, as captures would write them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import zstandard

from gitmem.format import layout, records, segments
from gitmem.format.memory import Folder, Memory
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId
from gitmem.model.records import (
    Author,
    Capture,
    Checkpoint,
    Note,
    Record,
    Register,
    RegisterName,
    SegmentEntry,
    Session,
    Tombstone,
)
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, Entry, encode_tree
from gitmem.objects.storage import Storage, add_all
from gitmem.verbs.starting import ROOT_FILES

ADA = Author("Ada Example", "ada@example.org")
AT = "2026-01-02T03:04:05.678Z"


class Scribe:
    """One clone's memory as a tree, which grows record by record; `root` is None while it is empty."""

    def __init__(self, storage: Storage, root: Oid | None = None, author: Author = ADA) -> None:
        self.storage, self.root, self.author = storage, root, author
        self.at = AT

    @property
    def memory(self) -> Memory:
        assert self.root is not None
        return Memory(self.storage, DEFAULT_MEMORY_REF, self.root, self.root)

    def begin(self, native_id: str) -> SessionId:
        beginning = hashlib.sha256(f"how {native_id} begins".encode()).hexdigest()
        session = Session("generic", native_id, beginning)
        self.put_record(layout.session_path(records.session_id(session)), session)
        return records.session_id(session)

    def capture(
        self,
        session: SessionId,
        text: bytes,
        stream: str = "",
        parents: tuple[RecordId, ...] | None = None,
        keep: int | None = None,
    ) -> RecordId:
        """Append text to a stream of a session: behind its first head, or behind the given parents, of which
        only the first `keep` lines stay."""
        folder = self.folder(session)
        stored = self.memory.load(folder)
        head = next(iter(stored.heads().get(stream, ())), None)
        if parents is None:
            parents = (head.capture,) if head else ()
        group = segments.EMPTY_GROUP
        if not parents:
            keep = 0
        else:
            parent = stored.captures[parents[0]]
            lines = parent.keep + sum(entry.lines for entry in parent.segments)
            keep = lines if keep is None else min(keep, lines)
            group = self.memory.opener(folder).group_at(parent.segments[-1].name)
        sealed = [one for one, _ in segments.seal_all(text, group)]
        capture = Capture(
            session=session,
            at=self.at,
            author=self.author,
            by="gitmem 0",
            redaction="none",
            segments=tuple(SegmentEntry(one.name, one.lines, one.size_bytes) for one in sealed),
            keep=keep or 0,
            parents=parents,
            stream=stream,
        )
        name, blob = records.seal(capture)
        self.put(
            {layout.segment_path(session, one.name): one.blob for one in sealed}
            | {layout.capture_path(session, name): blob}
        )
        return name

    def register(
        self,
        session: SessionId,
        value: str | tuple[str, ...] | bool | None,
        clock: int,
        name: RegisterName = "title",
    ) -> None:
        record = Register(session, name, value, clock, AT, self.author)
        self.put_record(layout.session_register_path(session, records.seal(record)[0]), record)

    def bury(self, target: str) -> None:
        """Leave a tombstone in the place of a session, a note or a checkpoint."""
        record = Tombstone(target, "team", AT, self.author)
        self.put_record(layout.tombstone_path(target, records.seal(record)[0]), record)
        self.remove([path for path, _ in self.files() if layout.target_at(path) == target])

    def note(self, text: str) -> str:
        """Put a note down, and return its name."""
        record = Note("decision", text, AT, self.author)
        name = records.seal(record)[0]
        self.put_record(("notes", name[:2], name[2:4], name[4:], "note"), record)
        return name

    def checkpoint(self, message: str) -> str:
        """Put a checkpoint down, and return its name."""
        record = Checkpoint(AT, self.author, "manual", message=message)
        name = records.seal(record)[0]
        self.put_record(layout.checkpoint_path(name), record)
        return name

    def put_record(self, path: trees.Path, record: Record) -> None:
        self.put({path: records.seal(record)[1]})

    def put(self, files: Mapping[trees.Path, bytes]) -> None:
        with self.storage.begin() as batch:
            changes: dict[trees.Path, Oid | None] = {
                path: batch.add("blob", data) for path, data in files.items()
            }
            self.root = trees.edit(self.storage, batch, self.root, changes)
            batch.publish()

    def remove(self, paths: list[trees.Path]) -> None:
        with self.storage.begin() as batch:
            self.root = trees.edit(self.storage, batch, self.root, dict.fromkeys(paths))
            batch.publish()

    def files(self) -> list[tuple[trees.Path, Oid]]:
        return [(path, entry.oid) for path, entry in trees.walk(self.storage, self.root)]

    def folder(self, session: SessionId) -> Folder:
        folder = self.memory.find(session)
        assert folder is not None
        return folder

    def text(self, session: SessionId, stream: str = "") -> list[bytes]:
        """Return the text of every head of a stream."""
        folder = self.folder(session)
        heads = self.memory.load(folder).heads()[stream]
        return [b"".join(self.memory.text(folder, head)) for head in heads]


def new_memory(storage: Storage) -> Scribe:
    scribe = Scribe(storage)
    scribe.put({(name,): data for name, data in ROOT_FILES.items()})
    return scribe


def segment_at(scribe: Scribe, session: SessionId) -> tuple[trees.Path, SegmentId]:
    """Return where one segment of a session stands, and its name."""
    path = next(
        path
        for path, _ in scribe.files()
        if path[4:5] == ("segments",) and path[:4] == layout.session_folder(session)
    )
    return path, SegmentId(path[5] + path[6])


def bomb() -> bytes:
    """Return a zstd frame of a few kilobytes that unfolds to 64 MB."""
    return zstandard.ZstdCompressor().compress(bytes(64 << 20))


def with_entry(scribe: Scribe, path: trees.Path, entry: Entry) -> Oid:
    """Return the memory's tree with any entry at all at a path."""

    def put(root: Oid | None, rest: trees.Path) -> Oid:
        entries = trees.read_tree(scribe.storage, root)
        if len(rest) == 1:
            entries[rest[0]] = entry
        else:
            below = entries.get(rest[0])
            entries[rest[0]] = Entry(TREE_MODE, put(below.oid if below else None, rest[1:]))
        return add_all(scribe.storage, [("tree", encode_tree(entries))])[0]

    return put(scribe.root, path)
