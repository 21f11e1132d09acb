"""What was lowered before it was shared never is; what was shared stays as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in
from tests.levels.test_canaries import objects

_CANARY = "canary-of-the-early-turn"
_LATER = "canary-of-the-later-turn"


@pytest.fixture
def sharing(run: CommandLine, remembering: Path, hub: Path, say: Say) -> Path:
    """Return a repository whose memory a remote has."""
    run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=remembering)
    run("import", str(say("other", ["mend the weir", "done"])), cwd=remembering)
    run("push", cwd=remembering)
    return remembering


@pytest.mark.parametrize("level", ["private", "ephemeral"])
@pytest.mark.parametrize("way", ["marker", "command"])
def test_session_that_was_lowered_before_the_push_is_nowhere_at_the_remote(
    run: CommandLine, sharing: Path, hub: Path, say: Say, git: RealGit, level: str, way: str
) -> None:
    run("import", str(say("a", [f"look at {_CANARY}", "done"])), cwd=sharing)
    run("title", "generic/a", "Of", _CANARY, cwd=sharing)
    run("import", str(say("other", ["mend the weir", "done", "and the sluice"])), cwd=sharing)
    if way == "marker":
        run("import", str(say("a", [f"look at {_CANARY}", "done", f"gitmem:{level} now"])), cwd=sharing)
    else:
        told = run("level", "generic/a", level, "--json", cwd=sharing).stdout
        assert json.loads(told)["still_in_history_of"] == []
    assert git("rev-list", "refs/heads/gitmem", "^refs/remotes/origin/gitmem", cwd=sharing)
    run("push", cwd=sharing)
    content = b"\0".join(objects(hub))
    assert _CANARY.encode() not in content
    assert b"generic/a" not in content
    other = run("show", "--raw", "generic/other", cwd=sharing).stdout
    assert "and the sluice" in other, "what was captured meanwhile of another session is there"
    assert git("rev-parse", "gitmem", cwd=hub) == git("rev-parse", "gitmem", cwd=sharing)
    expected = {"other": "team"} | ({"a": "private"} if level == "private" else {})
    assert levels_in(run, sharing) == expected
    run("verify", "--full", cwd=sharing)
    git("fsck", "--strict", cwd=hub)


def test_of_a_session_that_was_partly_shared_only_the_rest_is_taken_out(
    run: CommandLine, sharing: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    run("import", str(say("a", [f"look at {_CANARY}", "done"])), cwd=sharing)
    run("push", cwd=sharing)
    run("import", str(say("a", [f"look at {_CANARY}", "done", f"and at {_LATER}", "done"])), cwd=sharing)
    done = run("level", "generic/a", "private", cwd=sharing)
    assert "stays in refs/heads/gitmem" in done.stderr
    run("push", cwd=sharing)
    git("clone", "-q", str(hub), str(tmp_path / "other"), cwd=tmp_path)
    run("init", "--no-hooks", "--no-import", cwd=tmp_path / "other")
    there = run("show", "--raw", "generic/a", cwd=tmp_path / "other").stdout
    assert _CANARY in there
    assert _LATER not in there
    assert _LATER in run("show", "generic/a", cwd=sharing).stdout
    run("pull", cwd=sharing)
    run("verify", "--full", cwd=sharing)


def test_what_was_taken_out_can_be_raised_again(run: CommandLine, sharing: Path, say: Say) -> None:
    run("import", str(say("a", [f"look at {_CANARY}", "done"])), cwd=sharing)
    run("level", "generic/a", "private", cwd=sharing)
    run("level", "generic/a", "team", "--yes", cwd=sharing)
    run("import", str(say("a", [f"look at {_CANARY}", "done", "thanks"])), cwd=sharing)
    assert levels_in(run, sharing) == {"a": "team", "other": "team"}
    assert "thanks" in run("show", "generic/a", cwd=sharing).stdout
    run("push", cwd=sharing)
    run("verify", "--full", cwd=sharing)


def test_private_session_stays_so_where_local_state_was_lost(
    run: CommandLine, sharing: Path, say: Say
) -> None:
    run("import", str(say("a", [f"look at {_CANARY}", "done"])), cwd=sharing)
    run("level", "generic/a", "private", cwd=sharing)
    (sharing / ".git/gitmem/levels").unlink()
    run("import", str(say("a", [f"look at {_CANARY}", "done", f"and {_LATER}"])), cwd=sharing)
    assert levels_in(run, sharing) == {"a": "private", "other": "team"}
    assert _LATER.encode() not in b"\0".join(objects(sharing))
