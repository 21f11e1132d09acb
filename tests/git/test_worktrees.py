"""The working trees of a repository, found without asking git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.worktrees import working_trees
from tests.conftest import RealGit


def found(start: Path) -> tuple[Path, ...]:
    return working_trees(discover(start, Git(dict(os.environ))))


def test_linked_ones_are_found_from_each_and_the_one_at_hand_comes_first(
    repository: Path, tmp_path: Path, git: RealGit
) -> None:
    git("worktree", "add", "-q", str(tmp_path / "b"), cwd=repository)
    git("worktree", "add", "-q", str(tmp_path / "a"), cwd=repository)
    assert found(repository) == (repository, tmp_path / "a", tmp_path / "b")
    assert found(tmp_path / "b") == (tmp_path / "b", repository, tmp_path / "a")


def test_one_that_is_gone_is_none(repository: Path, tmp_path: Path, git: RealGit) -> None:
    git("worktree", "add", "-q", str(tmp_path / "a"), cwd=repository)
    shutil.rmtree(tmp_path / "a")
    (repository / ".git/worktrees/damaged").mkdir()
    assert found(repository) == (repository,)


def test_a_bare_repository_has_none_but_what_is_linked(
    tmp_path: Path, repository: Path, git: RealGit
) -> None:
    git("clone", "-q", "--bare", str(repository), str(tmp_path / "bare.git"), cwd=tmp_path)
    assert found(tmp_path / "bare.git") == ()
    git("worktree", "add", "-q", str(tmp_path / "a"), cwd=tmp_path / "bare.git")
    assert found(tmp_path / "bare.git") == (tmp_path / "a",)
