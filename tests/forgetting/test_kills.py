"""Killed before any effect on the disk, erasing leaves a memory that holds, and the same again finishes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitmem import disk
from tests.conftest import RealGit
from tests.killing import kill_at
from tests.levels.conftest import Say
from tests.levels.kill_everywhere import run as run_here

_SAMPLED = 9


@pytest.mark.parametrize("step", ["forget", "push"])
def test_killed_at_any_effect_an_erasure_is_finished_by_the_next_run(
    remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path, step: str
) -> None:
    for name in ("a", "b"):
        assert run_here(remembering, "import", str(say(name, [f"mend {name}"]))) == 0
    assert run_here(remembering, "push", "origin") == 0
    rows = git("ls-tree", "-r", "gitmem", cwd=remembering).splitlines()
    if step == "push":
        assert run_here(remembering, "forget", "--now", "generic/a") == 0
    work = ("forget", "--now", "generic/a") if step == "forget" else ("push", "origin")
    template = tmp_path / "template"
    for place in (remembering, hub):
        shutil.copytree(place, template / place.name, symlinks=True)
    effects: list[disk.Effect] = []
    with disk.observe(lambda effect, _: effects.append(effect)):
        assert run_here(remembering, *work) == 0
    after = git("ls-tree", "-r", "gitmem", cwd=remembering).splitlines()
    kept = {row.split()[2] for row in after if "tombstones/" not in row}  # each run makes one of its own
    gone = {row.split()[2] for row in rows} - kept
    assert len(gone) > 1
    assert len(effects) > 10
    points = [n for n, effect in enumerate(effects) if effect == "move ref" or n % _SAMPLED == 0]
    for point in points:
        for place in (remembering, hub):
            shutil.rmtree(place)
            shutil.copytree(template / place.name, place, symlinks=True)
        kill_at(point, lambda: run_here(remembering, *work))
        git("fsck", "--connectivity-only", "--no-dangling", cwd=remembering)
        assert run_here(remembering, *work) in (0, 1), f"point {point}: {effects[point]}"
        assert run_here(remembering, "push", "origin") == 0
        assert run_here(remembering, "verify") == 0
        here = set(
            git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=remembering).split()
        )
        assert not gone & here, f"point {point}: {effects[point]}"
        assert kept <= here
        assert git("rev-parse", "gitmem", cwd=hub) == git("rev-parse", "gitmem", cwd=remembering)
