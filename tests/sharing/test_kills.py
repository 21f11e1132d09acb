"""Killed before any effect on the disk, a pull or a push leaves sound clones, and the next one finishes it."""

from __future__ import annotations

import shutil

import pytest

from gitmem import disk
from gitmem.format import layout
from gitmem.objects import trees
from gitmem.objects.history import walk_history
from tests.conftest import RealGit
from tests.killing import chosen_points, kill_at
from tests.sharing.clones import Clone, Team


@pytest.mark.parametrize("verb", ["pull", "push"])
def test_killed_at_any_effect_nothing_is_lost_and_the_next_run_finishes(
    team: Team, git: RealGit, ada: Clone, ben: Clone, verb: str
) -> None:
    ada.remember("shared")
    ada.push()
    ben.pull()
    expected = {ada.remember("ada"), ben.remember("ben"), *ada.sessions()}
    ada.remember("shared", b"ada's\n")
    ben.remember("shared", b"ben's\n")
    ada.push()
    template = team.folder / "template"
    for clone in ("ben", "hub.git"):
        shutil.copytree(team.folder / clone, template / clone, symlinks=True)
    effects: list[disk.Effect] = []
    with disk.observe(lambda effect, _: effects.append(effect)):
        getattr(ben, verb)()
    assert len(effects) > 4
    whole = ben.tree()
    for point in chosen_points(len(effects)):
        for clone in ("ben", "hub.git"):
            shutil.rmtree(team.folder / clone)
            shutil.copytree(template / clone, team.folder / clone, symlinks=True)
        kill_at(point, getattr(ben, verb))
        git("fsck", "--connectivity-only", "--no-dangling", cwd=ben.path)
        getattr(ben, verb)()
        assert ben.sessions() == expected
        assert ben.tree() == whole
        if verb == "push":
            assert team.hub.ref() == ben.ref()


@pytest.mark.parametrize("verb", ["pull", "push", "erase"])
def test_killed_at_any_effect_of_an_erasure_nothing_comes_back_and_nothing_else_goes(
    team: Team, git: RealGit, ada: Clone, ben: Clone, verb: str
) -> None:
    one, other, third = ada.remember("one"), ada.remember("other"), ada.remember("third")
    ada.push()
    ben.pull()
    ada.erase(one)
    ada.push()
    late = ben.remember("late")

    def work() -> None:
        if verb != "erase":
            getattr(ben, verb)()
        elif other in ben.sessions():
            ben.erase(other)

    gone = {one, other} if verb == "erase" else {one}
    template = team.folder / "template"
    for clone in ("ben", "hub.git"):
        shutil.copytree(team.folder / clone, template / clone, symlinks=True)
    effects: list[disk.Effect] = []
    with disk.observe(lambda effect, _: effects.append(effect)):
        work()
    assert len(effects) > 4
    for point in chosen_points(len(effects)):
        for clone in ("ben", "hub.git"):
            shutil.rmtree(team.folder / clone)
            shutil.copytree(template / clone, team.folder / clone, symlinks=True)
        kill_at(point, work)
        git("fsck", "--connectivity-only", "--no-dangling", cwd=ben.path)
        work()
        ben.push()
        assert ben.sessions() == team.hub.sessions() == {one, other, third, late} - gone
        with ben.opened() as storage:
            for _, commit in walk_history(storage, ben.ref()):
                assert all(
                    trees.find(storage, commit.tree, layout.session_folder(each)) is None for each in gone
                )


def test_a_git_that_is_killed_in_the_middle_of_a_push_loses_nothing(
    team: Team, git: RealGit, ada: Clone
) -> None:
    ada.remember("one")
    ada.push()
    tip = ada.remember("two") and ada.ref()
    hook = team.hub.path / "hooks" / "pre-receive"
    # The server goes away when it has all objects and has moved no ref.
    hook.write_text("#!/bin/sh\nkill -KILL $PPID\n")
    hook.chmod(0o755)
    with pytest.raises(Exception, match="could not"):
        ada.push()
    assert ada.ref() == tip
    hook.unlink()
    assert len(ada.push().sent) == 1
    assert team.hub.ref() == tip
    git("fsck", "--strict", cwd=team.hub.path)
