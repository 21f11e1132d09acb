"""Chains that travel: published with pushes, taken in with pulls, and what peers notice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from gitmem.auditing import peers, publishing
from gitmem.auditing.chains import chain_at
from gitmem.auditing.checking import Checked
from gitmem.auditing.entries import Deed, chain
from gitmem.auditing.journal import Journal
from gitmem.auditing.listing import Wanted
from gitmem.git import transport
from gitmem.git.fetching import fetch
from gitmem.model.errors.sharing import RemoteUnreachable
from gitmem.model.refs import AUDIT_NAMESPACE, audit_ref
from tests.auditing.people import Person, person
from tests.conftest import CHECKOUT, RealGit
from tests.sharing.clones import Team


def test_a_published_chain_is_the_same_for_everybody(ada: Person, ben: Person) -> None:
    ada.log().note("capture", detail={"sessions": 2, "lines": 310}, reason="hook")
    ada.log().note("push", ada.log().remote("https://example.org/x"), detail={"sessions": 2})
    assert [answer.outcome for answer in ada.push()] == ["pushed"]
    assert ben.pull() == []
    assert ben.actions() == ada.actions() == ["capture", "push"]
    checked = Checked()
    assert ben.check(checked) == [] == ada.check()
    assert (checked.chains, checked.entries) == (1, 2)
    assert [row.is_mine for row in ada.rows()] == [True, True]
    assert [row.is_mine for row in ben.rows()] == [False, False]


def test_what_was_published_is_not_published_again(ada: Person, ben: Person) -> None:
    ada.log().note("capture")
    ada.push()
    before = ada.clone.ref(audit_ref(ada.device))
    assert ada.push() == []
    assert ada.clone.ref(audit_ref(ada.device)) == before
    ada.log().note("capture")
    ada.push()
    ben.pull()
    assert [row.entry.number for row in ben.rows()] == [2, 1]


def test_two_people_publish_at_once(ada: Person, ben: Person) -> None:
    for one in (ada, ben):
        one.log().note("capture")
    for one in (ada, ben):
        assert [answer.outcome for answer in one.push()] == ["pushed"]
    for one in (ada, ben):
        assert one.pull() == one.check() == []
        assert one.actions() == ["capture", "capture"]


def test_a_chain_that_was_cut_at_the_remote_is_noticed(ada: Person, ben: Person, team: Team) -> None:
    ref = audit_ref(ada.device)
    ada.log().note("capture")
    ada.push()
    old = team.hub.ref(ref)
    ada.log().note("forget")
    ada.push()
    ben.pull()
    team.git("update-ref", ref, str(old), cwd=team.hub.path)
    assert [finding.kind for finding in ben.pull()] == ["truncated"]
    assert ben.kinds() == ["truncated"]
    assert ben.actions() == ["capture", "forget"]
    assert [finding.kind for finding in ada.pull()] == ["truncated"]
    # Its writer mends it by the next push.
    assert [answer.outcome for answer in ada.push()] == ["pushed"]
    assert ben.pull() == ben.check() == []


def test_a_chain_that_is_gone_at_the_remote_is_noticed(ada: Person, ben: Person, team: Team) -> None:
    ada.log().note("capture")
    ada.push()
    ben.pull()
    team.git("update-ref", "-d", audit_ref(ada.device), cwd=team.hub.path)
    assert [finding.kind for finding in ben.pull()] == ["vanished"]
    assert ben.kinds() == ["vanished"]
    assert ben.actions() == ["capture"]
    ada.push()
    assert ben.pull() == []


def test_a_log_that_was_set_back_goes_on_from_what_was_published(ada: Person, ben: Person) -> None:
    state = ada.clone.repository.state_dir / "audit"
    ada.log().note("capture")
    ada.push()
    shutil.copytree(state, state.with_name("backup"))
    ada.log().note("level")
    ada.push()
    ben.pull()
    shutil.rmtree(state)
    state.with_name("backup").rename(state)
    ada.log().note("forget")
    assert ada.kinds() == ["set back"]
    assert [answer.outcome for answer in ada.push()] == ["pushed"]
    assert ben.pull() == ben.check() == ada.check() == []
    assert ben.actions() == ["capture", "level", "set-back", "forget"]


def test_a_copied_clone_never_forks_the_chain(ada: Person, ben: Person, team: Team) -> None:
    ada.log().note("capture")
    ada.push()
    ben.pull()
    shutil.copytree(ada.clone.path, team.folder / "copy")
    copy = person(type(ada.clone)(team.folder / "copy"), 3)
    copy.user_dir = ada.user_dir
    ada.log().note("level")
    ada.push()
    copy.now_ms = ada.now_ms
    copy.log().note("forget")
    copy.push()
    assert ben.pull() == ben.check() == copy.check() == []
    assert ben.actions() == ["capture", "level", "set-back", "forget"]


def test_who_meets_a_forgery_under_their_id_goes_on_under_another(
    ada: Person, ben: Person, team: Team, git: RealGit
) -> None:
    ada.log().note("capture")
    ada.push()
    ben.pull()
    device, ref = ada.device, audit_ref(ada.device)
    # Ben knows the device's id, and can write a chain that holds, but for the seal.
    forge(ben, device)
    git("push", "--quiet", "origin", ref, cwd=ben.clone.path)
    assert [finding.kind for finding in ada.pull()] == ["impostor"]
    assert ada.kinds() == ["impostor"]
    ada.log().note("level")
    assert [answer.outcome for answer in ada.push()] == ["pushed"]
    assert ada.device != device
    assert ben.pull() == []
    assert ben.actions(ada.device) == ["succeed", "level"]
    # Everybody can tell which entries of the chain before it are hers.
    first = ben.rows(Wanted(devices=(ada.device,)))[-1].entry
    assert first.subject == f"device:{device}"
    assert first.detail["last"] == 1


def forge(by: Person, device: str) -> None:
    """Put an entry behind somebody's chain that they did not write."""
    with by.storage() as storage:
        base = chain_at(storage, device, audit_ref(device))
        assert base is not None
        deed = Deed("forget", "2026-01-01T00:00:00.000Z", "person", {}, "", "memory")
        lines, _ = chain([deed], base.head, device, "0" * 32)
        publishing._add(storage, Journal(by.log().folder, device), base, lines, b"guessed")


