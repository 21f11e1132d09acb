"""Hooks of the configuration, where git knows them (2.54): no file is touched, and nothing is heard twice."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from gitmem.git import hook_files
from gitmem.git.hook_text import HOOKS
from gitmem.verbs.enabling import stub
from tests.conftest import CommandLine, RealGit
from tests.hooks.spool import events, hold
from tests.hooks.test_beside import tree
from tests.hooks.test_enabling import enable, hooks_of, version_of


@pytest.fixture(autouse=True)
def _hooks_of_the_configuration(git: RealGit, tmp_path: Path) -> None:
    if (version := version_of(git, tmp_path)) < (2, 54):
        pytest.skip(f"git {version} knows no hooks of the configuration")


def test_no_file_is_touched_and_every_hook_is_heard_once(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    at = tree(repository / ".git" / "hooks")
    told = json.loads(run("enable", "git", "--json", cwd=repository).stdout)["git"][0]
    assert (told["how"], told["hooks"]) == ("config", list(HOOKS))
    hold(repository / ".git")
    assert tree(repository / ".git" / "hooks") == at
    git("checkout", "--quiet", "-b", "side", cwd=repository)
    old = git.commit(repository, "b.txt")
    git("commit", "--quiet", "--amend", "-m", "better", cwd=repository)
    new = git("rev-parse", "HEAD", cwd=repository)
    git("checkout", "--quiet", "main", cwd=repository)
    git("merge", "--quiet", "side", cwd=repository)
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("remote", "add", "hub", str(tmp_path / "hub"), cwd=repository)
    git("push", "--quiet", "hub", "main", cwd=repository)
    found = events(repository / ".git")
    assert hooks_of(found) == [
        "post-checkout",
        *["pre-commit", "post-commit"] * 2,
        "post-rewrite",
        "post-checkout",
        "post-merge",
        "pre-push",
    ]
    assert found[5].body.decode() == f"{old} {new}\n"
    assert found[8].keys["arg"] == ["hub"]


def test_taken_out_the_configuration_is_what_it_was(run: CommandLine, git: RealGit, repository: Path) -> None:
    config = repository / ".git" / "config"
    config.write_text(config.read_text() + '# mine\n[hook "mine"]\n\tevent = post-commit\n\tcommand = true\n')
    at = tree(repository / ".git")
    enable(run, repository)
    once = config.read_bytes()
    enable(run, repository)
    assert config.read_bytes() == once
    run("disable", "git", cwd=repository)
    assert tree(repository / ".git") == at


@pytest.mark.parametrize(
    "name", ["with space", "quo'te", 'double"quote', "grüße-日本", "$HOME `x`", "b\\s", "a;b #c"]
)
def test_a_repository_may_have_any_name_and_move(
    run: CommandLine, git: RealGit, tmp_path: Path, name: str
) -> None:
    git("init", "--quiet", str(tmp_path / name), cwd=tmp_path)
    enable(run, tmp_path / name)
    git.commit(tmp_path / name)
    git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), cwd=tmp_path / name)
    moved = tmp_path / f"moved {name}"
    (tmp_path / name).rename(moved)
    git("worktree", "repair", str(tmp_path / "side"), cwd=moved)
    git.commit(moved, "b.txt")
    git.commit(tmp_path / "side", "c.txt")
    found = events(moved / ".git")
    assert hooks_of(found) == [
        "pre-commit",
        "post-commit",
        "post-checkout",
        *["pre-commit", "post-commit"] * 2,
    ]


def test_where_the_stub_is_gone_git_goes_on(run: CommandLine, git: RealGit, repository: Path) -> None:
    enable(run, repository)
    (repository / ".git" / "gitmem" / "hook").unlink()
    committed = subprocess.run(
        ["git", "commit", "--quiet", "--allow-empty", "-m", "x"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    assert (committed.returncode, committed.stdout, committed.stderr) == (0, b"", b"")
    assert events(repository / ".git") == []


def test_another_hook_path_makes_no_difference(run: CommandLine, git: RealGit, repository: Path) -> None:
    (repository / "hooks").mkdir()
    (repository / "hooks" / "pre-commit").write_text("#!/bin/sh\necho theirs >theirs\n")
    (repository / "hooks" / "pre-commit").chmod(0o755)
    git("config", "core.hooksPath", "hooks", cwd=repository)
    at = tree(repository / "hooks")
    enable(run, repository)
    git.commit(repository, "b.txt")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]
    assert (repository / "theirs").exists()
    assert tree(repository / "hooks") == at


def test_blocks_of_an_older_git_are_taken_out(run: CommandLine, git: RealGit, repository: Path) -> None:
    folder = repository / ".git" / "hooks"
    (folder / "post-commit").write_text("#!/bin/sh\n: mine\n")
    (folder / "post-commit").chmod(0o755)
    at = tree(folder)
    hook_files.write_files(folder, stub(), repository / ".git" / "gitmem")
    enable(run, repository)
    assert tree(folder) == at
    git.commit(repository, "b.txt")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]


def test_a_clone_made_by_the_template_is_heard_once(run: CommandLine, git: RealGit, tmp_path: Path) -> None:
    run("enable", "git", "--global", cwd=tmp_path)
    git("init", "--quiet", str(tmp_path / "new"), cwd=tmp_path)
    enable(run, tmp_path / "new")
    git.commit(tmp_path / "new")
    assert hooks_of(events(tmp_path / "new" / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", "--global", cwd=tmp_path)


def test_from_a_gui_without_a_path_it_is_heard(run: CommandLine, repository: Path) -> None:
    enable(run, repository)
    program = next(
        Path(folder, "git") for folder in os.environ["PATH"].split(":") if Path(folder, "git").is_file()
    )
    command = [
        str(program),
        "-c",
        "user.name=x",
        "-c",
        "user.email=x",
        "commit",
        "--quiet",
        "--allow-empty",
        "-mx",
    ]
    finished = subprocess.run(command, cwd=repository, env={}, capture_output=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]


def test_submodules_and_bare_repositories_are_heard(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    above, bare = tmp_path / "above", tmp_path / "bare.git"
    git("init", "--quiet", str(above), cwd=tmp_path)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "sub", cwd=above)
    enable(run, above / "sub")
    git.commit(above / "sub", "b.txt")
    assert hooks_of(events(above / ".git" / "modules" / "sub")) == ["pre-commit", "post-commit"]
    git("clone", "--quiet", "--bare", str(repository), str(bare), cwd=tmp_path)
    enable(run, bare)
    git("worktree", "add", "--quiet", str(tmp_path / "side"), "main", cwd=bare)
    git("push", "--quiet", str(repository), "main:refs/heads/other", cwd=bare)
    assert hooks_of(events(bare)) == ["post-checkout", "pre-push"]
