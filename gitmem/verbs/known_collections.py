"""What a scan remembers of a collection: enough to pass by one in which nothing has changed.

A collection counts as unchanged while its stamp is as it was: sizes, times of modification and of change, and
inodes, of its file and of what SQLite has written ahead of it. A time that is as fresh as the look at it
proves nothing, for a write within the same tick leaves it as it is: such a collection is listed again by the
next scan, as git hashes a file anew that is as fresh as its index. Whether a session has grown is not told by
a stamp, but by its own mark.

Of the sessions those are remembered that began in working trees of ours, packed, and of all others only where
they began: the day that one of these places is ours, the collection is listed anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.transcripts.agent import Identity, Listing
from gitmem.verbs.collected import name_of

RACY_NS = 2_000_000_000
"""What had changed so shortly before it was looked at may have changed again within the same tick."""

_DATABASES = (".db", ".vscdb")


class Stamp(NamedTuple):
    """How a file looks from outside, for comparison, and what a database is written ahead of itself in."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    ahead: tuple[int, int, int, int] | None = None

    @property
    def changed_ns(self) -> int:
        """When it last changed; the content alone, if not its owner or name."""
        return self.mtime_ns if self.ahead is None else max(self.mtime_ns, self.ahead[1])

    @property
    def latest_ns(self) -> int:
        """The latest of its times: what looked at it long after that has seen all."""
        own = max(self.mtime_ns, self.ctime_ns)
        return own if self.ahead is None else max(own, *self.ahead[1:3])


class KnownSession(msgspec.Struct, frozen=True, array_like=True):
    """A session of a collection, as it was listed, and its mark when it was last taken in."""

    identity: Identity
    mark: str
    updated_ms: int | None
    size_bytes: int
    settled: str | None = None


class KnownCollection(msgspec.Struct, frozen=True, array_like=True):
    """A collection as it was listed at `listed_ns`, with its mark.

    `packed` are the sessions of ours, which began in `ours`; `others` is where all else began. `is_settled`
    says that all of `packed` has been taken in as it is, `is_one` that there is never more than one session.
    """

    stamp: Stamp
    listed_ns: int
    mark: str | None
    ours: tuple[str, ...]
    others: tuple[str, ...]
    is_settled: bool
    is_one: bool
    packed: bytes

    @property
    def began_elsewhere(self) -> str | None:
        """Where its one session began, if that is another's, and it says so: it stays so."""
        return self.others[0] or None if self.is_one and self.others else None

    def is_as_listed(self, stamp: Stamp) -> bool:
        """Whether nothing can have changed since it was listed."""
        return self.stamp == stamp and self.listed_ns - stamp.latest_ns > RACY_NS

    def sessions(self) -> tuple[KnownSession, ...]:
        """Return the sessions of ours."""
        return _decoder.decode(self.packed)


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[tuple[KnownSession, ...]] = msgspec.msgpack.Decoder(
    tuple[KnownSession, ...]
)


def stamp_of(path: Path | str) -> Stamp:
    """Return how a collection looks.

    Raises:
        OSError: It cannot be looked at.
    """
    own, ahead = os.lstat(path), None
    if str(path).endswith(_DATABASES):
        try:
            found = os.lstat(f"{path}-wal")
        except FileNotFoundError:
            pass
        else:
            ahead = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return Stamp(own.st_size, own.st_mtime_ns, own.st_ctime_ns, own.st_ino, ahead)


def listed(
    before: KnownCollection | None,
    listing: Listing,
    stamp: Stamp,
    now_ns: int,
    tree: Path | None,
    is_ours: Callable[[str | None], bool],
) -> KnownCollection:
    """Return what is known of a collection after a listing: each session with what was settled of it.

    `stamp` is from before the listing, which may have seen more. What stands in a `tree` began there where it
    says nothing else; the level of a session goes by that, too.
    """
    known = {_name(one.identity): one for one in before.sessions()} if before else {}
    now = {} if listing.is_whole else dict(known)
    others = set() if listing.is_whole or before is None else set(before.others)
    for one in listing.sessions:
        name, identity = _name(one.identity), one.identity
        if tree is not None and identity.cwd is None:
            identity = msgspec.structs.replace(identity, cwd=str(tree))
        if is_ours(identity.began_in):
            settled = known[name].settled if name in known else None
            now[name] = KnownSession(identity, one.mark, one.updated_ms, one.size_bytes, settled)
        else:
            now.pop(name, None)
            others.add(identity.began_in or "")
    shell = KnownCollection(stamp, now_ns, listing.mark, (), tuple(sorted(others)), True, listing.is_one, b"")
    return holding(shell, now.values())


def holding(known: KnownCollection, sessions: Iterable[KnownSession]) -> KnownCollection:
    """Return a collection with other sessions of ours."""
    kept = tuple(sessions)
    return msgspec.structs.replace(
        known,
        ours=tuple(dict.fromkeys(one.identity.began_in or "" for one in kept)),
        is_settled=all(one.settled == one.mark for one in kept),
        packed=_encoder.encode(kept),
    )


def unsettled(known: KnownCollection, path: Path, refused: Path) -> KnownCollection:
    """Return a collection of which one session was not taken in."""
    sessions = tuple(
        msgspec.structs.replace(one, settled=None) if name_of(path, one.identity) == refused else one
        for one in known.sessions()
    )
    return msgspec.structs.replace(known, is_settled=False, packed=_encoder.encode(sessions))


def _name(identity: Identity) -> tuple[str, str]:
    return identity.native_id, identity.stream
