"""Local files of derived data: written whole, checked when read, and whatever is amiss means "not there".

Nothing in them is needed: a reader that finds none, or may not write one, derives it again. What is derived
of a session's turns holds as long as `captures_id` and `origin_ids` do.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from gitmem import disk
from gitmem.format.memory import Folder, Memory
from gitmem.model.errors.store import DiskRefused
from gitmem.model.ids import Oid, origin_key
from gitmem.objects import trees

_T = TypeVar("_T")
_MAX_BYTES = 512 << 20
_CHECKSUM_BYTES = 4


def read_derived(path: Path, kind: str) -> bytes | None:
    """Return what was written as `kind`, which names every version that the content depends on.

    None where there is no such file, or it is of another kind, cut short, damaged or unreadable.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    header = _header(kind)
    if not content.startswith(header):
        return None
    start = len(header) + _CHECKSUM_BYTES
    payload = content[start:]
    # A rename may reach the disk before the content does, and a power cut then leaves zeros.
    if content[len(header) : start] != _checksum(payload):
        return None
    return payload


def load(path: Path, kind: str, decoder: msgspec.msgpack.Decoder[_T]) -> _T | None:
    """Return what was written as `kind`, decoded; None where it is not there, or is no such thing."""
    payload = read_derived(path, kind)
    if payload is None:
        return None
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def table_path(state_dir: Path, name: str, memory: Memory) -> Path:
    """Return where a table of a memory is kept; each memory ref has its own."""
    ref = hashlib.sha256(memory.ref.encode()).hexdigest()[:16]
    return state_dir / "cache" / f"{name}-{ref}"


def write_derived(path: Path, kind: str, payload: bytes) -> None:
    """Put a file in place whole; not being allowed to is no failure, for it can be derived again."""
    if len(payload) > _MAX_BYTES:
        return
    with suppress(DiskRefused):
        disk.make_private_folder(path.parent)
        disk.replace_file(path, _header(kind) + _checksum(payload) + payload, durable=False, mode=0o600)


def take_out(
    state_dir: Path,
    name: str,
    kind: str,
    decoder: msgspec.msgpack.Decoder[_T],
    without: Callable[[_T], _T],
) -> int:
    """Write the tables of a name anew, each as `without` leaves it; one that is of no use to anybody goes.

    Returns:
        How many were changed or removed.

    Raises:
        DiskRefused: The disk does not let it.
    """
    changed = 0
    for path in sorted((state_dir / "cache").glob(f"{name}-*")):
        known = load(path, kind, decoder)
        left = None if known is None else without(known)
        if known is not None and left == known:
            continue
        if left is None:
            disk.remove_file(path)
        else:
            payload = msgspec.msgpack.encode(left)
            disk.replace_file(path, _header(kind) + _checksum(payload) + payload, durable=False, mode=0o600)
        changed += 1
    return changed


def remove_all(paths: Iterable[Path]) -> int:
    """Remove files as far as they are there; return how many were.

    Raises:
        DiskRefused: The disk does not let it.
    """
    there = [path for path in paths if path.exists()]
    for path in there:
        disk.remove_file(path)
    return len(there)


def captures_id(memory: Memory, folder: Folder) -> Oid | None:
    """Return the id of a session's tree of captures: they decide over its text; titles and tags do not."""
    entry = trees.read_tree(memory.storage, folder.tree).get("captures")
    return entry.oid if entry else None


def origin_ids(memory: Memory, agent: str, forked_from: str | None) -> tuple[Oid | None, ...]:
    """Return the same of the sessions that one was forked from, whose turns it does not repeat."""
    if forked_from is None:
        return ()
    return tuple(captures_id(memory, origin) for origin in memory.find_key(origin_key(agent, forked_from)))


def _header(kind: str) -> bytes:
    return f"gitmem {kind}\n".encode()


def _checksum(payload: bytes) -> bytes:
    return zlib.crc32(payload).to_bytes(_CHECKSUM_BYTES, "big")
