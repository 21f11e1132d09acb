"""What every test stands on: no home directory, no git configuration and no network but the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
# Last, so that under tox the installed package is what is tested and only `tests` comes from here.
sys.path.append(str(CHECKOUT))

import gitmem  # noqa: E402 (found by the line above where it is not installed)
from tests.embedding.installed import (  # noqa: E402
    OUTER_ENVIRON,
    model_dir,  # noqa: F401 (a fixture)
    published_model,  # noqa: F401 (likewise)
)

IMPORTED_FROM = Path(gitmem.__file__).resolve().parents[1]
SEED = os.environ.get("GITMEM_TEST_SEED") or ("0" if os.environ.get("CI") else str(time.time_ns()))

# Names of the outer environment that a test may depend on; all other GIT_* and GITMEM_* are taken away.
KEPT = frozenset({"GIT_EXEC_PATH", "GITMEM_CORPUS", "GITMEM_TEST_MODEL", "GITMEM_TEST_NPM"})

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
    os.environ.update(surroundings(shelter))
    time.tzset()
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
    with tempfile.TemporaryDirectory(prefix="gitmem-") as directory:
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

    It fails the test when it does not end with `status`; None accepts any.
    """

    def __call__(
        self,
        *args: str,
        cwd: Path,
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        status: int | None = 0,
    ) -> Finished:
        finished = subprocess.run(
            [sys.executable, "-P", "-m", "gitmem", *args],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM), **(environ or {})},
            check=False,
        )
        stdout, stderr = finished.stdout.decode(), finished.stderr.decode()
        if status is not None and finished.returncode != status:
            pytest.fail(f"gitmem {args} ended with {finished.returncode}, not {status}\n{stdout}\n{stderr}")
        return Finished(finished.returncode, stdout, stderr)


@pytest.fixture
def run() -> CommandLine:
    return CommandLine()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return a number to seed random input with, another one for each test; it is shown when the test fails."""
    print(f"GITMEM_TEST_SEED={SEED}")
    return zlib.crc32(f"{SEED}:{request.node.name}".encode())
