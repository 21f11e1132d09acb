"""Clones in which agents get entries, with the command line in this process; stubs that really run."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitmem.cli.context import Context
from gitmem.cli.main import run as run_cli


@dataclass(frozen=True)
class Said:
    """What a command line said, and how it ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Gitmem = Callable[..., Said]


@pytest.fixture
def gitmem(repository: Path, home: Path) -> Gitmem:
    """Return the command line, run in this process: `gitmem("enable", "codex")`."""
    assert home.is_dir()
    clock = iter(range(1_790_000_000_000, 1_800_000_000_000, 1_000))

    def call(*args: str, cwd: Path = repository, stdin: bytes = b"", status: int | None = 0) -> Said:
        stdout, stderr = io.BytesIO(), io.BytesIO()
        context = Context(
            environ=dict(os.environ),
            stdin=io.BytesIO(stdin),
            stdout=stdout,
            stderr=stderr,
            now_ms=lambda: next(clock),
        )
        context.move(cwd)
        said = Said(run_cli(args, context), "", "")
        said = Said(said.status, stdout.getvalue().decode(), stderr.getvalue().decode())
        assert status is None or said.status == status, said
        return said

    return call


def snapshot(top: Path) -> dict[str, tuple[int, bytes]]:
    """Return all files below a folder, with their modes and what they hold; folders as well, and links as such."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in sorted(top.rglob("*")):
        name = str(path.relative_to(top))
        if (name.startswith(".git/") and name != ".git/info/exclude") or name == ".git":
            continue
        if path.is_symlink():
            found[name] = (0, os.fsencode(path.readlink()))
        elif path.is_dir():
            found[name] = (path.stat().st_mode, b"")
        else:
            found[name] = (path.stat().st_mode, path.read_bytes())
    return found
