"""A drain takes every event once, whatever happens to it, and one bad event keeps none from others."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitmem import disk
from tests.checkpoints import kill_everywhere, stubs
from tests.checkpoints.conftest import Drain, Say, hold, recorded
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.killing import kills

HOUR_NS = 3_600_000_000_000


def start(cwd: Path, **options: object) -> subprocess.Popen[bytes]:
    """Start a drain and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmem", "capture", "--spool", "--json"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def waiting(spool: Path) -> list[str]:
    return sorted(path.name for path in spool.glob("*.event"))


@pytest.mark.parametrize("name", ["begun", "unborn"])
def test_a_kill_before_any_effect_makes_no_checkpoint_twice_and_loses_none(tmp_path: Path, name: str) -> None:
    told = kills("checkpoints.kill_everywhere", str(tmp_path), name)
    found = re.search(r"killed before (\d+) of (\d+) effects", told)
    assert found
    assert int(found[2]) > 80
    assert int(found[1]) >= int(found[2]) // 3


def test_five_drains_at_once_make_each_checkpoint_once(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    run("init", cwd=repository)
    for n in range(12):
        git.commit(repository, "b.txt", f"{n}\n")
    processes = [start(repository) for _ in range(5)]
    said = []
    for process in processes:
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        said.append(json.loads(stdout))
    assert sum(len(one["checkpoints"]) for one in said) == 12
    assert waiting(spool) == []
    assert len(recorded(repository)) == 12
    hold(git, run, repository)


def test_who_finds_the_spool_held_leaves_it_to_whoever_holds_it(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    git.commit(repository, "b.txt")
    with disk.locked(spool.parent / "spool.lock", 0):
        assert json.loads(run("capture", "--spool", "--json", cwd=repository).stdout)["busy"]
        assert "another process" in run("capture", "--spool", cwd=repository).stdout
    assert len(waiting(spool)) == 2


def test_events_that_come_while_a_drain_ends_are_taken(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    run("init", cwd=repository)
    processes = []
    for n in range(10):
        git.commit(repository, "b.txt", f"{n}\n")
        processes.append(start(repository))
    for process in processes:
        assert process.wait() == 0
        process.communicate()
    assert waiting(spool) == []
    assert len(recorded(repository)) == 10


def test_ten_thousand_neglected_events_are_taken_in_a_few_commits(
    git: RealGit, repository: Path, spool: Path, run: CommandLine, drain: Drain, say: Say
) -> None:
    run("init", cwd=repository)
    say("one", 6)
    commits = [git.commit(repository, "b.txt", f"{n}\n") for n in range(10)]
    for path in spool.glob("*.event"):
        path.unlink()
    now = time.time_ns()
    for n in range(5_000):
        at, head = now - (6_000 - n) * HOUR_NS, commits[n % 10]
        stubs.leave(spool, "pre-commit", cwd=repository, at_ns=at, pid=n, branch="refs/heads/main", head=head)
        stubs.leave(
            spool, "post-commit", cwd=repository, at_ns=at, pid=n, branch="refs/heads/main", head=head
        )
    made = drain()
    assert len(made) == 5_000
    assert {one.head for one in made} == set(commits)
    assert all(one.changes for one in made)
    subjects = git("log", "--format=%s", "gitmem", cwd=repository).splitlines()
    assert sum("checkpoint" in subject for subject in subjects) == 20
    assert (spool / "count").read_text() == "0\n"
    git("fsck", "--strict", cwd=repository)


def test_what_is_no_event_is_kept_apart_and_the_others_are_taken(
    git: RealGit, repository: Path, spool: Path, drain: Drain, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("gitmem-event 1\n")
    (spool / "a.event").write_bytes(b"\xff\x00 nothing")
    (spool / "b.event").write_bytes(b"")
    (spool / "c.event").symlink_to(outside)
    (spool / "d.event").mkdir()
    os.mkfifo(spool / "e.event")
    (spool / "f.event").write_bytes(b"gitmem-event 1\nhook post-commit\n\n")
    with (spool / "g.event").open("wb") as file:
        file.truncate(5 << 20)
    stubs.leave(spool, "stop", cwd=repository, agent="codex", stem="h", git_dir="")
    stubs.leave(spool, "post-rewrite", cwd=repository, given=b"one two\n", stem="i")
    stubs.leave(spool, "post-reboot", cwd=repository, stem="j")
    stubs.leave(spool, "post-commit", cwd=Path("relative"), stem="k")
    stubs.leave(spool, "post-commit", cwd=repository, head="main", stem="l")
    git.commit(repository, "b.txt")
    assert len(drain()) == 1
    assert sorted(path.stem for path in spool.glob("*.bad")) == list("abcdefghijkl")
    assert outside.read_text() == "gitmem-event 1\n"


def test_what_is_gone_ends_and_what_is_not_ours_is_left_alone(
    git: RealGit, repository: Path, spool: Path, drain: Drain, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git("init", "-q", str(other), cwd=tmp_path)
    git.commit(other)
    stubs.leave(spool, "post-commit", cwd=other, head="1" * 40)
    stubs.leave(spool, "stop", cwd=tmp_path / "gone", agent="codex")
    stubs.leave(spool, "post-commit", cwd=repository, git_dir=".git/worktrees/gone", head="1" * 40)
    stubs.leave(spool, "pre-commit", cwd=tmp_path / "gone", git_dir=".git", pid=stubs.dead_pid())
    [made] = drain()
    assert made.head == "1" * 40, "the commit of a worktree that is gone, which git has forgotten, too"
    assert made.tree is None
    assert "gitmem" not in git("for-each-ref", cwd=other)


def test_a_commit_that_goes_on_is_left_until_it_ends(
    git: RealGit, repository: Path, spool: Path, drain: Drain
) -> None:
    editor = repository.parent / "editor"
    editor.write_text('#!/bin/sh\ntouch open\nwhile [ ! -e go ]; do sleep 0.02; done\necho done >"$1"\n')
    editor.chmod(0o755)
    (repository / "a.txt").write_text("two\n")
    process = subprocess.Popen(
        ["git", "commit", "-q", "-a"], cwd=repository, env={**os.environ, "GIT_EDITOR": str(editor)}
    )
    deadline = time.monotonic() + 120
    while not (repository / "open").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert drain(left=1) == []
    (repository / "go").touch()
    assert process.wait() == 0
    assert [one.trigger for one in drain()] == ["post-commit"]


def test_a_pre_commit_of_more_than_a_day_ago_waits_for_nobody(
    repository: Path, spool: Path, drain: Drain
) -> None:
    at = time.time_ns() - 25 * HOUR_NS
    stubs.leave(spool, "pre-commit", cwd=repository, pid=os.getpid(), at_ns=at)
    assert [one.trigger for one in drain()] == ["pre-commit"]


def test_a_clock_that_was_set_back_between_two_hooks_matters_not(
    git: RealGit, repository: Path, spool: Path, drain: Drain
) -> None:
    commit, now = git.commit(repository, "b.txt"), time.time_ns()
    for path in spool.glob("*.event"):
        path.unlink()
    stubs.leave(spool, "pre-commit", cwd=repository, pid=77, at_ns=now + HOUR_NS)
    stubs.leave(spool, "post-commit", cwd=repository, pid=77, at_ns=now, head=commit)
    assert [one.trigger for one in drain()] == ["post-commit"]


def test_events_of_impossible_moments_are_taken(
    git: RealGit, repository: Path, spool: Path, drain: Drain
) -> None:
    head = git("rev-parse", "HEAD", cwd=repository)
    stubs.leave(spool, "post-commit", cwd=repository, at_ns=0, head=head)
    stubs.leave(spool, "post-commit", cwd=repository, at_ns=4_000_000_000_000_000_000, head=head)
    assert [one.at[:4] for one in drain()] == ["1970", "2096"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_leaves_the_events_and_says_why(
    git: RealGit, repository: Path, spool: Path, run: CommandLine, drain: Drain, say: Say
) -> None:
    run("init", cwd=repository)
    for n in range(40):
        say("one", 1, pad=os.urandom(2_000).hex() + str(n))
    git.commit(repository, "b.txt")
    git.commit(repository, "b.txt", "two\n")
    before = waiting(spool)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start(repository, preexec_fn=limit)
    _, stderr = process.communicate()
    assert process.returncode == 1, stderr
    assert waiting(spool) == before
    assert "File too large" in (spool / "failure").read_text()
    assert not (spool / "drainer").exists()
    assert len(drain()) == 2
    assert not (spool / "failure").exists()
    hold(git, run, repository)


def test_a_worktree_whose_sessions_are_private_has_no_checkpoints_and_holds_nobody_up(
    git: RealGit, repository: Path, spool: Path, run: CommandLine, tmp_path: Path, say: Say
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", "-b", "side", str(linked), cwd=repository)
    (linked / ".gitmem.toml").write_text('level = "private"\n')
    say("secret", 4, cwd=linked)
    for path in spool.glob("*.event"):
        path.unlink()
    git.commit(linked, "b.txt")
    git.commit(repository, "c.txt")
    run("capture", "--spool", cwd=repository)
    assert not (spool / "failure").exists()
    assert [one.branch for one in recorded(repository)] == ["main"]
    assert waiting(spool) == []
    [session] = json.loads(run("sessions", "--json", cwd=repository).stdout)["sessions"]
    assert session["level"] == "private"
    assert not any(one.positions for one in recorded(repository)), "nor does a checkpoint name such a session"
    refused = run("checkpoint", cwd=linked, status=2)
    assert "sessions here are private" in refused.stderr


def test_a_level_that_no_session_gets_by_itself_leaves_the_events_of_that_worktree_alone(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    run("init", cwd=repository)
    git("config", "gitmem.level", "public", cwd=repository)
    git.commit(repository, "b.txt")
    failed = run("capture", "--spool", cwd=repository, status=2)
    assert "level 'public'" in failed.stderr
    git("config", "--unset", "gitmem.level", cwd=repository)
    run("capture", "--spool", cwd=repository)
    assert [one.trigger for one in recorded(repository)] == ["post-commit"]


def test_a_memory_that_is_locked_leaves_the_events(
    git: RealGit, repository: Path, spool: Path, run: CommandLine, drain: Drain
) -> None:
    run("init", cwd=repository)
    git.commit(repository, "b.txt")
    lock = repository / ".git/refs/heads/gitmem.lock"
    lock.touch()
    failed = run("capture", "--spool", cwd=repository, status=1)
    assert "gitmem.lock exists" in failed.stderr
    assert "gitmem.lock exists" in (spool / "failure").read_text()
    assert list(spool.glob("*.taken")), "what was to be committed, and was not"
    lock.unlink()
    assert len(drain()) == 1


def test_what_is_no_memory_leaves_the_events(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    git("branch", "gitmem", cwd=repository)
    git.commit(repository, "b.txt")
    before = waiting(spool)
    assert "gitmem did not write it" in run("capture", "--spool", cwd=repository, status=1).stderr
    assert waiting(spool) == before


def test_a_transcript_that_is_refused_keeps_none_from_others(
    git: RealGit, repository: Path, home: Path, drain: Drain, say: Say
) -> None:
    say("one", 4)
    bad = home / ".claude/projects/p/bad.jsonl"
    bad.write_bytes(
        b'{"sessionId":"' + b"x" * 100_000 + b'","cwd":"' + os.fsencode(repository) + b'","type":"user"}\n'
    )
    git.commit(repository, "b.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [4]


def test_a_repository_without_a_memory_gets_one(
    git: RealGit, repository: Path, drain: Drain, run: CommandLine
) -> None:
    git.commit(repository, "b.txt")
    assert len(drain()) == 1
    hold(git, run, repository)


def test_a_clone_takes_over_the_memory_that_came_with_it(
    git: RealGit, repository: Path, drain: Drain, run: CommandLine, tmp_path: Path
) -> None:
    git.commit(repository, "b.txt")
    drain()
    clone = tmp_path / "clone"
    git("clone", "-q", str(repository), str(clone), cwd=tmp_path)
    stubs.install(clone)
    git.commit(clone, "c.txt")
    run("capture", "--spool", cwd=clone)
    assert len(recorded(clone)) == 2
    hold(git, run, clone)


def test_a_bare_repository_is_pushed_from(
    git: RealGit, repository: Path, tmp_path: Path, run: CommandLine
) -> None:
    bare = tmp_path / "bare.git"
    git("clone", "-q", "--bare", str(repository), str(bare), cwd=tmp_path)
    stubs.install(bare, bare)
    hub = tmp_path / "hub.git"
    git("init", "-q", "--bare", str(hub), cwd=tmp_path)
    git("push", "-q", str(hub), "main", cwd=bare)
    run("capture", "--spool", cwd=bare)
    [made] = recorded(bare)
    assert made.trigger == "pre-push"
    assert made.head == git("rev-parse", "main", cwd=bare)


def test_a_submodule_has_a_memory_of_its_own(
    git: RealGit, repository: Path, tmp_path: Path, run: CommandLine, say: Say
) -> None:
    outer = tmp_path / "outer"
    git("init", "-q", str(outer), cwd=tmp_path)
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "inner", cwd=outer)
    inner = outer / "inner"
    stubs.install(inner, outer / ".git/modules/inner")
    say("inner", 4, cwd=inner)
    commit = git.commit(inner, "b.txt")
    run("capture", "--spool", cwd=inner)
    [made] = recorded(inner)
    assert made.head == commit
    assert [one.lines for one in made.positions] == [4]
    assert "gitmem" not in git("for-each-ref", cwd=outer)


def test_a_drain_that_is_started_in_the_git_directory_knows_the_working_tree(
    git: RealGit, repository: Path, run: CommandLine, say: Say, spool: Path
) -> None:
    say("one", 4)
    git.commit(repository, "b.txt")
    run("capture", "--spool", cwd=spool)
    [made] = recorded(repository)
    assert [one.lines for one in made.positions] == [4]


def test_an_empty_spool_and_none_at_all(run: CommandLine, repository: Path) -> None:
    assert run("capture", "--spool", cwd=repository).stdout == "0 checkpoints\n"
    stubs.make_spool(repository / ".git")
    assert run("capture", "--spool", cwd=repository).stdout == "0 checkpoints\n"


def test_secrets_in_paths_and_branches_are_redacted(
    git: RealGit, repository: Path, drain: Drain, run: CommandLine
) -> None:
    secret = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    git("checkout", "-q", "-b", f"try-{secret}", cwd=repository)
    git.commit(repository, f"{secret}.txt")
    made = drain()
    assert all(secret not in str(one) for one in made)
    assert "[gm:" in (made[-1].branch or "")
    assert "[gm:" in made[-1].changes[0].path


def test_what_cannot_even_be_set_aside_keeps_none_from_others(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    (spool / "a.event").write_bytes(b"no event")
    (spool / "a.bad").mkdir()
    git.commit(repository, "b.txt")
    assert "a.event" in run("capture", "--spool", cwd=repository, status=1).stderr
    assert len(recorded(repository)) == 1
    assert waiting(spool) == ["a.event"]


def test_a_repository_that_was_moved_has_its_commits_told(
    git: RealGit, repository: Path, run: CommandLine, spool: Path, say: Say
) -> None:
    say("one", 4)
    commit = git.commit(repository, "b.txt")
    moved = repository.rename(repository.with_name("moved"))
    run("capture", "--spool", cwd=moved)
    [made] = recorded(moved)
    assert made.head == commit
    assert [one.lines for one in made.positions] == [4]


def test_a_spool_that_is_removed_meanwhile_does_not_come_back(
    git: RealGit, repository: Path, run: CommandLine, spool: Path
) -> None:
    run("init", "--no-hooks", cwd=repository)
    git.commit(repository, "b.txt")
    gone = spool.with_name("gone")

    def disable(effect: disk.Effect, path: Path) -> None:
        if effect == "move ref" and spool.exists():
            spool.rename(gone)

    with disk.observe(disable):
        kill_everywhere.take_at(repository)
    assert not spool.exists()
    assert len(recorded(repository)) == 1
