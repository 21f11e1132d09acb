"""Files: published whole by one rename, renamed, copied and removed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from gitmem.disk.effects import UNPUBLISHED, announce, refusing
from gitmem.disk.folders import make_folder
from gitmem.model.errors.store import DiskRefused

_GATHERED_BYTES = 1 << 20
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
_NAME_BYTES = 12  # nobody draws the same twice


def replace_file(path: Path, content: bytes, *, durable: bool = True, mode: int = 0o666) -> None:
    """Put a file in place whole, by a rename.

    `durable` waits until the content is on the disk: a file that can be made again does without.
    `mode` is narrowed by the umask, as open(2) does.

    Raises:
        DiskRefused: The disk is full or does not let it; the old file stands.
    """
    with NewFile(path.parent) as new:
        new.write(content)
        new.publish(path, durable=durable, mode=mode & ~_umask())


class NewFile:
    """A file that does not exist until it is published; dropped if the context ends before.

    What is written is gathered here and goes to the disk in large pieces, each of them one effect.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        announce("write", folder)
        # By hand, for `tempfile` takes as long to load as a push may take to write its files.
        self.path = folder / f"{UNPUBLISHED}{os.urandom(_NAME_BYTES).hex()}"
        with refusing("write to", folder):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "w+b", buffering=0)
        self._gathered = bytearray()
        self._published = False

    def write(self, data: bytes) -> None:
        """Append to the file."""
        self._gathered += data
        if len(self._gathered) >= _GATHERED_BYTES:
            self._flush()

    def overwrite(self, at: int, data: bytes) -> None:
        """Write over a few bytes that stand in the file already."""
        self._flush()
        announce("write", self.path)
        with refusing("write", self.path):
            self._file.seek(at)
            self._file.write(data)
            self._file.seek(0, os.SEEK_END)

    def content(self) -> Iterator[bytes]:
        """Yield all that has been written, piece by piece; nothing may be written meanwhile."""
        self._flush()
        with refusing("read", self.path):
            self._file.seek(0)
            while piece := self._file.read(_GATHERED_BYTES):
                yield piece

    def publish(self, path: Path, *, durable: bool = True, mode: int = 0o444, is_first: bool = False) -> None:
        """Give the file its name, after its content has reached the disk.

        What `is_first` takes the place of nothing, and raises FileExistsError where anything stands there.
        """
        self._flush()
        with refusing("write", path):
            os.fchmod(self._file.fileno(), mode)
            if durable:
                os.fsync(self._file.fileno())
            self._file.close()
        announce("rename", path)
        if is_first:
            _link_first(self.path, path)
        else:
            with refusing("write", path):
                self.path.replace(path)
        self._published = True

    def _flush(self) -> None:
        if self._gathered:
            announce("write", self.path)
            with refusing("write", self.path):
                left = memoryview(bytes(self._gathered))
                while left:
                    left = left[self._file.write(left) :]
            self._gathered.clear()

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._published:
            self._file.close()
            self.path.unlink(missing_ok=True)


def rewrite_file(path: Path, content: bytes) -> None:
    """Put other content into a file that is there, by a rename; it keeps its mode to the bit.

    Raises:
        DiskRefused: The disk is full or does not let it; the old file stands.
    """
    with refusing("read", path):
        mode = stat.S_IMODE(path.stat().st_mode)
    with NewFile(path.parent) as new:
        new.write(content)
        new.publish(path, mode=mode)


def append(path: Path, data: bytes, *, durable: bool = False, mode: int = 0o666) -> None:
    """Put bytes behind a file's end by one write, making the file if it is not there; all of them or none.

    A kill may leave a part of them. `durable` waits until they are on the disk; the umask narrows `mode`.

    Raises:
        DiskRefused: The disk is full or does not let it.
    """
    announce("write", path)
    with refusing("write to", path):
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            size = os.fstat(handle).st_size
            if os.write(handle, data) != len(data):
                os.ftruncate(handle, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)


