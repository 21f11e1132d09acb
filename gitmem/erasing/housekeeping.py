"""Keeping git's own housekeeping away while packs change hands, by the lock that `git gc` takes itself.

`gc.pid` holds a process and a host's name. git passes over one whose process is gone, and so do we.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.repository import Repository
from gitmem.model.errors.store import HousekeepingUnderWay

_PAUSE_S: Final = 0.05
_ABANDONED_S: Final = 12 * 3600.0
"""After so long git takes a lock of another machine for one that was left behind."""


@contextmanager
def housekeeping_kept_away(repository: Repository, wait_s: float) -> Iterator[int]:
    """Hold git's lock, so that no `git gc` begins; yields when that was, in nanoseconds by the disk's clock.

    Raises:
        HousekeepingUnderWay: A `git gc` or `git maintenance` was at work for `wait_s` seconds.
    """
    lock = repository.common_dir / "gc.pid"
    own = f"{os.getpid()} {os.uname().nodename}".encode()
    deadline = time.monotonic() + wait_s
    while (other := _other(repository, lock)) or not disk.claim_file(lock, own):
        if time.monotonic() >= deadline:
            path, process = other or (lock, "git gc")
            raise HousekeepingUnderWay(str(path), process, wait_s)
        time.sleep(_PAUSE_S)
    try:
        yield lock.stat().st_mtime_ns
    finally:
        if _content(lock) == own:
            disk.remove_file(lock)


def _other(repository: Repository, lock: Path) -> tuple[Path, str] | None:
    """Return which lock is held, and by whom; one that was left behind is removed."""
    maintenance = repository.common_dir / "objects" / "maintenance.lock"
    if _is_recent(repository, maintenance):
        return maintenance, "git maintenance"
    content = _content(lock)
    if content is None:
        return None
    pid, _, host = content.decode("utf-8", "replace").strip().partition(" ")
    if _is_at_work(repository, lock, pid, host):
        return lock, f"git gc, process {pid} on {host}"
    disk.remove_file(lock)
    return None


def _is_at_work(repository: Repository, lock: Path, pid: str, host: str) -> bool:
    if not pid.isdecimal():
        return False
    if host != os.uname().nodename:
        return _is_recent(repository, lock)
    if int(pid) == os.getpid():
        return False  # of an earlier process with our number: we hold gitmem's lock
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_recent(repository: Repository, lock: Path) -> bool:
    now = repository.state_dir.stat().st_mtime  # what is to be erased has just been noted in it
    try:
        return now - lock.stat().st_mtime <= _ABANDONED_S
    except FileNotFoundError:
        return False


def _content(lock: Path) -> bytes | None:
    try:
        return lock.read_bytes()
    except FileNotFoundError:
        return None
