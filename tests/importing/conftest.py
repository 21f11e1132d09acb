"""A repository with a started memory, and an import into it, in process."""

from __future__ import annotations

import os
import random
import string
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.format.memory import Memory, open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.errors.withholding import RedactionFailed
from gitmem.model.records import Author
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.committing import Writer
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Report, Source
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start

REF = "refs/heads/gitmem"
KEY = bytes(range(32))
WHO = Writer(Author("Ada Example", "ada@example.org"), lambda: 1_772_000_000.0)

Importer = Callable[..., Report]


@pytest.fixture
def storage(repository: Path) -> Iterator[GitStorage]:
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        start(storage, REF, WHO)
        yield storage


@pytest.fixture
def take(storage: GitStorage) -> Importer:
    """Import files: `take(path, …, whole=False)`."""

    def take(*paths: Path, key: bytes = KEY, agent: str | None = None, **fields: object) -> Report:
        redactor = Redactor(key)
        state = storage.repository.state_dir
        intake = Intake(storage, REF, state, WHO, redactor, key, HereSealer(redactor), "gitmem test")
        return import_sources(intake._replace(**fields), [Source(path, agent) for path in paths])

    return take


@pytest.fixture
def memory(storage: GitStorage) -> Callable[[], Memory]:
    """Open the memory as it is now."""
    return lambda: open_memory(storage, REF)


def texts(memory: Memory, stream: str = "") -> list[bytes]:
    """Return the text of each head of each session's stream."""
    return [
        b"".join(memory.text(folder, head))
        for folder in memory.folders()
        for head in memory.load(folder).heads().get(stream, [])
    ]


def only_text(memory: Memory, stream: str = "") -> bytes:
    """Return the text of the only head there is."""
    [text] = texts(memory, stream)
    return text


@pytest.fixture
def failing_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make redaction fail for texts that speak of gauge 7."""
    stream = Redactor.stream

    def failing(self: Redactor, chunks: Iterable[bytes], session: bytes = b"") -> Iterator[bytes]:
        data = b"".join(chunks)
        if b"gauge 7" in data:
            raise RedactionFailed("a transcript", "the engine stopped")
        return stream(self, [data], session)

    monkeypatch.setattr(Redactor, "stream", failing)


@pytest.fixture
def secret(seed: int) -> str:
    """Return what looks like a token of a code host, and never was one."""
    rng = random.Random(seed)
    return "gh" + "p_" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(36))
