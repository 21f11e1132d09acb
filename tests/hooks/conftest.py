"""Hooks really run here: what keeps them from running in every other test is taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.verbs.enabling import stub


@pytest.fixture(autouse=True)
def _hooks_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.is_dir()  # first, for it sets what is taken away here
    monkeypatch.delenv("GITMEM_HOOKS")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return the stub, as a file that may be run."""
    path = tmp_path / "gitmem-hook"
    path.write_bytes(stub())
    path.chmod(0o755)
    return path
