"""`init`, `status` and `doctor` know of agents: who is here, whose hooks stand where, and whose do not run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gitmem.agents.trust import is_trusted
from tests.agents.conftest import Gitmem
from tests.conftest import RealGit
from tests.journeys.people import Coder

BEFORE_NS = 1_780_000_000_000_000_000
AT_NS = 1_795_000_000_000_000_000


@pytest.fixture
def coder(home: Path, repository: Path) -> Coder:
    coder = Coder(home, repository, "one")
    coder.hears("Why is the tide table off by an hour?")
    return coder


def findings(gitmem: Gitmem, *options: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in gitmem("doctor", "--json", *options, status=None).json["findings"]:
        if one["subject"] in ("agents", "runs"):
            found.setdefault(one["condition"], []).append((one["says"], one["remedy"]))
    return found


def test_init_writes_entries_for_the_agents_that_are_here(
    gitmem: Gitmem, repository: Path, home: Path, coder: Coder, git: RealGit
) -> None:
    (home / ".codex").mkdir()
    told = gitmem("init", "--json").json
    assert list(told["agents"]) == ["claude-code", "codex"]
    assert gitmem("init", "--json").json["agents"]["codex"][0]["what"] == "unchanged"
    assert gitmem("status", "--json").json["capture"]["agents"] == {
        "claude-code": ["local"],
        "codex": ["local"],
    }
    assert "claude-code (local), codex (local)" in gitmem("status").stdout
    assert git("status", "--porcelain", cwd=repository) == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--agents", "none"], []),
        (["--no-hooks"], None),
        (["--agents", "cursor,generic"], ["cursor"]),
        (["--agents", "auto"], ["claude-code"]),
    ],
)
def test_init_heeds_which_agents_were_named(
    gitmem: Gitmem, coder: Coder, options: list[str], expected: list[str] | None
) -> None:
    told = gitmem("init", "--no-import", "--json", *options).json["agents"]
    assert (told if told is None else list(told)) == expected
    gitmem("init", "--agents", "clippy", status=2)


def test_a_configuration_that_is_none_keeps_no_memory_from_being(
    gitmem: Gitmem, repository: Path, coder: Coder
) -> None:
    (repository / ".claude").mkdir()
    (repository / ".claude/settings.local.json").write_text("{")
    said = gitmem("init")
    assert "could not read" in said.stderr
    assert gitmem("sessions", "--json").json["sessions"]
    assert gitmem("init", "--json").json["agents"]["claude-code"]["hint"]
    assert findings(gitmem)["note"]


def test_in_a_bare_repository_no_agent_is_written_for(gitmem: Gitmem, git: RealGit, tmp_path: Path) -> None:
    git("init", "-q", "--bare", "bare.git", cwd=tmp_path)
    assert gitmem("init", "--json", cwd=tmp_path / "bare.git").json["agents"] == {}
    gitmem("doctor", cwd=tmp_path / "bare.git", status=None)


def test_doctor_says_whose_entries_are_where(gitmem: Gitmem, repository: Path, home: Path) -> None:
    gitmem("init", "--agents", "none")
    assert findings(gitmem) == {"note": [("none has hooks here: gitmem enable AGENT writes them", "")]}
    gitmem("enable", "claude-code", "--user")
    gitmem("enable", "claude-code", "opencode", "--project")
    assert findings(gitmem)["well"][0][0] == "claude-code (project, user); opencode (project)"
    (home / ".local/share/gitmem/python").write_text("/nowhere/python\n/nowhere\n")
    [(says, remedy)] = findings(gitmem)["amiss"]
    assert (says, remedy) == (
        "/nowhere/python is gone, which answers them",
        "gitmem enable claude-code --user: writes it anew",
    )
    findings(gitmem, "--fix")
    assert "amiss" not in findings(gitmem)


@pytest.mark.parametrize("what", ["entries", "stub", "server"])
def test_doctor_mends_what_is_missing_or_old(gitmem: Gitmem, repository: Path, what: str) -> None:
    gitmem("init", "--agents", "claude-code", "--no-import")
    file = repository / ".claude/settings.local.json"
    match what:
        case "entries":
            file.write_text(file.read_text().replace('"timeout": 5', '"timeout": 60'))
        case "stub":
            (repository / ".git/gitmem/agent-hook").write_text("#!/bin/sh\n")
        case _:
            (repository / ".git/gitmem/agent-mcp").unlink()
    found = findings(gitmem)["amiss"]
    assert all(remedy.startswith("gitmem enable claude-code: ") for _, remedy in found)
    findings(gitmem, "--fix")
    assert "amiss" not in findings(gitmem)


def test_a_projects_entries_need_a_stub_in_the_clone_or_on_the_path(
    gitmem: Gitmem, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitmem("init", "--agents", "none")
    gitmem("enable", "codex", "--project")
    (repository / ".git/gitmem/agent-hook").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert "neither in this clone nor on the PATH" in findings(gitmem)["amiss"][0][0]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gitmem-hook").write_text("#!/bin/sh\n")
    (tmp_path / "bin/gitmem-hook").chmod(0o755)
    assert "amiss" not in findings(gitmem)


def test_doctor_tells_whose_hooks_have_not_run(
    gitmem: Gitmem, repository: Path, coder: Coder, home: Path
) -> None:
    os.utime(coder.transcript, ns=(BEFORE_NS, BEFORE_NS))
    gitmem("init", "--agents", "claude-code,codex")
    assert findings(gitmem)["well"][-1][0] == "no hook was due yet"
    assert "/hooks in codex shows and trusts them" in findings(gitmem)["note"][0][0]
    os.utime(coder.transcript, ns=(AT_NS, AT_NS))
    [(says, remedy)] = findings(gitmem)["amiss"]
    assert says == "claude-code: its sessions went on, and its hooks never ran"
    ran = repository / ".git/gitmem/ran-claude-code"
    ran.write_text("stop\n")
    os.utime(ran, ns=(AT_NS - 1, AT_NS - 1))
    assert findings(gitmem)["well"][-1][0] == "hooks have run of claude-code"
    os.utime(ran, ns=(AT_NS - 10**15, AT_NS - 10**15))
    [(says, remedy)] = findings(gitmem)["amiss"]
    assert says == "claude-code: its sessions went on, and its hooks run no more"
    assert remedy.startswith("gitmem enable claude-code: ")


def test_codex_trusts_what_its_configuration_says(tmp_path: Path) -> None:
    config, hooks = tmp_path / "config.toml", Path("/r/.codex/hooks.json")
    assert not is_trusted(config, hooks)
    for text in (
        "[",
        "hooks = 7",
        '[hooks.state."/other:stop:0:0"]\ntrusted_hash = "x"',
        "[hooks]\nstate = 1",
    ):
        config.write_text(text)
        assert not is_trusted(config, hooks)
    config.write_text(f'[hooks.state.{json.dumps(f"{hooks}:stop:0:0")}]\ntrusted_hash = "sha256:x"\n')
    assert is_trusted(config, hooks)
    config.write_bytes(b"\xff")
    assert not is_trusted(config, hooks)


def test_it_is_told_that_the_server_has_no_library(
    gitmem: Gitmem, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitmem("init")
    assert "library" not in gitmem("enable", "cursor").stderr
    monkeypatch.setattr("gitmem.cli.agent_entries.find_spec", lambda name: None)
    assert "pip install '.[mcp]'" in gitmem("enable", "codex").stderr
    assert any("no library to serve with" in says for says, _ in findings(gitmem)["note"])
    gitmem("disable", "cursor", "codex")
    assert not any("no library to serve with" in says for says, _ in findings(gitmem)["note"])
