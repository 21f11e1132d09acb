"""A memory to write notes into: in this process, and by way of the command line in a real repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.objects.inprocess import InProcessStorage
from tests.conftest import CommandLine
from tests.notes.desks import OF_AGENTS
from tests.reading.book import Book


@pytest.fixture
def book() -> Book:
    return Book(InProcessStorage())


@pytest.fixture
def real_book(repository: Path) -> Iterator[Book]:
    git = Git({"PATH": "/usr/bin:/bin"})
    with closing(open_storage(discover(repository, git), git)) as storage:
        yield Book(storage)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """See that a person writes, whoever runs the tests."""
    for name in OF_AGENTS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def remembering(repository: Path, run: CommandLine) -> Path:
    """Return the top of a repository with an empty memory."""
    run("init", "--no-hooks", "--no-import", "--agents", "none", cwd=repository)
    return repository


@pytest.fixture
def add(run: CommandLine, remembering: Path) -> Callable[..., str]:
    """Write a note down with the command line, and return its address."""

    def add(*args: str) -> str:
        return run("note", "add", *args, cwd=remembering).stdout.strip()

    return add
