"""A turn leads to the first commit that was made beyond it, by whichever name that has now."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.checkpoints import tied
from gitmem.checkpoints.tied import Said, Ties
from gitmem.model.ids import SessionId
from gitmem.model.records import Rewrite
from gitmem.model.times import to_ms
from tests.indexer.memories import Filled
from tests.indexer.memories import said as line
from tests.recalling.conftest import checkpoint

A, B, C = "a" * 40, "b" * 40, "c" * 40
MORNING = to_ms("2026-02-03T06:00:00Z")


@pytest.fixture
def filled(repository: Path, environ: Mapping[str, str]) -> Filled:
    return Filled(repository, environ)


def commit_of(
    filled: Filled, session: SessionId, number: int, at_ms: int = MORNING, stream: str = ""
) -> str | None:
    with closing(filled.storage()) as storage:
        ties = Ties(filled.memory(storage), filled.repository.state_dir)
        return ties.commit_of(Said(session, stream, number, at_ms))


def test_the_first_commit_beyond_a_turn_is_told(filled: Filled) -> None:
    session = filled.add("one", [line(f"{n}") for n in range(9)])
    other = filled.add("two", [line("x")])
    assert commit_of(filled, session, 0) is None
    checkpoint(filled, "2026-02-03T07:00:00.000Z", A, {session: 3})
    checkpoint(filled, "2026-02-03T07:30:00.000Z", C, {session: 9}, trigger="session-end")
    checkpoint(filled, "2026-02-03T08:00:00.000Z", B, {session: 6, other: 1})
    assert [commit_of(filled, session, number) for number in range(7)] == [A, A, A, B, B, B, None]
    assert commit_of(filled, other, 0) == B
    assert commit_of(filled, session, 0, MORNING + 5_400_000) == B, (
        "what was committed before is not looked at"
    )
    assert commit_of(filled, session, 0, stream="agent-1") is None


def test_a_commit_that_was_rewritten_goes_by_its_new_name(filled: Filled) -> None:
    session = filled.add("one", [line("x")])
    checkpoint(filled, "2026-02-03T07:00:00.000Z", A, {session: 1})
    checkpoint(filled, "2026-02-03T08:00:00.000Z", B, {}, trigger="post-rewrite", rewrites=(Rewrite(A, B),))
    checkpoint(
        filled,
        "2026-02-03T09:00:00.000Z",
        C,
        {},
        trigger="post-rewrite",
        rewrites=(Rewrite(B, C), Rewrite(C, C)),
    )
    assert commit_of(filled, session, 0) == C


def test_only_so_many_checkpoints_are_read(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    session, other = filled.add("one", [line("x")]), filled.add("two", [line("x")])
    for n in range(3):
        checkpoint(filled, f"2026-02-03T07:0{n}:00.000Z", B, {other: 1})
    checkpoint(filled, "2026-02-03T08:00:00.000Z", A, {session: 1})
    assert commit_of(filled, session, 0) == A
    monkeypatch.setattr(tied, "_MOST_READ", 2)
    assert commit_of(filled, session, 0) is None
    monkeypatch.setattr(tied, "_MOST_READ", 200)
    monkeypatch.setattr(tied, "_LOOKED_AT", 2)
    assert commit_of(filled, session, 0) is None
