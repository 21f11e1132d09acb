"""A push that would carry a memory to where nobody chose does not happen; every other one does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.hooks.spool import SHELLS, events, hold, take_part

ids = " ".join
MEMORY = "refs/heads/gitmem"
ZEROS = "0" * 40


@pytest.fixture
def work(repository: Path, git: RealGit, tmp_path: Path) -> Path:
    """Return a repository that takes part, with a memory of sorts, and three remotes: two of them chosen."""
    take_part(repository / ".git")
    git("branch", "gitmem", cwd=repository)
    git("update-ref", "refs/gitmem/public", "HEAD", cwd=repository)
    for name in ("fork", "hub", "window"):
        git("init", "--quiet", "--bare", str(tmp_path / name), cwd=tmp_path)
        git("remote", "add", name, str(tmp_path / name), cwd=repository)
    git("config", "remote.hub.gitmem", "team", cwd=repository)
    git("config", "remote.window.gitmem", "public", cwd=repository)
    return repository


def ask(
    script: Path,
    cwd: Path,
    *lines: str,
    remote: tuple[str, ...] = ("fork", "/x/fork"),
    shell: tuple[str, ...] = ("sh",),
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run the stub as git does before a push; return what it says against it, which may be nothing."""
    finished = subprocess.run(
        [*shell, str(script), "pre-push", *remote],
        cwd=cwd,
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        env={**os.environ, **(environ or {})},
        check=False,
    )
    assert finished.stdout == b""
    assert finished.returncode == (1 if finished.stderr else 0), finished
    return finished.stderr.decode()


def line(git: RealGit, top: Path, here: str, there: str | None = None, old: str = ZEROS) -> str:
    return f"{here} {git('rev-parse', 'HEAD', cwd=top)} {there or here} {old}"


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_every_shell_keeps_a_memory_from_a_remote_that_nobody_chose(
    script: Path, git: RealGit, work: Path, shell: tuple[str, ...]
) -> None:
    others = [line(git, work, f"refs/heads/b{n}") for n in range(300)]
    memory = line(git, work, MEMORY)
    said = ask(script, work, *others, memory, shell=shell)
    assert said.startswith(f"gitmem: nothing was pushed to fork. The push would carry {MEMORY}, a memory,")
    for way in (
        "'refs/heads/*' '^refs/heads/gitmem'",
        "gitmem push fork",
        "init --share fork",
        "--no-verify",
    ):
        assert way in said
    assert events(work / ".git") == []
    assert ask(script, work, *others, memory, remote=("hub", "/x/hub"), shell=shell) == ""
    assert ask(script, work, *others, shell=shell) == ""
    assert [event.hook for event in events(work / ".git")] == ["pre-push"] * 2


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (MEMORY, MEMORY),
        (MEMORY, "refs/heads/innocent"),
        ("refs/heads/main", MEMORY),
        ("HEAD", MEMORY),
        ("refs/gitmem/public", "refs/gitmem/public"),
        ("refs/gitmem/private/" + "a" * 64, "refs/heads/x"),
        ("refs/gitmem/keys/" + "a" * 64, "refs/gitmem/keys/" + "a" * 64),
        ("refs/gitmem/audit/one", "refs/gitmem/audit/one"),
        ("refs/remotes/hub/gitmem", "refs/remotes/hub/gitmem"),
        ("refs/gitmem/remotes/hub/team", "refs/gitmem/remotes/hub/team"),
    ],
)
def test_a_memory_is_known_by_either_side_of_a_refspec(
    script: Path, git: RealGit, work: Path, here: str, there: str
) -> None:
    assert "to where nobody has chosen to share it" in ask(script, work, line(git, work, here, there))


@pytest.mark.parametrize("name", ["refs/heads/gitmem-docs", "refs/tags/gitmem", "refs/heads/team/notgitmem"])
def test_what_is_only_called_alike_is_no_memory(script: Path, git: RealGit, work: Path, name: str) -> None:
    assert ask(script, work, line(git, work, name)) == ""


