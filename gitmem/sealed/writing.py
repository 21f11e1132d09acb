"""Sealing: what a change of the memory comes to in objects of git's, and which refs have to move for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import KEYS_NAMESPACE, key_ref, sealed_ref
from gitmem.objects import trees
from gitmem.objects.storage import Batch, Storage
from gitmem.sealed.box import Box
from gitmem.sealed.keeping import Kept, read_key, write_commit, write_key
from gitmem.sealed.ring import Ring
from gitmem.sealed.sessions import Opened, Place, real_path, sealed_files, sealed_root
from gitmem.sealed.tips import Tips

_NAME_BYTES = 32


class Move(NamedTuple):
    """A ref that has to point at something new, if it still points at what is expected."""

    ref: str
    new: Oid
    expected: Oid | None


class Sealed(NamedTuple):
    """An object that has been sealed, by its plain id, under which name and where."""

    name: str
    oid: Oid
    place: Place


class Writing:
    """Sealing into one batch of the base; `plain` reads what is to be sealed.

    `moves` has to be made once the batch is published, by `move_all`. `tips` says where the names that were
    written to will then stand.
    """

    def __init__(self, base: Storage, ring: Ring, plain: Storage, batch: Batch) -> None:
        self._base, self._ring, self._plain, self._batch = base, ring, plain, batch
        self.moves: list[Move] = []
        self.sealed: list[Sealed] = []
        self.tips: dict[str, Tips] = {}

    def make_key(self) -> Opened:
        """Make a name and a key that wait for a session."""
        name, secret = self._ring.random_bytes(_NAME_BYTES).hex(), self._ring.new_secret()
        key = write_key(self._batch, Kept(1, self._ring.wrap(secret)))
        self._move(name, Tips(None, None), Tips(key, None))
        return Opened(name, Tips(key, None), Box(secret, name, self._ring.random_bytes), secret, 1, None)

    def put(self, session: SessionId, folder: Oid, held: Opened, more_parents: tuple[Oid, ...] = ()) -> None:
        """Bring what is sealed under a name to a session's folder; only what differs is sealed."""
        own = held.session
        changes: dict[trees.Path, Oid | None] = {
            real_path(held.box, None): self._batch.add("blob", sealed_root(held.box, session, folder))
        }
        for place, oid, blob in sealed_files(
            self._plain, held.box, session, own.folder if own else None, folder
        ):
            path = real_path(held.box, place)
            changes[path] = self._batch.add("blob", blob) if blob is not None else None
            if blob is not None:
                self.sealed.append(Sealed(held.name, oid, place))
        tree = trees.edit(self._base, self._batch, own.real_root if own else None, changes)
        parents = ((own.content,) if own else ()) + more_parents
        content = write_commit(self._batch, tree or self._batch.add("tree", b""), parents)
        self._move(held.name, held.tips, Tips(held.tips.key, content))

    def shed(self, held: Opened) -> None:
        """Let nothing of a sealed session stand on its refs, key included."""
        key = write_key(self._batch, Kept(held.number + 1, None))
        content = write_commit(self._batch, self._batch.add("tree", b""), ())
        self._move(held.name, held.tips, Tips(key, content))

    def rewrap(self, held: Opened) -> None:
        """Wrap a session's secret for those who are recipients now; its content stays as it is."""
        key = write_key(self._batch, Kept(held.number + 1, self._ring.wrap(held.secret)))
        self._move(held.name, held.tips, Tips(key, held.tips.content))

    def reseal(self, held: Opened) -> list[Move]:
        """Seal all of a session with a new secret, in a commit without parents.

        Returns:
            The moves to make, in this order and apart from the others: the new key with the former one beside
            it, the content, and the new key alone.
        """
        secret, number = self._ring.new_secret(), held.number + 1
        envelope = self._ring.wrap(secret)
        alone = write_key(self._batch, Kept(number, envelope))
        if held.session is None or held.tips.key is None:
            return [Move(key_ref(held.name), alone, held.tips.key)]
        kept = read_key(self._base, held.name, held.tips.key)
        former = kept.before if held.is_by_former else kept.envelope
        both = write_key(self._batch, Kept(number, envelope, former))
        anew = held._replace(box=Box(secret, held.name, self._ring.random_bytes), session=None)
        moves, self.moves = self.moves, []
        self.put(held.session.session, held.session.folder, anew)
        [content], self.moves = self.moves, moves
        return [
            Move(key_ref(held.name), both, held.tips.key),
            content,
            Move(key_ref(held.name), alone, both),
        ]

    def _move(self, name: str, old: Tips, new: Tips) -> None:
        self.tips[name] = new
        if new.key is not None and new.key != old.key:
            self.moves.append(Move(key_ref(name), new.key, old.key))
        if new.content is not None and new.content != old.content:
            self.moves.append(Move(sealed_ref(name), new.content, old.content))


def move_all(base: Storage, moves: Sequence[Move], reason: str) -> None:
    """Make moves one by one, keys first: a key without content waits for one, a content without key is lost.

    Raises:
        RefMoved: git moved one of them meanwhile; those before it stand.
    """
    for move in sorted(moves, key=lambda move: not move.ref.startswith(KEYS_NAMESPACE)):
        base.move_ref(move.ref, move.new, move.expected, reason)
