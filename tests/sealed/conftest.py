"""A repository, people with keys of their own, and imports into its private memory, in process."""

from __future__ import annotations

import os
import random
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.records import Author
from gitmem.model.refs import PRIVATE_REF
from gitmem.redaction.redactor import Redactor
from gitmem.sealed.ring import Ring, open_ring
from gitmem.sealed.storage import SealedStorage
from gitmem.verbs.committing import Writer
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Report, Source
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start

KEY = bytes(range(32))
WHO = Writer(Author("Ada Example", "ada@example.org"), lambda: 1_772_000_000.0)


def open_at(path: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


@dataclass
class Person:
    """Somebody with a folder for their keys, at a repository; each call opens everything anew."""

    base: GitStorage
    user_dir: Path
    recipients: tuple[str, ...] = ()
    identities: tuple[Path, ...] = ()
    random_bytes: Callable[[int], bytes] = field(default=lambda size: random.SystemRandom().randbytes(size))

    def ring(self, *more: str) -> Ring:
        return open_ring((*self.recipients, *more), self.identities, self.user_dir, self.random_bytes)

    def storage(self) -> SealedStorage:
        return SealedStorage(self.base, self.ring())

    def public_key(self) -> str:
        return self.ring().recipients()[0]

    def take(self, *paths: Path) -> Report:
        storage, redactor = self.storage(), Redactor(KEY)
        start(storage, PRIVATE_REF, WHO)
        state = self.base.repository.state_dir
        intake = Intake(storage, PRIVATE_REF, state, WHO, redactor, KEY, HereSealer(redactor), "gitmem test")
        return import_sources(intake, [Source(path) for path in paths])

    def texts(self) -> dict[str, bytes]:
        """Return every session's text, from its heads."""
        storage = self.storage()
        if storage.read_ref(PRIVATE_REF) is None:
            return {}
        memory, found = open_memory(storage, PRIVATE_REF), {}
        for folder in memory.folders():
            stored = memory.load(folder)
            heads = [head for heads in stored.heads().values() for head in heads]
            found[str(stored.key)] = b"|".join(b"".join(memory.text(folder, head)) for head in heads)
        return found


@pytest.fixture
def base(repository: Path) -> Iterator[GitStorage]:
    with closing(open_at(repository)) as storage:
        yield storage


@pytest.fixture
def ada(base: GitStorage, tmp_path: Path) -> Person:
    return Person(base, tmp_path / "ada")


@pytest.fixture
def bob(base: GitStorage, tmp_path: Path) -> Person:
    return Person(base, tmp_path / "bob")


def every_object(repository: Path) -> dict[str, bytes]:
    """Return all that git has, reachable or not, decompressed."""
    listed = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch", "--buffer"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout
    found: dict[str, bytes] = {}
    while listed:
        head, _, rest = listed.partition(b"\n")
        oid, _, size = head.split()
        found[oid.decode()] = rest[: int(size)]
        listed = rest[int(size) + 1 :]
    return found


def holds(content: bytes, canary: bytes) -> bool:
    """Tell whether something stands in bytes as they are, or once zlib or zstd is taken away."""
    from gitmem.format import codec
    from gitmem.model.errors.store import ObjectDamaged

    forms = [content]
    with suppress(ObjectDamaged):
        forms.append(codec.decompress(content, "x", 1 << 24))
    with suppress(zlib.error):
        forms.append(zlib.decompress(content))
    return any(canary in form for form in forms)
