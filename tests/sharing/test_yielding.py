"""After a push that met others, the next one lets them go first, and only if it comes at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.sharing import yielding
from gitmem.sharing.yielding import let_others_go, note_others


def waited(state_dir: Path) -> list[float]:
    found: list[float] = []
    let_others_go(state_dir, found.append)
    return found


def test_nobody_waits_who_has_met_nobody(tmp_path: Path) -> None:
    assert waited(tmp_path) == []


def test_the_next_push_waits_as_long_as_the_last_took_but_not_for_long(tmp_path: Path) -> None:
    note_others(tmp_path, 1.0)
    [first] = waited(tmp_path)
    assert 0 < first <= 1.0
    note_others(tmp_path, 3600.0)
    [longest] = waited(tmp_path)
    assert longest <= 10.0


@pytest.mark.parametrize("passed_s", [10.5, -10.0])
def test_later_and_after_a_restart_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed_s: float
) -> None:
    monkeypatch.setattr(yielding.time, "monotonic", lambda: 100.0)
    note_others(tmp_path, 10.0)
    monkeypatch.setattr(yielding.time, "monotonic", lambda: 100.0 + passed_s)
    assert waited(tmp_path) == []
