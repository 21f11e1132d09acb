"""A hub and two people who clone it, each with a key."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import RealGit
from tests.sharing.clones import Clone, Team, new_team
from tests.signing.keys import SshKey, allow, ssh_key, use_ssh


class Keys(NamedTuple):
    """Whose keys there are; Mallory's is nobody's whom the others know."""

    ada: SshKey
    ben: SshKey
    mallory: SshKey


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return Keys(*(ssh_key(folder, name) for name in Keys._fields))


@pytest.fixture
def team(tmp_path: Path, git: RealGit) -> Team:
    return new_team(tmp_path, git)


@pytest.fixture
def ada(team: Team, git: RealGit, keys: Keys) -> Clone:
    return _person(team, git, keys, "ada")


@pytest.fixture
def ben(team: Team, git: RealGit, keys: Keys) -> Clone:
    return _person(team, git, keys, "ben")


@pytest.fixture
def mallory(team: Team, git: RealGit, keys: Keys) -> Clone:
    return _person(team, git, keys, "mallory")


def _person(team: Team, git: RealGit, keys: Keys, name: str) -> Clone:
    clone = team.clone(name)
    git("config", "user.name", name.title(), cwd=clone.path)
    git("config", "user.email", f"{name}@example.org", cwd=clone.path)
    use_ssh(git, clone.path, getattr(keys, name))
    allow(git, clone.path, {"ada@example.org": keys.ada, "ben@example.org": keys.ben})
    return clone
