"""Where a scanner's compiled databases are kept: a folder of the user's cache that nobody else may write to.

A database is a program of sorts. So one is used only if this user alone could have written it; what is not is
as good as none, for it can be compiled again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitmem import disk
from gitmem.model.errors import DiskRefused

_MOST_BYTES = 64 << 20


class FolderDatabases(NamedTuple):
    """Databases in a folder, which is made when the first is stored; `uid` is the user's."""

    folder: Path
    uid: int

    def load(self, name: str) -> bytes | None:
        """Return what was stored under a name, if it is there and the user's alone."""
        try:
            if not _is_own(self.folder.lstat(), self.uid, stat.S_ISDIR):
                return None
            handle = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not _is_own(status, self.uid, stat.S_ISREG) or status.st_size > _MOST_BYTES:
                return None
            return file.read()

    def store(self, name: str, data: bytes) -> None:
        """Keep something under a name; what is kept of other rules is taken out."""
        with suppress(DiskRefused):
            disk.make_private_folder(self.folder)
            if _is_own(self.folder.lstat(), self.uid, stat.S_ISDIR):
                for other in sorted(self.folder.iterdir()):
                    disk.remove_file(other)
                disk.replace_file(self.folder / name, data, durable=False, mode=0o600)


def _is_own(status: os.stat_result, uid: int, is_kind: Callable[[int], bool]) -> bool:
    """Whether a folder or file is of the kind that it should be, and nobody else's hand is in it."""
    return is_kind(status.st_mode) and status.st_uid == uid and not status.st_mode & 0o077
