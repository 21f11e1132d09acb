"""Killed before any effect on the disk, whoever writes a note has written it or has not."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.notes.listing import list_notes
from gitmem.notes.writing import Desk, Draft, add, forget, set_done
from gitmem.verbs.committing import Writer
from tests.conftest import RealGit
from tests.killing import chosen_points, kill_at
from tests.notes.conftest import Here
from tests.reading.book import REF


class Work:
    """What is killed: a note is added with tags, marked as done, or removed with what it supersedes."""

    def __init__(self, top: Path, name: str) -> None:
        self.top, self.name = top, name

    def __call__(self) -> None:
        git = Git(dict(os.environ))
        with closing(open_storage(discover(self.top, git), git)) as storage:
            (first, *_) = list_notes(open_memory(storage, REF), None, closed=True)
            desk = Desk(storage, REF, Writer(first.author, lambda: 1_900_000_000), lambda text: text)
            match self.name:
                case "add":
                    add(desk, Draft("decision", "new", supersedes=(first.name,), tags=("a", "b")))
                case "done":
                    set_done(desk, [first.name])
                case "forget":
                    forget(desk, [first.name], 1_900_000_000_000)


@pytest.mark.parametrize("name", ["add", "done", "forget"])
def test_killed_at_any_effect_a_note_is_whole_or_not_there(
    here: Here, git: RealGit, tmp_path: Path, name: str
) -> None:
    old = here.add("old")
    here("note", "edit", old, "first")
    work = Work(here.folder, name)
    template = tmp_path / "template"
    shutil.copytree(here.folder, template, symlinks=True)
    before = git("rev-parse", "gitmem^{tree}", cwd=here.folder)
    effects: list[disk.Effect] = []
    with disk.observe(lambda effect, path: effects.append(effect)):
        work()
    after = git("rev-parse", "gitmem^{tree}", cwd=here.folder)
    assert before != after
    assert len(effects) > 3
    for point in chosen_points(len(effects)):
        shutil.rmtree(here.folder)
        shutil.copytree(template, here.folder, symlinks=True)
        kill_at(point, work)
        git("fsck", "--strict", "--no-dangling", cwd=here.folder)
        assert git("rev-parse", "gitmem^{tree}", cwd=here.folder) in (before, after), effects[point]
        work()
        here("verify")
    assert here.texts() == ({"add": ["new"], "done": [], "forget": []}[name])
