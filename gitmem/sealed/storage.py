"""The storage that seals: it shows sealed sessions as one ordinary memory, and seals what is committed to it.

The memory stands at PRIVATE_REF, which git does not have. What a batch brings is held in memory until
`move_ref` seals it: nothing private becomes an object, a loose file or a temporary file of git's. Other refs
and objects are the base's own, and can be read here; such a ref can be moved to what the base has already.

Not for several threads at once, but for its lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from gitmem.format import layout
from gitmem.format.memory import FORMAT_VERSION, Folder
from gitmem.format.union import union
from gitmem.model.errors.store import (
    NotSealed,
    ObjectDamaged,
    ObjectMissing,
    RecordRefused,
    RefMoved,
    SealDamaged,
)
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import KEYS_NAMESPACE, PRIVATE_REF, SEALED_NAMESPACE, sealed_ref
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, Commit, Entry, HashName, ObjectKind, encode_commit
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage
from gitmem.sealed.keeping import NOBODY
from gitmem.sealed.ring import Ring
from gitmem.sealed.sessions import Opened, Place, SealedSession, open_session
from gitmem.sealed.tips import Tips, by_name, read_tips, virtual_commit
from gitmem.sealed.virtual import Overlay, write_root
from gitmem.sealed.writing import Writing, move_all

_REMEMBERED = 16
"""States of the memory that can still be read after it has moved on."""
_MOST_PLACES = 7


class _State(NamedTuple):
    """The memory at one moment. `held` are the opened sessions, those that are one and the same together."""

    commit: Oid
    root: Oid
    held: Mapping[SessionId, tuple[Opened, ...]]
    folders: Mapping[SessionId, Oid]
    waiting: tuple[Opened, ...]
    unopened: tuple[str, ...]
    damaged: Mapping[str, SealDamaged]


class _Sealed(NamedTuple):
    """Where an object stands sealed."""

    session: SealedSession
    place: Place


class SealedStorage:
    """The private memory of a repository, to whoever holds the keys on the ring.

    The base stays its opener's: `close` lets go of what was opened here, and of nothing else.
    """

    def __init__(self, base: Storage, ring: Ring) -> None:
        self.base, self.ring = base, ring
        self.hash_name: HashName = base.hash_name
        self._pending: dict[Oid, tuple[ObjectKind, bytes]] = {}
        self._overlay = Overlay(base.hash_name)
        self._places: dict[Oid, tuple[_Sealed, ...]] = {}
        self._refs: OrderedDict[Oid, dict[str, Oid]] = OrderedDict()
        self._states: OrderedDict[Oid, _State] = OrderedDict()
        self._unions: dict[tuple[Oid, ...], Oid | None] = {}
        self._opened: dict[tuple[str, Tips], Opened | SealDamaged | None] = {}

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object: one on its way in, one of the memory, opened, or one of the base.

        Raises:
            SealDamaged: It is sealed, and is not what was sealed.
        """
        found = self._pending.get(oid) or self._overlay.objects.get(oid)
        if found is not None:
            return found
        if oid in self._places:
            return self._read_sealed(oid)
        if oid in self._refs:
            commit = Commit(self._state_of(oid).root, (), NOBODY, NOBODY, "What is private\n")
            return "commit", encode_commit(commit)
        return self.base.read(oid)

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here, without opening it."""
        here = (self._pending, self._overlay.objects, self._places, self._refs)
        return any(oid in objects for objects in here) or self.base.contains(oid)

    @contextmanager
    def begin(self) -> Iterator[_Batch]:
        """Start a batch, which stays in memory."""
        yield _Batch(self.hash_name, self._pending)

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at; of PRIVATE_REF, the commit that all sealed refs together make."""
        return self._look() if ref == PRIVATE_REF else self.base.read_ref(ref)

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix, and the ref of that name; PRIVATE_REF stands for those sealed."""
        hidden = (SEALED_NAMESPACE, KEYS_NAMESPACE)
        found = {ref: oid for ref, oid in self.base.list_refs(prefix).items() if not ref.startswith(hidden)}
        if PRIVATE_REF.startswith(prefix) or prefix == SEALED_NAMESPACE:
            commit = self._look()
            if commit is not None:
                found[PRIVATE_REF] = commit
        return dict(sorted(found.items()))

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Seal what a commit adds to the memory, session by session, or move a ref of the base.

        What a commit no longer has is shed: its key is dropped, and whoever kept that can still open it. A
        kill in between leaves each session as it was or as it is to be.

        Raises:
            RefMoved: The memory is elsewhere, or git moved one of the sealed refs meanwhile.
            NotSealed: The ref is another one, and the commit is not the base's.
            RecordRefused: The commit holds what a private memory does not.
            IdentityMissing, RecipientRefused: There is nobody that a new session can be sealed to.
        """
        if ref != PRIVATE_REF:
            if not self.base.contains(new):
                raise NotSealed(ref, "what it is to hold is private, and would not be sealed there")
            self.base.move_ref(ref, new, expected, reason)
            return
        with self.lock():
            found = self._look()
            if found != expected:
                raise RefMoved(ref, expected, found)
            if new != found:
                self._seal(read_commit(self, new).tree, self._state_of(found) if found else None, reason)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the base's one lock for writing."""
        return self.base.lock()

    def tidy(self) -> None:
        """Put in order what writing left behind in the base."""
        self.base.tidy()

    def close(self) -> None:
        """Let go of what was opened; the base stays open for whoever opened it."""
        for kept in (self._pending, self._overlay.objects, self._places, self._refs, self._states):
            kept.clear()
        self._opened.clear()
        self._unions.clear()

    def unopened(self) -> tuple[str, ...]:
        """Return the names of sealed sessions that no key on the ring opens."""
        return self._now().unopened

    def damaged(self) -> Mapping[str, SealDamaged]:
        """Return the sessions that are not as gitmem seals, by name; the memory is shown without them."""
        return self._now().damaged

    def opened(self) -> tuple[Opened, ...]:
        """Return what the ring opens: sealed sessions, and keys that wait for one."""
        state = self._now()
        return tuple(each for held in state.held.values() for each in held) + state.waiting

    def folder_of(self, name: str) -> Folder | None:
        """Return the session that is sealed under a name, and its folder's tree; None where it is not opened.

        Opens that one alone: whoever remembers where the refs stood has to look at those that moved.
        """
        tips = by_name(read_tips(self.base)).get(name)
        opened = self._open(name, tips) if tips else None
        if not isinstance(opened, Opened) or opened.session is None:
            return None
        return Folder(opened.session.session, opened.session.folder)

    def hold(self, session: SealedSession) -> None:
        """Let the objects of a session's folder be read, though no ref of the base may lead to it."""
        self._remember(session.folder, _Sealed(session, Place("trees", ())))

    def _remember(self, oid: Oid, sealed: _Sealed) -> None:
        others = [each for each in self._places.get(oid, ()) if each.session.name != sealed.session.name]
        self._places[oid] = (sealed, *others[:_MOST_PLACES])

    def _read_sealed(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Open an object wherever it is sealed: where it stands in several sessions, one of them will do."""
        errors: list[SealDamaged | ObjectMissing] = []
        for session, place in self._places[oid]:
            try:
                data = session.read(place, oid)
            except (SealDamaged, ObjectMissing) as error:
                errors.append(error)
                continue
            if place.folder == "blobs":
                return "blob", data
            for other, at in self._places[oid]:
                for child, below in other.children(at, data):
                    self._remember(child, _Sealed(other, below))
            return "tree", data
        raise errors[0]

    def _now(self) -> _State:
        commit = self._look()
        return self._state_of(commit) if commit else _State(Oid(""), Oid(""), {}, {}, (), (), {})

    def _look(self) -> Oid | None:
        """Look where the refs stand, and remember it under the commit that this makes."""
        refs = read_tips(self.base)
        commit = virtual_commit(refs, self.hash_name)
        if commit is not None:
            self._refs[commit] = refs
            self._refs.move_to_end(commit)
            while len(self._refs) > _REMEMBERED:
                self._states.pop(self._refs.popitem(last=False)[0], None)
        return commit

    def _state_of(self, commit: Oid) -> _State:
        if commit not in self._states:
            self._states[commit] = self._open_all(commit)
        return self._states[commit]

    def _open_all(self, commit: Oid) -> _State:
        held: dict[SessionId, tuple[Opened, ...]] = {}
        waiting: list[Opened] = []
        unopened: list[str] = []
        damaged: dict[str, SealDamaged] = {}
        for name, tips in by_name(self._refs[commit]).items():
            opened = self._open(name, tips)
            if opened is None:
                if tips.content is not None and not self._is_shed(tips.content):
                    unopened.append(name)
            elif isinstance(opened, SealDamaged):
                damaged[name] = opened
            elif opened.session is None:
                waiting.append(opened)
            else:
                session = opened.session.session
                held[session] = (*held.get(session, ()), opened)
        folders = {session: self._united(session, each, damaged) for session, each in held.items()}
        root = write_root(self._overlay, folders)
        return _State(commit, root, held, folders, tuple(waiting), tuple(unopened), damaged)

    def _open(self, name: str, tips: Tips) -> Opened | SealDamaged | None:
        if (name, tips) not in self._opened:
            found: Opened | SealDamaged | None
            try:
                found = open_session(self.base, self.ring, name, tips)
            except (SealDamaged, ObjectMissing) as error:
                found = _as_damage(name, error)
            if isinstance(found, Opened) and found.session is not None:
                self.hold(found.session)
            self._opened[name, tips] = found
        return self._opened[name, tips]

    def _is_shed(self, content: Oid) -> bool:
        try:
            return not trees.read_tree(self.base, read_commit(self.base, content).tree)
        except (ObjectDamaged, ObjectMissing):
            return False

    def _united(self, session: SessionId, held: tuple[Opened, ...], damaged: dict[str, SealDamaged]) -> Oid:
        """Return the folder of a session; two devices may each have begun to seal the same one.

        Of several only those that are whole are united: anybody can seal one more.
        """
        sessions = [each.session for each in held if each.session is not None]
        known = tuple(each.content for each in sessions)
        if len(sessions) > 1 and known not in self._unions:
            whole = []
            for each in sessions:
                try:
                    each.check()
                except (SealDamaged, ObjectMissing) as error:
                    damaged[each.name] = _as_damage(each.name, error)
                else:
                    whole.append(each)
            self._unions[known] = self._union_of(session, whole)
        return self._unions.get(known) or sessions[0].folder

    def _union_of(self, session: SessionId, whole: list[SealedSession]) -> Oid | None:
        roots = [write_root(self._overlay, {session: each.folder}) for each in whole]
        root: Oid | None = roots[0] if roots else None
        for other in roots[1:]:
            root = union(self, self._overlay, root, other).root
        entry = trees.find(self, root, layout.session_folder(session))
        return entry.oid if entry else None

    def _seal(self, root: Oid, state: _State | None, reason: str) -> None:
        changes = list(self._changes(state.root if state else None, root))
        held = state.held if state else {}
        waiting = [each for each in state.waiting if each.is_writable] if state else []
        with self.base.begin() as batch:
            writing = Writing(self.base, self.ring, self, batch)
            for session, folder in changes:
                own = held.get(session, ())
                if folder is None:
                    for each in own:
                        writing.shed(each)
                else:
                    self._put(writing, session, folder, own, waiting)
            if state is None and not changes:
                writing.make_key()  # so that there is a memory, to which a first session can be added
            batch.publish()
        move_all(self.base, writing.moves, reason)
        for name, oid, place in writing.sealed:
            opened = self._open(name, writing.tips[name])
            if isinstance(opened, Opened) and opened.session is not None:
                self._remember(oid, _Sealed(opened.session, place))
                self._pending.pop(oid, None)

    def _put(
        self,
        writing: Writing,
        session: SessionId,
        folder: Oid,
        held: tuple[Opened, ...],
        waiting: list[Opened],
    ) -> None:
        """Seal a session where its key is one's own and for those of now; else anew, or by another name."""
        mine = [each for each in held if each.known.is_own]
        writable = [each for each in mine if each.is_writable]
        if writable:
            writing.put(session, folder, writable[0])
        elif mine:
            writing.reseal(mine[0], folder)
        else:
            writing.put(session, folder, waiting.pop(0) if waiting else writing.make_key())

    def _changes(self, before: Oid | None, after: Oid) -> Iterator[tuple[SessionId, Oid | None]]:
        """Yield the sessions that differ between two roots, and their new folders; all else is refused."""
        root = trees.read_tree(self, after)
        old = trees.read_tree(self, before).get("sessions")
        for name, entry in root.items():
            if name in layout.ROOT_NAMES and entry.mode == FILE_MODE:
                if name == "FORMAT" and trees.read_blob(self, entry.oid) != b"%d\n" % FORMAT_VERSION:
                    raise RecordRefused(name, "what is private is sealed in this gitmem's format alone")
            elif name != "sessions":
                raise RecordRefused(name, "a private memory holds sessions alone")
        yield from self._below(("sessions",), old, root.get("sessions"))

    def _below(
        self, path: trees.Path, was: Entry | None, now: Entry | None
    ) -> Iterator[tuple[SessionId, Oid | None]]:
        if was == now:
            return
        if now is not None:
            layout.check_folder(path, now)
        if len(path) == len(layout.session_folder(SessionId("0" * 64))):
            yield SessionId("".join(path[1:])), now.oid if now else None
            return
        before = trees.read_tree(self, was.oid if was else None)
        after = trees.read_tree(self, now.oid if now else None)
        for name in sorted(before.keys() | after.keys()):
            yield from self._below((*path, name), before.get(name), after.get(name))


def _as_damage(name: str, error: SealDamaged | ObjectMissing) -> SealDamaged:
    return error if isinstance(error, SealDamaged) else SealDamaged(sealed_ref(name), str(error))


class _Batch:
    def __init__(self, hash_name: HashName, pending: dict[Oid, tuple[ObjectKind, bytes]]) -> None:
        self._overlay = Overlay(hash_name)
        self._pending = pending
        self.add = self._overlay.add

    def publish(self) -> None:
        self._pending |= self._overlay.objects
