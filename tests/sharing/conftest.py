"""A hub and two people who clone it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import RealGit
from tests.sharing.clones import Clone, Team, new_team


@pytest.fixture
def team(tmp_path: Path, git: RealGit) -> Team:
    return new_team(tmp_path, git)


@pytest.fixture
def ada(team: Team) -> Clone:
    return team.clone("ada")


@pytest.fixture
def ben(team: Team) -> Clone:
    return team.clone("ben")


@pytest.fixture
def has_http(git: RealGit, home: Path) -> None:
    """Skip where git was built without it."""
    tools = Path(git("--exec-path", cwd=home))
    if not all((tools / name).exists() for name in ("git-remote-http", "git-http-backend")):
        pytest.skip("this git has no http")
