"""Entries for agents: where they go, what they leave alone, and that nothing of them is left."""

from __future__ import annotations

import codecs
import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.agents import jsonc, placing, targets
from gitmem.agents.targets import AGENTS
from gitmem.verbs import enabling
from tests.agents.conftest import Gitmem, snapshot
from tests.conftest import RealGit

SCOPES = ["local", "project", "user"]
CLAUDE = ".claude/settings.local.json"
THEIRS = b"""// what we agreed on
{
\t"model": "opus", /* the large one */
\t"hooks": {
\t\t"Stop": [
\t\t\t{"matcher": "*", "hooks": [{"type": "command", "command": "notify-send done"}]}, // theirs
\t\t],
\t},
}
"""


def option(scope: str) -> list[str]:
    return [] if scope == "local" else [f"--{scope}"]


@pytest.mark.parametrize("scope", SCOPES)
def test_disable_leaves_everything_as_it_was(
    gitmem: Gitmem, repository: Path, home: Path, scope: str
) -> None:
    (home / ".local/share").mkdir(parents=True)
    before = snapshot(repository), snapshot(home)
    told = gitmem("enable", *AGENTS, *option(scope), "--json").json
    assert list(told) == list(AGENTS)
    assert all(one["what"] in ("written", "unchanged") for each in told.values() for one in each)
    assert (snapshot(repository), snapshot(home)) != before
    gitmem("disable", *AGENTS, *option(scope))
    assert (snapshot(repository), snapshot(home)) == before


@pytest.mark.parametrize("scope", SCOPES)
def test_the_second_time_nothing_changes(gitmem: Gitmem, repository: Path, home: Path, scope: str) -> None:
    gitmem("enable", *AGENTS, *option(scope))
    before = snapshot(repository), snapshot(home)
    told = gitmem("enable", *AGENTS, *option(scope), "--json").json
    assert {one["what"] for each in told.values() for one in each} == {"unchanged"}
    assert (snapshot(repository), snapshot(home)) == before


@pytest.mark.parametrize("agent", AGENTS)
def test_agents_come_and_go_one_by_one(gitmem: Gitmem, repository: Path, agent: str) -> None:
    others = [name for name in AGENTS if name != agent]
    gitmem("enable", *others)
    before = snapshot(repository)
    gitmem("enable", agent)
    gitmem("disable", agent)
    assert snapshot(repository) == before
    gitmem("disable", *others)
    assert not (repository / ".agents").exists()


def test_what_is_for_one_clone_is_kept_out_of_git(gitmem: Gitmem, git: RealGit, repository: Path) -> None:
    gitmem("enable", *AGENTS)
    assert git("status", "--porcelain", "--untracked-files=all", cwd=repository) == ""
    gitmem("enable", *AGENTS, "--project")
    assert ".cursor/hooks.json" in git("status", "--porcelain", "--untracked-files=all", cwd=repository)
    gitmem("disable", *AGENTS, "--project")
    gitmem("disable", *AGENTS)
    assert "gitmem" not in (repository / ".git/info/exclude").read_text()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (CLAUDE, THEIRS),
        (CLAUDE, THEIRS.replace(b"\n", b"\r\n")),
        (CLAUDE, codecs.BOM_UTF8 + THEIRS),
        (CLAUDE, b"{}"),
        (CLAUDE, b" \n"),
        (CLAUDE, b"{ }\n\n// end"),
        (CLAUDE, b'{"hooks":{"SessionStart":[]},"enabledMcpjsonServers":["other"]}'),
        (".cursor/mcp.json", b'{"mcpServers": {"other": {"command": "x"}}}\n'),
        (".codex/hooks.json", b'{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}'),
        (".codex/config.toml", b'model = "o3" # the large one\n\n[mcp_servers.other]\ncommand = "x"'),
        (".codex/config.toml", b'model = "o3"\r\n'),
        (".gemini/settings.json", b'{\n    "mcpServers": {}, // none\n}\n'),
        (".cursor/hooks.json", b'{"version": 1, "hooks": {"stop": [{"command": "./x.sh"}]}}'),
        (".opencode/opencode.jsonc", b'{\n  // ours\n  "$schema": "https://opencode.ai/config.json",\n}'),
        (".github/hooks/gitmem.json", b'{"version": 1, "hooks": {}}'),
    ],
)
def test_what_is_there_stays_byte_for_byte_around_the_entries(
    gitmem: Gitmem, repository: Path, path: str, content: bytes
) -> None:
    file = repository / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o640)
    before = snapshot(repository)
    gitmem("enable", *AGENTS)
    merged = file.read_bytes()
    assert merged != content
    assert is_kept(content, merged)
    assert file.stat().st_mode & 0o777 == 0o640
    gitmem("disable", *AGENTS)
    assert snapshot(repository) == before


