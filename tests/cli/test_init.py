"""`init` and `capture`: a memory is started, found or taken over, and sessions of the repository come in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.importing import samples


def claude_folder(home: Path, top: Path) -> Path:
    return home / ".claude" / "projects" / str(top).replace("/", "-")


def session_in(top: Path, count: int, name: str = samples.NAME) -> bytes:
    return b"".join(samples.line(n, name, cwd=str(top)) for n in range(count))


def test_init_starts_a_memory_that_git_log_can_tell_of(
    run: CommandLine, git: RealGit, repository: Path
) -> None:
    assert "Started the memory of repository: gitmem" in run("init", cwd=repository).stdout
    assert git("log", "--format=%s", "gitmem", cwd=repository) == "Start a memory [skip ci]"
    names = git("ls-tree", "--name-only", "gitmem", cwd=repository).split()
    assert names == ["FORMAT", "README.md", "netlify.toml", "vercel.json"]
    assert git("show", "gitmem:FORMAT", cwd=repository) == "0"
    assert git("status", "--porcelain", cwd=repository) == ""


def test_init_says_with_whom_it_shares(run: CommandLine, git: RealGit, repository: Path) -> None:
    git("remote", "add", "hub", "../hub.git", cwd=repository)
    assert "Shared with hub: gitmem push" in run("init", "--share", "hub", cwd=repository).stdout
    assert "Shared with" not in run("init", cwd=repository).stdout


def test_init_again_changes_nothing(run: CommandLine, git: RealGit, repository: Path) -> None:
    run("init", cwd=repository)
    before = git("rev-parse", "gitmem", cwd=repository)
    assert "Found the memory" in run("init", cwd=repository).stdout
    assert git("rev-parse", "gitmem", cwd=repository) == before


def test_another_ref_keeps_the_branch_away(run: CommandLine, git: RealGit, repository: Path) -> None:
    git("config", "gitmem.ref", "refs/gitmem/team", cwd=repository)
    run("init", cwd=repository)
    assert git("for-each-ref", "--format=%(refname)", cwd=repository).split() == [
        "refs/gitmem/team",
        "refs/heads/main",
    ]


def test_init_takes_in_the_sessions_that_began_here_and_no_others(
    run: CommandLine, git: RealGit, home: Path, repository: Path, tmp_path: Path
) -> None:
    inner = repository / "inner"
    git("init", "--quiet", str(inner), cwd=repository)
    for n, cwd in enumerate((repository, repository / "src", inner, tmp_path / "repository-2", Path("/"))):
        content = session_in(cwd, 4, f"session-{n}")
        samples.write(claude_folder(home, cwd) / f"{n}.jsonl", content)
    run("init", cwd=repository)
    listed = json.loads(run("sessions", "--json", cwd=repository).stdout)["sessions"]
    assert sorted(s["session"] for s in listed) == ["claude-code/session-0", "claude-code/session-1"]


@pytest.mark.parametrize("options", [["--no-import"], ["--agents", "none"], ["--agents", "codex"]])
def test_init_imports_nothing_that_it_was_told_not_to(
    run: CommandLine, home: Path, repository: Path, options: list[str]
) -> None:
    samples.write(claude_folder(home, repository) / "a.jsonl", session_in(repository, 4))
    run("init", *options, cwd=repository)
    assert json.loads(run("sessions", "--json", cwd=repository, status=None).stdout)["sessions"] == []


def test_an_agent_that_nobody_knows_is_a_usage_error(run: CommandLine, repository: Path) -> None:
    failed = run("init", "--agents", "clippy", cwd=repository, status=2)
    assert "claude-code" in failed.stderr


def test_capture_takes_what_has_grown_up_to_the_last_whole_line(
    run: CommandLine, home: Path, repository: Path
) -> None:
    path = samples.write(claude_folder(home, repository) / "a.jsonl", session_in(repository, 4))
    run("init", cwd=repository)
    path.write_bytes(session_in(repository, 7) + b'{"half')
    told = json.loads(run("capture", "--json", cwd=repository).stdout)
    assert (told["lines"], len(told["grown"]), told["new"]) == (3, 1, [])
    assert run("show", "--raw", samples.NAME, cwd=repository).stdout.encode() == session_in(repository, 7)
    assert json.loads(run("capture", "--json", cwd=repository).stdout)["commits"] == []


def test_linked_worktrees_and_submodules_remember(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 6))
    run("init", cwd=repository)
    git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), cwd=repository)
    run("import", str(path), cwd=tmp_path / "side")
    assert run("show", "--raw", samples.NAME, cwd=repository).stdout.encode() == samples.lines(0, 6)
    above = tmp_path / "above"
    git("init", "--quiet", str(above), cwd=tmp_path)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "sub", cwd=above)
    # A submodule's clone has brought the memory along; its git directory stands in the superproject's.
    told = run("init", cwd=above / "sub").stdout
    assert "Took over the memory of origin: 1 session" in told
    assert run("show", "--raw", samples.NAME, cwd=above / "sub").stdout.encode() == samples.lines(0, 6)


@pytest.mark.parametrize("kind", ["sha256", "bare", "shallow", "partial"])
def test_every_kind_of_repository_makes_the_round(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path, kind: str
) -> None:
    here = tmp_path / "here"
    if kind == "sha256":
        git("init", "--quiet", "--object-format=sha256", str(here), cwd=tmp_path)
    else:
        git("config", "uploadpack.allowFilter", "true", cwd=repository)
        option = {"bare": "--bare", "shallow": "--depth=1", "partial": "--filter=blob:none"}[kind]
        git("clone", "--quiet", option, f"file://{repository}", str(here), cwd=tmp_path)
    content = samples.lines(0, 60)
    path = samples.write(tmp_path / "a.jsonl", content)
    run("init", cwd=here)
    run("import", str(path), cwd=here)
    assert run("import", str(path), "--json", cwd=here).stdout.count('"unchanged":1') == 1
    assert run("show", "--raw", samples.NAME, cwd=here).stdout.encode() == content
    assert json.loads(run("search", "--json", "tide table", cwd=here).stdout)["hits"]
    run("verify", "--full", cwd=here)
    git("fsck", "--strict", cwd=here)
