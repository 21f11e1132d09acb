"""Locks between processes, which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitmem.disk.effects import refusing
from gitmem.disk.folders import make_folder
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
