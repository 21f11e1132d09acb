"""Finding the agents' own transcripts of some working trees, at a cost that follows what has changed.

A local file remembers every folder that agents keep transcripts in, and of every file there the directory
that its session began in. A folder whose time of modification is as it was has the same files; of these only
those that are ours are looked at, and a file is read again only if it looks different. What has grown counts
as seen once `settle` says so, after it has been taken in: a crash in between finds it again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem import disk
from gitmem.model.errors import UnknownTranscript
from gitmem.transcripts.detect import HEAD_BYTES, detect
from gitmem.transcripts.places import SUFFIXES, places
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching
from gitmem.verbs.belonging import Belonging
from gitmem.verbs.intake import Source
from gitmem.verbs.looking import open_regular

SCHEMA_VERSION = 1
_FIRST_BYTES = 16 << 10
_RACY_NS = 2_000_000_000
"""A folder that had changed so shortly before it was listed may have changed again within the same tick."""


class Found(NamedTuple):
    """A transcript of a session that began in one of the working trees, and how its file looks.

    `gone` is one inside of `top` that it began in, and that is there no more.
    """

    file: str
    agent: str
    top: Path
    size_bytes: int
    mtime_ns: int
    gone: Path | None = None

    @property
    def path(self) -> Path:
        """Where it is; made when it is asked for, since there are thousands."""
        return Path(self.file)


class Scan(NamedTuple):
    """What a scan has found: `ours` is all, in the order of folders and names; `grown` what is new of it.

    `settle(refused)` remembers that all of `grown` has been taken in, as far as it went when it was found,
    but for the files that were refused.
    """

    ours: tuple[Found, ...]
    grown: tuple[Source, ...]
    settle: Callable[[Collection[Path]], None]


def scan(
    state_dir: Path,
    tops: Sequence[Path],
    home: Path,
    environ: Mapping[str, str],
    now_ns: int,
    *,
    agents: frozenset[str] | None = None,
    anew: bool = False,
) -> Scan:
    """Find the transcripts of sessions that began in working trees.

    `agents` limits whose are looked for; None means everybody's. With `anew` nothing counts as seen. A folder
    or a file that cannot be read has nothing for us.
    """
    path = state_dir / "cache" / "transcripts"
    return _Scanning(path, Belonging(tops), now_ns, anew).run(home, environ, agents)


def forget_missing(state_dir: Path) -> int:
    """Drop the files that are there no more from what is remembered of agents' folders.

    Their names are those of sessions. Those that are there are told of by the folders themselves.

    Returns:
        How many were dropped.

    Raises:
        DiskRefused: The disk does not let it.
    """
    path = state_dir / "cache" / "transcripts"
    if not path.exists():
        return 0
    known = _read(path)
    left = {
        at: msgspec.structs.replace(
            folder, files=tuple(file for file in folder.files if os.path.lexists(f"{at}/{file.name}"))
        )
        for at, folder in known.items()
        if os.path.isdir(at)  # noqa: PTH112 (one of thousands)
    }
    if left == known and known:
        return 0
    disk.remove_file(path)
    caching.write_derived(path, _KIND, _encode(left))
    return _count(known) - _count(left)


class _File(msgspec.Struct, frozen=True, array_like=True):
    """A file: where its session began (None: no session that could be told), how it looked when that was read
    and when it was last taken in, and the innermost working tree that it ever belonged to."""

    name: str
    cwd: str | None
    inode: int
    read: tuple[int, int] | None = None
    settled: tuple[int, int] | None = None
    top: str | None = None


class _Folder(msgspec.Struct, frozen=True, array_like=True):
    """A folder as it was listed at `listed_ns`, with its own time of modification from just before."""

    mtime_ns: int
    listed_ns: int
    folders: tuple[str, ...]
    files: tuple[_File, ...]


_KIND = f"transcripts of {SCHEMA_VERSION}.{READER_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[dict[str, _Folder]] = msgspec.msgpack.Decoder(dict[str, _Folder])


class _Scanning:
    def __init__(self, path: Path, belonging: Belonging, now_ns: int, anew: bool) -> None:
        self._path, self._belonging, self._now_ns, self._anew = path, belonging, now_ns, anew
        self._known = _read(path)
        self._now: dict[str, _Folder] = {}
        self._found: list[Found] = []
        self._grown: list[Source] = []

    def run(self, home: Path, environ: Mapping[str, str], agents: frozenset[str] | None) -> Scan:
        looked_at = []
        for agent, folder in places(home, environ):
            if agents is None or agent in agents:
                looked_at.append(str(folder))
                for at in self._walk(str(folder)):
                    self._look_at_files(agent, at)
        elsewhere = {
            at: folder
            for at, folder in self._known.items()
            if not any(at == root or at.startswith(f"{root}/") for root in looked_at)
        }
        self._now |= {} if agents is None else elsewhere
        if not self._grown:
            self._write()
        return Scan(tuple(self._found), tuple(self._grown), self._settle)

    def _walk(self, root: str) -> Iterator[str]:
        """List the folders that have changed, from a root down, and yield all that are there."""
        left = [root]
        while left:
            at = left.pop()
            if at in self._now:
                continue  # the folder of another agent, too
            try:
                status = os.stat(at, follow_symlinks=at == root)  # noqa: PTH116 (one of thousands)
            except OSError:
                continue
            if not stat.S_ISDIR(status.st_mode):
                continue
            known = self._known.get(at)
            if known is None or not _is_as_listed(known, status.st_mtime_ns):
                known = self._list(at, status.st_mtime_ns, known)
            self._now[at] = known
            left += [f"{at}/{name}" for name in reversed(known.folders)]
            yield at

    def _list(self, at: str, mtime_ns: int, before: _Folder | None) -> _Folder:
        old = {file.name: file for file in before.files} if before else {}
        folders, files = [], []
        try:
            with os.scandir(at) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                        known = old.get(entry.name)
                        is_same = known is not None and known.inode == entry.inode()
                        files.append(known if known and is_same else _File(entry.name, None, entry.inode()))
        except OSError:
            return _Folder(-1, 0, (), ())
        files.sort(key=lambda file: file.name)
        return _Folder(mtime_ns, self._now_ns, tuple(sorted(folders)), tuple(files))

    def _look_at_files(self, agent: str, at: str) -> None:
        folder = self._now[at]
        files = tuple(self._look_at(agent, at, file) for file in folder.files)
        if files != folder.files:
            self._now[at] = msgspec.structs.replace(folder, files=files)

    def _look_at(self, agent: str, at: str, file: _File) -> _File:
        top = self._belonging.top_of(file.cwd)
        if top is None and file.cwd is not None:
            return file  # another repository's, and it stays so
        path = f"{at}/{file.name}"
        try:
            status = os.stat(path, follow_symlinks=False)  # noqa: PTH116
        except OSError:
            return file
        looks = (status.st_size, status.st_mtime_ns)
        if (file.cwd is None and file.read != looks) or file.inode != status.st_ino:
            file = _File(file.name, _began_in(agent, Path(path)), status.st_ino, looks)
            top = self._belonging.top_of(file.cwd)
        if top is not None:
            gone = Path(file.top) if file.top is not None and file.top.startswith(f"{top}/") else None
            self._found.append(Found(path, agent, top, *looks, gone))
            if gone is None and file.top != str(top):
                file = msgspec.structs.replace(file, top=str(top))
            if self._anew or file.settled != looks:
                accepts = self._belonging.top_of
                self._grown.append(
                    Source(Path(path), agent, lambda found: accepts(found.began_in) is not None)
                )
                return msgspec.structs.replace(file, settled=looks)
        return file

    def _settle(self, refused: Collection[Path]) -> None:
        for path in refused:
            at = str(path.parent)
            if at in self._now:
                files = (
                    msgspec.structs.replace(file, settled=None) if file.name == path.name else file
                    for file in self._now[at].files
                )
                self._now[at] = msgspec.structs.replace(self._now[at], files=tuple(files))
        if self._grown:
            self._write()

    def _write(self) -> None:
        if self._now != self._known:
            caching.write_derived(self._path, _KIND, _encode(self._now))


def _count(folders: Mapping[str, _Folder]) -> int:
    return sum(len(folder.files) for folder in folders.values())


def _is_as_listed(folder: _Folder, mtime_ns: int) -> bool:
    return folder.mtime_ns == mtime_ns and folder.listed_ns - mtime_ns > _RACY_NS


def _encode(folders: dict[str, _Folder]) -> bytes:
    """Encode folders, but for those with a name that is no UTF-8: they are looked at anew each time."""
    try:
        return _encoder.encode(folders)
    except UnicodeEncodeError:
        return _encoder.encode({at: folder for at, folder in folders.items() if _is_text(at, folder)})


def _is_text(at: str, folder: _Folder) -> bool:
    try:
        _encoder.encode({at: folder})
    except UnicodeEncodeError:
        return False
    return True


def _began_in(agent: str, path: Path) -> str | None:
    """Return the directory that a file's session began in; None where it says none, or is no transcript.

    Mostly the first lines say it, and the rest of its head is not read.
    """
    try:
        with open_regular(path) as file:
            head = file.read(_FIRST_BYTES)
            found = _cwd_in(head, path, agent)
            if found is None and len(head) == _FIRST_BYTES:
                found = _cwd_in(head + file.read(HEAD_BYTES - _FIRST_BYTES), path, agent)
            return found
    except OSError:
        return None


def _cwd_in(head: bytes, path: Path, agent: str) -> str | None:
    try:
        return detect(head, path, agent).began_in
    except UnknownTranscript:
        return None


def _read(path: Path) -> dict[str, _Folder]:
    return caching.load(path, _KIND, _decoder) or {}
