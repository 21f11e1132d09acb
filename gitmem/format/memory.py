"""A memory at one commit: its format checked first, its sessions found, loaded and read.

Nothing here writes. What does not belong into a memory is refused by name as it is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitmem.format import layout, manifest, records, segments
from gitmem.format import registers as written
from gitmem.format.absent import NOTHING, Absent
from gitmem.format.manifest import Head
from gitmem.model.errors.naming import SessionUnknown
from gitmem.model.errors.store import (
    FormatNewer,
    FormatUnreadable,
    NoMemory,
    NotAMemory,
    ObjectDamaged,
    ObjectMissing,
    RecordRefused,
)
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId, SessionKey
from gitmem.model.records import Capture, Register, RegisterName, Session
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, Entry
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage

FORMAT_VERSION = 0


class Folder(NamedTuple):
    """A session's folder; its tree's id changes if and only if something of the session does."""

    session: SessionId
    tree: Oid


class StoredSession(NamedTuple):
    """All that a memory holds of one session, except for its text."""

    id: SessionId
    tree: Oid
    record: Session
    captures: Mapping[RecordId, Capture]
    registers: Mapping[RecordId, Register]

    @property
    def key(self) -> SessionKey:
        """What people call it."""
        return SessionKey(self.record.agent, self.record.native_id)

    def heads(self) -> dict[str, list[Head]]:
        """Return every stream's heads, the main one first; the session's own stream is the first key."""
        return manifest.heads(self.captures)

    def value(self, name: RegisterName) -> str | tuple[str, ...] | bool | None:
        """Return what was last written to a register: the highest clock, ties by id."""
        return written.value(self.registers, name)

    @property
    def is_hidden(self) -> bool:
        """Whether no reader shows it: it has another level now, or was forgotten."""
        return written.is_hidden(self.registers)

    def next_clock(self) -> int:
        """Return the clock of a register written now; it ends where somebody has written the highest."""
        return written.next_clock(self.registers)


class Memory(NamedTuple):
    """The memory that stands at `ref`, as of `commit`; what of it is not here, `absent` has or brings."""

    storage: Storage
    ref: str
    commit: Oid
    root: Oid
    absent: Absent = NOTHING

    def folders(self) -> Iterator[Folder]:
        """Yield every session's folder, in order of ids.

        Raises:
            RecordRefused: There is something else among them.
        """
        top = trees.find(self.storage, self.root, ("sessions",))
        yield from _folders(self.storage, top.oid if top else None, ("sessions",))

    def find(self, session: SessionId) -> Folder | None:
        """Return a session's folder, if the memory has that session."""
        entry = trees.find(self.storage, self.root, layout.session_folder(session))
        return Folder(session, entry.oid) if entry and entry.is_tree else None

    def find_key(self, key: SessionKey) -> tuple[Folder, ...]:
        """Return the folders of every session of one key: none, one, or several that began differently."""
        return self.find_prefix(records.key_digest(key))

    def find_prefix(self, prefix: str) -> tuple[Folder, ...]:
        """Return the folders of every session whose id begins so; `prefix` has four hex digits or more."""
        parent = trees.find(self.storage, self.root, ("sessions", prefix[:2], prefix[2:4]))
        if parent is None or not parent.is_tree:
            return ()
        found = []
        for name, entry in sorted(trees.read_tree(self.storage, parent.oid).items()):
            if name.startswith(prefix[4:]):
                layout.check_folder(("sessions", prefix[:2], prefix[2:4], name), entry)
                found.append(Folder(SessionId(prefix[:4] + name), entry.oid))
        return tuple(found)

    def find_copies(self, record: Session) -> tuple[Folder, ...]:
        """Return the folders of every incarnation of a session: of one transcript, whatever was erased of it.

        Raises:
            RecordRefused: A session of its key has no record of its own, or none that gitmem writes.
            ObjectMissing: A record is not here.
            ObjectDamaged: A record does not decode.
        """
        transcript = (record.agent, record.native_id, record.beginning)
        found = []
        for folder in self.find_key(SessionKey(record.agent, record.native_id)):
            own = self.record(folder)
            if (own.agent, own.native_id, own.beginning) == transcript:
                found.append(folder)
        return tuple(found)

    def record(self, folder: Folder) -> Session:
        """Read a session's own record and nothing else of it.

        Raises:
            RecordRefused: There is none, or none that gitmem writes.
            ObjectMissing: It is not here.
            ObjectDamaged: It does not decode.
        """
        path = layout.session_path(folder.session)
        entry = trees.read_tree(self.storage, folder.tree).get(path[-1])
        if entry is None:
            raise RecordRefused("/".join(path), "there is no session record")
        layout.check_entry(path, entry)
        blob = trees.read_blob(self.storage, entry.oid)
        return records.unseal(blob, folder.session, "/".join(path), Session)

    def load(self, folder: Folder) -> StoredSession:
        """Read all records of a session.

        Raises:
            RecordRefused: A record is none that gitmem writes, or not what its name says.
            ObjectMissing: A record is not here.
            ObjectDamaged: A record does not decode.
        """
        session, tree = folder
        captures: dict[RecordId, Capture] = {}
        registers: dict[RecordId, Register] = {}
        own: Session | None = None
        top = trees.read_tree(self.storage, tree)
        base = layout.session_folder(session)
        for name, entry in top.items():
            path = (*base, name)
            if name == "segments":
                layout.check_folder(path, entry)
            elif name in ("captures", "registers"):
                layout.check_folder(path, entry)
                for below, found in files_in(self.storage, path, entry):
                    record_name = RecordId(layout.check_entry(below, found).name)
                    blob, where = trees.read_blob(self.storage, found.oid), "/".join(below)
                    if name == "captures":
                        captures[record_name] = capture_of(session, blob, record_name, where)
                    else:
                        registers[record_name] = register_of(session, blob, record_name, where)
            else:
                layout.check_entry(path, entry)
                own = records.unseal(
                    trees.read_blob(self.storage, entry.oid), session, "/".join(path), Session
                )
        if own is None:
            raise RecordRefused("/".join(base), "it has no session record")
        return StoredSession(session, tree, own, captures, registers)

    def capture(self, folder: Folder, name: RecordId) -> Capture | None:
        """Read one capture of a session, if it is there; costs the same however many there are."""
        path = layout.capture_path(folder.session, name)
        entry = trees.find(self.storage, folder.tree, path[len(layout.session_folder(folder.session)) :])
        if entry is None:
            return None
        layout.check_entry(path, entry)
        return capture_of(folder.session, trees.read_blob(self.storage, entry.oid), name, "/".join(path))

    def opener(self, folder: Folder) -> segments.Opener:
        """Return a reader of a session's segments; where its text is not here, it comes now.

        Raises:
            TextNotHere: It does not.
        """
        storage, session = self.storage, folder.session
        self.absent.require(session)
        found = trees.find(storage, folder.tree, ("segments",))
        fans = trees.read_tree(storage, found.oid) if found else {}
        open_fans: dict[str, dict[str, Entry]] = {}

        def fetch(name: SegmentId) -> bytes:
            fan, rest = name[:2], name[2:]
            if fan not in open_fans:
                open_fans[fan] = trees.read_tree(storage, fans[fan].oid) if fan in fans else {}
            if rest not in open_fans[fan]:
                raise ObjectMissing("/".join(layout.segment_path(session, name)))
            layout.check_entry(layout.segment_path(session, name), open_fans[fan][rest])
            return trees.read_blob(storage, open_fans[fan][rest].oid)

        return segments.Opener(fetch)

    def text(self, folder: Folder, head: Head) -> Iterator[bytes]:
        """Yield a stream's text as stored, segment by segment.

        Raises:
            ObjectMissing: A segment is not here.
            ObjectDamaged: A segment is not what its name says.
        """
        opener = self.opener(folder)
        for span in head.spans:
            yield span.take(opener.open(span.segment))

    def lines(self, folder: Folder, head: Head, start: int, stop: int) -> bytes:
        """Return a stream's lines from number `start` (from 0) up to `stop`, opening no other segments."""
        opener = self.opener(folder)
        found: list[bytes] = []
        at = 0
        for span in head.spans:
            # One without a line end is the middle of a long line; only the last may go on behind its last.
            inside = at + span.line_ends > start or (at == start and not span.line_ends)
            if at < stop and (inside or span is head.spans[-1]):
                found.append(_between(span.take(opener.open(span.segment)), start - at, stop - at))
            at += span.line_ends
        return b"".join(found)