def test_what_others_write_meanwhile_stays_and_only_entries_go(gitmem: Gitmem, repository: Path) -> None:
    file = repository / CLAUDE
    file.parent.mkdir()
    file.write_bytes(THEIRS)
    gitmem("enable", "claude-code", "codex")
    file.write_bytes(file.read_bytes().replace(b'"opus"', b'"haiku"'))
    hooks = repository / ".codex/hooks.json"
    said = json.loads(hooks.read_text())
    said["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "theirs"}]})
    hooks.write_text(json.dumps(said))
    table = repository / ".codex/config.toml"
    table.write_text(table.read_text() + '\n[projects."/x"]\ntrust_level = "trusted"\n')
    gitmem("disable", "claude-code", "codex")
    assert file.read_bytes() == THEIRS.replace(b'"opus"', b'"haiku"')
    assert json.loads(hooks.read_text()) == {"hooks": {"Stop": [said["hooks"]["Stop"][-1]]}}
    assert tomllib.loads(table.read_text()) == {"projects": {"/x": {"trust_level": "trusted"}}}


@pytest.mark.parametrize("is_touched", [False, True])
def test_a_newer_version_mends_what_an_older_one_wrote(
    gitmem: Gitmem, repository: Path, monkeypatch: pytest.MonkeyPatch, is_touched: bool
) -> None:
    file = repository / CLAUDE
    file.parent.mkdir()
    file.write_bytes(THEIRS)
    with monkeypatch.context() as older:
        older.setitem(targets._EVENTS, "claude-code", {"PreCompact": "stop", "SessionStart": "session-start"})
        older.setitem(targets._TIMEOUT_S, "session-start", 60)
        gitmem("enable", "claude-code")
    assert b"PreCompact" in file.read_bytes()
    theirs = THEIRS.replace(b"opus", b"haiku") if is_touched else THEIRS
    file.write_bytes(file.read_bytes().replace(b"opus", b"haiku" if is_touched else b"opus"))
    gitmem("enable", "claude-code")
    said = jsonc.parse(file.read_text()).plain()
    assert list(said["hooks"]) == ["Stop", "SessionStart", "SessionEnd"]
    assert len(said["hooks"]["Stop"]) == 2
    gitmem("disable", "claude-code")
    assert file.read_bytes() == theirs


def test_without_a_record_of_what_was_written_entries_are_known_all_the_same(
    gitmem: Gitmem, repository: Path
) -> None:
    file = repository / ".claude/settings.json"
    file.parent.mkdir()
    file.write_bytes(THEIRS)
    before = snapshot(repository)
    gitmem("enable", *AGENTS, "--project")
    for path in (repository / ".git/gitmem/agents").iterdir():
        path.unlink()
    gitmem("disable", *AGENTS, "--project")
    after = snapshot(repository)
    assert after.pop(".claude/settings.json") == before.pop(".claude/settings.json")
    assert {name for name, (mode, _) in after.items() if not mode & 0o40000} == {
        name for name, (mode, _) in before.items() if not mode & 0o40000
    }


def test_a_link_stays_one_and_what_it_leads_to_is_written(
    gitmem: Gitmem, repository: Path, tmp_path: Path
) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "claude.json").write_bytes(THEIRS)
    (repository / ".claude").mkdir()
    (repository / CLAUDE).symlink_to(dotfiles / "claude.json")
    (repository / ".codex").mkdir()
    (repository / ".codex/hooks.json").symlink_to(dotfiles / "none-yet.json")
    before = snapshot(repository)
    gitmem("enable", "claude-code", "codex")
    assert (repository / CLAUDE).is_symlink()
    assert b"agent-hook" in (dotfiles / "claude.json").read_bytes()
    assert (dotfiles / "none-yet.json").is_file()
    gitmem("disable", "claude-code", "codex")
    assert snapshot(repository) == before
    assert (dotfiles / "claude.json").read_bytes() == THEIRS
    assert not (dotfiles / "none-yet.json").exists()


@pytest.mark.parametrize("link", [".claude", ".claude/settings.json"])
def test_a_link_that_came_with_the_repository_leads_nobody_out_of_it(
    gitmem: Gitmem, git: RealGit, repository: Path, tmp_path: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "settings.json").write_bytes(b"{}")
    (repository / link).parent.mkdir(exist_ok=True)
    (repository / link).symlink_to(outside if link == ".claude" else outside / "settings.json")
    git("add", "-A", cwd=repository)
    before = snapshot(repository), snapshot(outside)
    failed = gitmem("enable", "claude-code", "--project", status=1)
    assert "a link that came with the repository" in failed.stderr
    assert (snapshot(repository), snapshot(outside)) == before


