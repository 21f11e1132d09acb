"""What is read is read in the whole superproject, from anywhere inside, and each answer says from where."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.conftest import CommandLine, RealGit
from tests.mcp.conftest import Place
from tests.submodules.conftest import Fleet
from tests.why.conftest import world_in

FOUR = [("anchor", "a"), ("brig", "b"), ("cutter", "c"), ("fleet", "whole")]


def listed(run: CommandLine, cwd: Path, *args: str, **more: Any) -> list[tuple[str, str]]:
    told = json.loads(run("sessions", "--json", *args, cwd=cwd, **more).stdout)
    return sorted((each["repo"], each["session"].partition("/")[2]) for each in told["sessions"])


def test_sessions_are_those_of_all_and_say_of_which(told: Fleet, run: CommandLine) -> None:
    for cwd in (told.top, told.anchor):
        assert listed(run, cwd) == FOUR
    assert listed(run, told.cutter, "--no-recurse-submodules") == [("cutter", "c")]
    assert listed(run, told.top, "--repo", "brig", "--repo", "ships/cutter") == FOUR[1:3]
    shown = run("sessions", cwd=told.brig).stdout
    assert shown.splitlines()[0].split() == ["last", "session", "turns", "repo", "title"]
    assert "the harbour of the brig" in shown
    assert run("sessions", "--repo", "nothing", cwd=told.top, status=1).stdout == ""


def test_setting_and_gits_own_say_whether(told: Fleet, run: CommandLine, git: RealGit) -> None:
    git("config", "submodule.recurse", "false", cwd=told.top)
    assert listed(run, told.top) == [("fleet", "whole")]
    git("config", "gitmem.recurseSubmodules", "true", cwd=told.top)
    assert listed(run, told.top) == FOUR
    none = {"GITMEM_RECURSE_SUBMODULES": "false"}
    assert listed(run, told.top, environ=none) == [("fleet", "whole")]
    assert listed(run, told.top, "--recurse-submodules", environ=none) == FOUR


def test_two_of_one_name_are_called_by_their_paths(told: Fleet, run: CommandLine, git: RealGit) -> None:
    git("remote", "set-url", "origin", "https://example.org/other/brig.git", cwd=told.cutter)
    named = [("anchor", "a"), ("fleet", "whole"), ("ships/brig", "b"), ("ships/cutter", "c")]
    assert listed(run, told.anchor) == named
    answer = json.loads(run("search", "--json", "cutter", cwd=told.top).stdout)
    assert [hit["repo"] for hit in answer["hits"]] == ["ships/cutter"]


def test_removed_one_is_read_when_it_is_asked_for_by_name(
    told: Fleet, run: CommandLine, git: RealGit
) -> None:
    git("rm", "--quiet", "ships/cutter", cwd=told.top)
    assert listed(run, told.top) == [each for each in FOUR if each[0] != "cutter"]
    assert listed(run, told.top, "--repo", "ships/cutter") == [("cutter", "c")]
    answer = json.loads(run("search", "--json", "left", "--repo", "cutter", cwd=told.top).stdout)
    assert [hit["session"] for hit in answer["hits"]] == ["generic/c"]
    told_of = json.loads(run("status", "--json", cwd=told.top).stdout)["submodules"]
    assert [each["path"] for each in told_of if each["state"] == "removed"] == ["ships/cutter"]
    assert "removed, at " in run("status", cwd=told.brig).stdout


def test_status_says_how_each_stands(told: Fleet, run: CommandLine, git: RealGit) -> None:
    git("config", "remote.origin.gitmem", "team", cwd=told.brig)
    for cwd in (told.top, told.cutter):
        document = json.loads(run("status", "--json", cwd=cwd).stdout)
        assert document["superproject"]["path"] == str(told.top)
        stands = {each["path"]: each for each in document["submodules"]}
        assert stands["ships/brig"]["remotes"] == ["origin"]
        assert stands["ships/brig"]["memory"] == git("rev-parse", "gitmem", cwd=told.brig)
        assert (stands["ships/idle"]["state"], stands["ships/idle"]["memory"]) == ("not checked out", None)
        assert stands["ships/cutter"]["synced_at"] is None
    assert "submodules" not in json.loads(
        run("status", "--json", "--no-recurse-submodules", cwd=told.top).stdout
    )
    with (told.top / ".gitmodules").open("a") as file:
        file.write('[submodule "evil"]\n\tpath = ../outside\n\turl = x\n')
    shown = run("status", cwd=told.top).stdout
    assert "its path leads out of the superproject" in shown
    assert "never" in shown


def test_status_tells_of_submodules_where_the_superproject_remembers_nothing(
    fleet: Fleet, run: CommandLine
) -> None:
    fleet.remember(fleet.brig, "b", "the brig")
    assert "ships/brig" in run("status", cwd=fleet.top, status=1).stdout
    assert listed(run, fleet.top) == [("brig", "b")]
    run("sessions", "--no-recurse-submodules", cwd=fleet.top, status=1)


def test_session_is_shown_from_whichever_has_it(told: Fleet, run: CommandLine) -> None:
    for cwd in (told.top, told.cutter):
        assert "where the anchor holds" in run("show", "generic/a", cwd=cwd).stdout
    refused = run("show", "generic/a", "--no-recurse-submodules", cwd=told.top, status=1)
    assert "generic/a" in refused.stderr
    run("show", "generic/nobody", cwd=told.top, status=1)


def test_one_that_cannot_be_read_keeps_no_other_from_it(told: Fleet, run: CommandLine, git: RealGit) -> None:
    git("config", "gitmem.ref", "refs/tags/x", cwd=told.cutter)
    finished = run("sessions", "--json", cwd=told.top)
    assert len(json.loads(finished.stdout)["sessions"]) == 3
    assert "cutter was left out" in finished.stderr
    finished = run("search", "--json", "harbour", cwd=told.top)
    assert len(json.loads(finished.stdout)["hits"]) == 3
    assert "searched without cutter" in finished.stderr


def test_hook_of_one_bends_nothing_of_the_others(told: Fleet, run: CommandLine) -> None:
    hook = {"GIT_DIR": str(told.top / ".git"), "GIT_INDEX_FILE": str(told.top / ".git/index")}
    assert listed(run, told.top, environ=hook) == FOUR
    answer = json.loads(run("search", "--json", "harbour", cwd=told.top, environ=hook).stdout)
    assert {hit["repo"] for hit in answer["hits"]} == {"fleet", "brig", "anchor"}


def test_line_of_a_submodule_is_explained_by_its_memory_from_anywhere(
    fleet: Fleet, run: CommandLine, git: RealGit
) -> None:
    git("checkout", "--quiet", "-B", "main", cwd=fleet.cutter)
    with world_in(fleet.cutter, git) as world:
        turn = world.talk("sails").writes("sails.py", "def set_sails(wind):\n    return wind * 2\n")
        head = world.commit("sails")
        for talk in world.talks:
            talk.save()
    address = f"claude-code/sails#{turn}"
    for cwd, name in ((fleet.top, "ships/cutter/sails.py:2"), (fleet.brig, "../cutter/sails.py:2")):
        [place] = json.loads(run("why", "--json", name, cwd=cwd).stdout)["places"]
        assert (place["address"], place["path"]) == (address, "sails.py")
    for cwd in (fleet.top, fleet.anchor):
        answer = json.loads(run("why", "--json", head[:10], cwd=cwd).stdout)
        assert answer["commit"]["id"] == head
        assert {place["address"] for place in answer["places"]} == {address}
    refused = run("why", "ships/cutter/sails.py", "--no-recurse-submodules", cwd=fleet.top, status=1)
    assert f"it belongs to the repository at {fleet.cutter}" in refused.stderr
    run("why", "0123456789", cwd=fleet.top, status=1)


def test_line_that_a_session_of_the_superproject_wrote_is_explained_by_that(
    fleet: Fleet, run: CommandLine, git: RealGit
) -> None:
    with world_in(fleet.top, git) as world:
        turn = world.talk("keel").writes("ships/cutter/keel.py", "def lay_keel(length):\n    return length\n")
        for talk in world.talks:
            talk.save()
    git("add", "keel.py", cwd=fleet.cutter)
    git("commit", "--quiet", "-m", "keel", cwd=fleet.cutter, environ=dict(os.environ))
    for cwd, name in ((fleet.top, "ships/cutter/keel.py:1"), (fleet.cutter, "keel.py:1")):
        [place] = json.loads(run("why", "--json", name, cwd=cwd).stdout)["places"]
        assert place["address"] == f"claude-code/keel#{turn}"


def test_path_may_be_of_any_bytes(told: Fleet, run: CommandLine, git: RealGit) -> None:
    odd = os.fsdecode(b"caf\xe9 bar")
    git("mv", "ships/cutter", odd, cwd=told.top)
    git("config", "remote.origin.gitmem", "team", cwd=told.top / odd)
    assert listed(run, told.top) == FOUR
    assert listed(run, told.top, "--repo", odd) == [("cutter", "c")]
    run("sync", cwd=told.top)
    stands = json.loads(run("status", "--json", cwd=told.top).stdout)["submodules"]
    assert [(each["name"], each["outcome"]) for each in stands if each["outcome"]] == [
        ("ships/cutter", "synced")
    ]
    run("status", cwd=told.top)


def test_what_was_fetched_in_a_submodule_is_found(told: Fleet, run: CommandLine, git: RealGit) -> None:
    other = told.clone("other")
    other.remember(other.brig, "new", "a lantern was seen from the brig")
    git("push", "--quiet", "origin", "gitmem", cwd=other.brig)
    git("config", "remote.origin.gitmem", "team", cwd=told.brig)
    git("fetch", "--quiet", "origin", cwd=told.brig)
    answer = json.loads(run("search", "--json", "lantern", cwd=told.top).stdout)
    assert [hit["session"] for hit in answer["hits"]] == ["generic/new"]
    assert ("brig", "new") in listed(run, told.top)


def test_notes_are_those_of_all_and_say_of_which(told: Fleet, run: CommandLine) -> None:
    run("note", "add", "--file", "keel.py", "The keel is oak.", cwd=told.brig)
    run("note", "add", "--kind", "reminder", "--file", "ships", "Paint the fleet.", cwd=told.top)

    def notes(cwd: Path, *args: str, **more: Any) -> list[tuple[str, str]]:
        listed = json.loads(run("note", "list", "--json", *args, cwd=cwd, **more).stdout)["notes"]
        return [(each["repo"], each["title"]) for each in listed]

    oak, paint = ("brig", "The keel is oak."), ("fleet", "Paint the fleet.")
    for cwd in (told.top, told.cutter):
        assert sorted(notes(cwd)) == [oak, paint]
    assert notes(told.top, "--file", "ships/brig/keel.py") == notes(told.brig, "--file", "keel.py") == [oak]
    assert notes(told.top, "--file", "ships/brig") == [oak], "a folder there is the whole of a submodule"
    assert sorted(notes(told.top, "--file", ".")) == [paint]
    assert notes(told.top, "--file", "keel.py", status=1) == []
    assert notes(told.cutter, "--due") == [paint]
    assert notes(told.top, "--limit", "1") in ([oak], [paint])
    assert notes(told.brig, "--no-recurse-submodules") == notes(told.top, "--repo", "ships/brig") == [oak]
    assert notes(told.cutter, "--no-recurse-submodules", status=1) == []
    header, *rows = run("note", "list", cwd=told.top).stdout.splitlines()
    assert header.split()[:4] == ["written", "note", "repo", "kind"]
    assert len(rows) == 2


def test_agents_are_told_of_the_notes_of_all(told: Fleet, run: CommandLine) -> None:
    run("note", "add", "--file", "keel.py", "The keel is oak.", cwd=told.brig)
    run("note", "add", "--kind", "reminder", "Paint the fleet.", cwd=told.top)
    place = Place(told.top)
    page = place.told("notes", limit=1)
    rest = place.told("notes", limit=1, cursor=page["cursor"])
    found = [(note["repo"], note["text"]) for note in (*page["notes"], *rest["notes"])]
    assert sorted(found) == [("brig", "The keel is oak."), ("fleet", "Paint the fleet.")]
    assert "cursor" not in rest
    (oak,) = place.told("notes", file="ships/brig/keel.py")["notes"]
    assert place.told("show", id=oak["id"])["note"]["text"] == "The keel is oak."
    assert ", brig" in place.call("notes", file="ships/brig").text
