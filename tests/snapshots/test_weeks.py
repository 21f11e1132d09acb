"""Snapshots lie in a store for each week, are found by their checkpoint, and go by age."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.checkpoints import snapshots
from gitmem.checkpoints.snapshots import Taken
from gitmem.git import snapshots as taking
from gitmem.git.process import Git
from gitmem.model.ids import RecordId
from gitmem.model.times import to_ms
from tests.conftest import RealGit
from tests.snapshots.conftest import listing, repository_at, write

DAY_MS = 86_400_000
NOW_MS = to_ms("2026-02-11T12:00:00Z")  # a Wednesday
ID = RecordId("ab" * 32)


def taken(top: Path, at_ms: int = NOW_MS, days: int = 30) -> Taken | None:
    repository = repository_at(top)
    return snapshots.snapshot(repository, Git(dict(os.environ)), repository.state_dir, at_ms, days)


def test_a_snapshot_is_found_by_its_checkpoint(repository: Path) -> None:
    state = repository_at(repository).state_dir
    write(repository / "b.txt", "b\n")
    made = taken(repository)
    assert made is not None
    assert snapshots.find(state, ID) is None
    snapshots.keep(state, ID, made)
    snapshots.keep(state, ID, made)
    kept = snapshots.find(state, ID)
    assert kept == (made.week / "objects", made.snapshot)
    assert made.week == state / "snapshots/2026-W07"


def test_the_same_state_costs_no_new_objects(repository: Path) -> None:
    write(repository / "b.txt", "b\n")
    first = taken(repository)
    assert first is not None
    before = listing(first.week)
    second = taken(repository, NOW_MS + DAY_MS)
    assert second == first
    assert listing(first.week) == before


def test_turned_off_or_without_a_working_tree_none_is_taken(
    repository: Path, tmp_path: Path, git: RealGit
) -> None:
    git("init", "--quiet", "--bare", str(tmp_path / "bare.git"), cwd=tmp_path)
    assert taken(repository, days=0) is None
    assert taken(tmp_path / "bare.git") is None
    assert not (repository / ".git/gitmem").exists()


@pytest.mark.parametrize(
    ("later_days", "days", "stays"),
    [(34, 30, True), (35, 30, False), (5, 0, True), (6, 0, False), (5, 1, True), (-400, 30, True)],
)
def test_a_week_goes_when_its_last_moment_is_too_old(
    repository: Path, later_days: int, days: int, stays: bool
) -> None:
    state = repository_at(repository).state_dir
    made = taken(repository)
    assert made is not None
    snapshots.keep(state, ID, made)
    assert snapshots.prune(state, NOW_MS + later_days * DAY_MS, days) == (0 if stays else 1)
    assert (snapshots.find(state, ID) is not None) is stays
    assert made.week.exists() is stays


def test_each_week_stands_alone(repository: Path) -> None:
    state = repository_at(repository).state_dir
    write(repository / "b.txt", "b\n")
    old, new = taken(repository), taken(repository, NOW_MS + 7 * DAY_MS)
    assert old is not None
    assert new is not None
    assert old.snapshot == new.snapshot
    assert listing(old.week / "objects") == listing(new.week / "objects")
    assert snapshots.weeks(state) == [new.week, old.week]
    # The last days of a year belong to a week of the next one.
    year_end = taken(repository, to_ms("2024-12-31T00:00:00Z"))
    assert year_end is not None
    assert year_end.week.name == "2025-W01"


def test_nothing_is_pruned_while_somebody_rewinds(repository: Path) -> None:
    state = repository_at(repository).state_dir
    assert snapshots.prune(state, NOW_MS, 30) == 0
    assert not state.exists()
    made = taken(repository)
    assert made is not None
    with snapshots.held(state, 0):
        assert snapshots.prune(state, NOW_MS + 99 * DAY_MS, 30) == 0
    assert made.week.exists()


def test_pruning_killed_at_any_effect_is_ended_by_the_next(repository: Path) -> None:
    state = repository_at(repository).state_dir
    points = 0
    while True:
        made = taken(repository)
        assert made is not None
        snapshots.keep(state, ID, made)
        ended = _killed_at(points, lambda: snapshots.prune(state, NOW_MS + 99 * DAY_MS, 30))
        kept = snapshots.find(state, ID)
        # Whole, or not there.
        assert kept is None or kept.store.is_dir()
        snapshots.prune(state, NOW_MS + 99 * DAY_MS, 30)
        assert [path.name for path in (state / "snapshots").iterdir()] == ["lock"]
        if not ended:
            break
        points += 1
    assert points >= 2


def test_a_damaged_note_is_no_snapshot(repository: Path) -> None:
    state = repository_at(repository).state_dir
    made = taken(repository)
    assert made is not None
    snapshots.keep(state, ID, made)
    for content in (b"", b"\0" * 100, b"{}", b"\xff"):
        (made.week / "kept" / ID).write_bytes(content)
        assert snapshots.find(state, ID) is None


def test_what_was_left_out_is_listed_once_and_needed(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = repository_at(repository).state_dir
    monkeypatch.setattr(taking, "LARGEST_BYTES", 10)
    for n in range(5):
        write(repository / f"large{n}", "x" * 11)
    made = taken(repository)
    assert made is not None
    other = RecordId("cd" * 32)
    for name in (ID, other):
        snapshots.keep(state, name, made)
        kept = snapshots.find(state, name)
        assert kept is not None
        assert kept.snapshot.omitted == tuple(b"large%d" % n for n in range(5))
    [listed] = (made.week / "omitted").iterdir()
    # With half of the list a rewind would remove the other half.
    listed.write_bytes(listed.read_bytes()[:-7])
    assert snapshots.find(state, ID) is None
    listed.unlink()
    assert snapshots.find(state, ID) is None


def test_what_is_no_week_is_left_alone(repository: Path) -> None:
    state = repository_at(repository).state_dir
    for name in ("mine", "2020-W00", "2020-W99", "2020-W10x"):
        write(state / "snapshots" / name / "file", "x")
    assert snapshots.prune(state, NOW_MS, 30) == 0


def _killed_at(point: int, work: object) -> bool:
    """Run something in a forked process that dies before the effect of that number; whether it did."""
    pid = os.fork()
    if pid == 0:
        left = point

        def count(effect: disk.Effect, path: Path) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        try:
            with disk.observe(count):
                work()  # type: ignore[operator]
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