def shorten(path: Path, size: int) -> None:
    """Cut a file off behind some bytes.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("write", path)
    with refusing("write to", path):
        os.truncate(path, size)


def shred_file(path: Path) -> None:
    """Write zeros over a file's content, wait until they are on the disk, and remove it; gone is fine.

    A disk may keep what was there all the same: flash does, and so do snapshots and backups.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("write", path)
    with refusing("write to", path), suppress(FileNotFoundError):
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(handle, bytes(os.fstat(handle).st_size))
            os.fsync(handle)
        finally:
            os.close(handle)
    remove_file(path)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file with its time of modification, by which git tells what it has to read again.

    Raises:
        FileNotFoundError: There is no such file.
        DiskRefused: The disk does not let it.
    """
    with source.open("rb") as file:
        status = os.fstat(file.fileno())
        content = file.read()
    announce("write", target)
    with refusing("write", target):
        target.write_bytes(content)
        os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))


def rename_file(path: Path, to: Path) -> None:
    """Give a file, or whatever stands there, another name on the same disk; being gone already is fine.

    Raises:
        DiskRefused: The disk does not let it; both stand.
    """
    announce("rename", to)
    with refusing("rename", path), suppress(FileNotFoundError):
        path.replace(to)


def claim_file(path: Path, content: bytes) -> bool:
    """Make a file that nobody else has made yet, as git makes its locks; False where it is there.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("write", path)
    with refusing("write", path):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    return True


def replace_locked(path: Path, content: bytes, is_expected: Callable[[], bool]) -> bool:
    """Put a file in place as git does a ref: a lock, made beside it, holds the content and becomes the file.

    All of it is one effect; as git, it does not wait until the content is on the disk. `is_expected` is asked
    under the lock; where it says no, nothing is changed, and False is returned.

    Raises:
        BlockingIOError: Another process holds the lock.
        FileNotFoundError, NotADirectoryError: There is no such folder.
        DiskRefused: The disk is full or does not let it.
    """
    lock = path.with_name(f"{path.name}.lock")
    announce("move ref", path)
    try:
        handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise BlockingIOError(str(lock)) from None
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise DiskRefused("write", str(path), error.strerror or str(error)) from error
    is_done = False
    try:
        with os.fdopen(handle, "wb") as file:
            is_done = is_expected()
            if is_done:
                with refusing("write", path):
                    file.write(content)
        if is_done:
            with refusing("write", path):
                lock.replace(path)
    finally:
        lock.unlink(missing_ok=True)
    return is_done


def keep_beside(path: Path, other: Path) -> None:
    """Give a file, or a symbolic link as it is, a second name in its folder, which nothing may have yet.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("rename", other)
    with refusing("write", other):
        if path.is_symlink():
            other.symlink_to(path.readlink())
        else:
            other.hardlink_to(path)


def make_private(path: Path) -> None:
    """Let nobody but the user read a file, or write to it; being gone already is fine.

    Raises:
        DiskRefused: The disk does not let it, or a link stands there.
    """
    announce("write", path)
    with refusing("write", path):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            mode = os.fstat(handle).st_mode
            if stat.S_ISREG(mode):
                os.fchmod(handle, stat.S_IMODE(mode) & 0o700)
        finally:
            os.close(handle)


def remove_file(path: Path) -> None:
    """Remove a file; being gone already is fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("remove", path)
    with refusing("remove", path):
        path.unlink(missing_ok=True)


def _link_first(path: Path, to: Path) -> None:
    """Rename a file to a name that nothing has yet; without links, nothing had it a moment before."""
    try:
        to.hardlink_to(path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise DiskRefused("write", str(to), error.strerror or str(error)) from error
        if os.path.lexists(to):
            raise FileExistsError(str(to)) from None
        with refusing("write", to):
            path.replace(to)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    """Read the umask, which has no other way than to set it."""
    value = os.umask(0o022)
    os.umask(value)
    return value
