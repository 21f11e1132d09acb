"""A repository that remembers, with real hooks; who works in it; and what it says of a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, RealGit
from tests.journeys.people import Coder, wait_for_drains

Why = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def real_hooks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hooks do what they do, unlike in tests of other things."""
    monkeypatch.setenv("GITMEM_HOOKS", "true")


@pytest.fixture
def project(repository: Path, run: CommandLine) -> Iterator[Path]:
    """Return the top of a repository that remembers; at the end nothing of it runs any more."""
    run("init", cwd=repository)
    yield repository
    wait_for_drains(repository / ".git")


@pytest.fixture
def coder(home: Path, project: Path) -> Callable[..., Coder]:
    """Start a session: `coder("older")`."""

    def start(name: str, top: Path = project) -> Coder:
        return Coder(home, top, name)

    return start


@pytest.fixture
def settled(project: Path) -> Callable[[], None]:
    """Wait until what the hooks of the project left has been taken in."""
    return lambda: wait_for_drains(project / ".git")


@pytest.fixture
def why(project: Path, run: CommandLine) -> Why:
    """Ask about a line, once all has been taken in, and return the only place that is told."""

    def why(target: str, top: Path = project) -> dict[str, Any]:
        wait_for_drains(project / ".git")
        told = json.loads(run("why", target, "--json", cwd=top, status=None).stdout)
        [place] = told["places"]
        return dict(place)

    return why


@pytest.fixture
def commit(git: RealGit, project: Path) -> Callable[..., str]:
    """Commit all that has changed, through the hooks, and return the commit's id."""

    def commit(message: str, *options: str, top: Path = project) -> str:
        git("add", "-A", cwd=top)
        git("commit", "-q", "-m", message, *options, cwd=top)
        return git("rev-parse", "HEAD", cwd=top)

    return commit
