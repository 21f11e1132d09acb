"""Hook managers, each of them the real one: by their own files, and beside what they write.

The pre-commit framework is one of the test dependencies. husky and lefthook come by npm, into the folder that
GITMEM_TEST_NPM names; without it their tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git.hook_text import HOOKS
from tests.conftest import CHECKOUT, CommandLine, RealGit
from tests.hooks.spool import Event, events, hold, path_without_gitmem, take_part
from tests.hooks.test_beside import tree
from tests.hooks.test_enabling import hooks_of, version_of

MANAGERS = CHECKOUT / "hooks" / "managers"


@pytest.fixture
def work(repository: Path, tmp_path: Path, script: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository that takes part, with the stub on the PATH as an installation puts it there."""
    take_part(repository / ".git")
    (tmp_path / "bin").mkdir()
    script.rename(tmp_path / "bin" / "gitmem-hook")
    beside = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}:{beside}")
    return repository


@pytest.fixture
def framework(work: Path) -> str:
    """Return the pre-commit framework's program."""
    assert work.is_dir()
    found = shutil.which("pre-commit")
    if found is None:
        pytest.skip("the pre-commit framework is not installed here")
    return found


@pytest.fixture
def npm() -> Path:
    """Return the folder of packages that npm was asked for."""
    named = os.environ.get("GITMEM_TEST_NPM")
    if not named or not (Path(named) / "node_modules").is_dir():
        pytest.skip("GITMEM_TEST_NPM names no folder in which npm has installed husky and lefthook")
    return Path(named) / "node_modules"


def call(*command: str, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    finished = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        check=False,
    )
    assert finished.returncode == 0, (command, finished.stdout.decode(), finished.stderr.decode())
    return finished.stdout.decode()


def a_days_work(git: RealGit, top: Path, tmp_path: Path) -> tuple[str, str]:
    """Check out, commit, amend, merge and push; return what was amended, and what came of it."""
    git("checkout", "--quiet", "-b", "side", cwd=top)
    old = git.commit(top, "b.txt")
    git("commit", "--quiet", "--amend", "-m", "better", cwd=top)
    new = git("rev-parse", "HEAD", cwd=top)
    git("checkout", "--quiet", "main", cwd=top)
    git("merge", "--quiet", "--no-ff", "--no-edit", "side", cwd=top)
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("remote", "add", "hub", str(tmp_path / "hub"), cwd=top)
    git("push", "--quiet", "hub", "main", cwd=top)
    return old, new


def expect_a_days_work(found: list[Event], top: Path, new: str) -> None:
    """Expect what every manager passes on; what a hook is for, some leave out where nothing is staged."""
    heard = hooks_of(found)
    for hook in ("pre-commit", "post-commit", "post-checkout", "post-merge", "pre-push"):
        assert hook in heard, heard
    assert {event.one("cwd") for event in found} == {str(top)}
    by_hook = {event.hook: event for event in found}
    assert by_hook["post-checkout"].keys["arg"][0] == new
    assert by_hook["post-checkout"].keys["arg"][2] == "1"
    assert by_hook["post-merge"].keys["arg"] == ["0"]
    assert by_hook["pre-push"].keys["arg"] == ["hub"]
    # Git's own files that are checked out while it is at work, and hooks of a manager's own doing, may add some.
    assert heard.count("post-commit") == 2
    assert heard.count("pre-push") == 1


def published(git: RealGit, tmp_path: Path) -> tuple[str, str]:
    """Make a repository of what the framework takes from ours, and return where it is and its commit."""
    top = tmp_path / "published"
    git("init", "--quiet", str(top), cwd=tmp_path)
    shutil.copy(CHECKOUT / ".pre-commit-hooks.yaml", top)
    shutil.copytree(CHECKOUT / "hooks", top / "hooks")
    git("add", ".", cwd=top)
    git("commit", "--quiet", "-m", "publish", cwd=top)
    return str(top), git("rev-parse", "HEAD", cwd=top)


