"""Letting others go first at a remote that many push to at once.

Whoever has just pushed alone knows where the remote stands, and would win again and again while the others
still fetch. So a push that met others makes the next one, if it comes at once, wait as long as it took.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gitmem.verbs import caching

_KIND: Final = "contention 1"
_LONGEST_S: Final = 4.0


def let_others_go(state_dir: Path, pause: Callable[[float], object]) -> None:
    """Wait where the last push, just now, met others; for some seconds at most."""
    payload = caching.read_derived(_path(state_dir), _KIND)
    if payload is None:
        return
    ended_s, lasted_s = map(float, payload.split())
    since_s = time.monotonic() - ended_s
    left_s = min(lasted_s, _LONGEST_S) * random.uniform(0.5, 1.0) - since_s  # noqa: S311 (jitter, not a secret)
    # The clock begins anew with the machine.
    if since_s >= 0 and left_s > 0:
        pause(left_s)


def note_others(state_dir: Path, lasted_s: float) -> None:
    """Remember that a push that ends now met others, and how long it took."""
    caching.write_derived(_path(state_dir), _KIND, f"{time.monotonic()} {lasted_s}".encode())


def _path(state_dir: Path) -> Path:
    return state_dir / "cache" / "contention"
