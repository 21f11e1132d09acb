"""One sealed session: its files behind keyed names, each sealed by itself, and the tree that lists them.

Under the content ref stands a commit with `root`, `trees/aa/id30` and `blobs/aa/id30`. `root` says which
session it is and the object id of its folder's tree; the trees of that folder are sealed like its blobs. So
a session is opened by one blob, nothing is read that is not asked for, and every object is checked against
the id that the one above it lists. Trees stand apart from blobs because an append rewrites a few of them:
that is cheap in a session of 20,000 segments. Format: docs/formats/store.md.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from gitmem.format import layout
from gitmem.format.memory import FORMAT_VERSION
from gitmem.model.errors.store import ObjectDamaged, RecordRefused, SealDamaged
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import key_ref, sealed_ref
from gitmem.objects import trees
from gitmem.objects.encoding import (
    FILE_MODE,
    TREE_MODE,
    Entry,
    ObjectKind,
    decode_tree,
    encode_tree,
    object_id,
)
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path
from gitmem.sealed.box import Box
from gitmem.sealed.keeping import read_key
from gitmem.sealed.ring import Known, Ring
from gitmem.sealed.tips import Tips

Folder = Literal["trees", "blobs"]

_ROOT = "root"
_FOLDERS: tuple[Folder, ...] = ("trees", "blobs")
_KINDS: dict[Folder, ObjectKind] = {"trees": "tree", "blobs": "blob"}
_ROOT_TEXT = re.compile(r"([0-9]{1,5}) ([0-9a-f]{64}) ((?:[0-9a-f]{40}|[0-9a-f]{64}))\n\Z")
_HEX2 = re.compile(r"[0-9a-f]{2}\Z")
_HEX30 = re.compile(r"[0-9a-f]{30}\Z")
_MAX_TREE_BYTES = 16 << 20


class Place(NamedTuple):
    """Where an object of a session's folder is sealed: among `trees` or `blobs`, and its path there."""

    folder: Folder
    path: Path

    @property
    def text(self) -> str:
        """What its keyed name is made of."""
        return "/".join((self.folder, *self.path))


class Opened(NamedTuple):
    """What a key opens: a session, or nothing yet, where the key waits for one."""

    name: str
    tips: Tips
    box: Box
    secret: bytes
    number: int
    session: SealedSession | None
    known: Known
    """Whose key it is. Nothing is added to a session whose key somebody else made, who has its secret:
    anybody can make one for a public key, and for a session that they know of."""
    is_by_former: bool = False
    """Whether the content is still sealed with the secret before: removing somebody was broken off."""

    def __repr__(self) -> str:
        """Leave the secret out, wherever this may be printed."""
        return f"Opened({self.name!r})"

    @property
    def is_writable(self) -> bool:
        """Whether more can be sealed with this secret: for those who are recipients now and no others."""
        return self.known.is_current and not self.is_by_former


