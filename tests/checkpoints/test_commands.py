"""`gitmem checkpoint`, `log --checkpoints` and `show CHECKPOINT`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.checkpoints import stubs
from tests.checkpoints.conftest import Say, hold, recorded
from tests.conftest import CommandLine, RealGit
from tests.importing import samples


def test_a_checkpoint_is_made_now_after_what_waits(
    run: CommandLine, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    say("one", 4)
    git.commit(repository, "b.txt")
    (repository / "c.txt").write_text("1\n2\n")
    git("add", ".", cwd=repository)
    loose = set((repository / ".git/objects").glob("??/*"))
    name = run("checkpoint", "-m", "before\nthe storm", cwd=repository).stdout.strip()
    first, made = recorded(repository)
    assert first.trigger == "post-commit"
    assert (made.trigger, made.tree_from, made.message) == ("manual", "index", "before\nthe storm")
    assert [(one.path, one.added) for one in made.changes] == [("c.txt", 2)]
    assert [one.lines for one in made.positions] == [4]
    assert set((repository / ".git/objects").glob("??/*")) == loose
    assert made.tree == git("write-tree", cwd=repository)
    shown = json.loads(run("show", name, "--json", cwd=repository).stdout)
    assert shown["checkpoint"] == name
    assert shown["sessions"] == [{"session": "claude-code/one", "id": made.positions[0].session}]
    assert list(spool.glob("*.event")) == []
    hold(git, run, repository)


def test_a_checkpoint_is_made_however_little_has_changed(run: CommandLine, repository: Path) -> None:
    names = {run("checkpoint", cwd=repository).stdout.strip() for _ in range(2)}
    assert len(names) == 2
    assert json.loads(run("checkpoint", "--json", cwd=repository).stdout)["trigger"] == "manual"
    assert len(recorded(repository)) == 3


def test_a_repository_without_a_commit_or_a_working_tree_has_checkpoints_too(
    run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    unborn, bare = tmp_path / "unborn", tmp_path / "bare.git"
    git("init", "-q", str(unborn), cwd=tmp_path)
    git("init", "-q", "--bare", str(bare), cwd=tmp_path)
    (unborn / "a").write_text("1\n")
    git("add", ".", cwd=unborn)
    for at in (unborn, bare):
        run("checkpoint", cwd=at)
    [made] = recorded(unborn)
    assert (made.head, made.branch) == (None, "main")
    assert [one.path for one in made.changes] == ["a"]
    [made] = recorded(bare)
    assert (made.head, made.tree) == (None, None)


def test_a_message_is_bounded_and_redacted(run: CommandLine, repository: Path) -> None:
    failed = run("checkpoint", "-m", "x" * 5_000, cwd=repository, status=2)
    assert "4,096" in failed.stderr
    secret = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    run("checkpoint", "-m", f"with {secret}", cwd=repository)
    [made] = recorded(repository)
    assert made.message.startswith("with [gm:")


def test_a_message_that_is_no_utf8_is_kept_as_far_as_it_is(run: CommandLine, repository: Path) -> None:
    run("checkpoint", "-m", "caf\udce9", cwd=repository)
    [made] = recorded(repository)
    assert made.message == "caf\\xe9"


def test_checkpoints_are_listed_the_newest_first(
    run: CommandLine, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    say("one", 4)
    commits = [git.commit(repository, "b.txt", f"{n}\n") for n in range(3)]
    run("capture", "--spool", cwd=repository)
    found = json.loads(run("log", "--checkpoints", "--json", cwd=repository).stdout)["checkpoints"]
    assert [one["head"] for one in found] == list(reversed(commits))
    assert all(one["sessions"][0]["session"] == "claude-code/one" for one in found)
    shown = run("log", "--checkpoints", "--limit", "2", cwd=repository).stdout
    assert shown.count("post-commit main at") == 2
    assert shown.count("claude-code/one") == 2
    assert shown.count("    write b.txt\n") == 2
    assert run("log", "--checkpoints", "-n", "2", cwd=repository).stdout == shown
    assert found[0]["checkpoint"][:12] in shown


def test_a_list_is_told_by_short_names_and_by_what_was_said(
    run: CommandLine, repository: Path, spool: Path, say: Say
) -> None:
    say("0b2c6f1e-1111-4c39-9a61-3f1f0d7f1a10", 2)
    run("checkpoint", "-m", "before the storm", cwd=repository)
    shown = run("log", "--checkpoints", cwd=repository).stdout.splitlines()
    assert shown[1:] == ["    before the storm", "    claude-code/0b2c6f1e"]


def test_sessions_that_have_grown_come_first_in_a_list(
    run: CommandLine, repository: Path, spool: Path, say: Say
) -> None:
    for name in ("one", "two", "three", "four", "five"):
        say(name, 2)
    run("checkpoint", cwd=repository)
    listed = run("log", "--checkpoints", cwd=repository).stdout
    assert listed.endswith(" and 2 more\n")
    for name in ("one", "two", "three", "four", "five"):
        say(name, 4)
        run("checkpoint", cwd=repository)
        shown = run("log", "--checkpoints", "-n", "1", cwd=repository).stdout.splitlines()
        assert shown[-1].startswith(f"    claude-code/{name}, ")


def test_where_there_is_no_checkpoint_the_list_says_so_by_its_code(
    run: CommandLine, repository: Path
) -> None:
    run("init", "--no-hooks", "--no-import", cwd=repository)
    assert run("log", "--checkpoints", cwd=repository, status=1).stdout == ""
    told = run("log", "--checkpoints", "--json", cwd=repository, status=1).stdout
    assert json.loads(told) == {"checkpoints": []}


def test_a_checkpoint_is_shown_to_people(
    run: CommandLine, git: RealGit, repository: Path, spool: Path, say: Say
) -> None:
    say("one", 4)
    git.commit(repository, "b.txt", "1\n2\n")
    git("commit", "-q", "--amend", "-m", "better", cwd=repository)
    (repository / "image").write_bytes(bytes(300))
    git("add", ".", cwd=repository)
    run("checkpoint", "-m", "two\nlines", cwd=repository)
    found = json.loads(run("log", "--checkpoints", "--json", cwd=repository).stdout)["checkpoints"]
    by_trigger = {one["trigger"]: run("show", one["checkpoint"][:12], cwd=repository).stdout for one in found}
    assert "+2  -0  b.txt" in by_trigger["post-commit"]
    assert "claude-code/one" in by_trigger["post-commit"]
    assert "became" in by_trigger["post-rewrite"]
    assert "    two\n    lines\n" in by_trigger["manual"]
    assert "of what was staged" in by_trigger["manual"]
    assert "?  ?  image" in by_trigger["manual"]


def test_nothing_of_a_checkpoint_acts_on_a_terminal(
    run: CommandLine, git: RealGit, repository: Path, spool: Path
) -> None:
    git("checkout", "-q", "-b", "b\u202eranch", cwd=repository)
    git.commit(repository, "a\x1b[31m\nb.txt")
    name = run("checkpoint", "-m", "\x1b]0;title\x07 \u202e", cwd=repository).stdout.strip()
    shown = run("log", "--checkpoints", cwd=repository).stdout + run("show", name, cwd=repository).stdout
    for one in json.loads(run("log", "--checkpoints", "--json", cwd=repository).stdout)["checkpoints"]:
        shown += run("show", one["checkpoint"], cwd=repository).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown


def test_a_name_that_is_unknown_or_fits_several_lists_those_that_may_be_meant(
    run: CommandLine, git: RealGit, repository: Path, spool: Path
) -> None:
    head = git("rev-parse", "HEAD", cwd=repository)
    names: dict[str, str] = {}
    for n in range(600):
        stubs.leave(spool, "post-commit", cwd=repository, head=head, at_ns=10**18 + n * 10**9)
    run("capture", "--spool", cwd=repository)
    found = json.loads(run("log", "--checkpoints", "--json", cwd=repository).stdout)["checkpoints"]
    for one in found:
        names.setdefault(one["checkpoint"][:4], one["checkpoint"])
    unknown = next(f"{n:04x}" for n in range(65536) if f"{n:04x}" not in names)
    failed = run("show", unknown, cwd=repository, status=1).stderr
    assert f"could not find checkpoint {unknown}" in failed
    assert found[0]["checkpoint"][:12] in failed
    several = [one["checkpoint"] for one in found if names[one["checkpoint"][:4]] != one["checkpoint"]]
    assert several, "600 names of which none begin with the same four digits"
    failed = run("show", several[0][:4], cwd=repository, status=1).stderr
    assert "fit" in failed
    assert several[0][:12] in failed
    assert run("show", several[0][:12], cwd=repository).stdout.startswith(f"checkpoint {several[0]}")
    assert "could not find session" in run("show", "zzzz", cwd=repository, status=1).stderr
    run("show", "--markdown", several[0], cwd=repository, status=2)


def test_where_a_path_is_no_text_hooks_checkpoints_and_sessions_work_all_the_same(
    git: RealGit, run: CommandLine, home: Path, tmp_path: Path
) -> None:
    top = tmp_path / os.fsdecode(b"tides\xff")
    top.mkdir()
    git("init", "-q", cwd=top)
    (tmp_path / "link").symlink_to(top)
    line = samples.line(0, cwd=str(tmp_path / "link"), timestamp=samples.now())
    samples.write(home / ".claude/projects/p/a.jsonl", line)
    samples.write(home / ".claude/projects" / top.name / "b.jsonl", b"")
    run("init", "--no-hooks", cwd=top)
    stubs.install(top)
    git.commit(top)
    for _ in range(2):
        run("capture", cwd=top)
    [made] = recorded(top)
    assert [one.lines for one in made.positions] == [1]
    run("sessions", cwd=top)
    run("log", "--checkpoints", cwd=top)
    run("doctor", cwd=top, status=None)
