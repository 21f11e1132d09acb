"""Making folders, and removing them with what is in them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gitmem.disk.effects import UNPUBLISHED, announce, refusing


def make_folder(path: Path) -> None:
    """Make a folder and those above it; being there already is fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if path.is_dir():
        return
    announce("make folder", path)
    with refusing("make", path):
        path.mkdir(parents=True, exist_ok=True)


def make_private_folder(path: Path) -> None:
    """Make a folder that nobody but the user may enter, and those above it; being there already is fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    announce("make folder", path)
    with refusing("make", path):
        path.mkdir(mode=0o700, exist_ok=True)


def claim_folder(path: Path) -> bool:
    """Make a folder; tell whether it is ours, since nobody had made it.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("make folder", path)
    with refusing("make", path):
        try:
            path.mkdir()
        except FileExistsError:
            return False
    return True


def keep_private(path: Path) -> None:
    """Let nobody but the user enter a folder that is there.

    Raises:
        DiskRefused: The disk does not let it.
    """
    with refusing("make private", path):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            announce("make folder", path)
            path.chmod(mode & 0o700)


@contextmanager
def workroom(folder: Path) -> Iterator[Path]:
    """Make a folder inside of another one for a program to write in; it is gone at the end.

    Raises:
        DiskRefused: The disk does not let it.
    """
    import tempfile  # Most runs need none.

    make_folder(folder)
    announce("make folder", folder)
    with refusing("write to", folder):
        room = Path(tempfile.mkdtemp(prefix=UNPUBLISHED, dir=folder))
    try:
        yield room
    finally:
        _remove_all(room)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; renamed first, so that no half of it is ever met by its name.

    Being gone already is fine. What a kill leaves begins with UNPUBLISHED.

    Raises:
        DiskRefused: The disk does not let it.
    """
    import tempfile  # Most runs remove no folder.

    with refusing("remove", path):
        if not path.name.startswith(UNPUBLISHED):
            aside = Path(tempfile.mkdtemp(prefix=UNPUBLISHED, dir=path.parent))
            announce("rename", path)
            try:
                path.rename(aside)
            except FileNotFoundError:
                aside.rmdir()
                return
            path = aside
        announce("remove", path)
        _remove_all(path)


def remove_empty_folder(path: Path) -> None:
    """Remove a folder if nothing is in it; being gone already, and being a link, are fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if path.is_symlink() or not path.is_dir() or any(path.iterdir()):
        return
    announce("remove", path)
    with refusing("remove", path):
        path.rmdir()


def remove_below(top: Path, name: bytes, stays: bytes = b"") -> bool:
    """Remove a file by its path below a folder, and the folders that this leaves empty.

    No link is followed on the way, so that nothing outside of `top` is ever reached. The folder `stays`,
    where somebody stands, and those above it are not removed.

    Returns:
        False where there is no such file.

    Raises:
        DiskRefused: The disk does not let it.
    """
    *parents, last = name.split(b"/")
    path = Path(os.fsdecode(os.path.join(os.fsencode(top), name)))  # noqa: PTH118 (of bytes)
    announce("remove", path)
    with refusing("remove", path), ExitStack() as stack:
        handles = [_opened_folder(stack, os.fsencode(top), None)]
        try:
            for part in parents:
                handles.append(_opened_folder(stack, part, handles[-1]))
            os.unlink(last, dir_fd=handles[-1])
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR):
                return False
            raise
        while parents and not (stays + b"/").startswith(b"/".join(parents) + b"/"):
            handles.pop()
            try:
                os.rmdir(parents.pop(), dir_fd=handles[-1])
            except OSError:
                break  # Something is left in it, or it may not be removed, which is no harm.
    return True


def _opened_folder(stack: ExitStack, name: bytes, above: int | None) -> int:
    """Open a folder by its name in another one, which is no link."""
    no_link = 0 if above is None else os.O_NOFOLLOW
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | no_link, dir_fd=above)
    stack.callback(os.close, handle)
    return handle


def _remove_all(folder: Path) -> None:
    import shutil  # Most runs remove no folder.

    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
