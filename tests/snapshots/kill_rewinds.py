"""Kill a rewind, and an undo, at its effects on the disk, as `tests.killing` chooses; run as a process of its own.

    python -m tests.snapshots.kill_rewinds FOLDER

Each time `rewind --undo` then puts the working tree back, byte for byte, the memory verifies and git's own objects are
sound. Prints the points.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from gitmem import disk
from gitmem.model.errors.worktrees import NothingToUndo
from gitmem.verbs.verifying import Counts, verify
from tests.killing import chosen_points, in_child, wait_for_no_disk
from tests.snapshots.conftest import REF, Timeline, write

START_MS = 1_772_000_000_000


def main(folder: Path) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    template = folder / "template"
    point = make(template)
    rewound = kill_at_each(folder, template, lambda here: here.rewind(point, is_forced=True) and None)
    # The working tree that has been rewound, to kill the undoing of it.
    here = Timeline(template, count(START_MS + 50_000, 1000))
    here.rewind(point, is_forced=True)
    undone = kill_at_each(folder, template, lambda here: here.undo() and None)
    for what, effects in (("rewind", rewound), ("undo", undone)):
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(effects).items()))
        print(f"killed a {what} before some of {len(effects)} effects ({kinds}); every time it was undone")


def make(top: Path) -> str:
    """Make a working tree with a checkpoint, after which files were written, changed and removed."""
    top.mkdir()
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    here = Timeline(top, count(START_MS, 1000))
    for name in ("a", "sub/b", "sub/deep/c", ".gitattributes"):
        write(top / name, f"# {name} then\n")
    subprocess.run(["git", "add", "."], cwd=top, check=True)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=top, check=True)
    write(top / "untracked", "then\n")
    point = here.checkpoint()
    shutil.rmtree(top / "sub")
    for name in ("a", "sub", "new/deep", "untracked", ".gitattributes"):
        write(top / name, f"# {name} now\n")
    return point


def kill_at_each(folder: Path, template: Path, work: Callable[[Timeline], None]) -> list[disk.Effect]:
    """Kill at every third effect; returns all that there are."""
    before = Timeline(template, count()).files()
    effects: list[disk.Effect] = []
    here = copied(folder, template)
    with disk.observe(lambda effect, path: effects.append(effect)):
        work(here)
    assert here.files() != before
    for point in chosen_points(len(effects)):
        where = f"point {point} {effects[point]}"
        here = copied(folder, template)
        status = in_child(lambda here=here, point=point: killed_at(point, here, work))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"{where}: {status}"
        mixed = here.files()
        with suppress(NothingToUndo):
            if mixed != before:
                here.undo()
        assert here.files() == before, where
        check(here, where)
    return effects


def copied(folder: Path, template: Path) -> Timeline:
    """Return a new copy of the template, always in the same place."""
    here = Timeline(folder / "here", count(START_MS + 100_000, 1000))
    shutil.rmtree(here.top, ignore_errors=True)
    shutil.copytree(template, here.top, symlinks=True)
    return here


def killed_at(point: int, here: Timeline, work: Callable[[Timeline], None]) -> None:
    """Do the work, and die before the effect of that number."""
    left = point

    def stop(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(stop):
        work(here)


def check(here: Timeline, where: str) -> None:
    """Ask gitmem and git whether all that there is holds."""
    fsck = subprocess.run(["git", "fsck", "--strict", "--full"], cwd=here.top, capture_output=True, text=True)
    assert fsck.returncode == 0, f"{where}: {fsck.stderr}"
    with here.rewinder() as rewinder:
        findings = list(verify(rewinder.storage, [REF], Counts(), full=True))
        assert not findings, f"{where}: {findings}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