def test_a_url_is_no_remote_that_anybody_chose(script: Path, git: RealGit, work: Path) -> None:
    for url in ("https://ada:secret@example.org/x.git", "git@example.org:x", "/x/hub"):
        said = ask(script, work, line(git, work, MEMORY), remote=(url, url))
        assert "pushed to this URL" in said
        assert url not in said
        assert ask(script, work, line(git, work, "refs/heads/main"), remote=(url, url)) == ""


def test_a_remote_gets_only_the_levels_that_it_was_given(script: Path, git: RealGit, work: Path) -> None:
    public, memory = line(git, work, "refs/gitmem/public"), line(git, work, MEMORY)
    assert ask(script, work, public, remote=("window", "/x")) == ""
    assert "of the level team, and this remote was given public" in ask(
        script, work, public, memory, remote=("window", "/x")
    )
    git("config", "remote.window.gitmem", "public, team", cwd=work)
    assert ask(script, work, public, memory, remote=("window", "/x")) == ""
    git("config", "remote.window.gitmem", "True", cwd=work)
    assert ask(script, work, memory, remote=("window", "/x")) == ""
    git("config", "remote.window.gitmem", "false", cwd=work)
    assert "nobody has chosen" in ask(script, work, memory, remote=("window", "/x"))


def test_a_memory_of_another_name_is_known(script: Path, git: RealGit, work: Path) -> None:
    lines = line(git, work, "refs/heads/journal")
    assert ask(script, work, lines) == ""
    assert "refs/heads/journal" in ask(script, work, lines, environ={"GITMEM_REF": "journal"})
    (work / ".git/gitmem/ref").write_text("refs/heads/journal\n")
    assert "refs/heads/journal" in ask(script, work, lines)


def test_a_memory_is_removed_nowhere_and_nothing_put_in_its_place(
    script: Path, git: RealGit, work: Path
) -> None:
    hub = ("hub", "/x/hub")
    assert f"remove {MEMORY}" in ask(script, work, f"(delete) {ZEROS} {MEMORY} {'1' * 40}", remote=hub)
    first = git("rev-parse", "HEAD", cwd=work)
    git.commit(work, "more.txt")
    assert ask(script, work, line(git, work, MEMORY, old=first), remote=hub) == ""
    for old in ("1" * 40, git("commit-tree", "-m", "x", "HEAD^{tree}", cwd=work)):
        said = ask(script, work, line(git, work, MEMORY, old=old), remote=hub)
        assert "in the place of what others sent" in said


def test_where_nobody_remembers_nothing_is_refused(script: Path, git: RealGit, repository: Path) -> None:
    assert ask(script, repository, line(git, repository, MEMORY)) == ""


def test_trouble_of_gitmems_own_lets_a_push_pass(script: Path, git: RealGit, work: Path) -> None:
    spool = work / ".git/gitmem/spool"
    spool.chmod(0o500)
    assert ask(script, work, line(git, work, "refs/heads/main")) == ""
    assert ask(script, work, "", "garbage", "\x00\xff refs/heads/main") == ""
    spool.chmod(0o700)
    assert ask(script, work, line(git, work, MEMORY), environ={"GITMEM_HOOKS": "false"}) == ""


