"""Snapshots of a working tree: what is staged and what stands there, as trees in a store of their own.

The store is apart from the repository: nothing in the repository refers to it, and nothing of it is pushed.
git itself makes the trees, with a copy of the index and its objects sent to the store, so that filters, modes
and links are as a commit would have them; a file that has not changed since it was staged is not read. The
store has every tree, and every blob but those of HEAD, which the repository keeps.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.git.process import Answer, Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.ids import Oid

LARGEST_BYTES: Final = 32 << 20
"""Larger files are left out: nobody wants them copied at every commit."""
UNTRACKED_BYTES: Final = 256 << 20
UNTRACKED_FILES: Final = 20_000
"""No more of the untracked files are taken, the smallest first: each snapshot has to read them again."""

GITLINK: Final = "160000"
EMPTY_TREE: Final = {
    "sha1": Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    "sha256": Oid("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
}
"""git knows it without having it."""

CONFIG: Final = {
    "core.safecrlf": "false",  # true would refuse files with the other line ends
    "core.sparseCheckout": "true",  # has git look at files that are there though they are marked as not
    "core.splitIndex": "false",  # true would write beside the user's index
    "index.sparse": "false",
}
"""How git is to work on an index that is not the user's."""

_MOST_TRIES: Final = 64
"""How often git is asked again without the files that it failed at, each time with half of them."""


class Snapshot(NamedTuple):
    """The trees of a moment, None where git could not make one.

    `omitted` are paths of files that are in neither: too large, or such as could not be read. Untracked files
    are there if it `has_untracked`.
    """

    staged: Oid | None
    working: Oid | None
    omitted: tuple[bytes, ...] = ()
    has_untracked: bool = True

    @property
    def left_out(self) -> int:
        """How many files were left out."""
        return len(self.omitted)


class Change(NamedTuple):
    """A path that two trees, or a tree and what stands there, differ at: modes are octal, 000000 for none."""

    path: bytes
    old_mode: str
    new_mode: str
    old: Oid
    new: Oid
    status: str


def take(
    repository: Repository,
    git: Git,
    store: Path,
    index: Path | None = None,
    *,
    is_thorough: bool = False,
    also: Iterable[bytes] = (),
) -> Snapshot:
    """Write what is staged and what stands in the working tree into a store, which is made if need be.

    `index` is the index to look at, where it is not the working tree's own; one that is gone counts as that.
    `is_thorough` has git look also at files that it was told to assume unchanged, which takes longer; `also`
    are files that count even where git ignores them. What is in the middle of a merge has no staged tree.
    Nested repositories are left out, and submodules are as they are staged. The user's index, its lock and
    objects are not touched, and no hook runs.

    Raises:
        GitFailed: git cannot read the repository, or write to the store.
        DiskRefused: The store's folder cannot be made.
    """
    if repository.top is None:
        return Snapshot(None, None)
    disk.make_private_folder(store.parent)
    disk.make_folder(store)
    with disk.workroom(store.parent) as room:
        copy = room / "index"
        _copy_index(repository, index, copy)
        looking = At(git, repository, copy)
        writing = looking._replace(store=store)
        _unfold(looking, copy)
        if is_thorough:
            looking.run(["update-index", "-q", "--really-refresh"], "look at all files", accept=(0, 1))
        differing = _differing(looking)
        unmerged = any(change.status == "U" for change in differing)
        staged = None if unmerged else _write_tree(writing)
        new_blobs = [change for change in _staged_changes(looking) if _is_file(change.new_mode)]
        unsafe = _copy_blobs(looking, writing, {change.new for change in new_blobs})
        gone = {change.path for change in differing if change.status == "D"}
        touched = {change.path for change in differing} - gone
        omitted = {change.path for change in new_blobs if change.new in unsafe} - touched - gone
        touched |= {path for path in also if os.path.lexists(os.fsencode(repository.top) + b"/" + path)}
        has_untracked = _wants_untracked(looking)
        untracked = set(_untracked(looking)) - touched if has_untracked else set()
        candidates, unreadable, vanished = _sort_out(repository.top, touched, untracked)
        omitted |= unreadable
        _remove(writing, gone | vanished | omitted)
        failed = _add(writing, candidates)
        _remove(writing, failed)
        if staged and not (gone or vanished or omitted or candidates):
            working = staged
        else:
            working = _write_tree(writing)
        return Snapshot(staged, working, tuple(sorted(omitted | failed)), has_untracked)


