"""Whether the memory still has what was taken in: its ref may have been set back.

What scans count as seen, and what has not changed since, would then be missed for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Storage
from gitmem.verbs import caching

_KIND: Final = "tip 1"


def note_tip(state_dir: Path, storage: Storage, ref: str) -> None:
    """Remember where the memory stands, with all that has been taken in."""
    tip = storage.read_ref(ref)
    if tip is not None and tip != _noted(state_dir):
        caching.write_derived(_path(state_dir), _KIND, tip.encode())


def is_set_back(state_dir: Path, storage: Storage, ref: str) -> bool:
    """Whether the memory is gone, or does not come from where it stood; it is where it stands from now on."""
    tip, noted = storage.read_ref(ref), _noted(state_dir)
    if tip is None:
        return True
    try:
        if not is_ancestor(storage, noted, tip):
            return True
    except (ObjectMissing, ObjectDamaged):
        return True  # what it came from has been pruned since
    note_tip(state_dir, storage, ref)
    return False


def _noted(state_dir: Path) -> Oid | None:
    payload = caching.read_derived(_path(state_dir), _KIND)
    return Oid(payload.decode("ascii", "replace")) if payload else None


def _path(state_dir: Path) -> Path:
    return state_dir / "cache" / "tip"
