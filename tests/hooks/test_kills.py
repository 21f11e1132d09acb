"""Killed before any of its effects, writing hooks or taking them out loses no hook of anybody's, and goes on later."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.verbs.enabling import disable_git, enable_git
from tests.conftest import RealGit
from tests.hooks.test_beside import put, tree
from tests.hooks.test_configuring import claim_to_be_newer
from tests.killing import chosen_points


def enable(top: Path) -> None:
    git = Git(dict(os.environ))
    enable_git(discover(top, git), git)


def disable(top: Path) -> None:
    git = Git(dict(os.environ))
    disable_git(discover(top, git), git)


def effects_of(act: Callable[[Path], None], top: Path) -> list[disk.Effect]:
    seen: list[disk.Effect] = []
    with disk.observe(lambda effect, _: seen.append(effect)):
        act(top)
    return seen


def killed_at(point: int, act: Callable[[Path], None], top: Path) -> None:
    left = point

    def kill(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(kill):
        act(top)


def in_child(point: int, act: Callable[[Path], None], top: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=killed_at, args=(point, act, top))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def theirs_run(top: Path) -> None:
    """Expect that git still comes to the hooks that were there."""
    for name in ("pre-commit", "post-commit", "post-merge"):
        finished = subprocess.run(
            [top / ".git" / "hooks" / name],
            cwd=top,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert (finished.returncode, finished.stdout) == (0, b"theirs\n"), name


@pytest.mark.parametrize("kind", ["files", "config"])
def test_killed_anywhere_nothing_is_lost_and_the_rest_is_done_later(
    git: RealGit,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: Mapping[str, str],
    kind: str,
) -> None:
    assert environ
    monkeypatch.setenv("GITMEM_HOOKS", "false")
    if kind == "config":
        claim_to_be_newer(tmp_path, monkeypatch)
    folder = repository / ".git" / "hooks"
    put(folder / "pre-commit", "#!/bin/sh\necho theirs\n")
    put(folder / "post-commit", f"#!{sys.executable}\nprint('theirs')\n", 0o700)
    put(repository / "linked", "#!/bin/sh\necho theirs\n")
    (folder / "post-merge").symlink_to("../../linked")
    before = tree(repository / ".git")
    effects = effects_of(enable, repository)
    after = without_leftovers(repository)
    removals = effects_of(disable, repository)
    assert tree(repository / ".git") == before
    for point in chosen_points(len(effects)):
        in_child(point, enable, repository)
        theirs_run(repository)
        # Without another word what was begun is taken back, or finished.
        expect_taken_back(repository, before)
        in_child(point, enable, repository)
        enable(repository)
        assert without_leftovers(repository) == after, f"{point} {effects[point]}"
        expect_taken_back(repository, before)
    for point in chosen_points(len(removals)):
        enable(repository)
        in_child(point, disable, repository)
        theirs_run(repository)
        expect_taken_back(repository, before)
    print(f"killed before some of {len(effects)} and {len(removals)} effects: {Counter(effects + removals)}")


def expect_taken_back(top: Path, before: dict[str, tuple[int, bytes]]) -> None:
    """Expect that all is as before, but for files of killed processes that another process could be at."""
    disable(top)
    for path in (top / ".git" / "gitmem").glob(f"{disk.UNPUBLISHED}*"):
        path.unlink()
    disk.remove_empty_folder(top / ".git" / "gitmem")
    assert tree(top / ".git") == before


def without_leftovers(top: Path) -> dict[str, tuple[int, bytes]]:
    """Return a git directory without what killed processes were writing."""
    return {name: entry for name, entry in tree(top / ".git").items() if disk.UNPUBLISHED not in name}
