"""msgspec loads without backports, and whoever wants those later finds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import IMPORTED_FROM

_PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
from gitmem.model.backports import load_msgspec
load_msgspec()
assert "msgspec" in sys.modules and "typing_extensions" not in sys.modules, "it was not kept away"
from gitmem.model import records
import typing_extensions
load_msgspec()
assert sys.modules["typing_extensions"] is typing_extensions, "it is there for all who load it later"
"""


def test_msgspec_is_loaded_without_backports_and_others_still_find_them(tmp_path: Path) -> None:
    (tmp_path / "typing_extensions.py").write_text("")
    finished = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM, str(IMPORTED_FROM), str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
