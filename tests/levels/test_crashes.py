"""A kill at any moment of a change of level shows nothing that it must not, and the same again completes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.killing import kills


def test_a_kill_in_a_change_of_level_shows_nothing_and_loses_nothing(tmp_path: Path) -> None:
    told = kills("levels.kill_everywhere", str(tmp_path / "work"), "9")
    killed = re.search(r"killed before each of (\d+) effects", told)
    assert killed is not None
    assert int(killed[1]) >= 25