class At(NamedTuple):
    """A git that works in a repository's working tree with another index than the user's.

    With a `store`, objects are read from it and written to it; `beside` are further ones, to read from.
    """

    git: Git
    repository: Repository
    index_file: Path
    store: Path | None = None
    beside: tuple[Path, ...] = ()

    @property
    def top(self) -> Path:
        """The root of the working tree."""
        assert self.repository.top is not None, "it is made where there is a working tree"
        return self.repository.top

    def run(
        self, args: Sequence[str], doing: str, stdin: bytes = b"", accept: Container[int] = (0,)
    ) -> Answer:
        """Run git to its end, in the root of the working tree."""
        environ = {
            **self.git.elsewhere().environ,
            "GIT_DIR": str(self.repository.git_dir),
            "GIT_WORK_TREE": str(self.top),
            "GIT_INDEX_FILE": str(self.index_file),
        }
        if self.store is not None:
            environ["GIT_OBJECT_DIRECTORY"] = str(self.store)
        if self.beside:
            environ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.pathsep.join(map(_quoted, self.beside))
        return Git(environ).run(args, doing=doing, cwd=self.top, stdin=stdin, accept=accept, config=CONFIG)


def read_changes(raw: bytes) -> Iterator[Change]:
    """Read what `git diff-… --raw -z` says, without renames."""
    words = raw.split(b"\0")
    for head, path in zip(words[0::2], words[1::2], strict=False):
        old_mode, new_mode, old, new, status = head.decode().removeprefix(":").split(" ")
        yield Change(path, old_mode, new_mode, Oid(old), Oid(new), status[0])


def _copy_index(repository: Repository, index: Path | None, copy: Path) -> None:
    for source in (index, repository.git_dir / "index"):
        if source is not None:
            try:
                return disk.copy_file(source, copy)
            except FileNotFoundError:
                continue  # A commit's own goes with it, and where nothing was ever staged there is none.
    return None


def _unfold(looking: At, copy: Path) -> None:
    """List all files where the index has whole folders: the store lacks their trees."""
    if copy.exists() and b"sdir" in copy.read_bytes():
        looking.run(["update-index", "--force-write-index"], "unfold a copy of the index")


def _differing(looking: At) -> list[Change]:
    answer = looking.run(
        ["diff-files", "--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=all"],
        "compare the working tree with the index",
    )
    return [change for change in read_changes(answer.stdout) if change.old_mode != GITLINK]


def _wants_untracked(looking: At) -> bool:
    """Whether untracked files mean anything: to those who have their home as a working tree they do not."""
    answer = looking.run(
        ["config", "--get", "status.showUntrackedFiles"], "read the configuration", accept=(0, 1)
    )
    return answer.text.lower() not in ("no", "false", "off", "0")


def _untracked(looking: At) -> list[bytes]:
    answer = looking.run(["ls-files", "--others", "--exclude-standard", "-z"], "list untracked files")
    # What ends in a slash is a repository of its own.
    return [path for path in answer.stdout.split(b"\0") if path and not path.endswith(b"/")]


def _staged_changes(looking: At) -> list[Change]:
    """Return what the index has otherwise than HEAD; all of it where there is no commit yet."""
    question = [
        "diff-index",
        "--cached",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--ignore-submodules=all",
    ]
    doing = "compare the index with HEAD"
    answer = looking.run([*question, "HEAD", "--"], doing, accept=(0, 128))
    if answer.status:
        empty = EMPTY_TREE[looking.repository.hash_name]
        answer = looking.run([*question, empty, "--"], doing)
    return list(read_changes(answer.stdout))


def _is_file(mode: str) -> bool:
    return mode not in ("000000", GITLINK)


