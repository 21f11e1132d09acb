"""A world to ask in, and asking as people do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
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


@pytest.fixture
def world(repository: Path, git: RealGit) -> Iterator[World]:
    own = Git(dict(os.environ))
    with closing(open_storage(discover(repository, own), own)) as storage:
        world = World(repository, git, Book(storage))
        world.run("commit", "--quiet", "--amend", "--reset-author", "--no-edit")  # for its date
        yield world


@pytest.fixture
def ask(world: World, run: CommandLine) -> Ask:
    """Save the sessions, and ask `gitmem why` for JSON."""

    def ask(*words: str, status: int = 0, cwd: Path | None = None) -> dict[str, Any]:
        for talk in world.talks:
            talk.save()
        finished = run("why", "--json", *words, cwd=cwd or world.top, status=status)
        told: dict[str, Any] = json.loads(finished.stdout)
        return told

    return ask
