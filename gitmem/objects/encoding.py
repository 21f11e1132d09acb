"""The bytes of git's objects: their ids, trees and commits.

Formats: https://git-scm.com/docs/git-hash-object, gitformat-pack(5) and the object headers in
https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
"""

from __future__ import annotations

import hashlib
import re
from itertools import chain
from operator import lt
from typing import Literal, NamedTuple

from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import Oid

HashName = Literal["sha1", "sha256"]
ObjectKind = Literal["blob", "tree", "commit", "tag"]

FILE_MODE = 0o100644
TREE_MODE = 0o040000
_new_entry = tuple.__new__
_COPIED_BYTES = 16 << 10
"""To copy so few takes less than a second call."""
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
_MODES = {b"100644": FILE_MODE, b"40000": TREE_MODE}
_ENTRIES = {size: re.compile(rb"([^ \0]{1,7}) ([^\0]*)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_MODE = re.compile(rb"[0-7]{1,7}\Z")


class Entry(NamedTuple):
    """One line of a tree. `mode` is git's, so that anything but a file or a folder can be refused."""

    mode: int
    oid: Oid

    @property
    def is_tree(self) -> bool:
        """Whether the entry is a folder."""
        return self.mode == TREE_MODE


class Signature(NamedTuple):
    """Who, and when: seconds since 1970 and the offset from UTC in minutes."""

    name: str
    email: str
    time_s: int
    offset_min: int = 0


class Commit(NamedTuple):
    """A commit, as far as gitmem reads and writes one. Signatures and other headers are passed over."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: Signature
    committer: Signature
    message: str


def object_id(kind: ObjectKind, data: bytes, hash_name: HashName) -> Oid:
    """Return the name that git gives to an object."""
    head = b"%s %d\0" % (kind.encode(), len(data))
    if len(data) <= _COPIED_BYTES:
        return Oid(_HASHES[hash_name](head + data, usedforsecurity=False).hexdigest())
    digest = _HASHES[hash_name](head, usedforsecurity=False)
    digest.update(data)
    return Oid(digest.hexdigest())


def encode_tree(entries: dict[str, Entry]) -> bytes:
    """Return a tree's bytes, in git's order: folders sort as if their names ended in a slash."""
    named = [(name.encode("utf-8", "surrogateescape"), entry) for name, entry in entries.items()]
    named.sort(key=lambda row: row[0] + b"/" if row[1].is_tree else row[0])
    return b"".join(b"%o %s\0" % (entry.mode, name) + bytes.fromhex(entry.oid) for name, entry in named)


def decode_tree(data: bytes, oid_size: int, name: str) -> dict[str, Entry]:
    """Read a tree's bytes; `oid_size` is 20 or 32, `name` says which tree in an error.

    A name that is not UTF-8 comes out with surrogate escapes, so that it can be refused by name.

    Raises:
        ObjectDamaged: The bytes are no tree, or name an entry twice.
    """
    found = _ENTRIES[oid_size].findall(data)
    try:
        # Most of what reading costs: what is usual is made without a call of Python's for each entry.
        entries = {
            raw_name.decode("utf-8", "surrogateescape"): _new_entry(Entry, (_MODES[mode], raw_oid.hex()))
            for mode, raw_name, raw_oid in found
        }
    except KeyError:
        return _decode_unusual(found, data, oid_size, name)
    size = sum(map(len, chain.from_iterable(found))) + 2 * len(found)
    if size != len(data) or len(entries) != len(found):
        return _decode_unusual(found, data, oid_size, name)
    return entries


def _decode_unusual(
    found: list[tuple[bytes, bytes, bytes]], data: bytes, oid_size: int, name: str
) -> dict[str, Entry]:
    """Read the entries of a tree with other modes, or say what is wrong with it."""
    entries: dict[str, Entry] = {}
    size = 0
    for mode, raw_name, raw_oid in found:
        size += len(mode) + len(raw_name) + 2 + oid_size
        entry_name = raw_name.decode("utf-8", "surrogateescape")
        if entry_name in entries:
            raise ObjectDamaged(name, f"the tree names {entry_name!r} twice")
        known = _MODES.get(mode)
        if known is None:
            if not _MODE.match(mode):
                raise ObjectDamaged(name, f"a tree entry has mode {mode!r}")
            known = int(mode, 8)
        entries[entry_name] = Entry(known, Oid(raw_oid.hex()))
    # Whatever the pattern passed over is missing from the sum.
    if size != len(data):
        raise ObjectDamaged(name, "not a well-formed tree")
    return entries


def is_canonical(entries: dict[str, Entry], data: bytes) -> bool:
    """Whether a tree's bytes, from which `decode_tree` read these entries, are those that git writes."""
    if len(entries) == 1 and data.startswith((b"100644 ", b"40000 ")):
        return True  # in order by itself
    names = list(entries)
    modes = {entry.mode for entry in entries.values()}
    is_even = len(modes) == 1 and len({*map(len, names)}) == 1 and "".join(names).isascii()
    if not is_even or not modes <= {TREE_MODE, FILE_MODE}:
        return encode_tree(entries) == data
    # Files alone or folders alone, with names of one length, as most of gitmem's: nothing has to be encoded.
    mode_size = 5 if TREE_MODE in modes else 6
    oid_size = len(entries[names[0]].oid) // 2
    size = len(names) * (mode_size + len(names[0]) + 2 + oid_size)
    return size == len(data) and all(map(lt, names, names[1:]))


def encode_commit(commit: Commit) -> bytes:
    """Return a commit's bytes, in UTF-8."""
    lines = [f"tree {commit.tree}"]
    lines += [f"parent {parent}" for parent in commit.parents]
    lines += [
        f"author {_encode_signature(commit.author)}",
        f"committer {_encode_signature(commit.committer)}",
    ]
    return ("\n".join(lines) + "\n\n" + commit.message).encode("utf-8", "replace")


def decode_commit(data: bytes, name: str) -> Commit:
    """Read a commit's bytes; `name` says which commit in an error.

    Raises:
        ObjectDamaged: The bytes are no commit.
    """
    header, blank, message = data.partition(b"\n\n")
    if not blank:
        raise ObjectDamaged(name, "not a well-formed commit")
    tree: Oid | None = None
    parents: list[Oid] = []
    signatures: dict[bytes, Signature] = {}
    for line in header.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key in (b"tree", b"parent") and not _OID.match(value):
            raise ObjectDamaged(name, f"a commit names {value[:80]!r} as its {key.decode()}")
        if key == b"tree":
            tree = Oid(value.decode())
        elif key == b"parent":
            parents.append(Oid(value.decode()))
        elif key in (b"author", b"committer"):
            signatures[key] = _decode_signature(value, name)
    if tree is None or len(signatures) != 2:
        raise ObjectDamaged(name, "not a well-formed commit")
    return Commit(
        tree,
        tuple(parents),
        signatures[b"author"],
        signatures[b"committer"],
        message.decode("utf-8", "replace"),
    )


def _encode_signature(who: Signature) -> str:
    sign = "-" if who.offset_min < 0 else "+"
    hours, minutes = divmod(abs(who.offset_min), 60)
    return f"{_plain(who.name)} <{_plain(who.email)}> {who.time_s} {sign}{hours:02}{minutes:02}"


def _plain(text: str) -> str:
    """Leave out what git itself strips from names: it would end the field early."""
    return "".join(c for c in text if c not in "<>\n\0").strip(" .,:;\"'\\") or "unknown"


def _decode_signature(value: bytes, name: str) -> Signature:
    who, close, when = value.rpartition(b"> ")
    person, open_, email = who.partition(b" <")
    if not (close and open_):
        person, open_, email = b"", b"<", who.lstrip(b"<")
    try:
        seconds, zone = when.split(b" ", 1)
        minutes = int(zone[1:3]) * 60 + int(zone[3:5])
        return Signature(
            person.decode("utf-8", "replace"),
            email.decode("utf-8", "replace"),
            int(seconds),
            -minutes if zone.startswith(b"-") else minutes,
        )
    except ValueError:
        raise ObjectDamaged(name, f"a commit is signed {value[:80]!r}") from None
