"""The key of a sealed session in git: a parentless commit, so that no history leads to an envelope of before.

Its tree has `number`, how many keys the session has had; `key`, the envelope; `made`, by which its maker
knows it again, for anybody can seal to a public key; and while a session is being sealed anew `before`, the
envelope of what its content is still sealed with. One without `key` is shed: the session is gone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gitmem.model.errors.store import ObjectDamaged, SealDamaged
from gitmem.model.ids import Oid
from gitmem.model.refs import key_ref
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, Commit, Entry, Signature, encode_commit, encode_tree
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Batch, Storage

NOBODY = Signature("gitmem", "gitmem@localhost", 0)
"""Who seals, and when, is told by what is sealed."""

_NUMBER = re.compile(rb"[1-9][0-9]{0,8}\n\Z")
_MADE = re.compile(rb"(?:[0-9a-f]{64}\n){0,64}\Z")
_NAMES = frozenset({"number", "key", "made", "before"})


class Kept(NamedTuple):
    """The envelopes of a sealed session; of two, the one with the higher number is the newer."""

    number: int
    envelope: bytes | None
    made: bytes = b""
    before: bytes | None = None


def read_key(base: Storage, name: str, commit: Oid) -> Kept:
    """Read the key of a sealed session, still wrapped.

    Raises:
        SealDamaged: It is none as gitmem writes them.
        ObjectMissing: An object is not here.
    """
    where = key_ref(name)
    try:
        entries = trees.read_tree(base, read_commit(base, commit).tree)
        for entry_name, entry in entries.items():
            if entry_name not in _NAMES or entry.mode != FILE_MODE:
                raise SealDamaged(where, f"{entry_name!r} of mode {entry.mode:o} does not belong there")
        found = {entry_name: trees.read_blob(base, entry.oid) for entry_name, entry in entries.items()}
    except ObjectDamaged as error:
        raise error if isinstance(error, SealDamaged) else SealDamaged(where, error.why) from None
    if not _NUMBER.match(found.get("number", b"")):
        raise SealDamaged(where, "it has no number")
    if not _MADE.match(found.get("made", b"")):
        raise SealDamaged(where, "what it says of its maker is not as gitmem writes it")
    return Kept(int(found["number"]), found.get("key"), found.get("made", b""), found.get("before"))


def write_key(batch: Batch, kept: Kept) -> Oid:
    """Add the commit of a session's key to a batch, and return its name."""
    files = {
        "number": b"%d\n" % kept.number,
        "key": kept.envelope,
        "made": kept.made or None,
        "before": kept.before,
    }
    entries = {
        name: Entry(FILE_MODE, batch.add("blob", data)) for name, data in files.items() if data is not None
    }
    return write_commit(batch, batch.add("tree", encode_tree(entries)), ())


def write_commit(batch: Batch, tree: Oid, parents: tuple[Oid, ...]) -> Oid:
    """Add a commit that says nothing but its tree to a batch, and return its name."""
    message = "Sealed [skip ci]\n"
    return batch.add("commit", encode_commit(Commit(tree, parents, NOBODY, NOBODY, message)))
