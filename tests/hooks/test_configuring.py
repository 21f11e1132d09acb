"""What is written into the configuration, whatever git is here: a git that only says that it is newer will do.

The commands are run as a newer git runs them; that one really does, test_configured.py shows where there is one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from gitmem.git.hook_text import HOOKS
from tests.conftest import CommandLine, RealGit
from tests.hooks.spool import events, hold
from tests.hooks.test_beside import tree
from tests.hooks.test_enabling import version_of


@pytest.fixture(autouse=True)
def _newer_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_to_be_newer(tmp_path, monkeypatch)


def claim_to_be_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a git before the real one that says that it is of a version with hooks of the configuration."""
    real = shutil.which("git")
    assert real is not None
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "git").write_text(
        "#!/bin/sh\nfor last; do :; done\n"
        f'[ "$last" != version ] || exec echo git version 2.55.0\nexec {shlex.quote(real)} "$@"\n'
    )
    (tmp_path / "newer" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'newer'}:{os.environ['PATH']}")


def run_configured(git: RealGit, top: Path, hook: str, *args: str, **environ: str) -> None:
    """Run a hook of the configuration as git does: by a shell, with the arguments behind."""
    command = git("config", f"hook.gitmem-{hook}.command", cwd=top)
    finished = subprocess.run(
        ["sh", "-c", f'{command} "$@"', command, *args],
        cwd=top,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **environ},
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", ["plain", "quo'te", "$HOME `x` \\n", "grüße"])
def test_every_hook_has_an_entry_that_finds_the_stub(
    run: CommandLine, git: RealGit, tmp_path: Path, name: str
) -> None:
    top = tmp_path / name
    git("init", "--quiet", str(top), cwd=tmp_path)
    at = tree(top / ".git")
    told = json.loads(run("enable", "git", "--json", cwd=top).stdout)["git"][0]
    assert (told["how"], told["hooks"]) == ("config", list(HOOKS))
    once = tree(top / ".git")
    run("enable", "git", cwd=top)
    assert tree(top / ".git") == once
    hold(top / ".git")
    for hook in HOOKS:
        assert git("config", f"hook.gitmem-{hook}.event", cwd=top) == hook
        run_configured(git, top, hook, "a b", "c", "1")
    found = events(top / ".git")
    assert [event.hook for event in found] == list(HOOKS)
    assert found[2].keys["arg"] == ["a b", "c", "1"]
    for path in (top / ".git" / "gitmem" / "spool").glob("*.event"):
        path.unlink()
    run("disable", "git", cwd=top)
    assert tree(top / ".git") == at


def test_a_moved_repository_and_a_linked_worktree_find_the_stub(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), cwd=repository)
    run("enable", "git", cwd=repository)
    moved = tmp_path / "moved"
    repository.rename(moved)
    git("worktree", "repair", str(tmp_path / "side"), cwd=moved)
    hold(moved / ".git")
    run_configured(git, moved, "post-commit")
    run_configured(git, tmp_path / "side", "post-commit", GIT_DIR=f"{moved}/.git/worktrees/side")
    assert [event.one("branch") for event in events(moved / ".git")] == ["refs/heads/main", "refs/heads/side"]
    (moved / ".git" / "gitmem" / "hook").unlink()
    run_configured(git, moved, "post-commit")


def test_an_older_entry_is_renewed_and_anybody_elses_kept(
    run: CommandLine, git: RealGit, repository: Path
) -> None:
    for key, value in (("event", "pre-commit"), ("command", "true")):
        git("config", f"hook.mine.{key}", value, cwd=repository)
        git("config", f"hook.gitmem-post-commit.{key}", value, cwd=repository)
        git("config", f"hook.gitmem-of-last-year.{key}", value, cwd=repository)
    run("enable", "git", cwd=repository)
    names = git("config", "--name-only", "--get-regexp", r"^hook\..*\.event$", cwd=repository).split()
    assert sorted(names) == sorted(["hook.mine.event", *(f"hook.gitmem-{hook}.event" for hook in HOOKS)])
    run("disable", "git", cwd=repository)
    assert git("config", "--get-regexp", r"^hook\.", cwd=repository).split() == [
        "hook.mine.event",
        "pre-commit",
        "hook.mine.command",
        "true",
    ]


def test_blocks_give_way_to_entries_and_entries_to_blocks(
    run: CommandLine, git: RealGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = os.environ["PATH"]
    at = tree(repository / ".git")
    for path in (newer.partition(":")[2], newer) * 2:
        monkeypatch.setenv("PATH", path)
        how = json.loads(run("enable", "git", "--json", cwd=repository).stdout)["git"][0]["how"]
        has_files = (repository / ".git" / "hooks" / "gitmem-hook").exists()
        has_entries = "[hook " in (repository / ".git" / "config").read_text()
        is_new = version_of(git, repository) >= (2, 54)
        assert (how, has_files, has_entries) == ("config" if is_new else "files", not is_new, is_new)
    run("disable", "git", cwd=repository)
    assert tree(repository / ".git") == at