def open_memory(storage: Storage, ref: str, commit: Oid | None = None) -> Memory:
    """Open the memory at a ref (or at a given commit of it), after reading its format version.

    Raises:
        NoMemory: There is no such ref.
        NotAMemory: The ref holds something that gitmem did not write.
        FormatUnreadable: FORMAT is there and holds no number.
        FormatNewer: A newer gitmem wrote it.
    """
    tip = commit or storage.read_ref(ref)
    if tip is None:
        raise NoMemory(ref)
    try:
        root = read_commit(storage, tip).tree
        entry = trees.read_tree(storage, root).get("FORMAT")
    except ObjectDamaged as error:
        raise NotAMemory(ref, str(error)) from None
    if entry is None or entry.mode != FILE_MODE:
        raise NotAMemory(ref, "its commit has no FORMAT, so gitmem did not write it")
    content = trees.read_blob(storage, entry.oid)
    digits = content.removesuffix(b"\n")
    if not (digits.isdigit() and len(digits) < 6):
        raise FormatUnreadable(ref, content)
    if int(digits) > FORMAT_VERSION:
        raise FormatNewer(ref, int(digits), FORMAT_VERSION)
    return Memory(storage, ref, tip, root)


def capture_of(session: SessionId, blob: bytes, name: RecordId, path: str) -> Capture:
    """Read a blob that should hold a capture of a session.

    Raises:
        ObjectDamaged: It does not decode.
        RecordRefused: It is no such record, or one of another session.
    """
    capture = records.unseal(blob, name, path, Capture)
    if capture.session != session:
        raise RecordRefused(path, f"it is a capture of session {capture.session}")
    return capture


