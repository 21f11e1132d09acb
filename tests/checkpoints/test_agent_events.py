"""Agents' hooks: their transcript is captured, and a checkpoint is left where something has changed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from gitmem.model.records import PathChange
from tests.checkpoints import stubs
from tests.checkpoints.conftest import Drain, Say
from tests.conftest import CommandLine, RealGit
from tests.importing import samples

HOUR_NS = 3_600_000_000_000


def said(path: Path | str | None) -> bytes:
    return json.dumps({"session_id": "x", "transcript_path": str(path) if path else None}).encode()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return a place that no agent keeps transcripts in."""
    return tmp_path / "elsewhere"


def test_the_transcript_that_is_named_is_captured(
    drain: Drain, repository: Path, spool: Path, elsewhere: Path, run: CommandLine
) -> None:
    cwd, now = str(repository / "src"), samples.now()
    content = b"".join(samples.line(n, cwd=cwd, timestamp=now) for n in range(6))
    path = samples.write(elsewhere / "t.jsonl", content)
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", given=said(path))
    [made] = drain()
    assert (made.trigger, made.tree_from) == ("stop", "index")
    assert [one.lines for one in made.positions] == [6]
    assert run("show", "--raw", f"claude-code/{samples.NAME}", cwd=repository).stdout.encode() == content


@pytest.mark.parametrize("how", ["of another repository", "of another agent", "a link", "a pipe", "missing"])
def test_a_transcript_that_is_not_ours_is_not_captured(
    drain: Drain, repository: Path, spool: Path, elsewhere: Path, run: CommandLine, how: str
) -> None:
    cwd = str(elsewhere) if how == "of another repository" else str(repository)
    path = samples.write(elsewhere / "t.jsonl", samples.line(0, cwd=cwd) + samples.line(1, cwd=cwd))
    named = path
    if how == "a link":
        named = elsewhere / "link.jsonl"
        named.symlink_to(path)
    elif how == "a pipe":
        named = elsewhere / "pipe.jsonl"
        os.mkfifo(named)
    elif how == "missing":
        named = elsewhere / "gone.jsonl"
    agent = "codex" if how == "of another agent" else "claude-code"
    stubs.leave(spool, "session-end", cwd=repository, agent=agent, given=said(named))
    [made] = drain()
    assert made.positions == ()
    assert run("sessions", "--json", cwd=repository, status=1).stdout == '{"sessions":[]}\n'


def test_a_stop_leaves_a_checkpoint_only_where_something_has_changed(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    say("one", 2)
    git.commit(repository, "b.txt")
    drain()
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", branch="refs/heads/main")
    assert drain() == []
    (repository / "b.txt").write_text("one\nstaged\n")
    git("add", ".", cwd=repository)
    index = (repository / ".git/index").read_bytes()
    loose = set((repository / ".git/objects").glob("??/*"))
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", branch="refs/heads/main")
    [made] = drain()
    assert made.tree_from == "index"
    assert made.changes == (PathChange("b.txt", 1, 0),)
    assert (repository / ".git/index").read_bytes() == index
    assert set((repository / ".git/objects").glob("??/*")) == loose
    assert made.tree == git("write-tree", cwd=repository)
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", branch="refs/heads/main")
    stubs.leave(spool, "session-start", cwd=repository, agent="claude-code", branch="refs/heads/main")
    assert drain() == []


def test_an_end_of_a_session_is_told_where_it_has_grown(
    drain: Drain, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    say("one", 2)
    git.commit(repository, "b.txt")
    drain()
    stubs.leave(spool, "session-end", cwd=repository, agent="claude-code", branch="refs/heads/main")
    assert drain() == []
    path = say("one", 2)
    given = said(path)
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", branch="refs/heads/main", given=given)
    assert drain() == []
    stubs.leave(
        spool, "session-end", cwd=repository, agent="claude-code", branch="refs/heads/main", given=given
    )
    [made] = drain()
    assert (made.trigger, [one.lines for one in made.positions]) == ("session-end", [4])


def test_an_agent_below_the_root_is_in_its_working_tree(
    drain: Drain, repository: Path, spool: Path, say: Say
) -> None:
    (repository / "src/deep").mkdir(parents=True)
    say("one", 2, cwd=repository / "src")
    stubs.leave(
        spool, "session-start", cwd=repository / "src/deep", git_dir="../../.git", agent="claude-code"
    )
    [made] = drain()
    assert [one.lines for one in made.positions] == [2]
    assert made.branch == "main", "asked of git, since the stub did not say"


def test_an_agent_of_long_ago_is_told_by_its_commit(
    drain: Drain, git: RealGit, repository: Path, spool: Path
) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    at = time.time_ns() - HOUR_NS
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", head=first, at_ns=at)
    (repository / "a.txt").write_text("staged since")
    git("add", ".", cwd=repository)
    [made] = drain()
    assert (made.tree_from, made.changes) == ("commit", ())
    assert made.tree == git("rev-parse", "HEAD^{tree}", cwd=repository)


def test_conflicts_have_no_tree(drain: Drain, git: RealGit, repository: Path, spool: Path) -> None:
    git("checkout", "-q", "-b", "side", cwd=repository)
    git.commit(repository, "a.txt", "side\n")
    git("checkout", "-q", "main", cwd=repository)
    git.commit(repository, "a.txt", "main\n")
    drain()
    merged = subprocess.run(["git", "merge", "-q", "side"], cwd=repository, capture_output=True)
    assert merged.returncode == 1
    stubs.leave(spool, "stop", cwd=repository, agent="claude-code", branch="refs/heads/main")
    [made] = [one for one in drain() if one.trigger == "stop"]
    assert made.tree is None
