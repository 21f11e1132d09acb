"""Agents' hooks as they run: by the very command lines that stand in the files, with what the agents would say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitmem.agents.targets import AGENTS
from gitmem.verbs import enabling
from tests.agents.conftest import Gitmem, snapshot
from tests.agents.test_payloads import STARTS
from tests.conftest import RealGit
from tests.hooks.spool import SHELLS, events, hold, path_without_gitmem
from tests.importing import samples
from tests.journeys.people import Coder, wait_for_drains

FILES = {
    "claude-code": ".claude/settings.local.json",
    "codex": ".codex/hooks.json",
    "gemini-cli": ".gemini/settings.json",
    "cursor": ".cursor/hooks.json",
    "copilot-cli": ".github/hooks/gitmem.json",
    "opencode": ".opencode/plugins/gitmem.js",
}
STOPS = {"claude-code": "Stop", "codex": "Stop", "gemini-cli": "AfterAgent", "cursor": "stop"}
HUGE = b'{"session_id": "' + b"x" * 3_000_000 + b'"}'


@pytest.fixture(autouse=True)
def _hooks_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.is_dir()  # first, for it sets what is taken away here
    monkeypatch.delenv("GITMEM_HOOKS")


def command_of(top: Path, agent: str, event: str) -> str:
    """Return the command line that an agent runs, as its file has it."""
    text = (top / FILES[agent]).read_text()
    if agent == "opencode":
        found = re.search(r"const COMMANDS = (\{.*?^\})", text, re.MULTILINE | re.DOTALL)
        assert found
        command: str = json.loads(found[1])[event]
        return command
    found_all = [
        one
        for groups in json.loads(text)["hooks"].values()
        for group in groups
        for hook in group.get("hooks", [group])
        for one in (hook.get("command") or hook["bash"],)
        if one.endswith(f" agent {agent} {event}")
    ]
    assert len(found_all) == 1
    return str(found_all[0])


def run_hook(command: str, said: Any, cwd: Path, shell: tuple[str, ...] = ("sh",), **environ: str) -> bytes:
    """Run a hook as an agent does, and return what it prints; nothing else comes of it, and it ends with 0."""
    finished = subprocess.run(
        [*shell, "-c", command],
        cwd=cwd,
        input=said if isinstance(said, bytes) else json.dumps(said).encode(),
        capture_output=True,
        env={**os.environ, **environ},
        check=False,
        timeout=120,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    return finished.stdout


def remember(gitmem: Gitmem, repository: Path, home: Path) -> None:
    """Have one session in the memory, and nothing that drains."""
    ada = Coder(home, repository, "earlier")
    ada.hears("Why is the tide table off by an hour?")
    ada.says("Daylight saving time was added twice.")
    gitmem("init", "--agents", "claude-code")
    hold(repository / ".git")


@pytest.mark.parametrize("agent", AGENTS)
def test_a_session_that_begins_is_told_in_the_agents_own_form_and_leaves_an_event(
    gitmem: Gitmem, repository: Path, home: Path, agent: str
) -> None:
    remember(gitmem, repository, home)
    gitmem("enable", agent)
    command = command_of(repository, agent, "session-start")
    said = json.loads(run_hook(command, {**STARTS[agent], "cwd": str(repository)}, repository))
    assert "claude-code/earlier" in json.dumps(said)
    (event,) = events(repository / ".git")
    assert (event.hook, event.one("agent")) == ("session-start", agent)
    assert json.loads(event.body)["cwd"] == str(repository)
    assert (repository / f".git/gitmem/ran-{agent}").read_text() == "session-start\n"
    assert run_hook(command, {**STARTS[agent], "source": "resume"}, repository) == b""
    stop = command_of(repository, agent, "stop")
    assert run_hook(stop, {**STARTS[agent], "stop_hook_active": False}, repository) == b""
    assert [one.hook for one in events(repository / ".git")][-1] == "stop"


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_runs_the_commands(
    gitmem: Gitmem, repository: Path, home: Path, shell: tuple[str, ...]
) -> None:
    remember(gitmem, repository, home)
    command = command_of(repository, "claude-code", "session-start")
    assert b"earlier" in run_hook(command, STARTS["claude-code"], repository, shell)


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b"\xff\x00\n", HUGE], ids=["empty", "cut", "list", "bytes", "huge"]
)
@pytest.mark.parametrize("agent", AGENTS)
def test_whatever_an_agent_says_its_event_is_left_and_nothing_fails(
    gitmem: Gitmem, repository: Path, agent: str, said: bytes
) -> None:
    gitmem("enable", agent)
    hold(repository / ".git")
    for event in ("session-start", "stop"):
        run_hook(command_of(repository, agent, event), said, repository)
    left = events(repository / ".git")
    assert [one.hook for one in left] == ["session-start", "stop"]
    assert all(len(one.body) <= (1 << 20) + 1 for one in left)


def test_who_is_not_to_be_told_is_not(gitmem: Gitmem, repository: Path, home: Path) -> None:
    remember(gitmem, repository, home)
    command = command_of(repository, "claude-code", "session-start")
    said = STARTS["claude-code"]
    assert run_hook(command, {**said, "agent_id": "a1"}, repository) == b""
    assert run_hook(command, said, repository, GITMEM_IN_HOOK="1") == b""
    assert run_hook(command, said, repository, GITMEM_HOOKS="false") == b""
    assert run_hook(command, said, repository) != b""
    assert run_hook(command, said, repository) == b"", "another hook of the same beginning has told it"
    assert run_hook(command, {**said, "session_id": "earlier"}, repository) == b"", (
        "it is the only one there is"
    )


def test_outside_of_a_memory_nothing_is_said(
    gitmem: Gitmem, git: RealGit, repository: Path, tmp_path: Path, home: Path
) -> None:
    gitmem("enable", "codex", "--user")
    text = (home / ".codex/hooks.json").read_text()
    command = json.loads(text)["hooks"]["SessionStart"][0]["hooks"][0]["command"]
    assert run_hook(command, STARTS["codex"], tmp_path) == b""
    assert run_hook(command, STARTS["codex"], repository) == b""
    assert not (repository / ".git/gitmem").exists()
    gitmem("enable", "git")
    hold(repository / ".git")
    assert run_hook(command, STARTS["codex"], repository) == b""
    assert len(events(repository / ".git")) == 1


def foreign(tmp_path: Path, ran: Path) -> Path:
    """Make a repository that names a program as its Python, in the folder of another who made it."""
    top = tmp_path / "foreign"
    (top / ".git/gitmem/spool").mkdir(parents=True)
    (top / "packages/gitmem").mkdir(parents=True)
    program = top / "program"
    program.write_text(f"#!/bin/sh\n: >'{ran}'\n")
    program.chmod(0o755)
    (top / ".git/gitmem/python").write_text(f"{program}\n{top}/packages\n")
    return top


def test_a_program_that_a_foreign_repository_names_is_not_run_by_the_users_own_hooks(
    gitmem: Gitmem, tmp_path: Path, home: Path
) -> None:
    gitmem("enable", "codex", "--user")
    text = (home / ".codex/hooks.json").read_text()
    command = json.loads(text)["hooks"]["SessionStart"][0]["hooks"][0]["command"]
    top = foreign(tmp_path, tmp_path / "ran")
    hold(top / ".git")
    assert run_hook(command, STARTS["codex"], top) == b""
    assert len(events(top / ".git")) == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_in_another_users_repository_nothing_is_left_and_no_link_is_written_through(
    gitmem: Gitmem, tmp_path: Path, home: Path, shell: tuple[str, ...]
) -> None:
    gitmem("enable", "codex", "--user")
    text = (home / ".codex/hooks.json").read_text()
    command = json.loads(text)["hooks"]["SessionStart"][0]["hooks"][0]["command"]
    top, precious = foreign(tmp_path, tmp_path / "ran"), tmp_path / "precious"
    precious.write_text("mine\n")
    (top / ".git/gitmem/ran-codex").symlink_to(precious)
    os.chown(top / ".git", 12345, 12345)
    below = top / "below"
    below.mkdir()
    assert run_hook(command, STARTS["codex"], below, shell) == b""
    assert precious.read_text() == "mine\n"
    assert not events(top / ".git")


def test_cursors_own_hooks_find_the_project_from_their_folder(
    gitmem: Gitmem, repository: Path, home: Path
) -> None:
    remember(gitmem, repository, home)
    gitmem("enable", "cursor", "--user")
    text = (home / ".cursor/hooks.json").read_text()
    command = json.loads(text)["hooks"]["sessionStart"][0]["command"]
    assert run_hook(command, STARTS["cursor"], home / ".cursor", CURSOR_PROJECT_DIR=str(repository)) != b""


@pytest.mark.parametrize("agent", ["claude-code", "copilot-cli"])
def test_what_a_project_commits_does_nothing_on_a_machine_without_gitmem(
    gitmem: Gitmem, git: RealGit, repository: Path, tmp_path: Path, agent: str
) -> None:
    gitmem("enable", agent, "--project")
    git("add", "-A", cwd=repository)
    git("commit", "-qm", "agents tell gitmem", cwd=repository)
    clone = tmp_path / "clone"
    git("clone", "-q", str(repository), str(clone), cwd=tmp_path)
    file = clone / FILES[agent].replace(".local", "")
    groups = json.loads(file.read_text())["hooks"].values()
    commands = [
        hook.get("command") or hook["bash"]
        for group in groups
        for one in group
        for hook in one.get("hooks", [one])
    ]
    before = snapshot(clone)
    for command in commands:
        assert run_hook(command, STARTS[agent], clone, PATH=path_without_gitmem()) == b""
    assert len(commands) == 3
    assert snapshot(clone) == before
    assert not (clone / ".git/gitmem").exists()
    assert str(tmp_path) not in file.read_text()


def test_what_a_project_commits_runs_the_stub_of_the_clone(
    gitmem: Gitmem, repository: Path, home: Path
) -> None:
    remember(gitmem, repository, home)
    gitmem("disable", "claude-code")
    gitmem("enable", "claude-code", "--project")
    text = (repository / ".claude/settings.json").read_text()
    command = json.loads(text)["hooks"]["SessionStart"][0]["hooks"][0]["command"]
    below = repository / "deep/down"
    below.mkdir(parents=True)
    assert run_hook(command, STARTS["claude-code"], below, PATH=path_without_gitmem()) != b""


def test_an_answer_that_takes_too_long_is_none(
    gitmem: Gitmem, repository: Path, home: Path, tmp_path: Path
) -> None:
    remember(gitmem, repository, home)
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "gitmem").mkdir()
    (slow / "gitmem/__init__.py").write_text("while True: pass\n")
    (repository / ".git/gitmem/python").write_text(f"{shutil.which('python3')}\n{slow}\n")
    command = command_of(repository, "claude-code", "session-start")
    if (
        "gitmem"
        in subprocess.run(
            [
                str(shutil.which("python3")),
                "-E",
                "-P",
                "-c",
                "import importlib.util as u; print(u.find_spec('gitmem'))",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    ):
        pytest.skip("this Python has a gitmem of its own, which it would start")
    assert run_hook(command, STARTS["claude-code"], repository, GITMEM_ANSWER_S="1") == b""


def test_where_the_python_is_gone_sessions_begin_all_the_same(
    gitmem: Gitmem, repository: Path, home: Path
) -> None:
    remember(gitmem, repository, home)
    command = command_of(repository, "claude-code", "session-start")
    (repository / ".git/gitmem/python").write_text("/nowhere/python\n/nowhere\n")
    assert run_hook(command, STARTS["claude-code"], repository, PATH=path_without_gitmem()) == b""
    (repository / ".git/gitmem/agent-hook").unlink()
    assert run_hook(command, STARTS["claude-code"], repository) == b""


def test_the_server_is_started_by_the_python_that_is_noted(
    gitmem: Gitmem, repository: Path, tmp_path: Path
) -> None:
    gitmem("enable", "cursor")
    server = json.loads((repository / ".cursor/mcp.json").read_text())["mcpServers"]["gitmem"]
    said = tmp_path / "python"
    said.write_text('#!/bin/sh\nshift 4\necho "$@"\n')
    said.chmod(0o755)
    state = repository / ".git/gitmem"
    (state / "python").write_text(f"{said}\n{(state / 'python').read_text().splitlines()[1]}\n")
    started = [server["command"], *server["args"]]
    finished = subprocess.run(started, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout == f"{enabling.home()} -C {repository} mcp\n"
    (state / "python").unlink()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gitmem").write_text('#!/bin/sh\necho from the PATH "$@"\n')
    (tmp_path / "bin/gitmem").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{path_without_gitmem()}"
    finished = subprocess.run(
        started, cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    )
    assert finished.stdout == f"from the PATH -C {repository} mcp\n"


@pytest.mark.parametrize("agent", ["claude-code", "codex"])
def test_from_enable_to_what_was_captured_and_back(
    gitmem: Gitmem, git: RealGit, repository: Path, home: Path, agent: str
) -> None:
    gitmem("init", "--agents", "none")
    before = snapshot(repository)
    gitmem("enable", agent)
    if agent == "claude-code":
        coder = Coder(home, repository, "now")
        coder.hears("Why is the tide table off by an hour?")
        coder.says("Daylight saving time was added twice.")
        session, path = "claude-code/now", coder.transcript
    else:
        session = f"codex/{samples.OTHER}"
        content = samples.codex(2).replace(b"/home/ada/tides", os.fsencode(repository))
        path = samples.write(home / f".codex/sessions/2026/03/01/rollout-{samples.OTHER}.jsonl", content)
    said = {"session_id": session.partition("/")[2], "transcript_path": str(path), "cwd": str(repository)}
    run_hook(command_of(repository, agent, "stop"), said, repository)
    wait_for_drains(repository / ".git")
    assert [one["session"] for one in gitmem("sessions", "--json").json["sessions"]] == [session]
    gitmem("disable", agent)
    assert snapshot(repository) == before


def test_a_transcript_that_a_payload_names_is_read_by_a_scans_rules_alone(
    gitmem: Gitmem, repository: Path, home: Path, tmp_path: Path
) -> None:
    gitmem("init", "--agents", "none")
    gitmem("enable", "claude-code")
    foreign = Coder(tmp_path, tmp_path / "elsewhere", "foreign")
    foreign.hears("This is another project's.")
    secret = tmp_path / "secret"
    secret.write_text("not for anybody\n")
    link = tmp_path / "link.jsonl"
    own = Coder(tmp_path / "odd", repository, "linked")
    own.hears("This would be ours.")
    link.symlink_to(own.transcript)
    os.mkfifo(tmp_path / "pipe.jsonl")
    stop = command_of(repository, "claude-code", "stop")
    for path in (
        foreign.transcript,
        secret,
        link,
        tmp_path / "pipe.jsonl",
        Path("/dev/zero"),
        Path("/proc/self/mem"),
    ):
        run_hook(stop, {"session_id": "x", "transcript_path": str(path)}, repository)
    wait_for_drains(repository / ".git")
    assert gitmem("sessions", "--json", status=1).json["sessions"] == []
    run_hook(stop, {"session_id": "x", "transcript_path": str(own.transcript)}, repository)
    wait_for_drains(repository / ".git")
    assert [one["session"] for one in gitmem("sessions", "--json").json["sessions"]] == ["claude-code/linked"]


def test_the_command_by_itself_answers_or_is_silent(gitmem: Gitmem, repository: Path, home: Path) -> None:
    assert gitmem("hook", "codex", "session-start").stdout == ""
    remember(gitmem, repository, home)
    said = json.dumps(STARTS["cursor"]).encode()
    assert "additional_context" in gitmem("hook", "cursor", "session-start", stdin=said).json
    assert gitmem("hook", "cursor", "session-start", stdin=said).stdout == ""
    assert gitmem("hook", "cursor", "stop", stdin=said).stdout == ""
    assert json.loads(gitmem("hook", "codex", "session-start", stdin=b"no JSON").stdout)
    gitmem("hook", "clippy", "stop", status=2)


@pytest.mark.skipif(
    shutil.which("node") is None, reason="there is no node, which runs plugins as opencode does"
)
def test_the_plugin_tells_a_session_and_never_throws(gitmem: Gitmem, repository: Path, home: Path) -> None:
    remember(gitmem, repository, home)
    gitmem("enable", "opencode")
    drive = """
    const { Gitmem } = await import(process.argv[1])
    const hooks = await Gitmem({ directory: process.argv[2] })
    const event = (type, properties) => hooks.event({ event: { type, properties } })
    await event("session.created", { info: { id: "ses_1" } })
    await event("session.created", { info: { id: "ses_2", parentID: "ses_1" } })
    await event("session.idle", { sessionID: "ses_1" })
    await event("anything", undefined)
    for (const sessionID of ["ses_1", "ses_1", "ses_2", undefined]) {
        const output = { system: ["first"] }
        await hooks["experimental.chat.system.transform"]({ sessionID }, output)
        console.log(JSON.stringify(output.system))
    }
    """
    plugin = repository / ".opencode/plugins/gitmem.js"
    module = plugin.with_suffix(".mjs")
    shutil.copy(plugin, module)
    finished = subprocess.run(
        ["node", "--input-type=module", "-e", drive, str(module), str(repository)],
        capture_output=True,
        text=True,
        check=False,
        cwd=repository,
    )
    assert finished.returncode == 0, finished.stderr
    one, again, child, nobody = map(json.loads, finished.stdout.splitlines())
    assert "claude-code/earlier" in one[1]
    assert (one, child, nobody) == (again, ["first"], ["first"])
    assert {event.hook for event in events(repository / ".git")} == {"session-start", "stop"}
