"""A repository that remembers, and transcripts for it in the neutral form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, RealGit

Say = Callable[..., Path]
"""Writes a transcript: its session's name, what its person says turn by turn, and more of its first line."""


@pytest.fixture
def say(tmp_path: Path) -> Say:
    return partial(write_transcript, tmp_path)


def write_transcript(folder: Path, name: str, said: Sequence[str], **about: Any) -> Path:
    """Write a transcript to a folder's `transcripts`, and return its path."""
    path = folder / "transcripts" / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = [{"session": {"id": name, "started_at": "2026-05-08T13:56:00Z", **about}}]
    for n, text in enumerate(said):
        role = "assistant" if n % 2 else "user"
        rows.append({"id": f"{name}-{n}", "role": role, "text": text, "at": "2026-05-08T13:56:00Z"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def remembering(repository: Path, run: CommandLine) -> Path:
    """Return a repository with a memory and no hooks."""
    run("init", "--no-hooks", "--no-import", cwd=repository)
    return repository


@pytest.fixture
def hub(tmp_path: Path, remembering: Path, git: RealGit) -> Path:
    """Return a bare remote of it, named origin, that has its code."""
    path = tmp_path / "hub.git"
    git("init", "-q", "--bare", str(path), cwd=tmp_path)
    git("remote", "add", "origin", str(path), cwd=remembering)
    git("push", "-q", "origin", "HEAD", cwd=remembering)
    return path


def levels_in(run: CommandLine, where: Path) -> dict[str, str]:
    """Return the level of each session that can be seen, by its own name."""
    shown = json.loads(run("sessions", "--json", cwd=where, status=None).stdout)["sessions"]
    return {row["session"].partition("/")[2]: row["level"] for row in shown}
