"""A superproject is synced with all of its submodules: each where it was shared, and one that fails alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from gitmem.federation.beside import each_beside
from gitmem.federation.registry import read_registry
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load
from gitmem.git.storage import open_storage
from gitmem.git.transport import find_remote
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import NoMemory
from gitmem.sharing.settled import is_settled
from tests.conftest import CommandLine, RealGit
from tests.submodules.conftest import Fleet


def share(fleet: Fleet, git: RealGit, *tops: Path) -> None:
    for top in tops:
        git("config", "remote.origin.gitmem", "team", cwd=top)


def synced(run: CommandLine, cwd: Path, *args: str, **more: Any) -> dict[str, str]:
    told = json.loads(run("sync", "--json", *args, cwd=cwd, **more).stdout)
    return {each["path"] or ".": each["outcome"] for each in told["repositories"]}


def registered(fleet: Fleet) -> dict[str, tuple[str, bool]]:
    found = read_registry(fleet.survey()).values()
    return {each.path: (each.outcome, each.reached_ms is not None) for each in found}


def test_each_is_synced_where_it_was_shared_and_two_clones_come_to_the_same(
    told: Fleet, run: CommandLine, git: RealGit
) -> None:
    share(told, git, told.top, told.brig, told.anchor)
    assert synced(run, told.anchor) == {
        ".": "synced",
        "ships/brig": "synced",
        "ships/brig/gear/anchor": "synced",
        "ships/cutter": "not shared",
    }
    assert "gitmem" not in git("for-each-ref", cwd=told.origin("cutter"))
    assert registered(told) == {
        "ships/brig": ("synced", True),
        "ships/brig/gear/anchor": ("synced", True),
    }
    other = told.clone("other")
    share(other, git, other.top, other.brig, other.anchor)
    other.remember(other.brig, "more", "the brig of the other clone")
    synced(run, other.top)
    assert synced(run, told.top) == {
        ".": "nothing to do",
        "ships/brig": "synced",
        "ships/brig/gear/anchor": "nothing to do",
        "ships/cutter": "not shared",
    }
    for mine, theirs in ((told.top, other.top), (told.brig, other.brig), (told.anchor, other.anchor)):
        assert git("rev-parse", "gitmem", cwd=mine) == git("rev-parse", "gitmem", cwd=theirs)
    assert set(synced(run, other.top).values()) == {"nothing to do", "not shared"}
    lines = run("sync", cwd=told.top).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "fleet",
        "ships/brig",
        "ships/brig/gear/anchor",
        "ships/cutter",
    ]


def test_one_that_fails_and_one_that_is_away_keep_no_other_from_it(
    told: Fleet, run: CommandLine, git: RealGit
) -> None:
    share(told, git, told.top, told.brig, told.anchor, told.cutter)
    shutil.move(told.origin("anchor"), told.folder / "gone.git")
    hook = told.origin("cutter") / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    expected = {
        ".": "synced",
        "ships/brig": "synced",
        "ships/brig/gear/anchor": "offline",
        "ships/cutter": "failed",
    }
    assert synced(run, told.top, status=1) == expected
    assert registered(told)["ships/cutter"] == ("failed", False)
    shown = run("status", cwd=told.top).stdout
    assert "offline just now, never reached: could not reach origin" in shown
    shutil.move(told.folder / "gone.git", told.origin("anchor"))
    hook.unlink()
    assert synced(run, told.top)["ships/cutter"] == "synced"
    assert registered(told)["ships/brig/gear/anchor"] == ("synced", True)


def test_nothing_is_synced_that_nobody_shared(told: Fleet, run: CommandLine, git: RealGit) -> None:
    refused = run("sync", cwd=told.top, status=1)
    assert "remote" in refused.stderr
    share(told, git, told.top)
    run("sync", "origin", cwd=told.cutter)  # it was named, so that one is meant
    assert "gitmem" in git("for-each-ref", cwd=told.origin("cutter"))
    run("sync", "origin", "--recurse-submodules", cwd=told.top, status=2)
    run("sync", "--no-recurse-submodules", cwd=told.top)
    assert "gitmem" in git("for-each-ref", cwd=told.origin("fleet"))
    assert "gitmem" not in git("for-each-ref", cwd=told.origin("brig"))


def test_registry_follows_what_is_moved_and_forgets_what_is_gone(
    told: Fleet, run: CommandLine, git: RealGit
) -> None:
    share(told, git, told.brig, told.cutter)
    synced(run, told.top)
    git("mv", "ships/cutter", "harbour", cwd=told.top)
    stands = json.loads(run("status", "--json", cwd=told.top).stdout)["submodules"]
    [moved] = [each for each in stands if each["path"] == "harbour"]
    assert moved["outcome"] == "synced"
    shutil.move(told.top, told.folder / "renamed")
    there = Fleet(told.folder, git).survey(told.folder / "renamed")
    assert {entry.path for entry in read_registry(there).values()} == {"ships/brig", "ships/cutter"}
    shutil.rmtree(told.folder / "renamed/.git/modules/ships/brig")
    synced(run, told.folder / "renamed")
    assert {entry.path for entry in read_registry(there).values()} == {"harbour"}


@pytest.mark.parametrize("change", ["here", "there", "public"])
def test_what_differs_anywhere_is_not_settled(
    told: Fleet, run: CommandLine, git: RealGit, change: str
) -> None:
    share(told, git, told.cutter)
    run("sync", "--no-recurse-submodules", cwd=told.cutter)
    runner = Git(dict(os.environ))

    def is_done() -> bool:
        repository = discover(told.cutter, runner)
        storage = open_storage(repository, runner)
        remote = find_remote(repository, runner, "origin")
        found = is_settled(remote, storage, load(repository, dict(os.environ)))
        storage.close()
        return found

    assert is_done()
    match change:
        case "here":
            git("update-ref", "refs/heads/gitmem", "HEAD", cwd=told.cutter)
        case "there":
            git("update-ref", "refs/heads/gitmem", "main", cwd=told.origin("cutter"))
        case "public":
            git("update-ref", "refs/gitmem/public", "gitmem", cwd=told.cutter)
            assert is_done()  # it was not given to that remote
            git("config", "remote.origin.gitmem", "team,public", cwd=told.cutter)
    assert not is_done()


def test_work_beside_goes_on_where_one_fails_and_ends_with_a_bug() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise NoMemory("refs/heads/gitmem")
        return 10 * number

    done = sorted(each_beside([1, 2, 3], work), key=lambda each: each.what)
    assert [each.result for each in done] == [10, None, 30]
    assert isinstance(done[1].error, GitmemError)

    def broken(number: int) -> int:
        raise ZeroDivisionError(number)

    with pytest.raises(ZeroDivisionError):
        list(each_beside([1, 2], broken))
    assert list(each_beside([], work)) == []
