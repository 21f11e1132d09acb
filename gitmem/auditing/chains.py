"""A published chain: pieces of it in the tree of a device's ref, each named by where it begins and ends.

`FORMAT`, then `<n>/<first>-<last>-<head>-<seal>`: n is `first` by a thousand, `head` the name of the last
entry, `seal` an HMAC by which a writer, and nobody else, knows their own. A piece is a zstd frame of lines,
and stays as it is, where it is. The history of commits is no part of a chain.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gitmem.auditing.entries import BEGINNING, MAX_LINE_BYTES, Entry, Head, follow
from gitmem.format import codec
from gitmem.model.errors.store import AuditRefused
from gitmem.model.ids import Oid
from gitmem.model.refs import audit_ref
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage

FORMAT: Final = b"0\n"
MAX_PIECE_ENTRIES: Final = 1000
MAX_PIECE_BYTES: Final = 1 << 20
MAX_CHAIN_ENTRIES: Final = 1_000_000
"""A writer begins a new chain before; a reader refuses what is longer."""
SEAL_DIGITS: Final = 32
NO_SEAL: Final = "0" * SEAL_DIGITS

_FOLDER: Final = re.compile(r"[0-9]{9}")
_NAME: Final = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9a-f]{64})-([0-9a-f]{32})")
_FOLDER_NUMBERS: Final = 1000
_MAX_FOLDERS: Final = MAX_CHAIN_ENTRIES // _FOLDER_NUMBERS + 1


class Piece(NamedTuple):
    """A piece of a chain: its first and last entry's numbers, the last one's name, its seal, its blob."""

    first: int
    last: int
    head: str
    seal: str
    oid: Oid

    @property
    def path(self) -> trees.Path:
        """Where it stands in the tree."""
        name = f"{self.first:012}-{self.last:012}-{self.head}-{self.seal}"
        return f"{self.first // _FOLDER_NUMBERS:09}", name


class Chain(NamedTuple):
    """What stands on a ref for a device: its commit, and the pieces in order. What is in them is not read."""

    storage: Storage
    device: str
    commit: Oid
    root: Oid
    pieces: tuple[Piece, ...]

    @property
    def head(self) -> Head:
        """The chain's last entry, as the last piece's name has it."""
        return Head(self.pieces[-1].last, self.pieces[-1].head) if self.pieces else BEGINNING

    @property
    def where(self) -> str:
        """What the chain is called in an error."""
        return audit_ref(self.device)


def open_chain(storage: Storage, device: str, commit: Oid) -> Chain:
    """Read which pieces a chain has, and check that they join, by their names.

    Raises:
        AuditRefused: It has something else in it, a gap, or is of a newer format.
        ObjectMissing, ObjectDamaged: The store cannot give it.
    """
    root = read_commit(storage, commit).tree
    where = audit_ref(device)
    top = dict(trees.read_tree(storage, root))
    marker = top.pop("FORMAT", None)
    if marker is None or marker.mode != FILE_MODE:
        raise AuditRefused(where, "it has no FORMAT")
    if trees.read_blob(storage, marker.oid) != FORMAT:
        raise AuditRefused(where, "it is of a format that this version does not know")
    if len(top) > _MAX_FOLDERS:
        raise AuditRefused(where, f"it has more than {MAX_CHAIN_ENTRIES} entries")
    pieces: list[Piece] = []
    for name, entry in sorted(top.items()):
        if entry.mode != TREE_MODE or not _FOLDER.fullmatch(name):
            raise AuditRefused(where, f"{name!r:.80} does not belong there")
        pieces += _pieces_of(storage, name, entry.oid, where)
    number = 0
    for piece in pieces:
        if piece.first != number + 1:
            raise AuditRefused(where, f"entry {piece.first} stands behind entry {number}")
        number = piece.last
    if number > MAX_CHAIN_ENTRIES:
        raise AuditRefused(where, f"it has more than {MAX_CHAIN_ENTRIES} entries")
    return Chain(storage, device, commit, root, tuple(pieces))


def chain_at(storage: Storage, device: str, ref: str) -> Chain | None:
    """Open the chain that a ref has of a device; None where there is no such ref. Raises as `open_chain`."""
    commit = storage.read_ref(ref)
    return None if commit is None else open_chain(storage, device, commit)


def read_piece(chain: Chain, piece: Piece, head: Head) -> list[Entry]:
    """Return the entries of a piece that follows a head, each checked.

    Raises:
        AuditRefused: They do not follow, or are not those that the piece's name tells of.
        ObjectMissing, ObjectDamaged: The store cannot give it, or it does not decode.
    """
    where = f"{chain.where}:{'/'.join(piece.path)}"
    plain = codec.decompress(trees.read_blob(chain.storage, piece.oid), where, MAX_PIECE_BYTES)
    lines = plain.split(b"\n")
    if lines.pop() or len(lines) != piece.last - piece.first + 1:
        raise AuditRefused(where, "it does not have the entries that its name tells of")
    entries, found = follow(lines, head, chain.device, where)
    if found != (piece.last, piece.head):
        raise AuditRefused(where, "its last entry is not the one that its name tells of")
    return entries


def read_entries(chain: Chain, behind: Head = BEGINNING) -> Iterator[Entry]:
    """Yield the entries behind a head at which a piece ends; raises as `read_piece`."""
    head = behind
    for piece in chain.pieces:
        if piece.first > behind.number:
            yield from read_piece(chain, piece, head)
            head = Head(piece.last, piece.head)


def newest_first(chain: Chain) -> Iterator[Entry]:
    """Yield a chain's entries, the last one first; raises as `read_piece`."""
    for n in range(len(chain.pieces) - 1, -1, -1):
        before = chain.pieces[n - 1] if n else None
        head = Head(before.last, before.head) if before else BEGINNING
        yield from reversed(read_piece(chain, chain.pieces[n], head))


