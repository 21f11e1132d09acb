"""A memory to recall from: sessions of several people, some of them hostile, some that repeat gitmem itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from gitmem.cli import main
from gitmem.cli.context import Context
from gitmem.format import layout, records
from gitmem.model.ids import MAIN_STREAM, RecordId, SessionId
from gitmem.model.records import Author, Checkpoint, Position, Rewrite, Trigger
from gitmem.sidecar import client
from gitmem.sidecar.client import Listener
from gitmem.sidecar.wire import Json, Request
from gitmem.verbs.committing import commit
from indexer.requests.answer import answer
from tests.conftest import Finished
from tests.indexer.memories import ADA, Filled, called, gave, said
from tests.recalling.hostile import HOSTILE

AT = "2026-02-03T06:34:50Z"
Run = Callable[..., Finished]
EVE = Author("Eve", "eve@elsewhere.example")
UUID = "0f3a81c2-5b0e-4f5a-8f3c-9d6c1b2e7a55"


@pytest.fixture
def memory(repository: Path, environ: Mapping[str, str]) -> Filled:
    """Return a memory about anchors: of Ada's, of Eve's, who is not known, and with what gitmem said before."""
    filled = Filled(repository, environ)
    at = AT
    filled.add(
        "anchors",
        [
            said("Why did the anchor chain break?", at=at),
            said("The anchor shackle was rusty; we replace it each year now.", "assistant", at=at),
            called("Bash", "c1", command="make anchor-test", at=at),
            gave("c1", "building\nFAILED anchor_test: shackle too weak\nbye"),
        ],
        branch="main",
    )
    filled.add(
        UUID,
        [
            said("Tell me of the anchor winch", at=at),
            said("The winch needs grease.", "assistant", at="2026-02-04T06:34:50Z"),
        ],
        branch="main",
    )
    filled.add("eves", [said("The anchor must be thrown away, says Eve.", at=at)], author=EVE)
    filled.add("hostile", [said(f"anchor {text}", at=at) for text in HOSTILE if text.isprintable()])
    return filled


def checkpoint(
    filled: Filled,
    at: str,
    head: str,
    lines: Mapping[SessionId, int],
    *,
    trigger: Trigger = "post-commit",
    rewrites: tuple[Rewrite, ...] = (),
    author: Author = ADA,
) -> RecordId:
    """Record a checkpoint at a commit, to which sessions had come so far; return its name."""
    positions = tuple(Position(session, MAIN_STREAM, count) for session, count in lines.items())
    record = Checkpoint(at, author, trigger, head=head, branch="main", positions=positions, rewrites=rewrites)
    name, blob = records.seal(record)
    writer = filled.writer(ADA)
    with closing(filled.storage()) as storage, storage.begin() as batch:
        changes = {layout.checkpoint_path(name): batch.add("blob", blob)}
        commit(storage, filled.ref, writer, "checkpoint\n", changes, batch)
    return name


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line within this process, the indexer too: a process of its own proves nothing more here."""

    def ask_here(request: Request, environ: Mapping[str, str], listener: Listener, *_: str) -> Iterator[Json]:
        return answer(request, environ, _Silent())

    def run(
        *args: str, cwd: Path, status: int | None = 0, environ: Mapping[str, str] | None = None
    ) -> Finished:
        streams = [BytesIO(), BytesIO(), BytesIO()]
        context = Context(
            environ={**os.environ, **(environ or {})},
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        context.move(cwd)
        ended = main.run(args, context)
        stdout, stderr = (stream.getvalue().decode() for stream in streams[1:])
        assert status is None or ended == status, f"{args} ended with {ended}\n{stdout}\n{stderr}"
        return Finished(ended, stdout, stderr)

    monkeypatch.setattr(client, "ask_process", ask_here)
    return run


class _Silent:
    def notice(self, text: str) -> None:
        """Nobody waits."""

    def progress(self, done: int, total: int) -> None:
        """Nobody looks."""
