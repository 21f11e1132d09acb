"""Verifying a memory: its refs, its history, its objects and records, and the packs that hold them.

A finding names the sessions that it is about, as they were called when that could last be read.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple

from gitmem.format import layout, records
from gitmem.format.burial import names_all
from gitmem.format.memory import open_memory
from gitmem.model.errors.store import (
    FormatNewer,
    FormatUnreadable,
    NoMemory,
    NotAMemory,
    RefDamaged,
    StoreError,
)
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.records import Session
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Entry, decode_commit
from gitmem.objects.history import walk_history
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path
from gitmem.verbs.inspecting import Counts, Fault, FaultKind, Inspector

FindingKind = FaultKind | Literal["ref", "history", "format", "pack"]

_EARLIER: Final = 20
"""How many commits of each ref are asked what a session was called that can no longer be read."""
_NAMED: Final = 100
"""How many sessions one finding names."""
_ASKED: Final = 2000
"""How many sessions are looked up in all; a memory that is damaged further is answered with ids."""
_FOLDER_DEPTH: Final = 4
"""Parts of the path of a session's folder."""

_FETCH = "git fetch --refetch REMOTE: brings it again; docs/formats/store.md, Repair, has the other ways"
_BLAME = "git log --oneline {ref} -- {path}: says which commit brought it"
_HINTS: Final[dict[FindingKind, str]] = {
    "ref": "git reflog show {path}: names the commits that it was at; git update-ref {path} COMMIT: mends it",
    "history": _FETCH,
    "format": "upgrade gitmem if the memory is newer; " + _BLAME,
    "object": _FETCH,
    "layout": _BLAME,
    "record": _BLAME,
    "segment": _BLAME,
    "reference": _BLAME,
    "pack": "git fsck --full: says what else is in it; docs/formats/store.md, Repair, says how to replace it",
}


class Finding(NamedTuple):
    """Something that does not hold.

    `where` is a path of the tree at `ref`, a commit, a ref or a file. `sessions` are those that are affected,
    each as <agent>/<native id> or, where that cannot be read, by its id; no more than the first hundred.
    """

    kind: FindingKind
    ref: str
    where: str
    why: str
    sessions: tuple[str, ...]
    hint: str


class Ground(NamedTuple):
    """What only the repository's own files can tell: `gitmem.git.integrity` reads it.

    `shallow` are commits whose parents need not be here. Where it `is_lean`, what no memory has any more need
    not be here either. The others are (name, why).
    """

    shallow: frozenset[Oid] = frozenset()
    broken_refs: Iterable[tuple[str, str]] = ()
    packs: Iterable[tuple[str, str]] = ()
    is_lean: bool = False


def verify(
    storage: Storage,
    refs: Sequence[str],
    counts: Counts,
    *,
    full: bool = False,
    absent: Container[SessionId] = frozenset(),
    ground: Ground = Ground(),  # noqa: B008 (it is immutable)
    tell: Callable[[Counts], None] = lambda counts: None,
) -> Iterator[Finding]:
    """Yield all that does not hold about the memories at some refs, of which the first must exist.

    The text of `absent` sessions need not be here. What several refs share is looked at once. `counts` grows
    meanwhile, and `tell` is called as it does.

    Raises:
        NoMemory: There is no ref of the first name.
    """
    names = _Names(storage, refs)
    inspector = Inspector(storage, refs[0], counts, full=full, tell=tell)
    inspector.absent, inspector.is_lean = absent, ground.is_lean
    broken = dict(ground.broken_refs)
    for ref in refs:
        try:
            tip = storage.read_ref(ref)
        except RefDamaged as error:
            broken[ref] = error.why
            continue
        if tip is None:
            if ref == refs[0] and ref not in broken:
                raise NoMemory(ref)
            continue
        counts.refs += 1
        inspector.ref = ref
        yield from _verify_ref(storage, ref, tip, inspector, names, ground.shallow)
    for ref, why in broken.items():
        yield _finding("ref", ref, ref, why, names.below(()) if ref in refs else ())
    for file, why in ground.packs:
        yield _finding("pack", "", file, why)


def _verify_ref(
    storage: Storage, ref: str, tip: Oid, inspector: Inspector, names: _Names, shallow: frozenset[Oid]
) -> Iterator[Finding]:
    try:
        commit = _read_commit(inspector, tip)
    except StoreError as error:
        yield _finding("history", ref, f"commit {tip}", str(error), names.below(()))
        return
    try:
        open_memory(storage, ref, tip)
    except FormatNewer as error:
        yield _finding("format", ref, "FORMAT", str(error), names.below(()))
        return
    except (FormatUnreadable, NotAMemory) as error:
        yield _finding("format", ref, "FORMAT", str(error), names.below(()))
    except StoreError:
        pass  # the object that is missing is found again below, with all that hangs on it
    for fault in inspector.current(commit.tree):
        yield _as_finding(fault, ref, names)
    yield from _verify_history(storage, ref, tip, commit, inspector, names, shallow)


