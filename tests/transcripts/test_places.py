"""Where transcripts are looked for."""

from __future__ import annotations

from pathlib import Path

from gitmem.transcripts.places import places, transcript_files

HOME = Path("/home/ada")


def test_places_are_below_the_home_directory() -> None:
    found = set(places(HOME, {}))
    assert all(path.is_relative_to(HOME) for _, path in found)
    assert found >= {
        ("claude-code", HOME / ".claude/projects"),
        ("codex", HOME / ".codex/sessions"),
        ("codex", HOME / ".codex/archived_sessions"),
        ("copilot-cli", HOME / ".copilot/session-state"),
        ("gemini-cli", HOME / ".gemini/tmp"),
        ("opencode", HOME / ".local/share/opencode/opencode.db"),
    }


def test_agents_own_settings_move_their_places() -> None:
    environ = {"CLAUDE_CONFIG_DIR": "/c", "CODEX_HOME": "/x", "COPILOT_HOME": "/p", "GEMINI_CLI_HOME": "/g"}
    assert set(places(HOME, environ)) >= {
        ("claude-code", Path("/c/projects")),
        ("codex", Path("/x/sessions")),
        ("codex", Path("/x/archived_sessions")),
        ("copilot-cli", Path("/p/session-state")),
        ("gemini-cli", Path("/g/.gemini/tmp")),
    }


def test_empty_setting_is_none() -> None:
    assert places(HOME, {"CLAUDE_CONFIG_DIR": "", "CODEX_HOME": ""}) == places(HOME, {})


def test_files_are_found_at_any_depth_sorted_and_by_suffix(tmp_path: Path) -> None:
    for name in (
        "b/2.jsonl",
        "a/s/subagents/agent-1.jsonl",
        "a/s.jsonl",
        "a/notes.rst",
        "c.json",
        "c.jsonl.bak",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in transcript_files(tmp_path)]
    assert found == ["a/s/subagents/agent-1.jsonl", "a/s.jsonl", "b/2.jsonl", "c.json"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.jsonl").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(elsewhere)
    (folder / "file.jsonl").symlink_to(elsewhere / "x.jsonl")
    assert list(transcript_files(folder)) == []


def test_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert list(transcript_files(tmp_path / "nowhere")) == []
