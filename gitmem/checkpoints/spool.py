"""The spool's files: events that wait, what a drain says of them, and what it tells stubs.

docs/formats/spool.md says what each file means. Whoever drains holds the spool's lock; stubs need none.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.checkpoints import events
from gitmem.checkpoints.events import MAX_EVENT_BYTES, Event
from gitmem.model.errors.intake import EventRefused
from gitmem.model.errors.store import DiskRefused
from gitmem.model.ids import RecordId

_EVENT: Final = ".event"
_TMP: Final = ".tmp"
_TAKEN: Final = ".taken"
_BAD: Final = ".bad"
_DRAINER: Final = "drainer"
_COUNT: Final = "count"
_FAILURE: Final = "failure"
_STALE_NS: Final = 3_600_000_000_000
_MOST_BAD: Final = 1_000
_FAILURE_BYTES: Final = 4_096


class Waiting(NamedTuple):
    """An event that waits; its moment is in nanoseconds since 1970."""

    stem: str
    at_ns: int


class State(NamedTuple):
    """How a spool stands: how many events wait and since when, how many files are none, and what is wrong."""

    waiting: int
    oldest_ns: int | None
    bad: int
    failure: str | None


def folder_of(state_dir: Path) -> Path:
    """Return where a repository's spool is."""
    return state_dir / "spool"


@contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """Be the one who drains; nobody waits for another.

    Raises:
        StoreBusy: Another process drains.
        DiskRefused: The lock cannot be made.
    """
    with disk.locked(state_dir / "spool.lock", 0):
        yield


def waiting(folder: Path) -> list[Waiting]:
    """Return the events that wait, by their moments; those of one moment in the order of names."""
    found = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_EVENT):
                with suppress(FileNotFoundError):
                    at_ns = entry.stat(follow_symlinks=False).st_mtime_ns
                    found.append(Waiting(entry.name.removesuffix(_EVENT), at_ns))
    return sorted(found, key=lambda one: (one.at_ns, one.stem))


def read(folder: Path, waits: Waiting) -> Event:
    """Read an event.

    Raises:
        EventRefused: It is none.
        FileNotFoundError: It is gone.
    """
    path = folder / (waits.stem + _EVENT)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        raise EventRefused(waits.stem, error.strerror or str(error)) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise EventRefused(waits.stem, "it is no regular file")
    with os.fdopen(handle, "rb") as file:
        if status.st_size > MAX_EVENT_BYTES:
            raise EventRefused(waits.stem, f"it has {status.st_size:,} bytes, more than {MAX_EVENT_BYTES:,}")
        return events.parse(waits.stem, waits.at_ns, file.read(MAX_EVENT_BYTES))


def set_aside(folder: Path, stem: str) -> None:
    """Keep what is no event, for people to look at, out of the way of those that are."""
    disk.rename_file(folder / (stem + _EVENT), folder / (stem + _BAD))


def remove_bad(state_dir: Path) -> None:
    """Remove what was set aside.

    Raises:
        DiskRefused: The disk does not let it.
    """
    folder = folder_of(state_dir)
    for path in sorted(folder.glob(f"*{_BAD}")) if folder.is_dir() else ():
        disk.remove_file(path)


def forget(state_dir: Path) -> None:
    """Remove what may tell of sessions that are gone: what was set aside, and why a drain failed.

    Events that wait are told apart from others by who drains, who takes in nothing of what is gone.

    Raises:
        DiskRefused: The disk does not let it.
    """
    remove_bad(state_dir)
    clear_failure(folder_of(state_dir))


def take(folder: Path, stem: str, names: Iterable[RecordId]) -> None:
    """Write down which checkpoints are about to be committed for an event."""
    content = "".join(f"{name}\n" for name in names).encode()
    # A kill loses nothing of it; a power cut may, and costs a second checkpoint of the same moment.
    disk.replace_file(folder / (stem + _TAKEN), content, durable=False, mode=0o600)


def taken(folder: Path, stem: str) -> tuple[RecordId, ...]:
    """Return the checkpoints that were about to be committed for an event; none where nobody said so."""
    try:
        content = (folder / (stem + _TAKEN)).read_bytes()
    except FileNotFoundError:
        return ()
    return tuple(RecordId(line) for line in content.decode("ascii", "replace").split())


def remove(folder: Path, stem: str, *, is_taken: bool) -> None:
    """Remove an event that is done with; last what says so."""
    disk.remove_file(folder / (stem + _EVENT))
    if is_taken:
        disk.remove_file(folder / (stem + _TAKEN))


def claim(folder: Path, pid: int) -> None:
    """Tell stubs who drains, so that they start nobody else."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        name = ""
    _tell(folder, _DRAINER, f"{pid} {name}\n".encode())


def disclaim(folder: Path) -> None:
    """Tell stubs that nobody drains."""
    disk.remove_file(folder / _DRAINER)


def write_count(folder: Path, count: int) -> None:
    """Tell stubs how many events wait, from which they go on counting."""
    _tell(folder, _COUNT, f"{count}\n".encode())


def write_failure(folder: Path, why: str) -> None:
    """Say why a drain failed, as far as the disk lets it."""
    content = why.encode("utf-8", "replace")[:_FAILURE_BYTES] + b"\n"
    with suppress(DiskRefused):  # what it would say is what is being said already
        _tell(folder, _FAILURE, content)


def _tell(folder: Path, name: str, content: bytes) -> None:
    """Write a file that others read; where the spool is gone nobody does, and it must not come back."""
    if folder.is_dir():
        disk.replace_file(folder / name, content, durable=False, mode=0o600)


def clear_failure(folder: Path) -> None:
    """Say that the last drain did not fail."""
    if (folder / _FAILURE).exists():
        disk.remove_file(folder / _FAILURE)


def sweep(folder: Path, now_ns: int) -> None:
    """Remove what stubs and drains left that were killed, and the oldest of many files that are no events.

    What a clock that was set back makes look new stays until it is old.
    """
    present: set[str] = set()
    bad: list[tuple[int, str]] = []
    stale: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            present.add(entry.name)
            with suppress(FileNotFoundError):
                if entry.name.endswith(_BAD):
                    bad.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
                elif entry.name.endswith(_TMP):
                    age_ns = now_ns - entry.stat(follow_symlinks=False).st_mtime_ns
                    stale += [entry.name] if age_ns > _STALE_NS else []
                elif entry.name.startswith(disk.UNPUBLISHED):
                    stale.append(entry.name)  # a drain's, and we hold the lock
    stale += [
        name
        for name in present
        if name.endswith(_TAKEN) and name.removesuffix(_TAKEN) + _EVENT not in present
    ]
    stale += [name for _, name in sorted(bad)[: max(0, len(bad) - _MOST_BAD)]]
    for name in stale:
        with suppress(DiskRefused):  # a folder of that name, say, which no stub made
            disk.remove_file(folder / name)


def state(state_dir: Path) -> State:
    """Return how the spool of a repository stands, without changing anything."""
    folder = folder_of(state_dir)
    events_waiting = waiting(folder)
    try:
        bad = sum(name.endswith(_BAD) for name in os.listdir(folder))  # noqa: PTH208 (names are all it takes)
    except OSError:
        bad = 0
    try:
        failure = (folder / _FAILURE).read_text("utf-8", "replace").strip()
    except OSError:
        failure = None
    oldest = events_waiting[0].at_ns if events_waiting else None
    return State(len(events_waiting), oldest, bad, failure)
