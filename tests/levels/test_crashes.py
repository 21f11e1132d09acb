"""A kill at any moment of a change of level shows nothing that it must not, and the same again completes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT, IMPORTED_FROM


def test_a_kill_in_a_change_of_level_shows_nothing_and_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.levels.kill_everywhere", str(tmp_path / "work"), "9"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{IMPORTED_FROM}{os.pathsep}{CHECKOUT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    killed = re.search(r"killed before each of (\d+) effects", done.stdout)
    assert killed is not None
    assert int(killed[1]) >= 25