@pytest.mark.parametrize("what", ["file", "folder", "above"])
def test_what_is_read_only_is_named_and_nothing_is_written(
    gitmem: Gitmem, repository: Path, what: str
) -> None:
    file = repository / CLAUDE
    file.parent.mkdir()
    if what != "above":
        file.write_bytes(THEIRS)
    path = file if what == "file" else file.parent
    path.chmod(0o444 if what == "file" else 0o555)
    before = snapshot(repository)
    failed = gitmem("enable", "codex", "claude-code", status=1)
    assert "read-only" in failed.stderr
    assert f"chmod u+w {path}" in failed.stderr
    after = {
        name: one for name, one in snapshot(repository).items() if not name.startswith((".codex", ".agents"))
    }
    assert after == before
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        (CLAUDE, b'{"hooks": {', "line 1"),
        (CLAUDE, b"[]", "not an object"),
        (CLAUDE, b'{"hooks": {"Stop": "x"}}', "hooks.Stop is not an array"),
        (CLAUDE, b'{"a": "\xff"}', "no UTF-8"),
        (CLAUDE, codecs.BOM_UTF16_LE + "{}".encode("utf-16-le"), "no UTF-8"),
        (".cursor/mcp.json", b"no JSON at all", "line 1"),
        (CLAUDE, b"null", "not an object"),
        (CLAUDE, b'{"hooks": null}', "hooks is not an object"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(
    gitmem: Gitmem, repository: Path, path: str, content: bytes, why: str
) -> None:
    (repository / path).parent.mkdir(exist_ok=True)
    (repository / path).write_bytes(content)
    before = snapshot(repository)
    failed = gitmem("enable", "claude-code", "cursor", status=1)
    assert why in failed.stderr
    assert str(repository / path) in failed.stderr
    assert snapshot(repository) == before


@pytest.mark.parametrize(
    "content", [b"[mcp_servers]\ngitmem = 1\n[", b"mcp_servers = {}\n", b"mcp_servers = 7\n"]
)
def test_a_table_is_put_nowhere_where_it_would_not_be_read(
    gitmem: Gitmem, repository: Path, content: bytes
) -> None:
    (repository / ".codex").mkdir()
    (repository / ".codex/config.toml").write_bytes(content)
    gitmem("enable", "codex", status=1)
    assert (repository / ".codex/config.toml").read_bytes() == content
    assert not (repository / ".codex/hooks.json").exists()


def test_something_else_in_the_way_is_named(gitmem: Gitmem, repository: Path) -> None:
    (repository / ".cursor/mcp.json").mkdir(parents=True)
    assert "it is no file" in gitmem("enable", "cursor", status=1).stderr
    (repository / ".cursor/mcp.json").rmdir()
    (repository / ".cursor/mcp.json").touch()
    os.truncate(repository / ".cursor/mcp.json", (64 << 20) + 1)
    assert "no agent writes so much" in gitmem("enable", "cursor", status=1).stderr


def test_a_large_file_takes_entries_like_any_other(gitmem: Gitmem, home: Path) -> None:
    content = json.dumps(
        {"projects": {f"/p{n}": {"history": ["x" * 40] * 5} for n in range(2_000)}}, indent=1
    )
    (home / ".claude.json").write_text(content)
    gitmem("enable", "claude-code")
    assert len((home / ".claude.json").read_bytes()) > len(content)
    gitmem("disable", "claude-code")
    assert (home / ".claude.json").read_text() == content


def test_what_git_tracks_is_not_changed_for_one_clone(gitmem: Gitmem, git: RealGit, repository: Path) -> None:
    (repository / ".cursor").mkdir()
    (repository / ".cursor/hooks.json").write_bytes(b'{"version": 1, "hooks": {}}')
    git("add", "-A", cwd=repository)
    told = gitmem("enable", "cursor", "--json").json["cursor"]
    assert (told[0]["what"], "git tracks it" in told[0]["why"]) == ("left", True)
    assert (repository / ".cursor/hooks.json").read_bytes() == b'{"version": 1, "hooks": {}}'
    assert told[1]["what"] == "written"


def test_what_came_with_the_repository_is_left_as_it_is_without_a_word(
    gitmem: Gitmem, git: RealGit, repository: Path
) -> None:
    gitmem("enable", "cursor", "--project")
    git("add", "-A", cwd=repository)
    brought = (repository / ".cursor/hooks.json").read_bytes()
    told = gitmem("enable", "cursor")
    assert told.stderr == ""
    assert (repository / ".cursor/hooks.json").read_bytes() == brought


def test_a_hook_whose_name_only_begins_like_ours_is_somebody_elses(gitmem: Gitmem, repository: Path) -> None:
    theirs = b'{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/x/gitmem/agent-hook-mine.sh"}]}]}}'
    path = repository / CLAUDE
    path.parent.mkdir()
    path.write_bytes(theirs)
    gitmem("enable", "claude-code")
    assert b"agent-hook-mine.sh" in path.read_bytes()
    gitmem("disable", "claude-code")
    assert path.read_bytes() == theirs


def test_a_file_of_our_own_that_somebody_changed_is_theirs(gitmem: Gitmem, repository: Path) -> None:
    skill = repository / ".claude/skills/gitmem/SKILL.md"
    gitmem("enable", "claude-code")
    skill.write_text(skill.read_text().replace("narrow", "good"))
    mine = skill.read_bytes()
    assert "somebody has changed it" in gitmem("enable", "claude-code").stderr
    gitmem("disable", "claude-code")
    assert skill.read_bytes() == mine
    skill.write_text("---\nname: gitmem\n---\n")
    told = gitmem("enable", "claude-code", "--json").json["claude-code"][-1]
    assert (told["what"], told["why"]) == ("left", "it is not gitmem's")


def test_killed_at_any_effect_what_was_there_can_be_had_back(
    gitmem: Gitmem, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "_STALE_S", 0.05)  # what was held by who was killed is waited for
    file = repository / CLAUDE
    file.parent.mkdir()
    file.write_bytes(THEIRS)
    before = snapshot(repository)
    stops = 0
    while True:
        left = stops

        def stop(effect: disk.Effect, path: Path) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1

        with disk.observe(stop):
            status = gitmem("enable", "claude-code", status=None).status
        assert jsonc.parse(file.read_text())
        gitmem("disable", "claude-code")
        assert snapshot(repository) == before
        if status == 0:
            break
        stops += 1
    assert stops > 10


def test_linked_worktrees_have_entries_of_their_own(
    gitmem: Gitmem, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git("worktree", "add", "-q", str(other), cwd=repository)
    gitmem("enable", "codex")
    gitmem("enable", "codex", cwd=other)
    assert git("status", "--porcelain", cwd=other) == ""
    gitmem("disable", "codex")
    assert (other / ".codex/hooks.json").exists()
    assert git("status", "--porcelain", cwd=other) == ""
    assert (repository / ".git/gitmem/agent-hook").exists()
    gitmem("disable", "codex", cwd=other)
    assert not (repository / ".git/gitmem/agent-hook").exists()


def test_git_and_agents_are_disabled_each_for_itself(gitmem: Gitmem, repository: Path) -> None:
    gitmem("enable", "git", "codex")
    gitmem("disable", "git")
    assert (repository / ".git/gitmem/spool").is_dir()
    assert (repository / ".git/gitmem/python").is_file()
    gitmem("disable", "codex")
    assert not (repository / ".git/gitmem/spool").exists()


def test_names_and_options_that_make_no_sense_are_refused(
    gitmem: Gitmem, tmp_path: Path, git: RealGit
) -> None:
    assert "clippy" in gitmem("enable", "codex", "clippy", status=2).stderr
    for name, nearest in (("claud-code", "claude-code"), ("gitt", "git"), ("clippy", "-h")):
        for doing in ("enable", "disable"):
            assert f"gitmem {doing} {nearest}: " in gitmem(doing, name, status=2).stderr
    assert "--project and --user" in gitmem("enable", "codex", "--project", "--user", status=2).stderr
    git("init", "-q", "--bare", "bare.git", cwd=tmp_path)
    gitmem("enable", "codex", cwd=tmp_path / "bare.git", status=1)
    gitmem("enable", "codex", "--user", cwd=tmp_path / "bare.git")
    gitmem("disable", "codex", "--user", cwd=tmp_path)


def test_the_rooms_agree_on_the_names_of_what_entries_run() -> None:
    assert (targets.STUB, targets.SERVER) == (enabling.STUB, enabling.SERVER)


def is_kept(before: bytes, after: bytes) -> bool:
    """Tell whether all words and comments that were there are there still, in their order."""
    rest = iter(re.findall(rb'"[^"]*"|//.*|#.*|/\*.*?\*/', after))
    return all(word in rest for word in re.findall(rb'"[^"]*"|//.*|#.*|/\*.*?\*/', before))