def has(chain: Chain, head: Head) -> bool:
    """Whether a piece of a chain ends at a head; every chain has its beginning."""
    return head == BEGINNING or any(head == (piece.last, piece.head) for piece in chain.pieces)


def is_prefix(one: Chain | None, other: Chain | None) -> bool:
    """Whether a chain has nothing but what another one begins with; no chain is the beginning of any."""
    if one is None:
        return True
    return other is not None and other.pieces[: len(one.pieces)] == one.pieces


def cut(lines: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Yield lines in runs that may be a piece each."""
    run: list[bytes] = []
    size = 0
    for line in lines:
        if run and (len(run) == MAX_PIECE_ENTRIES or size + MAX_LINE_BYTES > MAX_PIECE_BYTES):
            yield tuple(run)
            run, size = [], 0
        run.append(line)
        size += len(line) + 1
    if run:
        yield tuple(run)


def seal_of(key: bytes, device: str, first: int, head: Head) -> str:
    """Return the seal that the holder of a key gives to a piece, and recognizes it by."""
    text = f"{device} {first} {head.number} {head.name}".encode()
    return hmac.digest(key, text, "sha256").hex()[:SEAL_DIGITS]


def is_sealed(chain: Chain, piece: Piece, key: bytes) -> bool:
    """Whether the holder of a key wrote a piece of a chain."""
    seal = seal_of(key, chain.device, piece.first, Head(piece.last, piece.head))
    return hmac.compare_digest(seal, piece.seal)


def _pieces_of(storage: Storage, folder: str, oid: Oid, where: str) -> list[Piece]:
    entries = trees.read_tree(storage, oid)
    if len(entries) > _FOLDER_NUMBERS:
        raise AuditRefused(where, f"{folder} has more pieces than numbers")
    pieces = []
    for name, entry in sorted(entries.items()):
        found = _NAME.fullmatch(name)
        if found is None or entry.mode != FILE_MODE:
            raise AuditRefused(where, f"{folder}/{name!r:.80} does not belong there")
        piece = Piece(int(found[1]), int(found[2]), found[3], found[4], entry.oid)
        if piece.path != (folder, name) or not 0 <= piece.last - piece.first < MAX_PIECE_ENTRIES:
            raise AuditRefused(where, f"{folder}/{name} is a name that no piece can have")
        pieces.append(piece)
    return pieces
