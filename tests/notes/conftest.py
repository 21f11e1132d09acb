"""A memory to write notes into: in this process, and by way of the command line in a real repository."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitmem.cli.context import Context
from gitmem.cli.main import run
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.objects.inprocess import InProcessStorage
from gitmem.verbs.committing import Writer
from gitmem.verbs.starting import start
from tests.conftest import Finished
from tests.reading.book import ADA, REF, START_MS, Book
from tests.sharing.conftest import team

__all__ = ["team"]


@pytest.fixture
def book() -> Book:
    return Book(InProcessStorage())


@pytest.fixture
def real_book(repository: Path) -> Iterator[Book]:
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        yield Book(storage)


class Terminal(io.BytesIO):
    """Standard input where somebody sits."""

    def isatty(self) -> bool:
        return True


@dataclass
class Here:
    """The command line at work in a folder, within this process; each command is a second after the last."""

    folder: Path
    now_ms: int = START_MS

    def __call__(
        self, *args: str, stdin: bytes = b"", status: int | None = 0, is_terminal: bool = False
    ) -> Finished:
        self.now_ms += 1000
        out, said = io.BytesIO(), io.BytesIO()
        context = Context(
            environ=dict(os.environ),
            stdin=Terminal(stdin) if is_terminal else io.BytesIO(stdin),
            stdout=out,
            stderr=said,
            now_ms=lambda: self.now_ms,
        )
        ended = run(["-C", str(self.folder), *args], context)
        finished = Finished(ended, out.getvalue().decode(), said.getvalue().decode())
        if status is not None and ended != status:
            pytest.fail(f"gitmem {args} ended with {ended}, not {status}\n{finished}")
        return finished

    def json(self, *args: str, status: int | None = 0) -> Any:
        return json.loads(self(*args, "--json", status=status).stdout)

    def add(self, *args: str) -> str:
        """Write a note down, and return its address."""
        return self("note", "add", *args).stdout.strip()

    def texts(self, *args: str) -> list[str]:
        """List notes, and return what they say."""
        return [note["text"] for note in self.json("note", "list", *args, status=None)["notes"]]

    def found(self, *args: str) -> list[str]:
        """Search, and return the titles of the hits."""
        return [hit["title"] for hit in self.json("search", *args, status=None)["hits"]]


@pytest.fixture
def here(repository: Path) -> Here:
    """Work in a repository with an empty memory."""
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        start(storage, REF, Writer(ADA, lambda: START_MS / 1000))
    return Here(repository)
