"""A world to ask in, and asking as people do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from tests.conftest import CommandLine, RealGit
from tests.reading.book import Book
from tests.why.world import World

Ask = Callable[..., dict[str, Any]]


AskIn = Callable[..., dict[str, Any]]


@contextmanager
def world_in(top: Path, git: RealGit) -> Iterator[World]:
    """Begin a world in a repository that has one commit."""
    own = Git(dict(os.environ))
    with closing(open_storage(discover(top, own), own)) as storage:
        world = World(top, git, Book(storage))
        world.run("commit", "--quiet", "--amend", "--reset-author", "--no-edit")  # for its date
        yield world


@pytest.fixture
def world(repository: Path, git: RealGit) -> Iterator[World]:
    with world_in(repository, git) as world:
        yield world


@pytest.fixture
def ask_in(run: CommandLine) -> AskIn:
    """Save the sessions of a world, and ask `gitmem why` for JSON."""

    def ask_in(world: World, *words: str, status: int = 0, cwd: Path | None = None) -> dict[str, Any]:
        for talk in world.talks:
            talk.save()
        finished = run("why", "--json", *words, cwd=cwd or world.top, status=status)
        told: dict[str, Any] = json.loads(finished.stdout)
        return told

    return ask_in


@pytest.fixture
def ask(world: World, ask_in: AskIn) -> Ask:
    """Ask in the one world that there is."""
    return partial(ask_in, world)
