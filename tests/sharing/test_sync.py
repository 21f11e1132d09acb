"""`gitmem sync`: both ways in one, with every chosen remote; being offline is a state."""

from __future__ import annotations

import json

from gitmem.model.errors.sharing import PushRefused, RemoteUnreachable
from gitmem.verbs.contact import Contact, note_trouble, read_contacts
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import Clone, Team


def test_a_sync_brings_in_and_sends(ada: Clone, ben: Clone, run: CommandLine) -> None:
    for clone in (ada, ben):
        run("init", "--share", "origin", "--no-import", "--no-hooks", cwd=clone.path)
    ada.remember("one")
    ben.remember("two")
    assert "Pushed to origin: 1 session" in run("sync", cwd=ada.path).stdout
    told = json.loads(run("sync", "--json", cwd=ben.path).stdout)
    [remote] = told["remotes"]
    assert remote["state"] == "synced"
    assert [one["outcome"] for one in remote["pulled"]["sessions"]] == ["new there", "new here"]
    assert [one["session"] for one in remote["pushed"]["sent"]] == ["generic/two"]
    run("sync", cwd=ada.path)
    assert ada.sessions() == ben.sessions()


def test_a_remote_that_does_not_answer_is_a_state_and_the_others_are_synced_with(
    ada: Clone, team: Team, git: RealGit, run: CommandLine
) -> None:
    git("clone", "--quiet", "--bare", team.url, "second.git", cwd=team.folder)
    git("remote", "add", "away", f"file://{team.folder}/nowhere.git", cwd=ada.path)
    git("remote", "add", "second", f"file://{team.folder}/second.git", cwd=ada.path)
    git("config", "remote.away.gitmem", "team", cwd=ada.path)
    git("config", "remote.second.gitmem", "team", cwd=ada.path)
    ada.remember("one")
    finished = run("sync", cwd=ada.path)
    assert "could not reach away" in finished.stderr
    assert "Pushed to second: 1 session" in finished.stdout
    states = {
        one["name"]: one
        for one in json.loads(run("status", "--json", cwd=ada.path).stdout)["memory"]["remotes"]
    }
    assert states["away"]["trouble"] == "offline"
    assert states["away"]["reached_at"] is None
    assert states["second"]["trouble"] is None
    assert states["second"]["reached_at"] is not None
    assert "away: offline, noticed just now, never reached" in run("status", cwd=ada.path).stdout
    run("push", "away", cwd=ada.path, status=1)


def test_trouble_is_dated_by_the_first_of_its_kind_in_a_row(ada: Clone) -> None:
    state_dir = ada.repository.state_dir
    for at_ms, error in (
        (1, PushRefused("origin", "refs/heads/gitmem", "no")),
        (2, RemoteUnreachable("origin", "no")),
        (3, RemoteUnreachable("origin", "not yet")),
    ):
        note_trouble(state_dir, "origin", error, at_ms)
    why = "could not reach origin: not yet"
    assert read_contacts(state_dir) == {"origin": Contact(None, "offline", 2, why)}


def test_nothing_is_synced_with_unless_it_was_chosen(ada: Clone, run: CommandLine) -> None:
    ada.remember("one")
    assert "no remote was chosen" in run("sync", cwd=ada.path, status=1).stderr