def _verify_history(
    storage: Storage,
    ref: str,
    tip: Oid,
    commit: Commit,
    inspector: Inspector,
    names: _Names,
    shallow: frozenset[Oid],
) -> Iterator[Finding]:
    todo, root = [(parent, tip) for parent in commit.parents], commit.tree
    done: set[Oid] = {tip}
    while todo:
        oid, child = todo.pop()
        if oid in done or (child in shallow and not storage.contains(oid)):
            continue
        done.add(oid)
        if inspector.has_seen(oid):
            continue  # another ref has it in its history too
        try:
            commit = _read_commit(inspector, oid)
        except StoreError as error:
            yield _finding("history", ref, f"commit {oid}", f"{error}; it is the parent of commit {child}")
            continue
        todo += [(parent, oid) for parent in commit.parents]
        if not _names_all(storage, commit.tree, root):
            yield _finding("history", ref, f"commit {oid}", "it may hold what has been erased since")
        for fault in inspector.earlier((), commit.tree):
            yield _as_finding(fault, ref, names)


def _names_all(storage: Storage, root: Oid, later: Oid) -> bool:
    try:
        return names_all(storage, root, later)
    except StoreError:
        return True  # the object that is missing or damaged is found for itself


def _read_commit(inspector: Inspector, oid: Oid) -> Commit:
    commit = decode_commit(inspector.fetch(oid, "commit"), oid)
    inspector.counts.commits += 1
    return commit


def _as_finding(fault: Fault, ref: str, names: _Names) -> Finding:
    return _finding(fault.kind, ref, "/".join(fault.path) or "the root", fault.why, names.of(fault.path))


def _finding(kind: FindingKind, ref: str, where: str, why: str, sessions: tuple[str, ...] = ()) -> Finding:
    return Finding(kind, ref, where, why, sessions, _HINTS[kind].format(ref=ref, path=where))


class _Names:
    """What sessions are called, asked of the newest commits in which it can be read."""

    def __init__(self, storage: Storage, refs: Sequence[str]) -> None:
        self._storage, self._refs = storage, refs
        self._trees: list[Oid] | None = None
        self._known: dict[SessionId, str] = {}

    def of(self, path: Path) -> tuple[str, ...]:
        """Return which sessions something at a path is about."""
        if path == ("FORMAT",):
            return self.below(())
        if path[:1] == ("sessions",) and len(path) >= _FOLDER_DEPTH:
            return (self._name(SessionId("".join(path[1:_FOLDER_DEPTH]))),)
        return self.below(path) if path[:1] in ((), ("sessions",)) else ()

    def below(self, path: Path) -> tuple[str, ...]:
        """Return the sessions below a folder, from the newest commit in which it can be read."""
        for root in self._roots():
            try:
                top = trees.find(self._storage, root, path or ("sessions",))
                found = list(islice(self._sessions(path or ("sessions",), top, set()), _NAMED))
            except StoreError:
                continue
            if found:
                return tuple(self._name(session) for session in found)
        return ()

    def _sessions(self, path: Path, entry: Entry | None, seen: set[Oid]) -> Iterator[SessionId]:
        if entry is None or not entry.is_tree:
            return
        if len(path) == _FOLDER_DEPTH:
            yield SessionId("".join(path[1:]))
            return
        if entry.oid in seen:
            return  # no two folders are alike, and one that holds itself in thousands could unfold for ever
        seen.add(entry.oid)
        for name, below in trees.read_tree(self._storage, entry.oid).items():
            yield from self._sessions((*path, name), below, seen)

    def _name(self, session: SessionId) -> str:
        is_asked = session not in self._known and len(self._known) < _ASKED
        for root in self._roots() if is_asked else ():
            try:
                entry = trees.find(self._storage, root, layout.session_path(session))
                if entry is not None:
                    blob = trees.read_blob(self._storage, entry.oid)
                    record = records.unseal(blob, session, "session", Session)
                    self._known[session] = str(SessionKey(record.agent, record.native_id))
                    break
            except StoreError:
                continue
        return self._known.setdefault(session, session) if is_asked else self._known.get(session, session)

    def _roots(self) -> list[Oid]:
        """Return the newest trees of every ref, as far as its history can be read."""
        if self._trees is None:
            self._trees = []
            for ref in self._refs:
                try:
                    tip = self._storage.read_ref(ref)
                    for _, commit in islice(walk_history(self._storage, tip), _EARLIER):
                        self._trees.append(commit.tree)
                except StoreError:
                    continue
        return self._trees
