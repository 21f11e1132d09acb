"""A kill at any moment of sealing leaves what was private readable to its owner, and to nobody else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.killing import kills


def test_a_kill_before_any_effect_loses_nothing_and_shows_nothing(tmp_path: Path) -> None:
    told = kills("sealed.kill_everywhere", str(tmp_path))
    counts = re.findall(r"killed before (\d+) of (\d+) effects", told)
    assert len(counts) == 3
    assert min(int(every) for _, every in counts) >= 10
    assert all(int(killed) >= int(every) // 3 for killed, every in counts)
