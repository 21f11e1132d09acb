"""What is due, by clocks that may be years apart."""

from __future__ import annotations

from pathlib import Path

from gitmem.forgetting.forget import forget, unforget
from gitmem.forgetting.waiting import Waiting, due, outdated, waiting
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Author
from gitmem.model.turns import Tally
from gitmem.verbs.committing import Writer
from gitmem.verbs.summaries import Summary
from tests.sharing.clones import NOW_S, REF, Clone

DAY_MS = 86_400_000
NOW_MS = NOW_S * 1000
ONE = SessionId("ab" * 32)


def at(clock_s: int) -> Writer:
    return Writer(Author("Ada"), lambda: clock_s)


class TestWaiting:
    def test_forgotten_sessions_wait_until_they_are_taken_back(self, ada: Clone, tmp_path: Path) -> None:
        one, _ = ada.remember("one"), ada.remember("other")
        with ada.opened() as storage:
            assert forget(storage, REF, at(NOW_S), one, NOW_MS + 30 * DAY_MS)
            assert not forget(storage, REF, at(NOW_S), one, NOW_MS + 30 * DAY_MS)
        with ada.memory() as memory:
            found = waiting(memory, tmp_path, NOW_MS + 5)
            assert found == {one: Waiting(one, NOW_MS + 30 * DAY_MS, NOW_MS, NOW_MS + 5, "")}
            assert waiting(memory, tmp_path, NOW_MS + 500) == found, "when it was first seen stays"
        ada.remember("third")
        with ada.memory() as memory:
            assert waiting(memory, tmp_path, NOW_MS + 900) == found
        with ada.opened() as storage:
            assert unforget(storage, REF, at(NOW_S), one)
            assert not unforget(storage, REF, at(NOW_S), one)
        with ada.memory() as memory:
            assert waiting(memory, tmp_path, NOW_MS) == {}


class TestDue:
    def row(self, seen_ms: int) -> Waiting:
        return Waiting(ONE, NOW_MS + 30 * DAY_MS, NOW_MS, seen_ms, "")

    def test_nothing_is_due_before_its_time(self) -> None:
        assert list(due([self.row(NOW_MS)], NOW_MS + 30 * DAY_MS - 1)) == []
        assert list(due([self.row(NOW_MS)], NOW_MS + 30 * DAY_MS)) == [ONE]

    def test_a_clock_that_is_years_ahead_waits_as_long_as_any(self) -> None:
        ahead_ms = NOW_MS + 9000 * DAY_MS
        assert list(due([self.row(ahead_ms)], ahead_ms)) == []
        assert list(due([self.row(ahead_ms)], ahead_ms + 30 * DAY_MS)) == [ONE]

    def test_a_clock_that_is_years_behind_never_erases_early(self) -> None:
        behind_ms = NOW_MS - 9000 * DAY_MS
        assert list(due([self.row(behind_ms)], behind_ms + 31 * DAY_MS)) == []


class TestOutdated:
    def summary(self, name: str, captured_ms: int) -> Summary:
        return Summary(
            SessionId(name * 64), Oid("cd" * 20), "generic", name, "", Author("Ada"), "", None, (), None,
            None, captured_ms, captured_ms, 1, "team", (), False, (), 0, 1, 1, Tally(),
        )  # fmt: skip

    def test_what_nothing_was_added_to_for_so_long_is_outdated(self) -> None:
        rows = [self.summary("a", NOW_MS - 400 * DAY_MS), self.summary("b", NOW_MS)]
        assert list(outdated(rows, 365, NOW_MS)) == [SessionId("a" * 64)]
        assert list(outdated(rows, 500, NOW_MS)) == []

    def test_a_clock_that_is_years_ahead_erases_nothing(self) -> None:
        rows = [self.summary("a", NOW_MS - 9 * DAY_MS), self.summary("b", NOW_MS)]
        assert list(outdated(rows, 365, NOW_MS + 9000 * DAY_MS)) == []
