"""A superproject with submodules, real ones, made once and copied for each test: git writes no absolute path.

fleet                     from origin/fleet.git
├── ships/brig            from origin/brig.git, which has
│   └── gear/anchor       from origin/anchor.git
├── ships/cutter          from origin/cutter.git
└── ships/idle            listed, and not checked out
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.submodules import Submodule, Superproject, survey
from tests.conftest import CommandLine, RealGit
from tests.indexer.memories import Filled, said

FILE = ("-c", "protocol.file.allow=always")


@dataclass(frozen=True)
class Fleet:
    """A folder with the origins and a clone of the superproject."""

    folder: Path
    git: RealGit

    @property
    def top(self) -> Path:
        return self.folder / "fleet"

    @property
    def brig(self) -> Path:
        return self.top / "ships/brig"

    @property
    def anchor(self) -> Path:
        return self.top / "ships/brig/gear/anchor"

    @property
    def cutter(self) -> Path:
        return self.top / "ships/cutter"

    def origin(self, name: str) -> Path:
        return self.folder / "origin" / f"{name}.git"

    def clone(self, name: str) -> Fleet:
        """Clone the superproject once more, with its submodules; the result's `top` is the clone."""
        folder = self.folder / name
        folder.mkdir()
        self.git(
            *FILE, "clone", "--quiet", "--recurse-submodules", str(self.origin("fleet")), "fleet", cwd=folder
        )
        self.git("submodule", "--quiet", "deinit", "--force", "ships/idle", cwd=folder / "fleet")
        return Fleet(folder, self.git)

    def survey(self, start: Path | None = None, environ: Mapping[str, str] | None = None) -> Superproject:
        git = Git(dict(os.environ) if environ is None else environ)
        return survey(discover(start or self.top, git), git)

    def states(self, start: Path | None = None) -> dict[str, str]:
        return {each.path: each.state for each in self.survey(start).submodules}

    def only(self, path: str) -> Submodule:
        [found] = [each for each in self.survey().submodules if each.path == path]
        return found

    def remember(self, where: Path, name: str, text: str) -> None:
        """Put a session of one turn into the memory of one of them."""
        Filled(where, dict(os.environ)).add(name, [said(text)])


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it; tests copy it."""
    folder, git = tmp_path_factory.mktemp("fleet"), RealGit()
    for name in ("anchor", "brig", "cutter", "idle", "fleet"):
        git("init", "--quiet", str(folder / "work" / name), cwd=folder)
        git.commit(folder / "work" / name, f"{name}.txt", f"{name}\n")
    (folder / "origin").mkdir()
    for name, path, above in (
        ("anchor", "gear/anchor", "brig"),
        ("brig", "ships/brig", "fleet"),
        ("cutter", "ships/cutter", "fleet"),
        ("idle", "ships/idle", "fleet"),
    ):
        git("clone", "--quiet", "--bare", f"work/{name}", f"origin/{name}.git", cwd=folder)
        top = folder / "work" / above
        git(*FILE, "submodule", "--quiet", "add", str(folder / f"origin/{name}.git"), path, cwd=top)
        git("config", "--file", ".gitmodules", f"submodule.{path}.url", f"../{name}.git", cwd=top)
        git("add", ".gitmodules", cwd=top)
        git("commit", "--quiet", "-m", f"add {path}", cwd=top)
    git("clone", "--quiet", "--bare", "work/fleet", "origin/fleet.git", cwd=folder)
    git(*FILE, "clone", "--quiet", "--recurse-submodules", "origin/fleet.git", "fleet", cwd=folder)
    git("submodule", "--quiet", "deinit", "--force", "ships/idle", cwd=folder / "fleet")
    shutil.rmtree(folder / "work")
    return folder


@pytest.fixture
def fleet(built: Path, tmp_path: Path, git: RealGit) -> Fleet:
    """Return a copy whose remotes are copies, too."""
    shutil.copytree(built, tmp_path / "sea", symlinks=True)
    found = Fleet(tmp_path / "sea", git)
    named = {"fleet": found.top, "brig": found.brig, "anchor": found.anchor, "cutter": found.cutter}
    for name, where in named.items():
        git("remote", "set-url", "origin", f"file://{found.origin(name)}", cwd=where)
    return found


@pytest.fixture
def told(fleet: Fleet, run: CommandLine) -> Fleet:
    """Return one in which the superproject, the brig, its anchor and the cutter each remember a session."""
    fleet.remember(fleet.top, "whole", "the harbour of the whole fleet")
    fleet.remember(fleet.brig, "b", "the harbour of the brig")
    fleet.remember(fleet.anchor, "a", "the harbour where the anchor holds")
    fleet.remember(fleet.cutter, "c", "the cutter has left")
    return fleet
