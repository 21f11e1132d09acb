"""Letting others go first at a remote that many push to at once.

Whoever has just pushed alone knows where the remote stands, and would win again and again while the others
still fetch. So a push that met others makes the next one, if it comes at once, wait for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gitmem.verbs import caching

_KIND: Final = "contention 1"
_LONGEST_S: Final = 10.0
OTHERS: Final = 16
"""For how many tries of its own a push waits at most, so that eight at once each get in after a few."""


def let_others_go(state_dir: Path, pause: Callable[[float], object]) -> None:
    """Wait where the last push, just now, met others; for some seconds at most."""
    payload = caching.read_derived(_path(state_dir), _KIND)
    if payload is None:
        return
    import random  # few ever have to wait

    ended_s, longest_s = map(float, payload.split())
    since_s = time.monotonic() - ended_s
    wait_s = min(longest_s, _LONGEST_S) * random.uniform(0.25, 1.0)  # noqa: S311 (jitter, not a secret)
    left_s = wait_s - since_s
    # The clock begins anew with the machine.
    if since_s >= 0 and left_s > 0:
        pause(left_s)


def note_others(state_dir: Path, longest_s: float) -> None:
    """Remember that a push that ends now met others, and how long the next one waits at most."""
    caching.write_derived(_path(state_dir), _KIND, f"{time.monotonic()} {longest_s}".encode())


def _path(state_dir: Path) -> Path:
    return state_dir / "cache" / "contention"
