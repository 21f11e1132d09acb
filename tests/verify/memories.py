"""Memories for tests: sessions as lists of texts, written as an import writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gitmem.format import layout, records
from gitmem.format.segments import EMPTY_GROUP, Group, seal_all
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Author, Capture, Record, Register, RegisterName, SegmentEntry, Session
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.starting import start

REF = "refs/heads/gitmem"
ADA = Author("Ada Example", "ada@example.org")
AT = "2026-02-03T06:34:50.123Z"
WRITER = Writer(ADA, lambda: 1_770_000_000.0)
HASHES = ("sha1", "sha256")


@dataclass
class Draft:
    """A session on its way into a memory: the files of its folder, by path."""

    agent: str
    native_id: str
    first_line: bytes = b"{}"
    files: dict[Path, bytes] = field(default_factory=dict)
    captures: dict[RecordId, Capture] = field(default_factory=dict)
    texts: dict[RecordId, bytes] = field(default_factory=dict)
    groups: dict[RecordId, Group] = field(default_factory=dict)

    def __post_init__(self) -> None:
        record = Session(self.agent, self.native_id, hashlib.sha256(self.first_line).hexdigest())
        self.id: SessionId = records.session_id(record)
        self.files[layout.session_path(self.id)] = records.seal(record)[1]

    def capture(
        self,
        text: bytes,
        parents: Iterable[RecordId] = (),
        *,
        keep: int | None = None,
        stream: str = "",
        at: str = AT,
    ) -> RecordId:
        """Add a capture of `text` behind the first `keep` lines of its first parent's, by default all of them."""
        parents = tuple(parents)
        before = self.texts[parents[0]] if parents else b""
        kept = lines_of(before)[: before.count(b"\n") if keep is None else keep]
        group = self.groups[parents[0]] if parents else EMPTY_GROUP
        entries = []
        for sealed, ended in seal_all(text, group):
            group = ended
            self.files[layout.segment_path(self.id, sealed.name)] = sealed.blob
            entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
        record = Capture(
            session=self.id,
            at=at,
            author=ADA,
            by="tests",
            redaction="none",
            segments=tuple(entries),
            keep=len(kept),
            parents=parents,
            stream=stream,
        )
        name = self.put(layout.capture_path, record)
        self.captures[name] = record
        self.texts[name] = b"".join(kept) + text
        self.groups[name] = group
        return name

    def register(
        self, name: RegisterName, value: str | tuple[str, ...] | bool | None, clock: int
    ) -> RecordId:
        """Add a register about the session."""
        return self.put(layout.session_register_path, Register(self.id, name, value, clock, AT, ADA))

    def put(self, path: Callable[[SessionId, RecordId], Path], record: Record) -> RecordId:
        """Add a record where `path` says."""
        name, blob = records.seal(record)
        self.files[path(self.id, name)] = blob
        return name


def lines_of(text: bytes) -> list[bytes]:
    """Return a text's lines, each with its line end; what stands behind the last one is a line too."""
    lines = [line + b"\n" for line in text.split(b"\n")]
    lines[-1] = lines[-1].removesuffix(b"\n")
    return lines


def write(
    storage: Storage, drafts: Iterable[Draft], ref: str = REF, more: Mapping[Path, bytes | None] | None = None
) -> Oid:
    """Commit drafts' files, and others (None: taken out), to the memory at a ref; it is started if need be."""
    if storage.read_ref(ref) is None:
        start(storage, ref, WRITER)
    with storage.begin() as batch:
        changes: dict[Path, Oid | None] = {}
        for draft in drafts:
            changes |= {path: batch.add("blob", blob) for path, blob in draft.files.items()}
        for path, blob in (more or {}).items():
            changes[path] = None if blob is None else batch.add("blob", blob)
        return commit(storage, ref, WRITER, "Capture [skip ci]\n", changes, batch)


def session(number: int, captures: int = 3) -> Draft:
    """Return a session that was captured some times and has a title; its last line has no line end."""
    draft = Draft("claude-code", f"session-{number}", b'{"n":%d}' % number)
    last: tuple[RecordId, ...] = ()
    for n in range(captures):
        lines = b"".join(b'{"session":%d,"line":%d}\n' % (number, 10 * n + k) for k in range(10))
        last = (draft.capture(lines + (b"tail" if n == captures - 1 else b""), last),)
    draft.register("title", f"Session {number}", 1)
    return draft
