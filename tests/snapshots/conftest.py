"""A repository with some of everything in it, and looking into snapshots of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from gitmem.checkpoints import snapshots
from gitmem.format import layout, records
from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.git.snapshots import Snapshot, take
from gitmem.git.storage import open_storage
from gitmem.model.ids import RecordId
from gitmem.model.records import Author, Checkpoint
from gitmem.model.times import to_text
from gitmem.rewinding import rewind as rewinding
from gitmem.rewinding.rewind import Asked, Outcome, Rewinder
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.starting import start
from tests.conftest import RealGit

REF = "refs/heads/gitmem"


@dataclass(frozen=True)
class Camera:
    """Takes snapshots of a working tree into a store beside it, and says what is in them."""

    git: RealGit
    store: Path

    def take(self, top: Path, index: Path | None = None) -> Snapshot:
        """Take one, and expect that nothing of the user's has moved."""
        before = self.state(top)
        snapshot = take(repository_at(top), Git(dict(os.environ)), self.store, index)
        assert self.state(top) == before
        return snapshot

    def state(self, top: Path) -> tuple[object, ...]:
        """Return what a snapshot must leave as it is."""
        index = Path(self.git("rev-parse", "--absolute-git-dir", cwd=top)) / "index"
        return (
            index.read_bytes() if index.exists() else None,
            self.git("--no-optional-locks", "status", "--porcelain", cwd=top),
            self.git("count-objects", "-v", cwd=top),
            self.git("for-each-ref", cwd=top),
        )

    def files(self, top: Path, tree: str | None) -> dict[str, str]:
        """Return what a tree lists: each file's content, and of what is no file its mode."""
        assert tree is not None
        listed = self.within(top, "ls-tree", "-r", tree)
        found = {}
        for line in listed.splitlines():
            head, _, path = line.partition("\t")
            mode, kind, oid = head.split(" ")
            content = self.within(top, "cat-file", "blob", oid) if kind == "blob" else mode
            found[path] = content if mode in ("100644", "160000") else f"{mode} {content}"
        return found

    def within(self, top: Path, *args: str, alone: bool = False) -> str:
        """Ask git with the store's objects, and the repository's unless `alone`."""
        common = self.git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=top)
        environ = {"GIT_OBJECT_DIRECTORY": str(self.store)}
        if not alone:
            environ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = f"{common}/objects"
        return self.git(*args, cwd=top, environ=environ)

    def has(self, top: Path, oid: str) -> bool:
        """Whether the store itself has an object."""
        said = self.within(top, "cat-file", "--batch-all-objects", "--batch-check", alone=True)
        return f"{oid} " in said


@pytest.fixture
def camera(git: RealGit, tmp_path: Path) -> Camera:
    return Camera(git, tmp_path / "state/2026-W07/objects")


@dataclass(frozen=True)
class Timeline:
    """Checkpoints of a working tree with their snapshots, and rewinds to them."""

    top: Path
    clock: Iterator[int]

    def checkpoint(
        self, *, snapshot: bool = True, tree: str | None = None, head: str | None = None
    ) -> RecordId:
        """Record a checkpoint of this moment, as the drain does."""
        with self.rewinder() as rewinder:
            at_ms = next(self.clock)
            state = rewinder.repository.state_dir
            taken = (
                snapshots.snapshot(rewinder.repository, rewinder.git, state, at_ms, 30) if snapshot else None
            )
            record = Checkpoint(to_text(at_ms), rewinder.writer.author, "post-commit", head=head, tree=tree)
        name = self.record(record)
        if taken:
            snapshots.keep(state, name, taken)
        return name

    def record(self, record: Checkpoint) -> RecordId:
        """Put a checkpoint into the memory."""
        name, blob = records.seal(record)
        with self.rewinder() as rewinder, rewinder.storage.begin() as batch:
            changes = {layout.checkpoint_path(name): batch.add("blob", blob)}
            commit(rewinder.storage, rewinder.ref, rewinder.writer, "Checkpoint\n", changes, batch)
        return name

    def rewind(self, name: str, *paths: str, **asked: bool) -> Outcome:
        """Rewind, to a name or the beginning of one."""
        with self.rewinder() as rewinder:
            return rewinding.rewind(rewinder, name, Asked(tuple(map(os.fsencode, paths)), **asked))

    def undo(self, **asked: bool) -> Outcome:
        """Undo the last rewind."""
        with self.rewinder() as rewinder:
            return rewinding.undo(rewinder, Asked(**asked))

    @contextmanager
    def rewinder(self) -> Iterator[Rewinder]:
        """Open the memory, which is started if need be."""
        git = Git(dict(os.environ))
        repository = repository_at(self.top)
        writer = Writer(Author("Ada", "ada@example.org"), lambda: next(self.clock) / 1000)
        with closing(open_storage(repository, git)) as storage:
            if storage.read_ref(REF) is None:
                start(storage, REF, writer)
            yield Rewinder(repository, git, storage, REF, writer, lambda text: text)

    def files(self) -> dict[str, str]:
        """Return what stands in the working tree, apart from git's own."""
        found = {}
        for path in sorted(self.top.rglob("*")):
            name = str(path.relative_to(self.top))
            if ".git" in path.relative_to(self.top).parts or (path.is_dir() and not path.is_symlink()):
                continue
            found[name] = f"-> {path.readlink()}" if path.is_symlink() else path.read_text("latin-1")
        return found


@pytest.fixture
def timeline(repository: Path) -> Timeline:
    return Timeline(repository, count(1_772_000_000_000, 1000))


def repository_at(top: Path) -> Repository:
    return discover(top, Git(dict(os.environ)))


def write(path: Path, content: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def listing(folder: Path) -> set[str]:
    """Return the names of everything below a folder."""
    return {path.name for path in folder.rglob("*")}
