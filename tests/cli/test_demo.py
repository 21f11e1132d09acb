"""The demonstration plays the whole round, and leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.conftest import CommandLine


def snapshot(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_demo_plays_to_its_end_and_leaves_nothing(run: CommandLine, tmp_path: Path, home: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = snapshot(home)
    played = run("demo", cwd=tmp_path, environ={"TMPDIR": str(temporary)})
    assert played.stderr == ""
    assert "redacted: 1 github-token" in played.stdout
    assert "[gm:github-token:" in played.stdout
    assert "ghp_" not in played.stdout
    assert "Took over the memory of origin: 2 sessions" in played.stdout
    assert "1 checkpoint of what hooks had left" in played.stdout
    assert "known by the checkpoint of the commit (" in played.stdout
    assert "  > Add one then. Default to local time so that nothing else changes." in played.stdout
    digest, recalled = played.stdout.split("grace$ gitmem digest")[1].split("grace$ gitmem recall")
    assert "| A gauge is read in its own zone, else in local time." in digest
    assert '"The tide table for Saint-Malo' in digest
    assert "| The tide table for Saint-Malo is an hour late since Sunday." in recalled
    assert "all holds: 3 sessions" in played.stdout
    assert "That was the whole round" in played.stdout
    assert snapshot(temporary) == set()
    assert snapshot(home) == before


def test_the_demo_works_inside_of_a_repository_and_its_hooks(
    run: CommandLine, repository: Path, tmp_path: Path
) -> None:
    environ = {"GIT_DIR": str(repository / ".git"), "GIT_INDEX_FILE": str(repository / ".git" / "index")}
    before = snapshot(repository)
    run("demo", cwd=repository, environ={**environ, "GITMEM_REF": "refs/gitmem/team"})
    assert snapshot(repository) == before


def test_the_demo_reads_no_agents_folder_that_the_environment_names(run: CommandLine, tmp_path: Path) -> None:
    environ = {name: str(tmp_path / "mine") for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME")}
    played = run("demo", cwd=tmp_path, environ=environ)
    assert "2 new sessions, 0 grown" in played.stdout
    assert not (tmp_path / "mine").exists()


def test_the_demo_can_be_kept_to_look_around_in(run: CommandLine, tmp_path: Path) -> None:
    played = run("demo", "--keep", cwd=tmp_path, environ={"TMPDIR": str(tmp_path)})
    place = Path(played.stdout.rstrip().rpartition("cd ")[2])
    assert place.parent == tmp_path
    listed = run("sessions", cwd=place / "ada", environ=dict(os.environ)).stdout
    assert [listed.count(ago) for ago in ("5 min ago", "20 min ago", "1 d ago")] == [1, 1, 1]
    assert tempfile.gettempdir() != str(tmp_path)