@pytest.mark.parametrize("closing", ["<&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_fail_no_push(script: Path, work: Path, closing: str) -> None:
    finished = subprocess.run(
        ["sh", "-c", f'"$0" pre-push fork /x {closing}', str(script)], cwd=work, check=False
    )
    assert finished.returncode == 0


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_what_drains_keeps_no_stream_open(
    script: Path, git: RealGit, work: Path, shell: tuple[str, ...]
) -> None:
    spool = work / ".git/gitmem/spool"
    (spool / "drainer").unlink()
    (work / ".git/gitmem/python").write_text("/bin/true\n/\n")
    read, write = os.pipe()
    command = [*shell, str(script), "pre-push", "fork", "/x"]
    lines = line(git, work, "refs/heads/main").encode()
    with os.fdopen(read, "rb", 0) as told:
        subprocess.run(command, cwd=work, input=lines, stderr=write, stdout=write, check=True)
        os.close(write)
        os.set_blocking(read, False)
        # None, where somebody still may write: what waits to drain, which has just been started.
        assert told.read() == b""
    assert (spool / "drainer").exists()


def push(top: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "push", "--quiet", *args], cwd=top, capture_output=True, check=False)


@pytest.mark.parametrize(
    "how", [("--all",), ("--mirror",), ("gitmem",), ("HEAD:gitmem",), ("--delete", "gitmem")]
)
def test_git_itself_is_kept_from_it(
    run: CommandLine, git: RealGit, work: Path, tmp_path: Path, how: tuple[str, ...]
) -> None:
    run("enable", "git", cwd=work)
    hold(work / ".git")
    if "--delete" in how:
        git("push", "--quiet", "--no-verify", "fork", "gitmem", cwd=work)
    before = git("for-each-ref", cwd=tmp_path / "fork")
    option, refspecs = (how[:1], how[1:]) if how[0].startswith("--") else ((), how)
    finished = push(work, *option, "fork", *refspecs)
    assert finished.returncode != 0
    assert finished.stderr.startswith(b"gitmem: nothing was pushed to fork.")
    assert git("for-each-ref", cwd=tmp_path / "fork") == before


def test_what_it_says_instead_is_true(run: CommandLine, git: RealGit, work: Path, tmp_path: Path) -> None:
    run("enable", "git", cwd=work)
    hold(work / ".git")
    git("branch", "side", cwd=work)
    git("push", "--quiet", "fork", "refs/heads/*", "^refs/heads/gitmem", cwd=work)
    assert git("for-each-ref", "--format=%(refname:short)", cwd=tmp_path / "fork") == "main\nside"
    git("push", "--quiet", "--no-verify", "--all", "fork", cwd=work)
    assert "gitmem" in git("for-each-ref", cwd=tmp_path / "fork")


def test_matching_branches_are_looked_at_too(run: CommandLine, git: RealGit, work: Path) -> None:
    git("push", "--quiet", "--no-verify", "--all", "fork", cwd=work)
    run("enable", "git", cwd=work)
    hold(work / ".git")
    git("checkout", "--quiet", "gitmem", cwd=work)
    git.commit(work, "more.txt")
    assert push(work, "fork", ":").returncode != 0
    assert push(work, "hub", "gitmem").returncode == 0


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("language", ["sh", "python"])
def test_a_hook_that_stood_there_gets_what_git_says_and_has_its_say(
    run: CommandLine, git: RealGit, work: Path, tmp_path: Path, language: str, ours_first: bool
) -> None:
    hook = work / ".git/hooks/pre-push"
    log = tmp_path / "log"
    if language == "sh":
        hook.write_text(f'#!/bin/sh\nset -eu\ncat >>"{log}"\necho "$1" >>"{log}"\n[ ! -e "{log}.fail" ]\n')
    else:
        hook.write_text(
            "#!/usr/bin/env python3\nimport os, sys\n"
            f"open({str(log)!r}, 'a').write(sys.stdin.read() + sys.argv[1] + '\\n')\n"
            f"sys.exit(os.path.exists({str(log) + '.fail'!r}))\n"
        )
    hook.chmod(0o755)
    run("enable", "git", cwd=work)
    hold(work / ".git")
    head = git("rev-parse", "HEAD", cwd=work)
    assert push(work, "fork", "gitmem").returncode != 0
    assert not log.exists() or "gitmem" in log.read_text()  # a newer git runs both
    log.unlink(missing_ok=True)
    assert push(work, "fork", "main").returncode == 0
    assert log.read_text() == f"refs/heads/main {head} refs/heads/main {ZEROS}\nfork\n"
    Path(f"{log}.fail").touch()
    assert push(work, "hub", "main").returncode != 0


def test_the_stub_is_told_what_the_memory_is_called_here(
    run: CommandLine, git: RealGit, repository: Path
) -> None:
    git("config", "gitmem.ref", "refs/gitmem/team", cwd=repository)
    run("init", "--no-import", cwd=repository)
    assert (repository / ".git/gitmem/ref").read_text() == "refs/gitmem/team\n"
    git("config", "--unset", "gitmem.ref", cwd=repository)
    run("init", "--no-import", cwd=repository)
    assert not (repository / ".git/gitmem/ref").exists()