def test_a_chain_that_was_rewritten_at_the_remote_is_noticed(
    ada: Person, ben: Person, team: Team, git: RealGit
) -> None:
    ada.log().note("capture")
    ada.push()
    cleo = person(team.clone("cleo"), 5)
    cleo.pull()
    ada.log().note("level")
    ada.push()
    ben.pull()
    # Cleo has the first entry alone, and puts another one behind it.
    forge(cleo, ada.device)
    git("push", "--quiet", "--force", "origin", audit_ref(ada.device), cwd=cleo.clone.path)
    assert [finding.kind for finding in ben.pull()] == ["forked"]
    assert ben.actions() == ["capture", "level"]
    # Whoever sets the refs back as well has what was seen against them.
    git("update-ref", "-d", audit_ref(ada.device), cwd=ben.clone.path)
    assert [finding.kind for finding in ben.pull()] == ["forked"]


def test_what_does_not_hold_is_kept_out_and_the_rest_comes_in(
    ada: Person, ben: Person, team: Team, git: RealGit
) -> None:
    ada.log().note("capture")
    ada.push()
    hub = team.hub.path
    tree = git("rev-parse", f"{audit_ref(ada.device)}^{{tree}}", cwd=hub)
    link = git("hash-object", "-w", "--stdin", cwd=hub, stdin="../../../etc/passwd")
    listed = git("ls-tree", tree, cwd=hub)
    linked = git("mktree", cwd=hub, stdin=f"{listed}\n120000 blob {link}\tREADME.md\n")
    for name, content in (("5e" * 16, linked), ("6f" * 16, tree), ("laptop", tree)):
        commit = git("commit-tree", content, "-m", "x", cwd=ada.clone.path.parent / "hub.git")
        git("update-ref", f"refs/gitmem/audit/{name}", commit, cwd=hub)
    found = {finding.device: finding.kind for finding in ben.pull()}
    # The second has another device's entries under its name.
    assert found == {"5e" * 16: "unreadable", "6f" * 16: "unreadable", "laptop": "misnamed"}
    assert ben.actions() == ["capture"]
    assert set(ben.kinds()) == {"unreadable", "misnamed"}


def test_a_remote_without_any_chain_is_none_to_tell_of(ben: Person) -> None:
    assert ben.pull() == ben.check() == []
    assert ben.rows() == []


def test_a_remote_that_does_not_answer_is_named(ben: Person, team: Team) -> None:
    team.hub.path.rename(team.folder / "elsewhere")
    remote = transport.find_remote(ben.clone.repository, ben.clone.git, "origin")
    with ben.storage() as storage, pytest.raises(RemoteUnreachable):
        fetch(remote, storage, (), (AUDIT_NAMESPACE,))