def test_the_framework_runs_the_hooks_that_we_publish(
    git: RealGit, work: Path, framework: str, tmp_path: Path
) -> None:
    url, commit = published(git, tmp_path)
    ids = ", ".join(f"{{id: gitmem-{hook}}}" for hook in HOOKS)
    (work / ".pre-commit-config.yaml").write_text(
        f"default_install_hook_types: [{', '.join(HOOKS)}]\n"
        f"repos: [{{repo: '{url}', rev: {commit}, hooks: [{ids}]}}]\n"
    )
    git("add", ".pre-commit-config.yaml", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)
    call(framework, "install", "--install-hooks", cwd=work)
    _, new = a_days_work(git, work, tmp_path)
    found = events(work / ".git")
    expect_a_days_work(found, work, new)
    (rewritten,) = [event for event in found if event.hook == "post-rewrite"]
    # The framework does not hand on which commits were rewritten.
    assert (rewritten.keys["arg"], rewritten.body) == (["amend"], b"")


def test_the_frameworks_snippet_runs_the_stub_and_harms_nobody(
    run: CommandLine,
    git: RealGit,
    work: Path,
    framework: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(MANAGERS / "pre-commit-config.yaml", work / ".pre-commit-config.yaml")
    git("add", ".pre-commit-config.yaml", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)
    call(framework, "install", cwd=work)
    run("enable", "git", cwd=work)  # for what the framework does not hand on
    hold(work / ".git")
    _, new = a_days_work(git, work, tmp_path)
    expect_a_days_work(events(work / ".git"), work, new)
    count = len(events(work / ".git"))
    monkeypatch.setenv("PATH", path_without_gitmem())
    git.commit(work, "of-a-teammate.txt")
    assert len(events(work / ".git")) == count


def test_what_the_framework_runs_is_not_run_twice(
    run: CommandLine, git: RealGit, work: Path, framework: str
) -> None:
    shutil.copy(MANAGERS / "pre-commit-config.yaml", work / ".pre-commit-config.yaml")
    git("add", ".pre-commit-config.yaml", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)
    call(framework, "install", cwd=work)
    told = json.loads(run("enable", "git", "--json", cwd=work).stdout)["git"][0]
    assert told["hooks"] == ["post-rewrite", "pre-push"]
    assert told["snippets"] == [hook for hook in HOOKS if hook not in told["hooks"]]
    hold(work / ".git")
    git.commit(work, "b.txt")
    assert hooks_of(events(work / ".git")) == ["pre-commit", "post-commit"]


def configured(git: RealGit, work: Path) -> None:
    (work / ".pre-commit-config.yaml").write_text(
        "repos: [{repo: local, hooks: [{id: own, name: own, language: system, entry: sh -c 'echo x >>own',"
        " always_run: true, pass_filenames: false}]}]\n"
    )
    git("add", ".", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)


def skip_where_hooks_are_configured(git: RealGit, work: Path) -> None:
    if (version := version_of(git, work)) >= (2, 54):
        pytest.skip(f"git {version} is given hooks of the configuration")


def test_beside_what_the_framework_wrote_both_are_run(
    run: CommandLine, git: RealGit, work: Path, framework: str
) -> None:
    skip_where_hooks_are_configured(git, work)
    configured(git, work)
    call(framework, "install", cwd=work)
    at = tree(work / ".git" / "hooks")
    run("enable", "git", cwd=work)
    hold(work / ".git")
    git.commit(work, "b.txt")
    assert (work / "own").read_text() == "x\n"
    assert hooks_of(events(work / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", cwd=work)
    assert tree(work / ".git" / "hooks") == at


def test_a_hook_that_the_framework_moved_away_still_counts(
    run: CommandLine, git: RealGit, work: Path, framework: str
) -> None:
    skip_where_hooks_are_configured(git, work)
    configured(git, work)
    at = tree(work / ".git" / "hooks")
    run("enable", "git", cwd=work)
    call(framework, "install", cwd=work)
    told = json.loads(run("enable", "git", "--json", cwd=work).stdout)["git"][0]
    assert told["hooks"] == list(HOOKS)
    hold(work / ".git")
    git.commit(work, "b.txt")
    assert (work / "own").read_text() == "x\n"
    assert hooks_of(events(work / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", cwd=work)
    call(framework, "uninstall", cwd=work)
    assert tree(work / ".git" / "hooks") == at


def test_husky_runs_the_lines_and_its_files_are_left_alone(
    run: CommandLine, git: RealGit, work: Path, npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_where_hooks_are_configured(git, work)
    call("node", str(npm / "husky" / "bin.js"), cwd=work)
    failed = run("enable", "git", cwd=work, status=1)
    assert "which husky writes" in failed.stderr
    shutil.copytree(MANAGERS / "husky", work / ".husky", dirs_exist_ok=True)
    git("add", ".", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)
    for path in (work / ".git" / "gitmem" / "spool").glob("*.event"):
        path.unlink()
    at = tree(work / ".husky")
    told = json.loads(run("enable", "git", "--json", cwd=work).stdout)["git"][0]
    assert told["snippets"] == list(HOOKS)
    assert tree(work / ".husky") == at
    hold(work / ".git")
    expect_all_is_heard_and_a_teammate_unharmed(git, work, tmp_path, monkeypatch)


def test_husky_may_be_written_over_when_it_is_asked_for(
    run: CommandLine, git: RealGit, work: Path, npm: Path
) -> None:
    skip_where_hooks_are_configured(git, work)
    call("node", str(npm / "husky" / "bin.js"), cwd=work)
    (work / ".husky" / "pre-commit").write_text("echo x >>own\n")
    at = tree(work / ".husky")
    run("enable", "git", "--force", cwd=work)
    hold(work / ".git")
    git.commit(work, "b.txt")
    assert (work / "own").read_text() == "x\n"
    assert hooks_of(events(work / ".git")) == ["pre-commit", "post-commit"]
    run("disable", "git", cwd=work)
    assert tree(work / ".husky") == at


def test_lefthook_runs_the_jobs_and_its_files_are_left_alone(
    run: CommandLine, git: RealGit, work: Path, npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_where_hooks_are_configured(git, work)
    (work / "lefthook.yml").write_text("pre-commit: { jobs: [{ run: 'true' }] }\n")
    call(str(npm / ".bin" / "lefthook"), "install", cwd=work)
    told = run("enable", "git", cwd=work)
    assert "pre-commit was left as it is: lefthook writes it" in told.stderr
    assert 'gitmem-hook pre-commit "$@"' in told.stderr
    run("disable", "git", cwd=work)
    shutil.copy(MANAGERS / "lefthook.yml", work / "lefthook.yml")
    take_part(work / ".git")
    call(str(npm / ".bin" / "lefthook"), "install", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "--quiet", "-m", "configure", cwd=work)
    for path in (work / ".git" / "gitmem" / "spool").glob("*.event"):
        path.unlink()
    at = tree(work / ".git" / "hooks")
    told_again = json.loads(run("enable", "git", "--json", cwd=work).stdout)["git"][0]
    assert told_again["snippets"] == list(HOOKS)
    assert tree(work / ".git" / "hooks") == at
    expect_all_is_heard_and_a_teammate_unharmed(git, work, tmp_path, monkeypatch)


def test_a_hook_that_lefthook_moved_away_is_taken_out_too(
    run: CommandLine, git: RealGit, work: Path, npm: Path
) -> None:
    skip_where_hooks_are_configured(git, work)
    at = tree(work / ".git" / "hooks")
    run("enable", "git", cwd=work)
    (work / "lefthook.yml").write_text("pre-commit: { jobs: [{ run: 'true' }] }\n")
    call(str(npm / ".bin" / "lefthook"), "install", cwd=work)
    run("disable", "git", cwd=work)
    now = tree(work / ".git" / "hooks")
    assert now.keys() - at.keys() == {"pre-commit"}
    assert "call_lefthook" in (work / ".git" / "hooks" / "pre-commit").read_text()


def expect_all_is_heard_and_a_teammate_unharmed(
    git: RealGit, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do a day's work with gitmem at hand, and commit once more without it."""
    old, new = a_days_work(git, work, tmp_path)
    found = events(work / ".git")
    git("branch", "gitmem", cwd=work)
    with pytest.raises(AssertionError, match="nothing was pushed to hub"):
        git("push", "--quiet", "--all", "hub", cwd=work)
    expect_a_days_work(found, work, new)
    (rewritten,) = [event for event in found if event.hook == "post-rewrite"]
    assert rewritten.body.decode() == f"{old} {new}\n"
    monkeypatch.setenv("PATH", path_without_gitmem())
    git.commit(work, "of-a-teammate.txt")
    assert len(events(work / ".git")) == len(found)
