"""A memory to read from: in this process, and in a real repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.objects.inprocess import InProcessStorage
from tests.reading.book import Book


@pytest.fixture
def book() -> Book:
    return Book(InProcessStorage())


@pytest.fixture
def real_book(repository: Path) -> Iterator[Book]:
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        yield Book(storage)
