"""Every effect that gitmem has on a disk: no other module writes, renames or removes a file.

That makes one list of the points at which a crash can happen, and `observe` lets a test stop the process
at each of them. A file is published by one rename, so a reader sees the old one or the new one, whole.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from gitmem.model.errors import DiskRefused, StoreBusy

Effect = Literal["write", "rename", "remove", "make folder", "move ref"]

UNPUBLISHED = "gitmem_tmp_"
"""How the name of a file begins until it is published.

Not with `tmp_`: `git prune` removes such files from the packs' folder, also one that is being written.
"""

_observers: list[Callable[[Effect, Path], None]] = []
_GATHERED_BYTES = 1 << 20
_FIRST_WAIT_S = 0.002
_LONGEST_WAIT_S = 0.1


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
        with refusing("write to", folder):
            handle, name = tempfile.mkstemp(prefix=UNPUBLISHED, dir=folder)
        self.path = Path(name)
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

    def publish(self, path: Path, *, durable: bool = True, mode: int = 0o444) -> None:
        """Give the file its name, after its content has reached the disk."""
        self._flush()
        with refusing("write", path):
            os.fchmod(self._file.fileno(), mode)
            if durable:
                os.fsync(self._file.fileno())
            self._file.close()
        announce("rename", path)
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


def remove_file(path: Path) -> None:
    """Remove a file; being gone already is fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    announce("remove", path)
    with refusing("remove", path):
        path.unlink(missing_ok=True)


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


def rename_file(path: Path, to: Path) -> None:
    """Give a file, or whatever stands there, another name on the same disk; being gone already is fine.

    Raises:
        DiskRefused: The disk does not let it; both stand.
    """
    announce("rename", to)
    with refusing("rename", path), suppress(FileNotFoundError):
        path.replace(to)


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


@contextmanager
def workroom(folder: Path) -> Iterator[Path]:
    """Make a folder inside of another one for a program to write in; it is gone at the end.

    Raises:
        DiskRefused: The disk does not let it.
    """
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


@contextmanager
def refusing(doing: str, path: Path) -> Iterator[None]:
    """Turn what the system says no to into a DiskRefused that says what and where."""
    try:
        yield
    except OSError as error:
        raise DiskRefused(doing, str(path), error.strerror or str(error)) from error


def _umask() -> int:
    """Read the umask, which has no other way than to set it."""
    value = os.umask(0o022)
    os.umask(value)
    return value


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
