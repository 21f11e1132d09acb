"""A hub, and two people who clone it and keep an audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.auditing.people import Person, person
from tests.conftest import RealGit
from tests.sharing.clones import Team, new_team


@pytest.fixture
def team(tmp_path: Path, git: RealGit) -> Team:
    return new_team(tmp_path, git)


@pytest.fixture
def ada(team: Team, seed: int) -> Person:
    return person(team.clone("ada"), seed)


@pytest.fixture
def ben(team: Team, seed: int) -> Person:
    return person(team.clone("ben"), seed + 1)
