"""Where the sealed sessions stand, and what that makes the private memory's commit: told without any key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from gitmem.model.ids import Oid
from gitmem.model.refs import PRIVATE_NAMESPACE, key_ref, sealed_name, sealed_ref
from gitmem.objects.encoding import HashName
from gitmem.objects.storage import Storage


class Tips(NamedTuple):
    """What the two refs of one sealed session point at; without `content` the key waits for a session."""

    key: Oid | None
    content: Oid | None


def read_tips(base: Storage) -> dict[str, Oid]:
    """Return every ref that the private memory is made of, in order, with what it points at."""
    found = base.list_refs(PRIVATE_NAMESPACE)  # at once: git has to look through all of its refs each time
    return {ref: found[ref] for ref in sorted(found) if sealed_name(ref)}


def by_name(refs: Mapping[str, Oid]) -> dict[str, Tips]:
    """Return the tips of every sealed session, by its random name, in order of names."""
    names = sorted({name for name in map(sealed_name, refs) if name})
    return {name: Tips(refs.get(key_ref(name)), refs.get(sealed_ref(name))) for name in names}


def virtual_commit(refs: Mapping[str, Oid], hash_name: HashName) -> Oid | None:
    """Return the name of the commit that the private memory is shown at; None where there is none.

    A digest over the refs of sealed sessions and keys and what they point at, of which `refs` may hold others
    too. It changes whenever one of them moves, and is no object that git has.
    """
    digest = hashlib.new(hash_name, b"gitmem private\0", usedforsecurity=False)
    rows = [(ref, oid) for ref, oid in sorted(refs.items()) if sealed_name(ref)]
    for ref, oid in rows:
        digest.update(f"{ref} {oid}\n".encode())
    return Oid(digest.hexdigest()) if rows else None