def test_what_was_seen_and_cannot_be_read_counts_as_never_seen(ada: Person, ben: Person) -> None:
    ada.log().note("capture")
    ada.push()
    ben.pull()
    for damage in (b"", b"[]", b'{"origin": 1}', b"\xff", b'{"origin": {"x": [1]}}'):
        (ben.log().folder / "seen").write_bytes(damage)
        assert ben.check() == []


def test_readings_that_wait_go_along_with_a_push(ada: Person, ben: Person) -> None:
    ada.log().note("search", detail={"sessions": 1})
    ada.push()
    ben.pull()
    assert ben.actions() == ["search"]


def test_a_log_that_is_damaged_in_the_middle_is_put_aside_and_told_of(ada: Person, ben: Person) -> None:
    for action in ("capture", "level", "push"):
        ada.log().note(action)
    path = ada.log().folder / ada.device / "log"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    assert ada.kinds() == ["unreadable"]
    ada.push()
    ben.pull()
    assert ben.actions() == ["repair"]
    assert (path.parent / "unreadable-1").read_bytes() == lines[0] + lines[2]
    assert ada.check() == ben.check() == []


def test_a_chain_as_long_as_may_be_is_followed_by_another_one(
    ada: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = ada.device
    for _ in range(3):
        ada.log().note("capture")
    ada.push()
    monkeypatch.setattr(publishing, "_LONG_CHAIN", 2)
    ada.log().note("level")
    ada.push()
    assert ada.device != device
    ben.pull()
    assert ben.actions(device) == ["capture"] * 3
    assert ben.actions(ada.device) == ["succeed", "level"]
    assert ben.check() == ada.check() == []


def test_a_clone_that_published_other_things_elsewhere_goes_on_under_another_id(
    ada: Person, ben: Person, team: Team, git: RealGit
) -> None:
    ada.log().note("capture")
    ada.push()
    device = ada.device
    git("clone", "--quiet", "--bare", team.url, "second.git", cwd=team.folder)
    shutil.copytree(ada.clone.path, team.folder / "copy")
    copy = person(type(ada.clone)(team.folder / "copy"), 3)
    copy.user_dir = ada.user_dir
    git("remote", "set-url", "origin", f"file://{team.folder / 'second.git'}", cwd=copy.clone.path)
    copy.log().note("forget")
    copy.push()
    ada.log().note("level")
    ada.push()
    git("remote", "set-url", "origin", team.url, cwd=copy.clone.path)
    assert [finding.kind for finding in copy.pull()] == ["forked"]
    copy.log().note("pull")
    copy.push()
    ben.pull()
    assert ben.actions(device) == ["capture", "level"]
    assert ben.actions(copy.device) == ["succeed", "pull"]


def test_more_chains_than_anybody_needs_are_not_looked_at(
    ada: Person, ben: Person, team: Team, git: RealGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.log().note("capture")
    ada.push()
    for n in range(3):
        git("update-ref", f"refs/gitmem/audit/ff{n:030}", audit_ref(ada.device), cwd=team.hub.path)
    monkeypatch.setattr(peers, "MAX_DEVICES", 2)
    assert "crowded" in [finding.kind for finding in ben.pull()]


def test_a_piece_that_is_missing_here_is_named(ada: Person) -> None:
    ada.log().note("capture")
    ada.publish()
    with ada.storage() as storage:
        chain_here = chain_at(storage, ada.device, audit_ref(ada.device))
        assert chain_here is not None
    [pack] = [
        path
        for path in (ada.clone.path / ".git/objects/pack").glob("*.idx")
        if path.with_suffix(".keep").exists()
    ]
    for path in pack.parent.glob(pack.stem + ".*"):
        path.unlink()
    assert ada.kinds() == ["damaged"]
    refused: list[object] = []
    assert ada.rows(refused=refused.append) == []
    assert len(refused) == 1


def test_a_chain_is_checked_by_hand_as_the_document_says(ada: Person) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    for action in ("capture", "level"):
        ada.log().note(action)
        ada.publish()
    document = (CHECKOUT / "docs/formats/audit.md").read_text()
    [script] = re.findall(r"```sh\n(.*?)```", document, re.DOTALL)
    finished = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=ada.clone.path,
        env={**os.environ, "device": ada.device},
        capture_output=True,
        text=True,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert (ada.clone.path / "chain").read_text().count("\n") == 2
