"""The snapshots of checkpoints: a store for each week, and which trees in it belong to which checkpoint.

`<state>/snapshots/<ISO year>-W<week>/` has `objects`, for each checkpoint `kept/<name>`, in `omitted` lists
of paths that a snapshot left out, and in `rewinds` what gitmem.rewinding.rewound has. A week goes as a
whole when its last moment is too old, so pruning costs nothing and is done or not done at any kill. It needs
no other one: what its trees list is in its own store or in the user's repository.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.snapshots import Snapshot, take
from gitmem.model.errors.store import StoreBusy
from gitmem.model.ids import Oid, RecordId

_FOLDER: Final = "snapshots"
_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})\Z")
_LEAST_DAYS: Final = 1
"""What a rewind replaced is kept so long, also where no other snapshots are taken."""


class Taken(NamedTuple):
    """A snapshot that no checkpoint has yet, and the folder of the week that it is in."""

    week: Path
    snapshot: Snapshot

    @property
    def staged(self) -> Oid | None:
        """The tree of what was staged."""
        return self.snapshot.staged

    @property
    def working(self) -> Oid | None:
        """The tree of what stood in the working tree."""
        return self.snapshot.working

    def tie(self, checkpoint: RecordId) -> None:
        """Give it to a checkpoint, as `keep` does."""
        keep(self.week.parent.parent, checkpoint, self)


class Kept(NamedTuple):
    """A checkpoint's snapshot, and the objects that it is made of beside those of the repository."""

    store: Path
    snapshot: Snapshot


def snapshot(
    repository: Repository, git: Git, state_dir: Path, at_ms: int, days: int, index: Path | None = None
) -> Taken | None:
    """Take a snapshot into the store of this week; `at_ms` is now, in milliseconds since 1970.

    None where `days` is 0, for they are turned off, and where there is no working tree. One that equals an
    earlier one of the week costs no new objects.

    Raises:
        GitFailed: git could not do it, and says why.
        DiskRefused: The disk does not let it.
    """
    if not days or repository.top is None:
        return None
    week = week_at(state_dir, at_ms)
    return Taken(week, take(repository, git, store_of(week), index))


def keep(state_dir: Path, checkpoint: RecordId, taken: Taken) -> None:
    """Note down which snapshot a checkpoint has; a second time it changes nothing.

    Raises:
        DiskRefused: The disk does not let it.
    """
    made, week = taken.snapshot, _folder(state_dir) / taken.week.name
    omitted = None
    if made.omitted:
        content = b"".join(path + b"\0" for path in made.omitted)
        omitted = hashlib.sha256(content).hexdigest()
        # Mostly those of the checkpoint before, and they can be many.
        if not (week / "omitted" / omitted).exists():
            disk.replace_file(week / "omitted" / omitted, content, durable=False, mode=0o600)
    note = _Note(made.staged, made.working, omitted, made.has_untracked)
    path = week / "kept" / checkpoint
    # Not waiting for the disk: git does not either, for the objects that the note is about.
    disk.replace_file(path, msgspec.json.encode(note), durable=False, mode=0o600)


def find(state_dir: Path, checkpoint: RecordId) -> Kept | None:
    """Return the snapshot of a checkpoint, if one was taken here and has not been pruned."""
    for week in weeks(state_dir):
        note = _read(week / "kept" / checkpoint)
        omitted = _read_omitted(week, note) if note else None
        if note is not None and omitted is not None:
            return Kept(store_of(week), Snapshot(note.staged, note.working, omitted, note.has_untracked))
    return None


def prune(state_dir: Path, now_ms: int, days: int) -> int:
    """Remove the weeks that ended more than `days` ago; returns how many. Waits for no rewind.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if not _folder(state_dir).is_dir():
        return 0
    pruned = 0
    try:
        with held(state_dir, 0):
            for week in weeks(state_dir):
                if _end_of(week.name) + max(days, _LEAST_DAYS) * 86_400_000 < now_ms:
                    disk.remove_folder(week)
                    pruned += 1
            for left in _folder(state_dir).glob(f"{disk.UNPUBLISHED}*"):
                disk.remove_folder(left)  # by a prune that was killed
    except StoreBusy:
        return 0  # Somebody rewinds to one of them; the next drain prunes.
    return pruned


def week_at(state_dir: Path, at_ms: int) -> Path:
    """Return the folder of the week that a moment is in."""
    return _folder(state_dir) / _week_of(at_ms)


def store_of(week: Path) -> Path:
    """Return the folder of a week's objects."""
    return week / "objects"


def weeks(state_dir: Path) -> list[Path]:
    """Return the folders of all weeks, the latest first."""
    folder = _folder(state_dir)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return [folder / name for name in sorted(names, reverse=True) if _WEEK.match(name)]


@contextmanager
def held(state_dir: Path, wait_s: float) -> Iterator[None]:
    """Keep all snapshots from being pruned, and anybody else from rewinding.

    Raises:
        StoreBusy: Somebody else did for `wait_s` seconds.
    """
    disk.make_private_folder(_folder(state_dir))
    with disk.locked(_folder(state_dir) / "lock", wait_s):
        yield


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands in a file of `kept`; `omitted` is the SHA-256 of a list of paths, which is its name."""

    staged: Oid | None
    working: Oid | None
    omitted: str | None = None
    has_untracked: bool = True


_decoder: msgspec.json.Decoder[_Note] = msgspec.json.Decoder(_Note)


def _read(path: Path) -> _Note | None:
    try:
        return _decoder.decode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # A machine that lost power leaves such files.


def _read_omitted(week: Path, note: _Note) -> tuple[bytes, ...] | None:
    if note.omitted is None:
        return ()
    try:
        content = (week / "omitted" / note.omitted).read_bytes()
    except FileNotFoundError:
        return None
    # Without the list a rewind would remove what is on it.
    if hashlib.sha256(content).hexdigest() != note.omitted:
        return None
    return tuple(content.split(b"\0")[:-1])


def _folder(state_dir: Path) -> Path:
    return state_dir / _FOLDER


def _week_of(at_ms: int) -> str:
    year, week, _ = datetime.fromtimestamp(at_ms // 1000, UTC).isocalendar()
    return f"{year:04}-W{week:02}"


def _end_of(week: str) -> int:
    """Return when a week ends, in milliseconds since 1970; what is no week has no end."""
    found = _WEEK.match(week)
    assert found is not None, "only weeks are asked"
    try:
        monday = datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(tzinfo=UTC)
    except ValueError:
        return 1 << 62  # no such week
    return round((monday + timedelta(days=7)).timestamp() * 1000)
