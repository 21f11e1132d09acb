"""What an effect is, telling observers before one happens, and naming what the system says no to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gitmem.model.errors.store import DiskRefused

Effect = Literal["write", "rename", "remove", "make folder", "move ref"]

UNPUBLISHED = "gitmem_tmp_"
"""How the name of a file begins until it is published.

Not with `tmp_`: `git prune` removes such files from the packs' folder, also one that is being written.
"""

_observers: list[Callable[[Effect, Path], None]] = []


@contextmanager
def observe(observer: Callable[[Effect, Path], None]) -> Iterator[None]:
    """Call `observer` before every effect; what it raises takes the effect's place."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def announce(effect: Effect, path: Path) -> None:
    """Tell observers of an effect that a library is about to have on gitmem's behalf."""
    for observer in _observers:
        observer(effect, path)


@contextmanager
def refusing(doing: str, path: Path) -> Iterator[None]:
    """Turn what the system says no to into a DiskRefused that says what and where."""
    try:
        yield
    except OSError as error:
        raise DiskRefused(doing, str(path), error.strerror or str(error)) from error
