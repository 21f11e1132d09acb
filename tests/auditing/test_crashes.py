"""What stops an audit from outside: a kill at any point, a disk that is full."""

from __future__ import annotations

import random
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.auditing.journal import Journal
from gitmem.auditing.log import Log
from gitmem.model.errors.store import AuditUnwritten
from tests.killing import kills


def test_a_kill_before_any_effect_loses_and_doubles_nothing(tmp_path: Path) -> None:
    told = kills("auditing.kill_everywhere", str(tmp_path))
    found = re.search(r"killed before (\d+) of (\d+) effects", told)
    assert found
    assert int(found[2]) > 50
    assert int(found[1]) >= int(found[2]) // 3


@pytest.fixture
def little_space() -> Iterator[None]:
    """Let no file of this process grow beyond some bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def note_often(log: Log) -> None:
    for _ in range(10):
        log.note("push")


@pytest.mark.usefixtures("little_space")
def test_a_full_disk_refuses_what_is_owed_and_leaves_whole_entries(tmp_path: Path) -> None:
    warnings: list[str] = []
    log = Log(
        tmp_path / "state",
        tmp_path / "user",
        by="person",
        now_ms=lambda: 1_767_323_045_000,
        random_bytes=random.Random(1).randbytes,
        warn=warnings.append,
    )
    with pytest.raises(AuditUnwritten, match="No space left"):
        note_often(log)
    journal = Journal(log.folder, log.identity().device)
    assert 1 <= len(journal.lines()) < 10
    assert journal.path.read_bytes().endswith(b"}\n")
    for _ in range(100):
        log.note("search")
    assert warnings
