"""Finding the agents' own transcripts of some working trees, at a cost that follows what has changed.

A local file remembers every folder that agents keep transcripts in, and of every file there the directory
that its session began in. A folder whose time of modification is as it was has the same files; of these only
those that are ours are looked at, and a file is read again only if it looks different. Of a collection that
looks different the sessions are listed that may have changed. What has grown counts as seen once `settle`
says so, after it has been taken in: a crash in between finds it again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.git.process import Git
from gitmem.git.tracked import is_tracked
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Collection as Sessions
from gitmem.transcripts.agent import Listed
from gitmem.transcripts.detect import HEAD_BYTES, Identity, detect
from gitmem.transcripts.places import SUFFIXES, places, places_in_tree
from gitmem.transcripts.registry import REGISTRY
from gitmem.verbs import scanned
from gitmem.verbs.belonging import Belonging
from gitmem.verbs.collected import collection_in, name_of, source_of
from gitmem.verbs.intake import Source
from gitmem.verbs.known_collections import RACY_NS, KnownCollection, holding, listed, stamp_of
from gitmem.verbs.looking import open_regular
from gitmem.verbs.scanned import KnownFile, KnownFolder, path_of, unsettled

_FIRST_BYTES = 16 << 10


class Found(NamedTuple):
    """A transcript of a session that began in one of the working trees, and how its file looks.

    `gone` is one inside of `top` that it began in, and that is there no more. Of a session in a collection
    the size is unknown, and the file a name.
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
    """What a scan has found: `grown` is what is new of all that is ours.

    `settle(refused)` remembers that all of `grown` has been taken in, as far as it went when it was found,
    but for the files that were refused.
    """

    found: tuple[Found | _Kept, ...]
    grown: tuple[Source, ...]
    settle: Callable[[Collection[Path]], None]

    @property
    def ours(self) -> tuple[Found, ...]:
        """All that is ours, in the order of folders and names; the sessions of collections are unpacked."""
        return tuple(
            one
            for found in self.found
            for one in ((found,) if isinstance(found, Found) else found.sessions())
        )


