"""Copies of a session at other levels are found whatever became of them before."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in


def sessions_at(git: RealGit, where: Path, ref: str) -> list[str]:
    """Return the paths of sessions' own records in a memory."""
    paths = git("ls-tree", "-r", "--name-only", ref, cwd=where).split()
    return [path for path in paths if path.endswith("/session")]


def test_a_copy_that_was_published_again_after_it_was_erased_goes_too(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    run("forget", "--now", "generic/a", "--level", "public", cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    assert len(sessions_at(git, remembering, "refs/gitmem/public")) == 1
    answer = json.loads(run("forget", "--now", "generic/a", "--json", cwd=remembering).stdout)
    assert sorted(answer["sessions"][0]["ids"]) == ["public", "team"]
    assert sessions_at(git, remembering, "refs/gitmem/public") == []
    assert levels_in(run, remembering) == {"b": "team"}


def test_a_copy_that_was_published_again_after_it_was_erased_is_withdrawn(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    for _ in range(2):
        run("level", "generic/a", "public", "--yes", cwd=remembering)
        run("forget", "--now", "generic/a", "--level", "public", cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    run("level", "generic/a", "team", cwd=remembering)
    assert sessions_at(git, remembering, "refs/gitmem/public") == []
    assert levels_in(run, remembering) == {"a": "team"}


def test_a_session_that_goes_on_as_its_next_incarnation_keeps_its_public_copy_in_reach(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    source = say("a", ["mend it"])
    run("import", str(source), cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    run("forget", "--now", "generic/a", "--level", "team", cwd=remembering)
    run("import", "--again", str(source), cwd=remembering)
    assert len(sessions_at(git, remembering, "refs/gitmem/public")) == 1
    assert levels_in(run, remembering).keys() == {"a"}
    answer = json.loads(run("forget", "--now", "generic/a", "--json", cwd=remembering).stdout)
    assert sorted(answer["sessions"][0]["ids"]) == ["public", "team"]
    assert sessions_at(git, remembering, "refs/gitmem/public") == []
    assert sessions_at(git, remembering, "gitmem") == []


def test_who_made_a_copy_public_is_told_when_others_erase_the_session(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    run("import", str(say("a", ["mend it"])), str(say("b", ["leave it"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    other = tmp_path / "other"
    git("clone", "-q", str(hub), str(other), cwd=tmp_path)
    run("init", "--no-hooks", "--no-import", cwd=other)
    run("level", "generic/a", "public", "--yes", cwd=other)
    run("forget", "--now", "generic/a", cwd=remembering)
    run("push", "origin", cwd=remembering)
    told = run("pull", "origin", cwd=other).stderr
    assert "generic/a was erased, and its public copy was not: gitmem forget --now generic/a" in told
    run("forget", "--now", "generic/a", cwd=other)
    assert levels_in(run, other) == {"b": "team"}
    assert sessions_at(git, other, "refs/gitmem/public") == []
