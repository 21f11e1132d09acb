"""What every test stands on: no home directory, no git configuration and no network but the test's own."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
# Last, so that under tox the installed package is what is tested and only `tests` comes from here.
sys.path.append(str(CHECKOUT))

import gitmem  # noqa: E402 (found by the line above where it is not installed)
from gitmem.cli.acting import AGENTS, ANY_AGENT  # noqa: E402
from tests.embedding.installed import (  # noqa: E402
    OUTER_ENVIRON,
    model_dir,  # noqa: F401 (a fixture)
    published_model,  # noqa: F401 (likewise)
)
from tests.forking import Ended, Forks  # noqa: E402
from tests.killing import wait_for_no_disk  # noqa: E402

IMPORTED_FROM = Path(gitmem.__file__).resolve().parents[1]
SEED = os.environ.get("GITMEM_TEST_SEED") or ("0" if os.environ.get("CI") else str(time.time_ns()))

# Names of the outer environment that a test may depend on; all other GIT_* and GITMEM_* are taken away.
KEPT = frozenset(
    {"GIT_EXEC_PATH", "GITMEM_CORPUS", "GITMEM_TEST_KILLS", "GITMEM_TEST_MODEL", "GITMEM_TEST_NPM"}
)

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Take the user's surroundings away before anything is collected, and refuse to test the wrong package."""
    if os.environ.get("TOX_ENV_NAME") and "site-packages" not in IMPORTED_FROM.parts:
        raise pytest.UsageError(f"tox is to test the built wheel, but gitmem came from {IMPORTED_FROM}")
    # A worker is started from surroundings that are taken away already, so it is told what they were.
    outer: dict[str, str] = getattr(config, "workerinput", {}).get("outer_environ") or dict(os.environ)
    config.stash[OUTER_ENVIRON] = outer
    if newer_git := os.environ.get("GITMEM_TEST_GIT"):
        os.environ["PATH"] = os.pathsep.join((newer_git, os.environ["PATH"]))
    shelter = Path(tempfile.mkdtemp(prefix="gitmem-"))
    config.add_cleanup(lambda: shutil.rmtree(shelter, ignore_errors=True))
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITMEM_", "XDG_", "SSH_")) and name not in KEPT:
            del os.environ[name]
    for name in (*AGENTS, *ANY_AGENT, "GEMINI_SESSION_ID"):  # whoever runs the tests, a person runs gitmem
        os.environ.pop(name, None)
    os.environ.update(surroundings(shelter))
    time.tzset()
    wait_for_no_disk()
    # A shell's background job ignores interrupts, and so would every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what the outer environment was."""
    node.workerinput["outer_environ"] = node.config.stash[OUTER_ENVIRON]


def pytest_report_header() -> str:
    return f"gitmem: from {IMPORTED_FROM}, seed {SEED} (GITMEM_TEST_SEED={SEED} repeats it)"


