"""`gitmem enable git`, `disable git` and `init`: real git runs the hooks, in every kind of repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git.hook_text import HOOKS
from gitmem.sidecar.starting import home as package_folder
from tests.conftest import CommandLine, RealGit
from tests.hooks.spool import Event, events, hold
from tests.hooks.test_beside import tree


def version_of(git: RealGit, cwd: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in git("version", cwd=cwd).split()[2].split(".")[:2])


@pytest.fixture(autouse=True)
def _hooks_of_files(git: RealGit, tmp_path: Path) -> None:
    version = version_of(git, tmp_path)
    if version >= (2, 54):
        pytest.skip(f"git {version} is given hooks of the configuration, which test_configured.py is about")


def enable(run: CommandLine, top: Path, *options: str) -> None:
    """Enable hooks in a repository, and keep drains from being started."""
    run("enable", "git", *options, cwd=top)
    common = run_git(top, "rev-parse", "--git-common-dir")
    hold((top / common).resolve())


def run_git(top: Path, *args: str, environ: Mapping[str, str] | None = None) -> str:
    return RealGit()(*args, cwd=top, environ=environ)


def hooks_of(found: list[Event]) -> list[str]:
    return [event.hook for event in found]


def test_every_hook_of_a_days_work_is_heard(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    common = repository / ".git"
    enable(run, repository)
    first = git("rev-parse", "HEAD", cwd=repository)
    git("checkout", "--quiet", "-b", "side", cwd=repository)
    second = git.commit(repository, "b.txt")
    git("commit", "--quiet", "--amend", "-m", "better", cwd=repository)
    third = git("rev-parse", "HEAD", cwd=repository)
    git("checkout", "--quiet", "main", cwd=repository)
    git("merge", "--quiet", "side", cwd=repository)
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("remote", "add", "hub", str(tmp_path / "hub"), cwd=repository)
    git("push", "--quiet", "hub", "main", cwd=repository)
    found = events(common)
    assert hooks_of(found) == [
        "post-checkout",
        "pre-commit",
        "post-commit",
        "pre-commit",
        "post-commit",
        "post-rewrite",
        "post-checkout",
        "post-merge",
        "pre-push",
    ]
    assert found[0].keys["arg"] == [first, first, "1"]
    assert [event.one("head") for event in found[1:3]] == [first, second]
    assert found[5].body.decode() == f"{second} {third}\n"
    assert found[7].keys["arg"] == ["0"]
    assert found[8].keys["arg"] == ["hub"]
    assert {event.one("cwd") for event in found} == {str(repository)}
    index = found[1].one("index")
    assert index is not None
    assert (repository / index).name == "index"


def test_rebase_cherry_pick_stash_and_squash_are_heard(
    run: CommandLine, git: RealGit, repository: Path
) -> None:
    git("checkout", "--quiet", "-b", "side", cwd=repository)
    old = [git.commit(repository, f"{n}.txt") for n in range(3)]
    git("checkout", "--quiet", "main", cwd=repository)
    git.commit(repository, "main.txt")
    enable(run, repository)
    git("rebase", "--quiet", "main", "side", cwd=repository)
    new = git("rev-list", "--reverse", "main..side", cwd=repository).split()
    (rewritten,) = [event for event in events(repository / ".git") if event.hook == "post-rewrite"]
    assert rewritten.keys["arg"] == ["rebase"]
    assert rewritten.body.decode().split("\n")[:-1] == [f"{a} {b}" for a, b in zip(old, new, strict=True)]
    before = len(events(repository / ".git"))
    git("checkout", "--quiet", "main", cwd=repository)
    git("cherry-pick", new[0], cwd=repository)
    (repository / "a.txt").write_text("stashed")
    git("stash", cwd=repository)
    git("stash", "pop", cwd=repository)
    git("checkout", "--", "a.txt", cwd=repository)
    git("merge", "--squash", "--quiet", "side", cwd=repository)
    found = hooks_of(events(repository / ".git")[before:])
    assert "post-commit" in found
    assert found[-1] == "post-merge"


def test_a_bisection_is_heard_at_every_step(run: CommandLine, git: RealGit, repository: Path) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    for n in range(6):
        git.commit(repository, f"{n}.txt")
    enable(run, repository)
    git("bisect", "start", "HEAD", first, cwd=repository)
    git("bisect", "run", "test", "!", "-e", "3.txt", cwd=repository)
    git("bisect", "reset", cwd=repository)
    found = events(repository / ".git")
    assert set(hooks_of(found)) == {"post-checkout"}
    assert len(found) >= 3
    assert found[-1].one("branch") == "refs/heads/main"


def test_a_push_of_more_than_a_pipe_holds_is_heard(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    enable(run, repository)
    head = git("rev-parse", "HEAD", cwd=repository)
    made = "".join(f"create refs/heads/a-branch-with-a-long-name/{n} {head}\n" for n in range(2000))
    git("update-ref", "--stdin", cwd=repository, stdin=made)
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("push", "--quiet", "--all", str(tmp_path / "hub"), cwd=repository)
    assert hooks_of(events(repository / ".git")) == ["pre-push"]


def test_an_aborted_commit_is_heard(run: CommandLine, git: RealGit, repository: Path) -> None:
    enable(run, repository)
    head = git("rev-parse", "HEAD", cwd=repository)
    (repository / "a.txt").write_text("two\n")
    aborted = subprocess.run(
        ["git", "commit", "-a"],
        cwd=repository,
        env={**os.environ, "GIT_EDITOR": "false"},
        capture_output=True,
        check=False,
    )
    assert aborted.returncode != 0
    (event,) = events(repository / ".git")
    assert (event.hook, event.one("head")) == ("pre-commit", head)


def test_five_commits_at_once_are_five_pairs(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    enable(run, repository)
    tops = []
    for n in range(5):
        git("worktree", "add", "--quiet", "-b", f"side-{n}", str(tmp_path / f"side {n}"), cwd=repository)
        tops.append(tmp_path / f"side {n}")
    running = [
        subprocess.Popen(["git", "commit", "--quiet", "--allow-empty", "-m", "x"], cwd=top) for top in tops
    ]
    assert [process.wait(60) for process in running] == [0] * 5
    found = [event for event in events(repository / ".git") if event.hook != "post-checkout"]
    for top in tops:
        pair = [event for event in found if event.one("cwd") == str(top)]
        assert hooks_of(pair) == ["pre-commit", "post-commit"]
        assert pair[1].one("head") == git("rev-parse", "HEAD", cwd=top)


def test_a_linked_worktree_is_heard_from_the_moment_it_is_added(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    enable(run, repository)
    side = tmp_path / "side"
    git("worktree", "add", "--quiet", "-b", "side", str(side), cwd=repository)
    git.commit(side, "b.txt")
    found = events(repository / ".git")
    assert hooks_of(found) == ["post-checkout", "pre-commit", "post-commit"]
    assert {event.one("branch") for event in found} == {"refs/heads/side"}
    assert {event.one("cwd") for event in found} == {str(side)}


def test_enabled_from_a_linked_worktree_the_whole_repository_is_heard(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    side = tmp_path / "side"
    git("worktree", "add", "--quiet", "-b", "side", str(side), cwd=repository)
    at = tree(repository / ".git")
    enable(run, side)
    git.commit(repository, "b.txt")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]
    for path in (repository / ".git" / "gitmem" / "spool").glob("*.event"):
        path.unlink()
    run("disable", "git", cwd=side)
    assert tree(repository / ".git" / "hooks").keys() == {
        name.removeprefix("hooks/") for name in at if name.startswith("hooks/")
    }


def test_submodules_are_heard_on_their_own(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    above = tmp_path / "above"
    git("init", "--quiet", str(above), cwd=tmp_path)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "sub", cwd=above)
    enable(run, above, "--recurse-submodules")
    hold(above / ".git" / "modules" / "sub")
    commit = git.commit(above / "sub", "b.txt")
    git("commit", "--quiet", "-am", "move sub", cwd=above)
    inner = events(above / ".git" / "modules" / "sub")
    assert hooks_of(inner) == ["pre-commit", "post-commit"]
    assert inner[1].one("head") == commit
    assert hooks_of(events(above / ".git")) == ["pre-commit", "post-commit"]
    git("submodule", "--quiet", "update", cwd=above)
    told = json.loads(run("disable", "git", "--recurse-submodules", "--json", cwd=above / "sub").stdout)
    assert [each["hooks"] for each in told["git"]] == [list(HOOKS)] * 2


def test_a_bare_repository_with_worktrees_is_heard(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.git"
    git("clone", "--quiet", "--bare", str(repository), str(bare), cwd=tmp_path)
    enable(run, bare)
    git("worktree", "add", "--quiet", str(tmp_path / "side"), "main", cwd=bare)
    git.commit(tmp_path / "side", "b.txt")
    git("push", "--quiet", str(repository), "main:refs/heads/other", cwd=bare)
    assert hooks_of(events(bare)) == ["post-checkout", "pre-commit", "post-commit", "pre-push"]


def test_a_git_dir_apart_from_its_files_is_heard(run: CommandLine, git: RealGit, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    environ = {"GIT_DIR": str(tmp_path / "apart"), "GIT_WORK_TREE": str(files)}
    git("init", "--quiet", cwd=files, environ=environ)
    run("enable", "git", cwd=files, environ=environ)
    hold(tmp_path / "apart")
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=files, environ=environ)
    assert hooks_of(events(tmp_path / "apart")) == ["pre-commit", "post-commit"]


def test_from_a_gui_without_a_path_it_is_heard(run: CommandLine, git: RealGit, repository: Path) -> None:
    enable(run, repository)
    program = shutil.which("git")
    assert program is not None
    command = [
        program,
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


@pytest.mark.parametrize("name", ["with space", "quo'te", 'double"quote', "grüße-日本", "$HOME `x`", "per%s"])
def test_a_repository_may_have_any_name_and_move(
    run: CommandLine, git: RealGit, tmp_path: Path, name: str
) -> None:
    git("init", "--quiet", str(tmp_path / name), cwd=tmp_path)
    enable(run, tmp_path / name)
    git.commit(tmp_path / name)
    moved = tmp_path / f"moved {name}"
    (tmp_path / name).rename(moved)
    git.commit(moved, "b.txt")
    found = events(moved / ".git")
    assert hooks_of(found) == ["pre-commit", "post-commit"] * 2
    assert [event.one("cwd") for event in found] == [str(tmp_path / name)] * 2 + [str(moved)] * 2


def test_disabled_nothing_is_left(run: CommandLine, git: RealGit, repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\necho mine\n")
    hook.chmod(0o711)
    at = tree(repository / ".git")
    enable(run, repository)
    enable(run, repository)
    assert "6 removed" in run("disable", "git", cwd=repository).stdout
    assert tree(repository / ".git") == at
    run("disable", "git", cwd=repository)
    assert tree(repository / ".git") == at
    git.commit(repository, "b.txt")


def test_disabled_what_waits_stays_and_is_told_of(run: CommandLine, git: RealGit, repository: Path) -> None:
    enable(run, repository)
    git.commit(repository, "b.txt")
    told = run("disable", "git", cwd=repository)
    assert "2 events wait" in told.stderr
    assert json.loads(run("disable", "git", "--json", cwd=repository).stdout)["git"][0]["waiting"] == 2
    git.commit(repository, "c.txt")
    assert len(events(repository / ".git")) == 2


def test_the_interpreter_is_noted_for_the_drain(run: CommandLine, repository: Path) -> None:
    run("enable", "git", cwd=repository)
    state = repository / ".git" / "gitmem"
    python, folder = (state / "python").read_text().splitlines()
    assert os.access(python, os.X_OK)
    assert folder == package_folder()
    assert (state / "spool").stat().st_mode & 0o777 == 0o700


def test_init_writes_hooks_unless_it_is_told_not_to(run: CommandLine, git: RealGit, repository: Path) -> None:
    run("init", "--no-hooks", cwd=repository)
    assert not (repository / ".git" / "gitmem" / "spool").exists()
    told = json.loads(run("init", "--json", cwd=repository).stdout)
    assert told["hooks"]["how"] == "files"
    assert told["hooks"]["hooks"] == list(HOOKS)
    hold(repository / ".git")
    git.commit(repository, "b.txt")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]
    assert "git's hooks tell gitmem: 6 in" in run("init", cwd=repository).stdout


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("hooks", "is part of the project"),
        ("../shared", "serves other repositories too"),
        ("/dev/null", "is no folder"),
    ],
)
def test_hooks_that_are_not_this_clones_own_are_not_written_unasked(
    run: CommandLine, git: RealGit, repository: Path, path: str, whose: str
) -> None:
    if path != "/dev/null":
        (repository / path).mkdir()
    git("config", "core.hooksPath", path, cwd=repository)
    failed = run("enable", "git", cwd=repository, status=1)
    assert whose in failed.stderr
    assert "gitmem enable git --force" in failed.stderr
    assert 'gitmem-hook HOOK "$@"' in failed.stderr
    assert "Started the memory" in run("init", cwd=repository).stdout
    assert json.loads(run("init", "--json", cwd=repository).stdout)["hooks"]["refused"]
    if path == "/dev/null":
        return
    assert not list((repository / path).iterdir())
    enable(run, repository, "--force")
    git.commit(repository, "b.txt")
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", cwd=repository)
    assert not list((repository / path).iterdir())


def test_hooks_that_are_linked_to_the_project_are_the_projects(run: CommandLine, repository: Path) -> None:
    shutil.rmtree(repository / ".git" / "hooks")
    (repository / "hooks").mkdir()
    (repository / ".git" / "hooks").symlink_to("../hooks")
    assert "is part of the project" in run("enable", "git", cwd=repository, status=1).stderr


def test_a_line_of_somebodys_own_is_enough(run: CommandLine, git: RealGit, repository: Path) -> None:
    (repository / "hooks").mkdir()
    git("config", "core.hooksPath", "hooks", cwd=repository)
    for hook in ("pre-commit", "post-commit"):
        (repository / "hooks" / hook).write_text(f'#!/bin/sh\ngitmem-hook {hook} "$@" || :\n')
        (repository / "hooks" / hook).chmod(0o755)
    at = tree(repository / "hooks")
    told = json.loads(run("enable", "git", "--json", cwd=repository).stdout)["git"][0]
    assert told["snippets"] == ["pre-commit", "post-commit"]
    assert tree(repository / "hooks") == at
    assert "to no effect" in run("disable", "git", cwd=repository).stderr


def test_a_hook_path_of_one_worktree_is_that_worktrees(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    side = tmp_path / "side"
    git("worktree", "add", "--quiet", "-b", "side", str(side), cwd=repository)
    git("config", "extensions.worktreeConfig", "true", cwd=repository)
    own = repository / ".git" / "hooks of side"
    own.mkdir()
    git("config", "--worktree", "core.hooksPath", str(own), cwd=side)
    enable(run, side)
    git.commit(side, "b.txt")
    git.commit(repository, "c.txt")
    assert {event.one("cwd") for event in events(repository / ".git")} == {str(side)}
    run("enable", "git", cwd=repository)
    hold(repository / ".git")
    git.commit(repository, "d.txt")
    assert len(events(repository / ".git")) == 4
    for path in (repository / ".git" / "gitmem" / "spool").glob("*.event"):
        path.unlink()
    run("disable", "git", cwd=side)
    assert not list(own.iterdir())


def test_a_repositorys_own_hooks_and_indexer_are_not_run(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    for name in ("hooks", "indexer", "gitmem"):
        (repository / name).mkdir()
        (repository / name / "__init__.py").write_text(f"open({str(tmp_path / 'wrong')!r}, 'w')\n")
        (repository / name / "__main__.py").write_text("raise SystemExit(9)\n")
    enable(run, repository)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "packages", cwd=repository, environ={"PYTHONPATH": str(repository)})
    assert hooks_of(events(repository / ".git")) == ["pre-commit", "post-commit"]
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_what_there_is_nothing_for_is_named(run: CommandLine, repository: Path, verb: str) -> None:
    at = tree(repository / ".git")
    failed = run(verb, "git", "clippy", cwd=repository, status=2)
    assert f"could not {verb} 'clippy'" in failed.stderr
    assert tree(repository / ".git") == at
    run(verb, cwd=repository, status=2)


def test_new_repositories_and_clones_take_part(
    run: CommandLine, git: RealGit, home: Path, repository: Path, tmp_path: Path
) -> None:
    config = Path(os.environ["GIT_CONFIG_GLOBAL"])
    before = config.read_bytes()
    at = tree(home)
    run("enable", "git", "--global", cwd=tmp_path)
    run("enable", "git", "--global", cwd=tmp_path)
    # Its own checkout would start a drain, and no test leaves a process.
    quiet = {"GITMEM_HOOKS": "false"}
    git("clone", "--quiet", str(repository), str(tmp_path / "clone"), cwd=tmp_path, environ=quiet)
    git("init", "--quiet", str(tmp_path / "new"), cwd=tmp_path)
    for top in (tmp_path / "clone", tmp_path / "new"):
        assert (top / ".git" / "gitmem" / "spool").is_dir()
        assert (top / ".git" / "description").is_file()
        hold(top / ".git")
        git.commit(top, "b.txt")
        assert hooks_of(events(top / ".git"))[-2:] == ["pre-commit", "post-commit"]
    told = json.loads(run("disable", "git", "--global", "--json", cwd=tmp_path).stdout)
    assert told["template"].endswith("template")
    assert config.read_bytes() == before
    left = tree(home)
    assert {name for name in left if name not in at} <= {".local", ".local/share"}
    git("init", "--quiet", str(tmp_path / "newer"), cwd=tmp_path)
    assert not (tmp_path / "newer" / ".git" / "gitmem").exists()
    run("disable", "git", "--global", cwd=tmp_path)


def test_a_template_of_the_users_own_keeps_what_it_has(
    run: CommandLine, git: RealGit, home: Path, tmp_path: Path
) -> None:
    template = home / "my template"
    (template / "hooks").mkdir(parents=True)
    (template / "info").mkdir()
    (template / "info" / "exclude").write_text("*.tmp\n")
    (template / "hooks" / "pre-commit").write_text("#!/bin/sh\necho mine >mine\n")
    (template / "hooks" / "pre-commit").chmod(0o755)
    git("config", "--global", "init.templateDir", "~/my template", cwd=tmp_path)
    config = Path(os.environ["GIT_CONFIG_GLOBAL"]).read_bytes()
    at = tree(template)
    run("enable", "git", "--global", cwd=tmp_path)
    git("init", "--quiet", str(tmp_path / "new"), cwd=tmp_path)
    hold(tmp_path / "new" / ".git")
    git.commit(tmp_path / "new")
    assert (tmp_path / "new" / "mine").read_text() == "mine\n"
    assert hooks_of(events(tmp_path / "new" / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", "--global", cwd=tmp_path)
    assert tree(template) == at
    assert Path(os.environ["GIT_CONFIG_GLOBAL"]).read_bytes() == config