class SealedSession:
    """A sealed session as of one commit of its content."""

    def __init__(self, base: Storage, box: Box, name: str, content: Oid) -> None:
        self.name, self.content, self.box = name, content, box
        self._base = base
        self._ref = sealed_ref(name)
        self._checked: set[Oid] = set()
        self.real_root, entries = _read_top(base, self._ref, content)
        if _ROOT not in entries:
            raise SealDamaged(self._ref, "it has no root")
        self.session, self.folder = self._read_root(entries[_ROOT].oid)

    def read(self, place: Place, oid: Oid) -> bytes:
        """Open one object of the session's folder, which must have that git object id.

        Raises:
            SealDamaged: What stands there is not what was sealed there.
            ObjectMissing: It is not here.
        """
        keyed = self.box.name_of(place.text)
        where = f"{self._ref}:{place.folder}/{keyed[:2]}/{keyed[2:]}"
        entry = self._fan(place.folder, keyed[:2]).get(keyed[2:])
        if entry is None:
            raise SealDamaged(where, "it is listed, and is not there")
        data = self.box.open(self._blob(entry.oid, where), keyed, where)
        if place.folder == "trees":
            data = _inflate(data, where)
        if object_id(_KINDS[place.folder], data, self._base.hash_name) != oid:
            raise SealDamaged(where, "it is another version than its folder lists")
        return data

    def children(self, place: Place, data: bytes) -> list[tuple[Oid, Place]]:
        """Return where the objects are sealed that a tree of the folder lists.

        Raises:
            SealDamaged: It lists what no session has.
        """
        base = layout.session_folder(self.session)
        found = []
        for name, entry in decode_tree(data, len(self.folder) // 2, self._ref).items():
            path = (*place.path, name)
            try:
                if entry.is_tree:
                    layout.check_folder((*base, *path), entry)
                else:
                    layout.check_entry((*base, *path), entry)
            except RecordRefused as error:
                raise SealDamaged(self._ref, f"{'/'.join(path)!r} is listed: {error.why}") from None
            found.append((entry.oid, Place("trees" if entry.is_tree else "blobs", path)))
        return found

    def check(self) -> None:
        """Open everything that is sealed here, and see that nothing else stands beside it.

        Raises:
            SealDamaged: Something is not as it was sealed, or does not belong.
            ObjectMissing: An object is not here.
        """
        expected = {"trees": set[str](), "blobs": set[str]()}
        waiting = [(self.folder, Place("trees", ()))]
        while waiting:
            oid, place = waiting.pop()
            expected[place.folder].add(self.box.name_of(place.text))
            data = self.read(place, oid)
            if place.folder == "trees":
                waiting += self.children(place, data)
        top = trees.read_tree(self._base, self.real_root)
        for folder in _FOLDERS:
            fans = trees.read_tree(self._base, top[folder].oid) if folder in top else {}
            found = {fan + rest for fan in fans for rest in self._fan(folder, fan)}
            if found != expected[folder]:
                raise SealDamaged(self._ref, f"{len(found ^ expected[folder])} {folder} do not belong there")

    def _read_root(self, oid: Oid) -> tuple[SessionId, Oid]:
        where = f"{self._ref}:{_ROOT}"
        text = self.box.open(self._blob(oid, where), self.box.name_of(_ROOT), where).decode(
            "ascii", "replace"
        )
        found = _ROOT_TEXT.match(text)
        if found is None:
            raise SealDamaged(where, "it does not say which session it is")
        if int(found[1]) > FORMAT_VERSION:
            raise SealDamaged(
                where, f"its format is {found[1]}, and this gitmem reads up to {FORMAT_VERSION}"
            )
        return SessionId(found[2]), Oid(found[3])

    def _fan(self, folder: Folder, fan: str) -> Mapping[str, Entry]:
        """Return what stands below one folder of the fan-out; what does not belong there is refused."""
        entry = trees.find(self._base, self.real_root, (folder, fan))
        if entry is None:
            return {}
        where = f"{self._ref}:{folder}/{fan}"
        _check_fan(where, fan, entry)
        try:
            entries = trees.known_tree(self._base, entry.oid)
        except ObjectDamaged as error:
            raise SealDamaged(where, error.why) from None
        if entry.oid not in self._checked:
            _check_files(where, entries)
            self._checked.add(entry.oid)
        return entries

    def _blob(self, oid: Oid, where: str) -> bytes:
        try:
            return trees.read_blob(self._base, oid)
        except ObjectDamaged as error:
            raise SealDamaged(where, error.why) from None


def open_session(base: Storage, ring: Ring, name: str, tips: Tips) -> Opened | None:
    """Open a sealed session; None where it is somebody else's, has no key here, or is shed.

    Raises:
        SealDamaged: Its key or its content is not what gitmem sealed.
        ObjectMissing: An object is not here.
    """
    if tips.key is None:
        return None
    kept = read_key(base, name, tips.key)
    where = key_ref(name)
    secret = ring.unwrap(kept.envelope, where) if kept.envelope is not None else None
    if secret is None:
        return None
    assert kept.envelope is not None
    known = ring.knows(name, kept.number, kept.envelope, kept.made)
    box = Box(secret, name, ring.random_bytes)
    if tips.content is None:
        return Opened(name, tips, box, secret, kept.number, None, known)
    former = ring.unwrap(kept.before, where) if kept.before is not None else None
    try:
        session = SealedSession(base, box, name, tips.content)
        return Opened(name, tips, box, secret, kept.number, session, known)
    except SealDamaged:
        if former is None:
            raise
    box = Box(former, name, ring.random_bytes)
    session = SealedSession(base, box, name, tips.content)
    return Opened(name, tips, box, former, kept.number, session, known, is_by_former=True)


def check_shape(base: Storage, name: str, content: Oid) -> None:
    """See that a sealed session's tree holds what gitmem puts there, as far as that shows without a key.

    Raises:
        SealDamaged: It does not.
        ObjectMissing: An object is not here.
    """
    ref = sealed_ref(name)
    _, entries = _read_top(base, ref, content)
    try:
        for folder in _FOLDERS:
            fans = trees.read_tree(base, entries[folder].oid) if folder in entries else {}
            for fan, entry in fans.items():
                _check_fan(f"{ref}:{folder}/{fan}", fan, entry)
                _check_files(f"{ref}:{folder}/{fan}", trees.read_tree(base, entry.oid))
    except ObjectDamaged as error:
        raise error if isinstance(error, SealDamaged) else SealDamaged(ref, error.why) from None


def sealed_files(
    plain: Storage, box: Box, session: SessionId, old: Oid | None, new: Oid | None
) -> Iterator[tuple[Place, Oid, bytes | None]]:
    """Yield what has to be sealed, or taken out (None), to bring a session from one folder's tree to another.

    With each its place and its plain object id. Only what differs is read.

    Raises:
        RecordRefused: It is nothing that stands in a session.
    """
    yield from _differing(plain, box, layout.session_folder(session), (), old, new)


def sealed_root(box: Box, session: SessionId, folder: Oid) -> bytes:
    """Return the sealed root of a session whose folder's tree is that."""
    text = f"{FORMAT_VERSION} {session} {folder}\n"
    return box.seal(text.encode(), box.name_of(_ROOT))


def real_path(box: Box, place: Place | None) -> Path:
    """Return where git has what is sealed for a place; None is the root's."""
    if place is None:
        return (_ROOT,)
    keyed = box.name_of(place.text)
    return (place.folder, keyed[:2], keyed[2:])


def _differing(
    plain: Storage, box: Box, base: Path, path: Path, old: Oid | None, new: Oid | None
) -> Iterator[tuple[Place, Oid, bytes | None]]:
    before, after = trees.read_tree(plain, old), trees.read_tree(plain, new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        below = (*path, name)
        if now is not None:
            _check((*base, *below), now)
        was_tree = was.oid if was and was.is_tree else None
        now_tree = now.oid if now and now.is_tree else None
        if was_tree or now_tree:
            yield from _differing(plain, box, base, below, was_tree, now_tree)
        if now is not None and not now.is_tree:
            place = Place("blobs", below)
            data = trees.read_blob(plain, now.oid)
            yield place, now.oid, box.seal(data, box.name_of(place.text))
        elif was is not None and not was.is_tree:
            yield Place("blobs", below), was.oid, None
    place = Place("trees", path)
    if new is not None:
        data = zlib.compress(encode_tree(after), 1)
        yield place, new, box.seal(data, box.name_of(place.text))
    elif old is not None:
        yield place, old, None


def _read_top(base: Storage, ref: str, content: Oid) -> tuple[Oid, dict[str, Entry]]:
    """Return the tree of a sealed session's commit, and its entries, which are all that may be there."""
    try:
        root = read_commit(base, content).tree
        entries = trees.read_tree(base, root)
    except ObjectDamaged as error:
        raise SealDamaged(ref, error.why) from None
    for name, entry in entries.items():
        mode = FILE_MODE if name == _ROOT else TREE_MODE
        if name not in (_ROOT, *_FOLDERS) or entry.mode != mode:
            raise SealDamaged(ref, f"{name!r} of mode {entry.mode:o} does not belong there")
    return root, entries


def _check_fan(where: str, name: str, entry: Entry) -> None:
    if not _HEX2.match(name) or not entry.is_tree:
        raise SealDamaged(where, "it does not belong there")


def _check_files(where: str, entries: Mapping[str, Entry]) -> None:
    for name, entry in entries.items():
        if not _HEX30.match(name) or entry.mode != FILE_MODE:
            raise SealDamaged(where, f"{name!r} of mode {entry.mode:o} does not belong there")


def _check(path: Path, entry: Entry) -> None:
    if entry.is_tree:
        layout.check_folder(path, entry)
    else:
        layout.check_entry(path, entry)


def _inflate(data: bytes, where: str) -> bytes:
    decoder = zlib.decompressobj()
    try:
        plain = decoder.decompress(data, _MAX_TREE_BYTES)
    except zlib.error as error:
        raise SealDamaged(where, f"its tree does not decompress: {error}") from None
    if not decoder.eof or decoder.unused_data:
        raise SealDamaged(where, "its tree is cut short, too large or has something behind it")
    return plain
