"""`gitmem push` and `gitmem pull`, as people and programs meet them; and over the network, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.sharing.clones import TRACKING, Clone, Team


def test_push_and_pull_name_the_sessions(ada: Clone, ben: Clone, run: CommandLine) -> None:
    ada.remember("one")
    ada.remember("two")
    assert (
        run("push", "origin", cwd=ada.path).stdout
        == "Pushed to origin: 2 sessions\nsent  generic/one\nsent  generic/two\n"
    )
    run("checkpoint", cwd=ada.path)
    assert (
        run("push", "origin", cwd=ada.path).stdout
        == "Pushed to origin: no session, only what is new beside them\n"
    )
    took = "Took over the memory of origin: 2 sessions\nalso: 1 checkpoint\n"
    assert run("pull", "origin", cwd=ben.path).stdout == took
    ada.remember("one", b"more\n")
    run("push", "origin", cwd=ada.path)
    ben.remember("three")
    finished = run("pull", "origin", cwd=ben.path)
    assert finished.stdout == "Pulled from origin: 1 session changed\ngrown there  generic/one\n"
    assert finished.stderr == ""
    assert run("pull", "origin", cwd=ben.path).stdout == "Nothing new from origin\n"


def test_a_push_loads_little_beside_the_rules(ada: Clone) -> None:
    ada.remember("one")
    program = (
        "import sys\n"
        "from gitmem.cli.context import context_of_process\n"
        "from gitmem.cli.main import run\n"
        "assert run(['push', 'origin'], context_of_process()) == 0\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=ada.path,
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    loaded = finished.stdout.decode().split()
    assert "gitmem.sharing.rechecking" in loaded
    for name in ("click", "concurrent", "inspect", "pygit2", "tempfile", "typing_extensions"):
        assert name not in loaded
    assert not [name for name in loaded if name.startswith("gitmem.transcripts.")]


def test_programs_get_ids_names_and_outcomes(ada: Clone, ben: Clone, run: CommandLine) -> None:
    session = ada.remember("one")
    told = json.loads(run("push", "origin", "--json", cwd=ada.path).stdout)
    assert told == {
        "remote": "origin",
        "commit": ada.ref(),
        "up_to_date": False,
        "loss": None,
        "sent": [{"session": "generic/one", "id": session}],
        "pulled": [],
    }
    told = json.loads(run("pull", "origin", "--json", cwd=ben.path).stdout)
    assert told == {
        "remote": "origin",
        "how": "taken over",
        "before": None,
        "commit": ada.ref(),
        "sessions": [{"session": "generic/one", "id": session, "outcome": "new there"}],
        "arrived": {"capture": 1, "root": 4, "segment": 1, "session": 1},
        "loss": None,
        "refused": [],
        "refused_unlisted": 0,
    }


def test_a_buried_session_is_still_named(ada: Clone, ben: Clone, run: CommandLine) -> None:
    session = ada.remember("one")
    ada.push()
    ben.pull()
    ada.write(lambda scribe: scribe.bury(session))
    ada.push()
    assert "tombstoned  generic/one\nalso: 1 tombstone\n" in run("pull", "origin", cwd=ben.path).stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("push",), "gitmem init --share REMOTE"),
        (("pull",), "gitmem init --share REMOTE"),
        (("push", "nowhere"), "git remote -v"),
        (("pull", "--", "--all"), "git remote -v"),
    ],
)
def test_a_failure_says_what_helps(
    ada: Clone, run: CommandLine, arguments: tuple[str, ...], hint: str
) -> None:
    ada.remember("one")
    finished = run(*arguments, cwd=ada.path, status=1)
    assert finished.stdout == ""
    assert f"hint: {hint}" in finished.stderr


def test_pulling_without_a_memory_there_is_no_failure(ada: Clone, run: CommandLine) -> None:
    assert run("pull", "origin", cwd=ada.path).stdout == "origin has no memory yet\n"


@pytest.fixture
def daemon(team: Team, git: RealGit) -> Iterator[str]:
    """Serve the hub by git's own daemon on loopback, and return its URL."""
    if not (Path(git("--exec-path", cwd=team.folder)) / "git-daemon").exists():
        pytest.skip("this git has no git-daemon")
    process, port = _listening(team.folder)
    try:
        yield f"git://127.0.0.1:{port}/hub.git"
    finally:
        # `git daemon` is a child of `git`; both are in the group that this test began.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _listening(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a daemon that listens, at a port that is free; another process may take it first, and then another."""
    deadline = time.monotonic() + 120
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [
                shutil.which("git") or "git",
                "daemon",
                "--listen=127.0.0.1",
                f"--port={port}",
                "--reuseaddr",
                "--export-all",
                "--enable=receive-pack",
                f"--base-path={folder}",
            ],
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except (ConnectionRefusedError, TimeoutError):
                assert time.monotonic() < deadline, "git daemon does not listen"
                time.sleep(0.02)
            else:
                return process, port
        assert time.monotonic() < deadline, "git daemon ends, whatever its port"


def test_the_network_makes_no_difference(
    team: Team, git: RealGit, daemon: str, ada: Clone, ben: Clone
) -> None:
    for clone in (ada, ben):
        git("remote", "set-url", "origin", daemon, cwd=clone.path)
    ada.remember("one")
    ben.remember("two")
    ada.push()
    ben.push()
    ada.pull()
    assert ada.tree() == ben.tree() == team.hub.tree()
    assert ada.ref() == ada.ref(TRACKING)