def surroundings(home: Path) -> dict[str, str]:
    """Return the variables that confine a process to `home`, which is given a git configuration."""
    config = home / ".gitconfig"
    config.write_text(
        "[user]\n\tname = Ada Example\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        "[core]\n\tfsync = none\n"  # as `wait_for_no_disk` says
    )
    # Short, because a socket's path may have 107 bytes.
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    nowhere = "http://127.0.0.1:9"
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_RUNTIME_DIR": str(runtime),
        "GITMEM_CATCH_UP_MS": "60000",
        "GITMEM_ANSWER_S": "90",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # No test leaves a process; those that are about the sidecar, or about hooks, say so.
        "GITMEM_SIDECAR": "false",
        "GITMEM_HOOKS": "false",
        "LC_ALL": "C.UTF-8",
        "LOGNAME": "ada",
        "TERM": "xterm-256color",
        "TZ": "UTC",
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "no_proxy": "127.0.0.1,localhost",
    }


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a home directory that nothing has been in."""
    # What a test has started may still be ending, and write.
    with tempfile.TemporaryDirectory(prefix="gitmem-", ignore_cleanup_errors=True) as directory:
        for name, value in surroundings(Path(directory)).items():
            monkeypatch.setenv(name, value)
        yield Path(directory)


@pytest.fixture
def environ() -> Mapping[str, str]:
    """Return the environment as the command line would hand it in."""
    return dict(os.environ)


@dataclass(frozen=True)
class RealGit:
    """The git of this machine, as the oracle: `git("log", cwd=path)` returns what it printed."""

    def __call__(
        self, *args: str, cwd: Path, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> str:
        finished = subprocess.run(
            ["git", *args],
            cwd=cwd,
            input=stdin.encode(),
            capture_output=True,
            env={**os.environ, **(environ or {})},
            check=False,
        )
        assert finished.returncode == 0, f"git {args}: {finished.stderr.decode()}"
        return finished.stdout.decode().removesuffix("\n")

    def commit(self, cwd: Path, name: str = "a.txt", content: str = "one\n") -> str:
        """Write a file, commit it and return the commit's id."""
        (cwd / name).write_text(content)
        self("add", "--", name, cwd=cwd)
        self("commit", "--quiet", "-m", f"write {name}", cwd=cwd)
        return self("rev-parse", "HEAD", cwd=cwd)


@pytest.fixture
def git() -> RealGit:
    return RealGit()


@pytest.fixture
def repository(tmp_path: Path, git: RealGit) -> Path:
    """Return the top of a repository with one commit on `main`."""
    top = tmp_path / "repository"
    git("init", "--quiet", str(top), cwd=tmp_path)
    git.commit(top)
    return top


@dataclass(frozen=True)
class Finished:
    """How a run of the command line ended."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class CommandLine:
    """The real `gitmem`, as a process of its own: `run("status", cwd=path)`.

    It fails the test when it does not end with `status`; None accepts any. Most are forked from a process that
    has gitmem loaded; every so many, beginning with another one in each run, begin as a user's do.
    """

    def __call__(
        self,
        *args: str,
        cwd: Path,
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        status: int | None = 0,
    ) -> Finished:
        started = {**os.environ, "PYTHONPATH": str(IMPORTED_FROM), **(environ or {})}
        if _is_begun_anew(environ or {}):
            finished = begin_anew(args, cwd, stdin, started)
        else:
            # What it starts counts no lines, which takes longer than the work; what was begun anew shows them.
            quick = {name: value for name, value in started.items() if not name.startswith("COVERAGE_")}
            finished = forks().run(args, cwd, stdin, quick)
        stdout, stderr = finished.stdout.decode(), finished.stderr.decode()
        if status is not None and finished.status != status:
            pytest.fail(f"gitmem {args} ended with {finished.status}, not {status}\n{stdout}\n{stderr}")
        return Finished(finished.status, stdout, stderr)


@cache
def forks() -> Forks:
    """Return what this process has gitmem forked from; it is started when it is first asked for."""
    started = Forks(IMPORTED_FROM)
    atexit.register(started.close)
    return started


_ANEW_EVERY = 12
_runs = itertools.count(zlib.crc32(SEED.encode()))


def _is_begun_anew(environ: Mapping[str, str]) -> bool:
    """Whether another interpreter has to be started, which alone heeds some variables, or is for once."""
    return next(_runs) % _ANEW_EVERY == 0 or any(
        name.startswith(("PYTHON", "LC_", "LANG")) for name in environ
    )


def begin_anew(args: Sequence[str], cwd: Path, stdin: bytes, environ: Mapping[str, str]) -> Ended:
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "gitmem", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environ,
        check=False,
    )
    return Ended(finished.returncode, finished.stdout, finished.stderr)


@pytest.fixture
def run() -> CommandLine:
    return CommandLine()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return a number to seed random input with, another one for each test; it is shown when the test fails."""
    print(f"GITMEM_TEST_SEED={SEED}")
    return zlib.crc32(f"{SEED}:{request.node.name}".encode())
