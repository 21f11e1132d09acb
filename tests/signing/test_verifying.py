"""`gitmem verify --signatures`: who signed what, and how much no good signature covers."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from gitmem.format import layout, records
from gitmem.model.records import Tombstone
from gitmem.sharing.erasers import sign_tombstone
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import REF, Clone, Team
from tests.sharing.samples import ADA, AT, Scribe
from tests.signing.conftest import Keys
from tests.signing.keys import allow
from tests.signing.test_pushing import send, signs


def verified(run: CommandLine, clone: Clone, status: int = 0) -> dict[str, Any]:
    answer = json.loads(run("verify", "--signatures", "--json", cwd=clone.path, status=status).stdout)
    assert answer["ok"] is (status == 0)
    [memory] = answer["memories"]
    assert isinstance(memory, dict)
    return memory


def test_signed_commits_cover_what_they_hold(run: CommandLine, git: RealGit, ada: Clone, ben: Clone) -> None:
    for clone in (ada, ben):
        signs(git, clone)
    ada.remember("one")
    send(ada)
    ben.remember("two")
    send(ben)
    ada.pull()
    found = verified(run, ada)
    assert [each["signer"] for each in found["commits"]] == ["ben@example.org", "ada@example.org"]
    assert {each["state"] for each in found["commits"]} == {"good"}
    assert (found["records"], found["uncovered"]) == (6, 0)

    ada.remember("three")
    found = verified(run, ada)
    assert (found["records"], found["uncovered"]) == (9, 3)
    git("config", "gitmem.requireSigned", "true", cwd=ada.path)
    verified(run, ada, status=1)
    told = run("verify", "--signatures", cwd=ada.path, status=1).stdout
    assert "good ada@example.org: 1 commit" in told
    assert "not covered: 3 of 9 records" in told


def test_two_signed_sides_of_a_merge_cover_both(
    run: CommandLine, git: RealGit, team: Team, ada: Clone, ben: Clone
) -> None:
    git("clone", "--quiet", "--bare", team.url, "second.git", cwd=team.folder)
    git("remote", "add", "second", f"file://{team.folder / 'second.git'}", cwd=ben.path)
    for clone, remote in ((ada, "origin"), (ben, "second")):
        signs(git, clone)
        clone.remember(remote)
        send(clone, remote)
    ben.pull()
    assert ben.ref() not in (ada.ref(), None)
    found = verified(run, ben)
    assert (found["records"], found["uncovered"], len(found["commits"])) == (6, 0, 2)


def test_untrusted_unknown_and_bad_signatures_are_told_apart(
    run: CommandLine, git: RealGit, team: Team, ada: Clone, ben: Clone, mallory: Clone, keys: Keys
) -> None:
    for clone in (ada, mallory):
        signs(git, clone)
    ada.remember("one")
    send(ada)
    mallory.remember("two")
    send(mallory)
    ben.pull()
    found = verified(run, ben)
    assert [each["state"] for each in found["commits"]] == ["untrusted", "good"]
    assert found["commits"][0]["keys"][0] == keys.mallory.fingerprint
    assert found["uncovered"] == 3

    allow(git, ben.path, {"mallory@example.org": keys.mallory})
    assert sorted(each["state"] for each in verified(run, ben)["commits"]) == ["good", "untrusted"]

    whole = git("cat-file", "commit", REF, cwd=ben.path)
    forged = git(
        *("hash-object", "-t", "commit", "-w", "--stdin"),
        cwd=ben.path,
        stdin=whole.replace("Sign what is sent", "Sign what is forged") + "\n",
    )
    nonsense = git(
        *("hash-object", "-t", "commit", "-w", "--stdin"),
        cwd=ben.path,
        stdin=whole.replace("BEGIN SSH SIGNATURE", "BEGIN NONSENSE").replace(
            "parent ", f"parent {forged}\nparent "
        ),
    )
    git("update-ref", REF, nonsense, cwd=ben.path)
    found = verified(run, ben, status=1)
    assert found["counts"]["bad"] == 2
    assert (found["counts"]["good"], found["counts"]["untrusted"]) == (0, 1)
    told = run("verify", "--signatures", cwd=ben.path, status=1).stdout
    assert f"bad commit {nonsense[:9]}" in told
    assert f"bad commit {forged[:9]}" in told


def test_tombstones_are_looked_at(run: CommandLine, git: RealGit, ada: Clone, ben: Clone) -> None:
    session = ada.remember("one")
    bare = Tombstone(session, "team", AT, ADA)
    signed = sign_tombstone(ada.repository, ada.git, bare)
    forged = msgspec.structs.replace(signed, reason="another")

    def bury(scribe: Scribe, *tombstones: Tombstone) -> None:
        for each in tombstones:
            scribe.put_record(layout.tombstone_path(session, records.seal(each)[0]), each)

    ada.write(lambda scribe: bury(scribe, bare, signed), parent=False)
    found = verified(run, ada)
    assert [(each["state"], each["signer"]) for each in found["tombstones"]] == [("good", "ada@example.org")]
    assert found["tombstones_unsigned"] == 1
    assert found["commits_unsigned"] == 1
    ada.write(lambda scribe: bury(scribe, forged), parent=False)
    found = verified(run, ada, status=1)
    assert found["counts"] | {"untrusted": 0} == found["counts"]
    assert (found["counts"]["bad"], found["counts"]["good"]) == (1, 1)
    told = run("verify", "--signatures", cwd=ada.path, status=1).stdout
    assert "1 tombstone without a signature" in told


def test_a_memory_that_nobody_signs_is_all_there_is_to_say(run: CommandLine, ada: Clone, ben: Clone) -> None:
    run("verify", "--signatures", cwd=ben.path, status=1)
    ada.remember("one")
    assert verified(run, ada)["uncovered"] == 3
    run("verify", "--signatures", "--full", cwd=ada.path, status=2)
