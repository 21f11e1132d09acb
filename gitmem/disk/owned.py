"""A folder for what can be made again but must not be forged: the user's own, and nobody else's.

What is in it is used only if the folder and the file belong to this user, nobody else may write to them, and
neither is a link. Whatever else is met is as good as not there.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from gitmem.disk.files import replace_file
from gitmem.disk.folders import make_private_folder
from gitmem.model.errors.store import DiskRefused

_LARGEST = 64 << 20


class OwnedFolder(NamedTuple):
    """One such folder; it is made when something is stored."""

    path: Path

    def load(self, name: str) -> bytes | None:
        """Return what was stored under a name, if it is there and nobody else's."""
        folder = self._opened()
        if folder is None:
            return None
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return None  # it is not there, or is a link
        finally:
            os.close(folder)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status) or status.st_size > _LARGEST:
                return None
            return file.read(_LARGEST)

    def store(self, name: str, data: bytes) -> None:
        """Keep something under a name, in place of what was there; where that cannot be, it is not kept."""
        try:
            make_private_folder(self.path)
            folder = self._opened()
            if folder is None:
                return
            os.close(folder)
            replace_file(self.path / name, data, durable=False, mode=0o600)
        except DiskRefused:
            return  # it will be made again

    def _opened(self) -> int | None:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None  # it is not there, or is a link
        if _is_ours(os.fstat(handle)):
            return handle
        os.close(handle)
        return None


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
