"""Which level a session gets as it is captured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.importing import samples
from tests.levels.conftest import Say, levels_in
from tests.transcripts.test_aider import run as aider_run


def capture(run: CommandLine, where: Path, *paths: Path) -> None:
    run("import", *map(str, paths), cwd=where)


def test_a_session_is_the_teams_unless_something_says_otherwise(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    capture(run, remembering, say("plain", ["mend the tide table", "done"]))
    assert levels_in(run, remembering) == {"plain": "team"}


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (["gitmem:private mend the tide table"], "private"),
        (["mend it", "done", "gitmem:private, and the next one"], "private"),
        (["(gitmem:private) mend it"], "private"),
        (["gitmem:private", "gitmem:ephemeral"], "private"),
        (["what does `gitmem:private` do?"], "team"),
        (["```\ngitmem:private\n```\nexplain this"], "team"),
        (["see xgitmem:private or gitmem:privately"], "team"),
        (["mend it", "gitmem:private is a marker"], "team"),
    ],
    ids=["first", "later", "in brackets", "agent's do not count", "code", "block", "parts", "answer"],
)
def test_a_marker_counts_where_a_person_said_it(
    run: CommandLine, remembering: Path, say: Say, said: Sequence[str], level: str
) -> None:
    capture(run, remembering, say("marked", said))
    assert levels_in(run, remembering) == {"marked": level}


def test_what_a_tool_printed_is_no_marker(run: CommandLine, remembering: Path, tmp_path: Path) -> None:
    row = samples.line(
        2,
        message={
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t-1", "content": "gitmem:private gitmem:ephemeral"}
            ],
        },
    )
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 2) + row)
    capture(run, remembering, path)
    assert set(levels_in(run, remembering).values()) == {"team"}


def test_rules_for_agents_and_folders_hold(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    (remembering / "infra/prod").mkdir(parents=True)
    git("config", "gitmem.path.infra.level", "private", cwd=remembering)
    git("config", "gitmem.agent.codex.level", "private", cwd=remembering)
    below = say("below", ["mend it"], cwd=str(remembering / "infra/prod"))
    beside = say("beside", ["mend it"], cwd=str(remembering))
    codex = samples.write(below.parent / "codex.jsonl", samples.codex(4, "c41d"))
    capture(run, remembering, below, beside, codex)
    assert levels_in(run, remembering) == {"below": "private", "beside": "team", "c41d": "private"}


def test_a_log_in_a_working_tree_has_the_level_that_sessions_have_there(
    run: CommandLine, remembering: Path, git: RealGit, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", str(linked), cwd=remembering)
    (linked / ".gitmem.toml").write_text('level = "ephemeral"\n')
    git("config", f"gitmem.path.{remembering}.level", "private", cwd=remembering)
    (remembering / ".aider.chat.history.md").write_bytes(aider_run("08:00:00", "#### ebb  "))
    (linked / ".aider.chat.history.md").write_bytes(aider_run("09:00:00", "#### flow  "))
    run("capture", cwd=remembering)
    assert levels_in(run, remembering) == {"2026-05-08T08-00-00": "private"}


def test_a_committed_file_lowers_and_never_raises(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    (remembering / ".gitmem.toml").write_text('[agents]\ngeneric = "team"\n')
    git("config", "gitmem.level", "private", cwd=remembering)
    capture(run, remembering, say("a", ["mend it"], cwd=str(remembering)))
    assert levels_in(run, remembering) == {"a": "private"}
    git("config", "--unset", "gitmem.level", cwd=remembering)
    (remembering / ".gitmem.toml").write_text('[agents]\ngeneric = "private"\n')
    capture(run, remembering, say("b", ["mend it"], cwd=str(remembering)))
    assert levels_in(run, remembering) == {"a": "private", "b": "private"}


def test_a_session_that_once_was_lower_stays_so_when_settings_change(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    git("config", "gitmem.level", "private", cwd=remembering)
    capture(run, remembering, say("a", ["mend it"]))
    git("config", "--unset", "gitmem.level", cwd=remembering)
    capture(run, remembering, say("a", ["mend it", "done", "and the other"]))
    assert levels_in(run, remembering) == {"a": "private"}
    shown = run("show", "generic/a", cwd=remembering).stdout
    assert "and the other" in shown


def test_a_persons_word_holds_against_rules_and_markers(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    capture(run, remembering, say("a", ["gitmem:private mend it"]))
    run("level", "generic/a", "team", "--yes", cwd=remembering)
    git("config", "gitmem.level", "private", cwd=remembering)
    capture(run, remembering, say("a", ["gitmem:private mend it", "done", "gitmem:private go on"]))
    assert levels_in(run, remembering) == {"a": "team"}
    assert "go on" in run("show", "generic/a", cwd=remembering).stdout


def test_what_is_ephemeral_is_not_taken_in(run: CommandLine, remembering: Path, say: Say) -> None:
    path = say("gone", ["gitmem:ephemeral mend the sluice"])
    told = json.loads(run("import", "--json", str(path), cwd=remembering).stdout)
    assert told["levels"]["ephemeral"] == ["generic/gone"]
    assert levels_in(run, remembering) == {}
    path = say("gone", ["gitmem:ephemeral mend the sluice", "done", "and more"])
    run("import", str(path), cwd=remembering)
    assert levels_in(run, remembering) == {}


def test_a_subagent_has_its_sessions_level(run: CommandLine, remembering: Path, tmp_path: Path) -> None:
    marked = samples.line(0, message={"role": "user", "content": "gitmem:private mend it"})
    folder = tmp_path / "project"
    samples.write(folder / f"{samples.NAME}.jsonl", marked + samples.lines(1, 4))
    sub = samples.line(0, isSidechain=True, agentId="7b") + samples.line(1, isSidechain=True, agentId="7b")
    samples.write(folder / f"{samples.NAME}/subagents/agent-7b.jsonl", sub)
    run("import", str(folder), cwd=remembering)
    assert set(levels_in(run, remembering).values()) == {"private"}
    assert "agent-7b" in json.dumps(json.loads(run("sessions", "--json", cwd=remembering).stdout))


def test_levels_that_cannot_be_read_end_the_capture(run: CommandLine, remembering: Path, say: Say) -> None:
    capture(run, remembering, say("a", ["gitmem:private mend it"]))
    (remembering / ".git/gitmem/levels").write_text("{")
    failed = run("import", str(say("b", ["mend it"])), cwd=remembering, status=1)
    assert "could not read which sessions are private" in failed.stderr
    assert levels_in(run, remembering) == {"a": "private"}
