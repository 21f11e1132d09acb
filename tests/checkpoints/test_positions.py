"""How far which sessions had come at a checkpoint: right away, and long after."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from gitmem.checkpoints.underway import Underway
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.verbs.scanning import scan
from tests.checkpoints import stubs
from tests.checkpoints.conftest import REF, Drain, Say
from tests.conftest import CommandLine, RealGit
from tests.importing import samples

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS


def stamp(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def head(git: RealGit, repository: Path) -> str:
    return git("rev-parse", "HEAD", cwd=repository)


def lines_of(made: object) -> dict[str, int]:
    return {one.stream: one.lines for one in made.positions}  # type: ignore[attr-defined]


def test_two_sessions_under_way_are_both_told(drain: Drain, git: RealGit, repository: Path, say: Say) -> None:
    say("older", 6)
    say("newer", 2)
    git.commit(repository, "b.txt")
    [made] = drain()
    assert sorted(one.lines for one in made.positions) == [2, 6]


def test_a_session_that_rests_since_the_last_commit_is_not_told(
    drain: Drain, git: RealGit, repository: Path, say: Say
) -> None:
    path = say("resting", 6)
    then = time.time_ns() - 2 * DAY_NS
    os.utime(path, ns=(then, then))
    say("under way", 2)
    git.commit(repository, "b.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [2]


def test_one_that_was_written_after_the_last_commit_is_told_however_long_ago_that_was(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    now = time.time_ns()
    stubs.leave(spool, "post-commit", cwd=repository, head=head(git, repository), at_ns=now - 9 * DAY_NS)
    drain()
    path = say("slow", 4)
    os.utime(path, ns=(now - 5 * DAY_NS, now - 5 * DAY_NS))
    git.commit(repository, "b.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [4]


def test_one_of_long_ago_that_was_copied_here_since_is_not_told(
    drain: Drain, git: RealGit, repository: Path, say: Say
) -> None:
    say("restored", 6, timestamp=stamp(time.time_ns() - 90 * DAY_NS))
    say("under way", 2)
    git.commit(repository, "b.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [2]


def test_a_late_drain_counts_the_turns_that_had_been_said(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    now = time.time_ns()
    for n in range(10):
        say("one", 1, timestamp=stamp(now - (10 - n) * HOUR_NS))
    say("later", 3, timestamp=stamp(now - HOUR_NS))
    for hours in (12, 6, 2):
        at = now - hours * HOUR_NS + MINUTE_NS
        stubs.leave(spool, "post-commit", cwd=repository, head=head(git, repository), at_ns=at)
    assert [[one.lines for one in made.positions] for made in drain()] == [[], [5], [9]]


def test_a_subagents_stream_is_told_beside_its_session(
    drain: Drain, git: RealGit, repository: Path, home: Path, say: Say
) -> None:
    say("main", 4)
    side = b"".join(
        samples.line(
            n, "main", cwd=str(repository), isSidechain=True, agentId="ab12", timestamp=samples.now()
        )
        for n in range(3)
    )
    samples.write(home / ".claude/projects/p/main/subagents/agent-ab12.jsonl", side)
    git.commit(repository, "b.txt")
    [made] = drain()
    assert len({one.session for one in made.positions}) == 1
    assert sorted(lines_of(made).values()) == [3, 4]
    assert "" in lines_of(made)


def test_no_more_than_64_sessions_are_told_the_newest(
    drain: Drain, git: RealGit, repository: Path, say: Say
) -> None:
    now = time.time_ns()
    for n in range(70):
        path = say(f"session-{n}", 1 + n)
        os.utime(path, ns=(now - n * MINUTE_NS, now - n * MINUTE_NS))
    git.commit(repository, "b.txt")
    [made] = drain()
    assert sorted(one.lines for one in made.positions) == list(range(1, 65))


def test_a_commit_and_a_push_within_one_turn_stand_at_the_same_line(
    drain: Drain, git: RealGit, repository: Path, say: Say, tmp_path: Path
) -> None:
    hub = tmp_path / "hub.git"
    git("init", "-q", "--bare", str(hub), cwd=tmp_path)
    git("remote", "add", "origin", str(hub), cwd=repository)
    say("one", 5)
    git.commit(repository, "b.txt")
    git("push", "-q", "origin", "main", cwd=repository)
    made = drain()
    assert [one.trigger for one in made] == ["post-commit", "pre-push"]
    assert made[0].positions == made[1].positions != ()


def test_a_line_that_is_not_finished_has_not_been_reached(
    drain: Drain, git: RealGit, repository: Path, say: Say
) -> None:
    with say("one", 4).open("ab") as file:
        file.write(b'{"type":"user","mess')
    git.commit(repository, "b.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [4]


def test_what_stands_in_the_memory_is_what_is_counted(
    drain: Drain, git: RealGit, repository: Path, say: Say, run: CommandLine
) -> None:
    path = say("one", 4)
    run("init", cwd=repository)
    git("update-ref", "refs/heads/gitmem", "refs/heads/gitmem~1", cwd=repository)
    path.write_bytes(b"{")
    git.commit(repository, "b.txt")
    [made] = drain()
    assert made.positions == (), "the memory was set back, and knows no session"


def test_a_memory_that_was_set_back_gets_again_what_has_not_grown_since(
    drain: Drain, git: RealGit, repository: Path, say: Say, run: CommandLine
) -> None:
    say("one", 4)
    run("init", cwd=repository)
    before = git("rev-parse", "refs/heads/gitmem", cwd=repository)
    say("two", 6)
    git.commit(repository, "b.txt")
    drain()
    git("update-ref", "refs/heads/gitmem", before, cwd=repository)
    git.commit(repository, "c.txt")
    assert {one.lines for one in drain()[-1].positions} == {4, 6}
    git("update-ref", "refs/heads/gitmem", f"{before}~1", cwd=repository)
    assert "10 lines" in run("capture", cwd=repository).stdout
    assert run("capture", "--json", cwd=repository).stdout == run("capture", "--json", cwd=repository).stdout


def test_what_was_said_between_a_commit_and_its_drain_is_behind_it(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    now = time.time_ns()
    say("short", 3, timestamp=stamp(now - 60 * 10**9))
    say("long", 40, timestamp=stamp(now - 60 * 10**9), pad="x" * 50_000)
    commit = git.commit(repository, "b.txt")
    for path in spool.glob("*.event"):
        os.utime(path, ns=(now - 3 * 10**9, now - 3 * 10**9))
    say("short", 2, timestamp=stamp(now))
    say("long", 2, timestamp=stamp(now), pad="x" * 50_000)
    [made] = drain()
    assert made.head == commit
    assert sorted(one.lines for one in made.positions) == [3, 40]


def test_a_picture_that_was_said_after_a_commit_hides_nothing_that_was_said_before(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    now = time.time_ns()
    say("one", 30, timestamp=stamp(now - 60 * 10**9), pad="x" * 30_000)
    git.commit(repository, "b.txt")
    for path in spool.glob("*.event"):
        os.utime(path, ns=(now - 3 * 10**9, now - 3 * 10**9))
    say("one", 1, timestamp=stamp(now), pad="x" * 600_000)
    say("one", 2, timestamp=stamp(now))
    [made] = drain()
    assert [one.lines for one in made.positions] == [30]


def test_what_was_taken_in_since_a_transcript_was_found_is_behind_the_commit(
    repository: Path, say: Say, run: CommandLine, home: Path, environ: Mapping[str, str]
) -> None:
    now = time.time_ns()
    say("one", 4, timestamp=stamp(now - MINUTE_NS))
    git = Git(environ)
    at = discover(repository, git)
    found = scan(at.state_dir, [repository], home, environ, now).ours
    say("one", 3, timestamp=stamp(now + 10**9))
    run("init", "--no-hooks", cwd=repository)
    with closing(open_storage(at, git)) as storage:
        underway = Underway(at.state_dir, open_memory(storage, REF), found)
        at_ms = found[0].mtime_ns // 1_000_000 + 1
        [position] = underway.positions(repository, at_ms, at_ms - 1_000, at_ms + 2_000)
    assert position.lines == 4


def test_a_session_of_a_working_tree_inside_that_is_gone_is_not_the_outer_ones(
    drain: Drain, git: RealGit, repository: Path, say: Say
) -> None:
    inner = repository / ".claude/worktrees/inner"
    git("worktree", "add", "-q", "-b", "inner", str(inner), cwd=repository)
    say("inner", 4, cwd=inner)
    git.commit(inner, "b.txt")
    drain()
    git("worktree", "remove", str(inner), cwd=repository)
    say("outer", 6)
    git.commit(repository, "c.txt")
    [made] = drain()
    assert [one.lines for one in made.positions] == [6]
