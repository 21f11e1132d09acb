"""Histories that a memory has left: what is still to be cleared of them here, and what remotes once had.

A tip is noted before the ref moves away from it, so that a kill in between leaves nothing that nobody knows
of. It is no secret: the objects that it leads to are gone once it is cleared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gitmem import disk
from gitmem.model.errors.withholding import ErasuresUnreadable
from gitmem.model.ids import Oid

_NAME: Final = "erasures"
_LOCK_WAIT_S: Final = 10.0
_MOST_KEPT: Final = 1000
"""Of those that are cleared; the oldest go first."""


class Left(msgspec.Struct, frozen=True):
    """The tip of a history that the memory at `ref` has left, when, in milliseconds since 1970, and where
    each remote then stood in it, as far as is known. Once it is `cleared`, nothing in this clone leads to
    it."""

    ref: str
    tip: Oid
    at_ms: int
    remotes: dict[str, Oid] = {}
    held: dict[str, Oid] = {}
    cleared: bool = False


def read_left(state_dir: Path) -> tuple[Left, ...]:
    """Return the histories that were left, the oldest first.

    Raises:
        ErasuresUnreadable: The file is damaged, or somebody else wrote it.
    """
    path = state_dir / _NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Left, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ErasuresUnreadable(str(path), str(error)) from error


def note_left(state_dir: Path, left: Left) -> None:
    """Note that a history is about to be left; the same one again adds the remotes that are new."""
    with disk.locked(state_dir / f"{_NAME}.lock", _LOCK_WAIT_S):
        known = {(each.ref, each.tip): each for each in read_left(state_dir)}
        before = known.get((left.ref, left.tip))
        if before is not None:
            left = msgspec.structs.replace(before, remotes={**left.remotes, **before.remotes}, cleared=False)
        known[left.ref, left.tip] = left
        _write(state_dir, known.values())


def note_tried(state_dir: Path, tips: Collection[Oid], held: Mapping[str, Oid] | None) -> None:
    """Note that the histories of some tips were cleared, or which refs hold them still."""
    with disk.locked(state_dir / f"{_NAME}.lock", _LOCK_WAIT_S):
        known = [
            msgspec.structs.replace(each, cleared=held is None, held=dict(held or {}))
            if each.tip in tips
            else each
            for each in read_left(state_dir)
        ]
        _write(state_dir, known)


def _write(state_dir: Path, known: Collection[Left]) -> None:
    done = sum(each.cleared for each in known)
    kept = []
    for each in known:
        is_spare = each.cleared and done > _MOST_KEPT
        done -= is_spare
        if not is_spare:
            kept.append(each)
    disk.make_private_folder(state_dir)
    disk.replace_file(state_dir / _NAME, msgspec.json.encode(kept), mode=0o600)
