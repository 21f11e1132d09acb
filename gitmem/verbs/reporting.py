"""What a memory can say of itself: how it stands, and how it came to be what it is.

Nothing here writes or starts anything, and no session's text is read. History is anybody's: what it takes
to tell of a commit is bounded by the objects that it has, whatever they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from gitmem.format import layout
from gitmem.format.layout import EntryKind
from gitmem.format.manifest import total_lines
from gitmem.format.memory import FORMAT_VERSION, Memory
from gitmem.format.records import unseal
from gitmem.git.packs import list_kept_packs
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.records import Capture, Register, Session
from gitmem.model.refs import PUBLIC_REF, remote_of, tracking_prefix, tracking_ref
from gitmem.model.settings import Settings
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Entry
from gitmem.objects.history import distance, read_commit, walk_history
from gitmem.verbs.contact import NO_CONTACT, Contact, read_contacts
from gitmem.verbs.listing import Summaries

_LOOKED_BACK = 100
"""Commits in which the last one that brought a capture is looked for."""


class RemoteState(NamedTuple):
    """A remote that somebody chose, or that has the memory, and how many commits each side had alone when it
    was last fetched from or pushed to.

    They are of the team's memory, or of the public one where it gets no other; both are None where that has
    not been, and of what is private. `levels` are those that it was chosen for; none, where nobody did.
    `contact` is when it was last reached, and what has kept it from being reached since.
    """

    name: str
    levels: tuple[str, ...]
    ahead: int | None
    behind: int | None
    contact: Contact = NO_CONTACT


class IndexState(NamedTuple):
    """The local index: the commit that it has reached, and how many commits the memory is further on.

    `behind` is None where the index cannot say, or says a commit that is not of this memory.
    """

    condition: Literal["missing", "unreadable", "behind", "current"]
    commit: str | None = None
    behind: int | None = None


class MemoryState(NamedTuple):
    """The memory as of its last commit.

    `captured_s` is when a capture last came in, in seconds since 1970, if that was not long ago. `unreadable`
    counts sessions whose record cannot be read, `absent` those whose text stayed with a remote.
    """

    commit: Oid
    committed_s: int
    captured_s: int | None
    format: int
    agents: dict[str, int]
    unreadable: int
    packs: int
    packs_bytes: int
    remotes: tuple[RemoteState, ...]
    index_state: IndexState
    has_key: bool
    absent: int = 0


class SessionChange(NamedTuple):
    """What one commit did to one session; `key` is None where its record cannot be read.

    `lines` are those of the captures that came in; `registers` names the registers that were written, and
    `emptied` those of them that say nothing any more: what was forgotten is remembered again.
    """

    session: SessionId
    key: SessionKey | None
    change: Literal["new", "grown", "named", "gone"]
    lines: int
    captures: int
    registers: tuple[str, ...]
    emptied: tuple[str, ...] = ()


class LogEntry(NamedTuple):
    """One commit of a memory, and what it brought beyond its first parent."""

    commit: Oid
    parents: tuple[Oid, ...]
    at_s: int
    author: str
    email: str
    subject: str
    sessions: tuple[SessionChange, ...]
    others: dict[EntryKind, int]
    """Files of other kinds that came in, such as notes and tombstones."""

    @property
    def begins_anew(self) -> bool:
        """Whether the history begins here after an erasure, so that nothing in it is new."""
        return not self.parents and "tombstone" in self.others


def describe_memory(
    memory: Memory,
    state_dir: Path,
    packs_dir: Path,
    user_dir: Path,
    settings: Settings,
    tip: str | None = None,
) -> MemoryState:
    """Say how a memory stands; `user_dir` is where the user's own secret is kept.

    `tip` is where all memories stand, by `gitmem.verbs.tips`; None where this one is the only one.
    """
    packs = list_kept_packs(packs_dir)
    agents, unreadable = Summaries(memory, state_dir).count_agents()
    return MemoryState(
        commit=memory.commit,
        committed_s=read_commit(memory.storage, memory.commit).committer.time_s,
        captured_s=_captured_s(memory),
        format=FORMAT_VERSION,
        agents=dict(sorted(agents.items())),
        unreadable=unreadable,
        packs=len(packs),
        packs_bytes=sum(pack.size_bytes for pack in packs),
        remotes=tuple(_remotes(memory, settings, read_contacts(state_dir))),
        index_state=_index_state(memory, state_dir, tip or memory.commit),
        has_key=(user_dir / "redaction-key").exists() and (state_dir / "repository-name").exists(),
        absent=len(memory.absent),
    )


def log(memory: Memory, limit: int | None = None) -> Iterator[LogEntry]:
    """Yield the memory's commits, the newest first, each with what differs from its first parent's tree.

    A capture's record says how many lines came in; where it cannot be read, it counts none.
    """
    for count, (oid, commit) in enumerate(walk_history(memory.storage, memory.commit)):
        if limit is not None and count >= limit:
            return
        yield _entry(memory, oid, commit)


def _entry(memory: Memory, oid: Oid, commit: Commit) -> LogEntry:
    before = _tree_before(memory, commit)
    found: dict[SessionId, Counter[str]] = {}
    registers: dict[SessionId, dict[str, bool]] = {}
    others: Counter[EntryKind] = Counter()
    decoded: set[Oid] = set()
    for change in _changes(memory, commit):
        try:
            place = layout.place(change.path)
        except RecordRefused:
            continue  # it is nothing of gitmem's; `verify` names it
        if place.owner is None or change.path[0] != "sessions":
            if change.new is not None and place.kind != "root":
                others[place.kind] += 1
            continue
        counts = found.setdefault(SessionId(place.owner), Counter())
        counts[place.kind if change.new is not None else f"{place.kind} gone"] += 1
        if change.new is None or change.new.oid in decoded:
            continue
        decoded.add(change.new.oid)
        if place.kind == "capture":
            counts["lines"] += _lines(memory, change.new.oid, place.name, change.path)
        elif place.kind == "register":
            names = registers.setdefault(SessionId(place.owner), {})
            name, is_empty = _register(memory, change.new.oid, place.name, change.path)
            names[name] = is_empty and names.get(name, True)
    return LogEntry(
        commit=oid,
        parents=commit.parents,
        at_s=commit.author.time_s,
        author=commit.author.name,
        email=commit.author.email,
        subject=commit.message.partition("\n")[0],
        sessions=tuple(
            _session_change(memory, commit.tree, before, session, counts, registers.get(session, {}))
            for session, counts in found.items()
        ),
        others=dict(others),
    )


def _changes(memory: Memory, commit: Commit) -> Iterator[trees.Change]:
    """Yield what differs from the first parent's tree; nothing where that is not here, as in a shallow clone
    and of what a pull of the last months left with the remote.

    Nobody has looked at an earlier commit's tree before: only that of the tip was admitted. What gitmem puts
    nowhere is passed over, and so are segments, of which nothing is told.
    """
    before = _tree_before(memory, commit)
    if before is not None or not commit.parents:
        try:
            found = list(trees.diff(memory.storage, before, commit.tree, opens=_Unopened()))
        except ObjectMissing:
            return  # `verify` tells what is lost from what was left
        yield from found


class _Unopened:
    """Says yes once to each folder that holds records; so the work is that of the objects there are.

    Records have different names, so no two of their folders are alike; those that are could unfold for ever.
    """

    def __init__(self) -> None:
        self._opened: set[Oid] = set()

    def __call__(self, path: trees.Path, entry: Entry) -> bool:
        try:
            layout.check_folder(path, entry)
        except RecordRefused:
            return False  # `verify` names it
        if entry.oid in self._opened or "segments" in path:
            return False
        self._opened.add(entry.oid)
        return True


def _tree_before(memory: Memory, commit: Commit) -> Oid | None:
    if not commit.parents or not memory.storage.contains(commit.parents[0]):
        return None
    return read_commit(memory.storage, commit.parents[0]).tree


def _session_change(
    memory: Memory,
    tree: Oid,
    before: Oid | None,
    session: SessionId,
    counts: Counter[str],
    registers: dict[str, bool],
) -> SessionChange:
    is_gone = bool(counts["session gone"])
    change: Literal["new", "grown", "named", "gone"] = (
        "gone" if is_gone else "new" if counts["session"] else "grown" if counts["capture"] else "named"
    )
    return SessionChange(
        session=session,
        key=_key(memory, before if is_gone else tree, session),
        change=change,
        lines=counts["lines"],
        captures=counts["capture"],
        registers=tuple(sorted(registers)),
        emptied=tuple(sorted(name for name, is_empty in registers.items() if is_empty)),
    )


def _key(memory: Memory, tree: Oid | None, session: SessionId) -> SessionKey | None:
    path = layout.session_path(session)
    try:
        entry = trees.find(memory.storage, tree, path)
        if entry is None:
            return None
        record = unseal(trees.read_blob(memory.storage, entry.oid), session, "/".join(path), Session)
    except (RecordRefused, ObjectMissing, ObjectDamaged):
        return None
    return SessionKey(record.agent, record.native_id)


def _lines(memory: Memory, oid: Oid, name: str, path: trees.Path) -> int:
    try:
        capture = unseal(trees.read_blob(memory.storage, oid), name, "/".join(path), Capture)
    except (RecordRefused, ObjectMissing, ObjectDamaged):
        return 0
    return total_lines(capture.segments)


def _captured_s(memory: Memory) -> int | None:
    for _, commit in islice(walk_history(memory.storage, memory.commit), _LOOKED_BACK):
        if any(_is_capture(change) for change in _changes(memory, commit)):
            return commit.author.time_s
    return None


def _is_capture(change: trees.Change) -> bool:
    return change.new is not None and change.path[0] == "sessions" and "captures" in change.path


def _register(memory: Memory, oid: Oid, name: str, path: trees.Path) -> tuple[str, bool]:
    """Return a register's name, and whether it says nothing any more."""
    try:
        register = unseal(trees.read_blob(memory.storage, oid), name, "/".join(path), Register)
    except (RecordRefused, ObjectMissing, ObjectDamaged):
        return "unreadable", False
    return register.name, register.value is None


