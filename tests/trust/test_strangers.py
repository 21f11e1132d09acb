"""Whoever does not know a teammate is told that agents are not told of that teammate's sessions, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitmem.cli.strangers import Strangers, say_strangers
from gitmem.format.memory import Memory, open_memory
from gitmem.model.ids import SessionId
from gitmem.verbs import captors
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import REF, Clone
from tests.trust.test_commands import capture

GRACE = "git config --add gitmem.trust grace@example.org"


@pytest.fixture
def clone(git: RealGit, tmp_path: Path) -> Path:
    """Return Ada's repository with two sessions of hers, and a hub beside it."""
    top = tmp_path / "clone"
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("init", "--quiet", str(top), cwd=tmp_path)
    git.commit(top)
    git("remote", "add", "origin", str(tmp_path / "hub"), cwd=top)
    git("push", "--quiet", "origin", "HEAD", cwd=top)
    capture(top, "ada", "hers")
    return top


def test_status_and_doctor_say_whose_sessions_agents_are_not_told_of(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    assert "told to agents" not in run("status", cwd=clone).stdout
    assert json.loads(run("status", "--json", cwd=clone).stdout)["strangers"]["sessions"] == 0
    for name in ("one", "two"):
        capture(clone, "grace", name)
    capture(clone, "Eve", "strange")
    says = f"2 sessions by grace@example.org (unknown) are not told to agents: {GRACE}"
    status = run("status", cwd=clone).stdout
    assert says in status
    assert status.index(says) < status.index("1 session by eve@example.org (unknown) is not told to agents")
    findings = json.loads(run("doctor", "--json", cwd=clone, status=None).stdout)["findings"]
    assert ("note", says) in {(each["condition"], each["says"]) for each in findings}
    assert json.loads(run("status", "--json", cwd=clone).stdout)["strangers"] == {
        "sessions": 3,
        "authors": [
            {"author": "grace@example.org", "sessions": 2, "trust": "unknown"},
            {"author": "eve@example.org", "sessions": 1, "trust": "unknown"},
        ],
        "unlisted": 0,
    }
    git("config", "--add", "gitmem.trust", "grace@example.org", cwd=clone)
    git("config", "--add", "gitmem.distrust", "eve@example.org", cwd=clone)
    assert "told to agents" not in run("status", cwd=clone).stdout, "whoever distrusts somebody knows of it"


def test_pull_tells_of_each_stranger_once(
    run: CommandLine, git: RealGit, clone: Path, tmp_path: Path
) -> None:
    capture(clone, "grace", "one")
    Clone(clone).push()
    other = tmp_path / "other"
    git("clone", "--quiet", str(tmp_path / "hub"), str(other), cwd=tmp_path)
    init = run("init", "--share", "origin", "--no-hooks", "--no-import", "--agents", "none", cwd=other)
    assert f"1 session by grace@example.org (unknown) is not told to agents: {GRACE}" in init.stderr
    assert "told to agents" not in run("pull", cwd=other).stderr
    capture(clone, "grace", "two")
    capture(clone, "eve", "three")
    Clone(clone).push()
    pulled = run("sync", cwd=other).stderr
    assert "eve@example.org (unknown) is not told to agents" in pulled
    assert "grace" not in pulled
    assert "2 sessions by grace@example.org" in run("status", cwd=other).stdout


def test_only_an_address_that_is_nothing_else_comes_with_a_command() -> None:
    for address in ("*@example.org", "*", "-x@example.org", "a@b;id", "$(id)@example.org", "a@b\nc", ""):
        (line,) = say_strangers(Strangers(1, ((address, 1),)))
        assert "git config" not in line
        assert line.isprintable()
    many = tuple((f"p{n}@example.org", 9 - n) for n in range(5))
    lines = list(say_strangers(Strangers(30, many)))
    assert len(lines) == 4
    assert lines[3] == "and 11 sessions by 2 others: gitmem sessions marks them"


def test_table_of_captors_follows_the_memory(clone: Path, tmp_path: Path) -> None:
    def read(state_dir: Path = tmp_path / "state") -> dict[tuple[str, ...], int]:
        with Clone(clone).opened() as storage:
            memory: Memory = open_memory(storage, REF)
            rows = captors.captors(memory, state_dir)
            assert {row.session for row in rows} == {folder.session for folder in memory.folders()}
        found: dict[tuple[str, ...], int] = {}
        for row in rows:
            found[row.captured_by] = found.get(row.captured_by, 0) + 1
        return found

    assert read() == {("ada@example.org",): 1}
    capture(clone, "grace", "one")
    capture(clone, "grace", "hers")
    expected = {("ada@example.org", "grace@example.org"): 1, ("grace@example.org",): 1}
    assert read() == read() == read(tmp_path / "anew") == expected
    with Clone(clone).opened() as storage:
        gone = [folder.session for folder in open_memory(storage, REF).folders()][:1]
    assert captors.forget(tmp_path / "state", gone) == 1
    assert captors.forget(tmp_path / "state", [SessionId("none")]) == 0