def register_of(target: str, blob: bytes, name: RecordId, path: str) -> Register:
    """Read a blob that should hold a register of a session or note.

    Raises:
        ObjectDamaged: It does not decode.
        RecordRefused: It is no such record, or about something else.
    """
    register = records.unseal(blob, name, path, Register)
    if register.target != target:
        raise RecordRefused(path, f"it is about {register.target}")
    return register


def changed_sessions(memory: Memory, since: Oid | None) -> Iterator[tuple[SessionId, Folder | None]]:
    """Yield the sessions that differ between a tree (None: the empty one) and this memory's.

    Cost follows what differs. A folder is None where the session is gone.
    """
    for name, tree in changed_folders(memory, since, "sessions"):
        yield SessionId(name), Folder(SessionId(name), tree) if tree else None


def changed_folders(memory: Memory, since: Oid | None, top: str) -> Iterator[tuple[str, Oid | None]]:
    """Yield the names of the folders below `sessions` or `notes` that differ, each with its tree of now.

    As `changed_sessions` does it; None where it is gone.
    """
    old_top = trees.find(memory.storage, since, (top,))
    new_top = trees.find(memory.storage, memory.root, (top,))
    old = old_top.oid if old_top else None
    new = new_top.oid if new_top else None
    yield from _changed(memory.storage, old, new, (top,))


def require(memory: Memory, session: SessionId) -> Folder:
    """Return a session's folder.

    Raises:
        SessionUnknown: The memory has no such session.
    """
    folder = memory.find(session)
    if folder is None:
        raise SessionUnknown(session)
    return folder


def _changed(
    storage: Storage, old: Oid | None, new: Oid | None, path: trees.Path
) -> Iterator[tuple[str, Oid | None]]:
    if old == new:
        return
    before, after = trees.read_tree(storage, old), trees.read_tree(storage, new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        below = (*path, name)
        if now is not None:
            layout.check_folder(below, now)
        if len(below) < 4:
            # The old side may hold anything: a union that leaves it out is compared with it.
            before_it = was.oid if was and was.is_tree else None
            yield from _changed(storage, before_it, now.oid if now else None, below)
        else:
            yield "".join(below[1:]), now.oid if now else None


def _folders(storage: Storage, oid: Oid | None, path: trees.Path) -> Iterator[Folder]:
    for name, entry in sorted(trees.read_tree(storage, oid).items()):
        below = (*path, name)
        layout.check_folder(below, entry)
        if len(below) < 4:
            yield from _folders(storage, entry.oid, below)
        else:
            yield Folder(SessionId("".join(below[1:])), entry.oid)


def files_in(storage: Storage, path: trees.Path, entry: Entry) -> Iterator[tuple[trees.Path, Entry]]:
    """Yield the files of a folder of captures or registers, with their paths.

    Raises:
        RecordRefused: There is something else in it.
    """
    for fan, folder in trees.read_tree(storage, entry.oid).items():
        layout.check_folder((*path, fan), folder)
        for name, file in trees.read_tree(storage, folder.oid).items():
            yield (*path, fan, name), file


def _between(text: bytes, start: int, stop: int) -> bytes:
    """Return the lines of a text from `start` to `stop`; either may lie outside."""
    first = 0
    for _ in range(max(start, 0)):
        newline = text.find(b"\n", first)
        if newline < 0:
            return b""
        first = newline + 1
    last = first
    for _ in range(stop - max(start, 0)):
        newline = text.find(b"\n", last)
        if newline < 0:
            return text[first:]
        last = newline + 1
    return text[first:last]
