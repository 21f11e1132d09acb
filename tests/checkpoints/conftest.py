"""A repository whose git leaves events, transcripts of sessions in it, and what a drain made of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.checkpoints import table
from gitmem.format import checkpoints
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.records import Checkpoint
from tests.checkpoints import stubs
from tests.conftest import CommandLine, RealGit
from tests.importing import samples

REF = "refs/heads/gitmem"

Drain = Callable[..., list[Checkpoint]]
Say = Callable[..., Path]


@pytest.fixture
def spool(repository: Path) -> Path:
    """Install stand-ins for the stubs, and return the spool."""
    return stubs.install(repository)


@pytest.fixture
def say(home: Path, repository: Path) -> Say:
    """Let a session grow: `say("name", lines, cwd=…)` appends lines, and returns its transcript."""
    sizes: dict[str, int] = {}

    def say(name: str, lines: int = 2, cwd: Path | None = None, **fields: Any) -> Path:
        fields.setdefault("timestamp", samples.now())
        path = home / ".claude/projects/p" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = sizes.get(name, 0)
        sizes[name] = start + lines
        with path.open("ab") as file:
            for n in range(start, start + lines):
                file.write(samples.line(n, name, cwd=str(cwd or repository), **fields))
        return path

    return say


def recorded(repository: Path) -> list[Checkpoint]:
    """Return the checkpoints of a repository's memory, the oldest first; in a moment's order of hooks."""
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        if storage.read_ref(REF) is None:
            return []
        memory = open_memory(storage, REF)
        found = [checkpoints.find(memory, row.name) for row in table.rows(memory, None)]
    order = {"pre-commit": 0, "post-commit": 1, "post-rewrite": 2}
    return sorted(filter(None, found), key=lambda one: (one.at, order.get(one.trigger, 3)))


@pytest.fixture
def drain(run: CommandLine, repository: Path, spool: Path) -> Drain:
    """Drain, and return the checkpoints that this made, the oldest first."""
    seen: list[Checkpoint] = []

    def drain(top: Path | None = None, left: int = 0) -> list[Checkpoint]:
        here = top or repository
        said = json.loads(run("capture", "--spool", "--json", cwd=here).stdout)
        assert len(list(spool.glob("*.event"))) == left == said["left"]
        assert not list(spool.glob("*.taken"))
        found = [one for one in recorded(here) if one not in seen]
        seen.extend(found)
        assert len(found) == len(said["checkpoints"])
        return found

    return drain


def hold(git: RealGit, run: CommandLine, repository: Path) -> None:
    """Assert that git and gitmem find everything whole."""
    git("fsck", "--strict", "--full", cwd=repository)
    run("verify", "--full", cwd=repository)
