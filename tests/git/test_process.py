"""Starting git: what it is told, what it is kept from, and how its failures are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git import watching
from gitmem.git.process import REDIRECTING, Git
from gitmem.model.errors.repositories import GitFailed, GitMissing
from tests.conftest import RealGit


def fake_git(tmp_path: Path, environ: Mapping[str, str], script: str) -> Git:
    """Return a Git whose program is a script of Python."""
    directory = tmp_path / "bin"
    directory.mkdir(exist_ok=True)
    program = directory / "git"
    program.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n")
    program.chmod(0o755)
    return Git({**environ, "PATH": f"{directory}:{environ['PATH']}"})


def test_answer_holds_what_git_printed(repository: Path, environ: Mapping[str, str], git: RealGit) -> None:
    answer = Git(environ).run(["rev-parse", "HEAD"], doing="read HEAD", cwd=repository)
    assert (answer.status, answer.text) == (0, git("rev-parse", "HEAD", cwd=repository))


def test_stdin_reaches_git(repository: Path, environ: Mapping[str, str]) -> None:
    answer = Git(environ).run(["hash-object", "--stdin"], doing="hash", cwd=repository, stdin=b"one\n")
    assert answer.text == "5626abf0f72e58d7a153368ba57db4c673c0e171"


def test_failure_says_what_was_not_done_and_why(repository: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(
        GitFailed, match=r"^could not read the tree: Not a valid object name nothing$"
    ) as caught:
        Git(environ).run(["ls-tree", "nothing"], doing="read the tree", cwd=repository)
    assert caught.value.status == 128


def test_accepted_status_is_no_failure(repository: Path, environ: Mapping[str, str]) -> None:
    answer = Git(environ).run(
        ["config", "no.such"], doing="read the configuration", cwd=repository, accept=(0, 1)
    )
    assert answer.status == 1


def test_missing_git_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GitMissing):
        Git({"PATH": str(tmp_path)}).run(["version"], doing="ask for the version")


def test_missing_directory_is_not_taken_for_a_missing_git(tmp_path: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(GitFailed, match=r"could not look: .*gone: No such file or directory"):
        Git(environ).run(["version"], doing="look", cwd=tmp_path / "gone")


def test_git_that_gives_no_answer_is_ended(tmp_path: Path, environ: Mapping[str, str]) -> None:
    git = fake_git(tmp_path, environ, "time.sleep(600)")
    with pytest.raises(GitFailed, match=r"no answer within 0\.2 s"):
        git.run(["version"], doing="wait", timeout_s=0.2)


@pytest.mark.parametrize("name", sorted(REDIRECTING))
def test_named_repository_is_not_bent_by_the_environment(
    name: str, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    git = fake_git(tmp_path, {**environ, name: "elsewhere"}, f"print(os.environ.get({name!r}))")
    # One of them gitmem sets itself, to what it wants.
    wanted = {"GIT_NO_REPLACE_OBJECTS": "1"}.get(name, "None")
    assert git.run(["version"], doing="look", git_dir=tmp_path).text == wanted


@pytest.mark.parametrize(
    "name",
    ["GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"],
)
def test_what_is_the_users_own_survives(name: str, tmp_path: Path, environ: Mapping[str, str]) -> None:
    git = fake_git(tmp_path, {**environ, name: "mine"}, f"print(os.environ.get({name!r}))")
    assert git.run(["version"], doing="look", git_dir=tmp_path).text == "mine"


def test_git_without_a_named_repository_finds_the_hooks_one(
    repository: Path, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    hook = {**environ, "GIT_DIR": str(repository / ".git")}
    found = Git(hook).run(["rev-parse", "--absolute-git-dir"], doing="look", cwd=tmp_path)
    assert found.text == str((repository / ".git").resolve())
    with pytest.raises(GitFailed, match="not a git repository"):
        Git(hook).elsewhere().run(["rev-parse", "--absolute-git-dir"], doing="look", cwd=tmp_path)


def test_internal_call_runs_no_hook(repository: Path, environ: Mapping[str, str], git: RealGit) -> None:
    mark = repository / "hook-ran"
    hook = repository / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    hook.chmod(0o755)
    head = git("rev-parse", "HEAD", cwd=repository)
    assert not mark.exists()
    update = ["update-ref", "refs/gitmem/team", head]
    Git(environ).run(update, doing="move the ref", git_dir=repository / ".git")
    assert not mark.exists()
    update[1] = "refs/gitmem/other"
    Git(environ).run(update, doing="move the ref", git_dir=repository / ".git", as_user=True)
    assert mark.exists()


def test_internal_call_speaks_english(tmp_path: Path, environ: Mapping[str, str]) -> None:
    script = "print(os.environ.get('LC_ALL'), os.environ.get('LANGUAGE'))"
    git = fake_git(tmp_path, {**environ, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}, script)
    assert git.run(["version"], doing="look").text == "C None"
    assert git.run(["version"], doing="look", as_user=True).text == "de_DE.UTF-8 de"


def test_own_configuration_is_passed_on(repository: Path, environ: Mapping[str, str]) -> None:
    answer = Git(environ).run(
        ["config", "user.name"], doing="look", cwd=repository, config={"user.name": "Grace Example"}
    )
    assert answer.text == "Grace Example"


def test_watched_git_tells_as_it_goes_and_keeps_answer_apart(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    git = fake_git(
        tmp_path,
        environ,
        "sys.stderr.write('10%\\r'); sys.stderr.flush(); sys.stdout.write('answer' * 50000)\n"
        "sys.stderr.write('100%\\n'); assert sys.stdin.read() == ''",
    )
    told: list[bytes] = []
    answer = git.watch(["fetch"], doing="fetch", tell=told.append)
    assert b"".join(told) == b"10%\r100%\n"
    assert answer.stdout == b"answer" * 50000


def test_watched_git_that_fails_is_told_without_its_progress(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    git = fake_git(
        tmp_path, environ, "sys.stderr.write('10%\\r100%\\rfatal: remote hung up\\n'); sys.exit(128)"
    )
    with pytest.raises(GitFailed, match=r"^could not fetch: remote hung up$"):
        git.watch(["fetch"], doing="fetch", tell=lambda chunk: None)


def test_caller_that_fails_while_watching_leaves_no_git_behind(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    git = fake_git(tmp_path, environ, "sys.stderr.write('x'); sys.stderr.flush(); time.sleep(600)")

    def refuse(chunk: bytes) -> None:
        raise ValueError(chunk)

    with pytest.raises(ValueError, match="x"):
        git.watch(["fetch"], doing="fetch", tell=refuse)


def test_conversation_answers_question_by_question(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    head = git("rev-parse", "HEAD", cwd=repository)
    with Git(environ).start(["cat-file", "--batch-check"], doing="read objects", cwd=repository) as process:
        for name, expected in ((head, b"commit"), ("0" * 40, b"missing"), (head, b"commit")):
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            assert expected in process.stdout.readline()


def test_conversation_that_ended_badly_says_why(tmp_path: Path, environ: Mapping[str, str]) -> None:
    process = Git(environ).start(["cat-file", "--batch"], doing="read objects", cwd=tmp_path)
    assert process.stdout.read() == b""
    with pytest.raises(GitFailed, match="could not read objects: not a git repository"):
        process.close()
    process.close()


def test_writing_to_a_git_that_died_says_why_it_died(tmp_path: Path, environ: Mapping[str, str]) -> None:
    process = Git(environ).start(["cat-file", "--batch"], doing="read objects", cwd=tmp_path)
    process.stdout.read()
    with pytest.raises(GitFailed, match="not a git repository"), process:
        process.stdin.write(b"x" * 1_000_000)


def test_early_end_of_an_answer_is_explained(tmp_path: Path, environ: Mapping[str, str]) -> None:
    git = fake_git(tmp_path, environ, "sys.stderr.write('fatal: disk on fire'); sys.exit(3)")
    process = git.start(["cat-file", "--batch"], doing="read objects")
    process.stdout.read()
    failure = process.failure()
    assert (failure.status, failure.stderr) == (3, "disk on fire")


def test_conversation_broken_off_by_an_error_is_killed(tmp_path: Path, environ: Mapping[str, str]) -> None:
    git = fake_git(tmp_path, environ, "time.sleep(600)")
    with pytest.raises(ValueError, match="mine"), git.start(["fast-import"], doing="write"):
        raise ValueError("mine")


def test_last_words_of_one_that_ends_between_two_looks_are_heard() -> None:
    out, of_git = os.pipe()
    err, err_of_git = os.pipe()

    class Ending:
        """It says its last words and ends when nobody looks, and leaves a child that holds its pipes."""

        def __init__(self) -> None:
            self.stdout, self.stderr = os.fdopen(out, "rb"), os.fdopen(err, "rb")

        def poll(self) -> int:
            os.write(of_git, b"done\n")
            return 0

    process = Ending()
    with process.stdout, process.stderr:
        said = watching.drain(process, lambda chunk: None, None, 100)  # type: ignore[arg-type]
    os.close(of_git)
    os.close(err_of_git)
    assert said == (b"done\n", b"")
