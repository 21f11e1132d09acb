"""A kill at any moment of sealing leaves what was private readable to its owner, and to nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT, IMPORTED_FROM


def test_a_kill_before_any_effect_loses_nothing_and_shows_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sealed.kill_everywhere", str(tmp_path)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{IMPORTED_FROM}{os.pathsep}{CHECKOUT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    counts = [int(count) for count in re.findall(r"killed before each of (\d+) effects", done.stdout)]
    assert len(counts) == 3
    assert min(counts) >= 10