def _copy_blobs(looking: At, writing: At, blobs: Collection[Oid]) -> set[Oid]:
    """Copy blobs out of the repository; returns those that are too large for that, or not there."""
    if not blobs:
        return set()
    lacking = {oid for oid, size in sizes(writing, blobs) if size is None}
    if not lacking:
        return set()
    found = {oid: size for oid, size in sizes(looking, lacking) if size is not None and size <= LARGEST_BYTES}
    if found:
        assert writing.store is not None, "what writes has a store"
        disk.make_folder(writing.store / "pack")
        looking.run(
            ["pack-objects", "-q", "--window=0", str(writing.store / "pack" / "pack")],
            "copy what is staged",
            stdin="".join(f"{oid}\n" for oid in sorted(found)).encode(),
        )
    return lacking - found.keys()


def sizes(at: At, oids: Iterable[Oid]) -> Iterator[tuple[Oid, int | None]]:
    """Yield how many bytes objects have, None for those that are not there."""
    asked = sorted(set(oids))
    answer = at.run(
        ["cat-file", "--batch-check=%(objectsize)", "--buffer"],
        "look for objects",
        stdin="".join(f"{oid}\n" for oid in asked).encode(),
    )
    for oid, line in zip(asked, answer.stdout.split(b"\n"), strict=False):
        yield oid, int(line) if line.isdigit() else None


def _sort_out(
    top: Path, touched: Collection[bytes], untracked: Collection[bytes]
) -> tuple[list[bytes], set[bytes], set[bytes]]:
    """Return what git is to take in, in order; what is left out; and what is no file any more."""
    taken: list[bytes] = []
    sized: list[tuple[int, bytes]] = []
    omitted: set[bytes] = set()
    vanished: set[bytes] = set()
    root = os.fsencode(top) + b"/"
    for path in (*touched, *untracked):
        status = _status_at(root + path)
        kind = stat.S_IFMT(status.st_mode) if status else 0
        if status is None or kind not in (stat.S_IFREG, stat.S_IFLNK):
            vanished.add(path)
        elif kind == stat.S_IFREG and not (
            status.st_size <= LARGEST_BYTES and os.access(root + path, os.R_OK)
        ):
            omitted.add(path)
        elif path in touched:
            taken.append(path)
        else:
            sized.append((status.st_size, path))
    sized.sort()
    ends = itertools.accumulate(size for size, _ in sized)
    fitting = min(UNTRACKED_FILES, sum(end <= UNTRACKED_BYTES for end in ends))
    taken += (path for _, path in sized[:fitting])
    omitted.update(path for _, path in sized[fitting:])
    return sorted(taken), omitted, vanished


def _status_at(path: bytes) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _add(writing: At, paths: Sequence[bytes], tries: int = _MOST_TRIES) -> set[bytes]:
    """Put files into the index's copy; returns those that git fails at, as at a filter that does."""
    failed: set[bytes] = set()
    waiting = [list(paths)] if paths else []
    while waiting:
        some = waiting.pop()
        if tries <= 0:
            failed.update(some)
            continue
        tries -= 1
        try:
            _update(writing, ["--add", "--remove", "--replace", "-z", "--stdin"], some)
        except GitFailed:
            if len(some) == 1:
                failed.update(some)
            else:
                half = len(some) // 2
                waiting += [some[half:], some[:half]]
    return failed


def _remove(writing: At, paths: Iterable[bytes]) -> None:
    nothing = "0" * len(EMPTY_TREE[writing.repository.hash_name])
    lines = [f"0 {nothing}\t".encode() + path for path in sorted(paths)]
    if lines:
        _update(writing, ["-z", "--index-info"], lines)


def _update(writing: At, args: Sequence[str], lines: Iterable[bytes]) -> None:
    writing.run(
        ["update-index", *args], "list what stands in the working tree", stdin=b"\0".join([*lines, b""])
    )


def _write_tree(writing: At) -> Oid:
    return Oid(writing.run(["write-tree", "--missing-ok"], "write a snapshot").text)


def _quoted(path: Path) -> str:
    """Spell a path as GIT_ALTERNATE_OBJECT_DIRECTORIES needs it where it holds what separates paths."""
    text = str(path)
    if os.pathsep not in text and not text.startswith('"'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
