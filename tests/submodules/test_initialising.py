"""`gitmem init` makes a superproject's submodules remember too, and shares none that nobody named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import CommandLine, RealGit
from tests.submodules.conftest import Fleet

QUICK = ("--no-import", "--no-hooks")


def remembers(git: RealGit, *tops: Path) -> list[bool]:
    return ["gitmem" in git("branch", "--list", "gitmem", cwd=top) for top in tops]


def inits(run: CommandLine, cwd: Path, *args: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("init", "--json", *QUICK, *args, cwd=cwd, **more).stdout)
    return told


def test_those_below_remember_too(fleet: Fleet, run: CommandLine, git: RealGit) -> None:
    answer = inits(run, fleet.brig)
    assert [each["path"] for each in answer["submodules"]] == ["ships/brig/gear/anchor"]
    assert remembers(git, fleet.top, fleet.brig, fleet.anchor, fleet.cutter) == [False, True, True, False]
    inits(run, fleet.cutter, "--no-recurse-submodules")
    assert remembers(git, fleet.top, fleet.cutter) == [False, True]
    answer = inits(run, fleet.anchor, "--recurse-submodules")
    assert [each["path"] for each in answer["submodules"]] == [None, "ships/brig", "ships/cutter"]
    assert remembers(git, fleet.top) == [True]


def test_each_has_hooks_and_takes_in_its_own_sessions(
    fleet: Fleet, run: CommandLine, home: Path, git: RealGit
) -> None:
    for top, name in ((fleet.top, "whole"), (fleet.cutter, "c")):
        folder = home / ".claude/projects" / str(top).replace("/", "-")
        folder.mkdir(parents=True)
        line = {
            "type": "user",
            "uuid": f"{name}-1",
            "sessionId": name,
            "cwd": str(top),
            "timestamp": "2026-05-08T13:56:00.000Z",
            "message": {"role": "user", "content": f"what of {name}?"},
        }
        (folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    shown = run("init", cwd=fleet.top).stdout
    assert "ships/brig/gear/anchor" in shown
    told = json.loads(run("sessions", "--json", cwd=fleet.top).stdout)["sessions"]
    assert {each["session"]: each["repo"] for each in told} == {
        "claude-code/whole": "fleet",
        "claude-code/c": "cutter",
    }
    status = json.loads(run("status", "--json", cwd=fleet.cutter).stdout)
    assert status["capture"]["takes_part"]


def test_remote_is_chosen_in_those_that_are_named_alone(fleet: Fleet, run: CommandLine, git: RealGit) -> None:
    answer = inits(run, fleet.top, "--share", "origin", "--share-submodule", "ships/brig*")
    shared = {each["path"]: each["shared"] for each in answer["submodules"]}
    assert shared == {"ships/brig": "origin", "ships/brig/gear/anchor": "origin", "ships/cutter": None}
    assert git("config", "remote.origin.gitmem", cwd=fleet.brig) == "team"
    assert "gitmem" not in git("config", "--list", "--local", cwd=fleet.cutter)
    shown = run("init", *QUICK, "--share", "origin", cwd=fleet.top).stdout
    assert "not shared, but of the same owner: ships/brig, ships/brig/gear/anchor, ships/cutter" in shown


def test_what_cannot_be_shared_is_refused_before_anything_is_done(
    fleet: Fleet, run: CommandLine, git: RealGit
) -> None:
    git("remote", "rename", "origin", "upstream", cwd=fleet.cutter)
    for args in (
        ("--share-submodule", "ships/brig"),
        ("--share", "origin", "--share-submodule", "ships/none"),
        ("--share", "origin", "--share-submodule", "ships/cutter"),
    ):
        run("init", *QUICK, *args, cwd=fleet.top, status=2)
    assert remembers(git, fleet.top, fleet.brig) == [False, False]


def test_one_that_fails_is_told_and_the_others_remember(fleet: Fleet, run: CommandLine, git: RealGit) -> None:
    git("config", "gitmem.ref", "refs/tags/x", cwd=fleet.brig)
    answer = inits(run, fleet.top, status=1)
    assert ["error" in each for each in answer["submodules"]] == [True, False, False]
    assert remembers(git, fleet.top, fleet.anchor, fleet.cutter) == [True, True, True]


def test_new_clone_takes_over_the_memories_of_all(told: Fleet, run: CommandLine, git: RealGit) -> None:
    for top in (told.top, told.brig, told.anchor, told.cutter):
        git("push", "--quiet", "origin", "gitmem", cwd=top)
    other = told.clone("other")
    answer = inits(run, other.top)
    assert [answer["how"], *(each["how"] for each in answer["submodules"])] == ["taken over"] * 4
    told_of = json.loads(run("sessions", "--json", cwd=other.anchor).stdout)["sessions"]
    assert {each["repo"] for each in told_of} == {"fleet", "brig", "anchor", "cutter"}