class _Kept(NamedTuple):
    """What a collection has of ours."""

    path: Path
    agent: str
    known: KnownCollection
    belonging: Belonging

    def sessions(self) -> Iterator[Found]:
        for one in self.known.sessions():
            top, at_ms = self.belonging.top_of(one.identity.began_in), one.updated_ms
            if top is not None:
                at_ns = self.known.stamp.changed_ns if at_ms is None else at_ms * 1_000_000
                yield Found(str(name_of(self.path, one.identity)), self.agent, top, one.size_bytes, at_ns)


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
    or a file that cannot be read has nothing for us. What stands in a working tree and came with the
    repository is whoever wrote that, and none of the user's sessions.
    """
    path = scanned.path_in(state_dir)
    return _Scanning(path, tops, now_ns, anew, Git(environ)).run(home, environ, agents)


class _Scanning:
    def __init__(self, path: Path, tops: Sequence[Path], now_ns: int, anew: bool, git: Git) -> None:
        self._path, self._now_ns, self._anew, self._git = path, now_ns, anew, git
        self._tops, self._belonging = tops, Belonging(tops)
        self._known = scanned.read(path)
        self._now: dict[str, KnownFolder] = {}
        self._found: list[Found | _Kept] = []
        self._grown: list[Source] = []

    def run(self, home: Path, environ: Mapping[str, str], agents: frozenset[str] | None) -> Scan:
        looked_at = []
        everywhere = [(agent, place, None) for agent, place in places(home, environ)]
        in_trees = [(agent, place, top) for top in self._tops for agent, place in places_in_tree(top)]
        for agent, place, top in everywhere + in_trees:
            if agents is None or agent in agents:
                looked_at.append(str(place))
                for at in self._walk(str(place)):
                    self._look_at_files(agent, at, top)
        if agents is not None:
            self._now |= {
                at: folder
                for at, folder in self._known.items()
                if not any(at == root or at.startswith(f"{root}/") for root in looked_at)
            }
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
            known = self._known.get(at)
            if at == root and stat.S_ISREG(status.st_mode):
                file = known.files[0] if known and len(known.files) == 1 else None
                if file is None or file.name or file.inode != status.st_ino:
                    file = KnownFile("", None, status.st_ino)
                self._now[at] = KnownFolder(-1, 0, (), (file,))
                yield at
            if not stat.S_ISDIR(status.st_mode):
                continue
            if known is None or not _is_as_listed(known, status.st_mtime_ns):
                known = self._list(at, status.st_mtime_ns, known)
            self._now[at] = known
            left += [f"{at}/{name}" for name in reversed(known.folders)]
            yield at

    def _list(self, at: str, mtime_ns: int, before: KnownFolder | None) -> KnownFolder:
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
                        files.append(
                            known if known and is_same else KnownFile(entry.name, None, entry.inode())
                        )
        except OSError:
            return KnownFolder(-1, 0, (), ())
        files.sort(key=lambda file: file.name)
        return KnownFolder(mtime_ns, self._now_ns, tuple(sorted(folders)), tuple(files))

    def _look_at_files(self, agent: str, at: str, tree: Path | None) -> None:
        folder, suffixes = self._now[at], REGISTRY[agent].suffixes
        if folder.began_in and not any(map(self._belonging.top_of, folder.began_in)):
            return
        files = tuple(
            self._look_at(agent, path, file, tree) if path.endswith(suffixes) else file
            for path, file in ((path_of(at, file.name), file) for file in folder.files)
        )
        if files != folder.files or not folder.began_in:
            self._now[at] = folder.having(files)

    def _look_at(self, agent: str, path: str, file: KnownFile, tree: Path | None) -> KnownFile:
        top = self._belonging.top_of(file.cwd)
        if top is None and file.cwd is not None:
            return file  # another repository's, and it stays so
        if tree is not None and self._came_with(tree, path, file):
            return file
        if file.collection is not None:
            return self._look_into(agent, path, file, tree)
        try:
            status = os.stat(path, follow_symlinks=False)  # noqa: PTH116
        except OSError:
            return file
        looks = (status.st_size, status.st_mtime_ns)
        # What is none yet may become one: a database is there before its tables are.
        is_unread = file.read != looks if file.cwd is None else file.read is None
        if is_unread and _is_collection(agent, path):
            return self._look_into(agent, path, file, tree)
        if (file.cwd is None and file.read != looks) or file.inode != status.st_ino:
            file = KnownFile(file.name, _began_in(agent, Path(path), tree), status.st_ino, looks)
            top = self._belonging.top_of(file.cwd)
        if top is not None:
            gone = Path(file.top) if file.top is not None and file.top.startswith(f"{top}/") else None
            self._found.append(Found(path, agent, top, *looks, gone))
            if gone is None and file.top != str(top):
                file = msgspec.structs.replace(file, top=str(top))
            if self._anew or file.settled != looks:
                self._grown.append(Source(Path(path), agent, self._accepts(tree)))
                return msgspec.structs.replace(file, settled=looks)
        return file

    def _came_with(self, tree: Path, path: str, file: KnownFile) -> bool:
        """Tell whether a file in a working tree is not the user's own: a link, or one that git tracks.

        A link that came with the repository may lead to what is another's.
        """
        try:
            stamp = stamp_of(path)
        except OSError:
            return False
        if os.path.realpath(path) != os.path.realpath(tree) + path.removeprefix(str(tree)):
            return True
        if file.collection is not None:
            is_known = file.collection.stamp == stamp
        else:
            is_known = (file.read, file.inode) == ((stamp.size_bytes, stamp.mtime_ns), stamp.inode)
        return (self._anew or not is_known) and is_tracked(Path(path), tree, self._git)

    def _accepts(self, tree: Path | None) -> Callable[[Identity], bool]:
        """Return what tells whether a session is one of ours; one that says nothing began in its tree."""
        elsewhere = str(tree) if tree else None
        return lambda found: self._belonging.top_of(found.began_in or elsewhere) is not None

    def _look_into(self, agent: str, path: str, file: KnownFile, tree: Path | None) -> KnownFile:
        """Look at a collection: what may have changed is listed, and what has grown is found."""
        try:
            known = self._as_it_is(agent, path, file.collection, tree)
        except (OSError, UnknownTranscript):
            return file  # it is being written, or it is none any more: the next scan asks again
        if self._anew or not known.is_settled:
            known = self._grown_of(agent, path, known)
        if any(map(self._belonging.top_of, known.ours)):
            self._found.append(_Kept(Path(path), agent, known, self._belonging))
        if known is file.collection:
            return file
        if known.began_elsewhere:
            return KnownFile(file.name, known.began_elsewhere, known.stamp.inode)
        return KnownFile(file.name, None, known.stamp.inode, collection=known)

    def _as_it_is(
        self, agent: str, path: str, known: KnownCollection | None, tree: Path | None
    ) -> KnownCollection:
        """Return a collection as it was listed, or list what may have changed of it since."""
        top_of, stamp = self._belonging.top_of, stamp_of(path)
        since = known
        if known is None or self._anew or known.stamp.inode != stamp.inode or any(map(top_of, known.others)):
            since = None  # all of it, for there may be sessions that are not among those that are known
        elif known.is_as_listed(stamp):
            return known
        listing = _collection_of(agent).sessions(Path(path), since.mark if since is not None else None)
        return listed(known, listing, stamp, self._now_ns, tree, lambda cwd: top_of(cwd) is not None)

    def _grown_of(self, agent: str, path: str, known: KnownCollection) -> KnownCollection:
        """Find the sessions of a collection that have grown, and return it with these settled."""
        collection, sessions = _collection_of(agent), []
        for one in known.sessions():
            top = self._belonging.top_of(one.identity.began_in)
            if top is not None and (self._anew or one.settled != one.mark):
                as_listed = Listed(one.identity, one.mark, one.updated_ms, one.size_bytes)
                self._grown.append(source_of(Path(path), agent, collection, as_listed))
                one = msgspec.structs.replace(one, settled=one.mark)
            sessions.append(one)
        return holding(known, sessions)

    def _settle(self, refused: Collection[Path]) -> None:
        for path in refused:
            for whole in (path, path.parent):  # of a session in a collection, the parent is a file
                for at, name in ((str(whole), ""), (str(whole.parent), whole.name)):
                    if at in self._now:
                        folder = self._now[at]
                        files = (
                            unsettled(file, whole, path) if file.name == name else file
                            for file in folder.files
                        )
                        self._now[at] = folder.having(tuple(files))
        if self._grown:
            self._write()

    def _write(self) -> None:
        if self._now != self._known:
            scanned.write(self._path, self._now)


def _collection_of(agent: str) -> Sessions:
    collection = REGISTRY[agent].load().collection
    assert collection is not None
    return collection


def _is_collection(agent: str, path: str) -> bool:
    if not path.endswith(REGISTRY[agent].collected):
        return False
    try:
        return collection_in(Path(path), agent) is not None
    except OSError:
        return False


def _is_as_listed(folder: KnownFolder, mtime_ns: int) -> bool:
    return folder.mtime_ns == mtime_ns and folder.listed_ns - mtime_ns > RACY_NS


def _began_in(agent: str, path: Path, tree: Path | None) -> str | None:
    """Return the directory that a file's session began in; None where it is no transcript, or says none and
    stands in no working tree.

    Mostly the first lines say it, and the rest of its head is not read.
    """
    try:
        with open_regular(path) as file:
            head = file.read(_FIRST_BYTES)
            found = _cwd_in(head, path, agent, tree)
            if found is None and len(head) == _FIRST_BYTES:
                found = _cwd_in(head + file.read(HEAD_BYTES - _FIRST_BYTES), path, agent, tree)
            return found
    except OSError:
        return None


def _cwd_in(head: bytes, path: Path, agent: str, tree: Path | None) -> str | None:
    try:
        return detect(head, path, agent).began_in or (str(tree) if tree else None)
    except UnknownTranscript:
        return None