def _remotes(memory: Memory, settings: Settings, contacts: dict[str, Contact]) -> Iterator[RemoteState]:
    chosen = {remote.name: tuple(sorted(remote.levels)) for remote in settings.remotes}
    tracked = memory.storage.list_refs(tracking_prefix(memory.ref))
    others = {name for ref in tracked if (name := remote_of(ref, memory.ref))} - chosen.keys()
    for name in [*chosen, *sorted(others)]:
        levels = chosen.get(name, ())
        if levels and "team" not in levels:
            ours = memory.storage.read_ref(PUBLIC_REF) if "public" in levels else None
            theirs = memory.storage.read_ref(tracking_ref(name, PUBLIC_REF)) if ours else None
        else:
            ours, theirs = memory.commit, tracked.get(tracking_ref(name, memory.ref))
        apart = distance(memory.storage, ours, theirs) if ours and theirs else None
        ahead, behind = apart or (None, None)
        yield RemoteState(name, levels, ahead, behind, contacts.get(name, NO_CONTACT))


class _IndexFile(msgspec.Struct, frozen=True):
    """What of the index's own state is looked at; whatever else stands there is its own."""

    ref: str
    commit: str
    tip: str = ""


def _index_state(memory: Memory, state_dir: Path, tip: str) -> IndexState:
    path = state_dir / "index" / "lexical" / "state.json"
    try:
        state = msgspec.json.decode(path.read_bytes(), type=_IndexFile)
    except FileNotFoundError:
        return IndexState("missing")
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return IndexState("unreadable")
    if state.ref != memory.ref:
        return IndexState("behind", state.commit, None)
    if (state.tip or state.commit) == tip:
        return IndexState("current", state.commit, 0)
    # Where none is counted, it is what is private or public that has moved.
    return IndexState("behind", state.commit, _commits_since(memory, state) or None)


def _commits_since(memory: Memory, state: _IndexFile) -> int | None:
    storage, reached = memory.storage, Oid(state.commit)
    # The file is the index's own, and after an erasure, or a crash, it may name any commit or none.
    if len(reached) != len(memory.commit) or not set(reached) <= set("0123456789abcdef"):
        return None
    if not storage.contains(reached):
        return None
    try:
        return distance(storage, memory.commit, reached).ahead
    except ObjectDamaged:
        return None
