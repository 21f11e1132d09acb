"""Locks between processes, which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitmem.disk.effects import refusing
from gitmem.disk.folders import claim_folder, make_folder, remove_empty_folder
from gitmem.model.errors.store import StoreBusy

_FIRST_WAIT_S = 0.002
_LONGEST_WAIT_S = 0.1


@contextmanager
def locked(path: Path, wait_s: float) -> Iterator[None]:
    """Hold a lock file's advisory lock, which the system releases when the process ends, however it ends.

    Raises:
        StoreBusy: Another process held it for `wait_s` seconds.
        DiskRefused: The lock file cannot be made.
    """
    make_folder(path.parent)
    with refusing("lock", path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _wait_for_lock(handle, path, wait_s)
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_by_folder(path: Path, stale_s: float) -> Iterator[None]:
    """Hold a lock as programs of Node's do (proper-lockfile): by a folder that whoever holds it touches.

    One that nobody has touched for `stale_s` seconds, while we wait, is left over from a process that was
    killed.

    Raises:
        StoreBusy: Others held it for twice as long.
        DiskRefused: The folder cannot be made.
    """
    _wait_for_folder(path, stale_s)
    try:
        yield
    finally:
        remove_empty_folder(path)


def _wait_for_folder(path: Path, stale_s: float) -> None:
    started = since = time.monotonic()
    touched, pause = -1, _FIRST_WAIT_S
    while not claim_folder(path):
        now = time.monotonic()
        if now - started >= 2 * stale_s:
            raise StoreBusy(str(path), 2 * stale_s)
        try:
            touched_at = path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if touched_at != touched:
            touched, since = touched_at, now
        elif now - since >= stale_s:
            remove_empty_folder(path)
            continue
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT_S)


def _wait_for_lock(handle: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    pause = _FIRST_WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreBusy(str(path), wait_s) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT_S)
        else:
            return
