"""A repository with some of everything in it, and looking into snapshots of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.git.snapshots import Snapshot, take
from tests.conftest import RealGit


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


def repository_at(top: Path) -> Repository:
    return discover(top, Git(dict(os.environ)))


def write(path: Path, content: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def listing(folder: Path) -> set[str]:
    """Return the names of everything below a folder."""
    return {path.name for path in folder.rglob("*")}
