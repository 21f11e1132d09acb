"""The spool's files: what waits, what is swept, and what is told of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitmem.checkpoints import spool
from gitmem.checkpoints.draining import is_process
from gitmem.checkpoints.spool import State, Waiting
from gitmem.model.ids import RecordId
from tests.checkpoints import stubs

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return stubs.make_spool(tmp_path)


def test_events_wait_by_their_moments_and_then_their_names(folder: Path) -> None:
    for stem, at_ns in (("b", 5), ("a", 5), ("c", 3)):
        stubs.leave(folder, "stop", cwd=folder, stem=stem, at_ns=at_ns)
    (folder / "d.tmp").touch()
    (folder / "drainer").touch()
    assert spool.waiting(folder) == [Waiting("c", 3), Waiting("a", 5), Waiting("b", 5)]
    assert spool.waiting(folder / "nowhere") == []


def test_what_killed_processes_left_is_swept_when_it_is_old_enough(folder: Path) -> None:
    now = 10**18
    stubs.leave(folder, "stop", cwd=folder, stem="waits")
    for name, age in (("young.tmp", HOUR_NS - 1), ("old.tmp", HOUR_NS + 1), ("ahead.tmp", -HOUR_NS)):
        (folder / name).touch()
        os.utime(folder / name, ns=(now - age, now - age))
    for name in ("waits.taken", "gone.taken", "gitmem_tmp_x", "x.bad"):
        (folder / name).touch()
    spool.sweep(folder, now)
    assert {path.name for path in folder.iterdir()} == {
        "waits.event",
        "waits.taken",
        "young.tmp",
        "ahead.tmp",
        "x.bad",
    }
    spool.sweep(folder / "nowhere", now)


def test_of_what_is_no_event_the_newest_thousand_are_kept(folder: Path) -> None:
    for n in range(1_003):
        path = folder / f"{n}.bad"
        path.touch()
        os.utime(path, ns=(n, n))
    spool.sweep(folder, 10**18)
    assert sorted(int(path.stem) for path in folder.iterdir()) == list(range(3, 1_003))


def test_a_spool_says_how_it_stands(tmp_path: Path, folder: Path) -> None:
    assert spool.state(tmp_path / "nowhere") == State(0, None, 0, None)
    state_dir = folder.parent
    assert spool.state(state_dir) == State(0, None, 0, None)
    stubs.leave(folder, "stop", cwd=folder, at_ns=7)
    stubs.leave(folder, "stop", cwd=folder, at_ns=6, stem="bad")
    spool.set_aside(folder, "bad")
    spool.set_aside(folder, "gone meanwhile")
    spool.write_failure(folder, "the disk is full\nfree some space")
    assert spool.state(state_dir) == State(1, 7, 1, "the disk is full\nfree some space")
    spool.clear_failure(folder)
    assert spool.state(state_dir).failure is None


def test_what_is_taken_is_said_until_it_is_removed(folder: Path) -> None:
    stubs.leave(folder, "stop", cwd=folder, stem="one")
    assert spool.taken(folder, "one") == ()
    names = [RecordId("a" * 64), RecordId("b" * 64)]
    spool.take(folder, "one", names)
    assert spool.taken(folder, "one") == tuple(names)
    spool.remove(folder, "one", is_taken=True)
    assert list(folder.iterdir()) == []


def test_a_drainer_is_told_by_its_id_and_its_name(folder: Path) -> None:
    spool.claim(folder, os.getpid())
    pid, _, name = (folder / "drainer").read_text().rstrip("\n").partition(" ")
    assert int(pid) == os.getpid()
    if Path("/proc/self/comm").exists():
        assert name == Path("/proc/self/comm").read_text().strip()
    spool.claim(folder, stubs.dead_pid())
    spool.disclaim(folder)
    assert not (folder / "drainer").exists()


def test_processes_are_alive_or_not() -> None:
    assert is_process(os.getpid())
    assert is_process(1)
    assert not is_process(stubs.dead_pid())
    assert not is_process(0)
    assert not is_process(10**12)
