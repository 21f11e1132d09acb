"""The post of a user's sidecar: who holds the lock listens at the socket, and nobody else does.

The system lets go of the lock when a process ends, however it ends, so a socket that a dead process left is
replaced by whoever gets the lock next. A socket is bound under another name and renamed: there is never one
that nobody listens at while its holder lives.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.model.errors.searching import SidecarRefused
from gitmem.sidecar.folders import LOCK_NAME, SOCKET_NAME, is_there

_BACKLOG: Final = 128


class Post(NamedTuple):
    """A listening socket, and the file that it is met by: device and inode."""

    listener: socket.socket
    path: Path
    identity: tuple[int, int]

    def stands(self) -> bool:
        """Tell whether those who look for the sidecar still find this one."""
        return _identity(self.path) == self.identity


@contextmanager
def hold(folder: Path, uid: int, wait_s: float) -> Iterator[Post]:
    """Take the post, and leave it in the end.

    Raises:
        StoreBusy: Another process has held it for `wait_s`.
        SidecarRefused: Somebody else could have a hand in the folder.
        DiskRefused: The folder, or something in it, cannot be made.
    """
    disk.make_private_folder(folder)
    if not is_there(folder, uid):
        raise SidecarRefused(str(folder), "it went away")
    with disk.locked(folder / LOCK_NAME, wait_s):
        post = _listen(folder)
        try:
            yield post
        finally:
            post.listener.close()
            if post.stands():
                disk.remove_file(post.path)


def _listen(folder: Path) -> Post:
    path, new = folder / SOCKET_NAME, folder / f"{SOCKET_NAME[:-1]}"
    disk.remove_file(new)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        disk.announce("write", new)
        with disk.refusing("listen at", path):
            listener.bind(os.fsencode(new))
            new.chmod(0o600)
            listener.listen(_BACKLOG)
            disk.announce("rename", path)
            new.replace(path)
    except BaseException:
        listener.close()
        raise
    # Where somebody has taken it away already, it stands from the beginning no more.
    return Post(listener, path, _identity(path) or (0, 0))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
