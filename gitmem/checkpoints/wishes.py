"""Wishes: that the memory goes where the code went, or comes from where it came; files beside the spool.

A drain leaves them before it removes the events that they come of, so that a kill loses none. Whoever fulfils
them holds the lock, and removes each before it begins: what is wished for meanwhile is done after. Wishes for
the same thing are one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem import disk
from gitmem.checkpoints.events import Event
from gitmem.model.errors.store import DiskRefused

Action = Literal["push", "pull"]

_KEPT_DIGITS: Final = 16
_LINES: Final = 3


class Wish(NamedTuple):
    """That a remote's memory is pushed to or pulled from, when the process `pid` is done with the code."""

    action: Action
    remote: str
    pid: int


def wishes_of(events: Iterable[Event], chosen: Sequence[str]) -> list[Wish]:
    """Return what events call for: a push of the code for one of the memory, to a remote that was chosen.

    A merge, a rebase or a clone may have come of a pull, and call for one from each that was chosen; git does
    not say which it was from.
    """
    found: dict[tuple[Action, str], Wish] = {}
    for event in events:
        if event.hook == "pre-push":
            wanted = [Wish("push", remote, event.pid) for remote in event.args[:1] if remote in chosen]
        elif _may_be_pull(event):
            wanted = [Wish("pull", remote, event.pid) for remote in chosen]
        else:
            continue
        found |= {(wish.action, wish.remote): wish for wish in wanted}
    return list(found.values())


def leave(state_dir: Path, wishes: Iterable[Wish]) -> None:
    """Leave wishes for whoever fulfils them.

    Raises:
        DiskRefused: The disk does not let it.
    """
    for wish in wishes:
        disk.make_private_folder(_folder(state_dir))
        content = f"{wish.action}\n{wish.remote}\n{wish.pid}\n".encode("utf-8", "surrogateescape")
        disk.replace_file(_path(state_dir, wish), content, durable=False, mode=0o600)


def waiting(state_dir: Path) -> list[Wish]:
    """Return the wishes that wait, pulls first; what is no wish is passed over."""
    found = []
    folder = _folder(state_dir)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(disk.UNPUBLISHED):
            continue
        with suppress(FileNotFoundError):
            lines = path.read_text("utf-8", "surrogateescape").split("\n")
            action = next((each for each in ("push", "pull") if each == lines[0]), None)
            if action is not None and len(lines) > _LINES - 1 and lines[2].isdecimal():
                found.append(Wish(action, lines[1], int(lines[2])))
    return found


def remove(state_dir: Path, wish: Wish) -> None:
    """Take a wish, which is about to be fulfilled."""
    with suppress(FileNotFoundError):
        disk.remove_file(_path(state_dir, wish))


def remove_all(state_dir: Path) -> None:
    """Remove what wishes there are, for nobody is to fulfil them."""
    folder = _folder(state_dir)
    if folder.is_dir():
        with suppress(DiskRefused):
            disk.remove_folder(folder)


@contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """Be the one who fulfils them; nobody waits for another.

    Raises:
        StoreBusy: Another process does.
        DiskRefused: The lock cannot be made.
    """
    with disk.locked(state_dir / "carry.lock", 0):
        yield


def _may_be_pull(event: Event) -> bool:
    if event.hook == "post-rewrite":
        return event.args[:1] == ("rebase",)
    if event.hook == "post-checkout":
        # What was checked out before a clone has no name.
        return bool(event.args) and not event.args[0].strip("0")
    return event.hook == "post-merge"


def _folder(state_dir: Path) -> Path:
    return state_dir / "carry"


def _path(state_dir: Path, wish: Wish) -> Path:
    name = hashlib.sha256(wish.remote.encode("utf-8", "surrogateescape")).hexdigest()[:_KEPT_DIGITS]
    return _folder(state_dir) / f"{wish.action}-{name}"
