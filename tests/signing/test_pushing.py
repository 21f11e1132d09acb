"""What is sent is signed: where commits are, on an explicit push, by a commit on top that git made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitmem.cli.context import context_of_process
from gitmem.cli.sharing import opened_sharing
from gitmem.cli.sharing_levels import push_levels
from gitmem.git.settings import load
from gitmem.model.errors.sharing import UnsignedNotSent
from gitmem.model.refs import PUBLIC_REF
from gitmem.sharing import signing
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import REF, Clone, Team
from tests.signing.conftest import Keys
from tests.signing.keys import SshKey, allow, gnupg, gpg_key, use_ssh


def signs(git: RealGit, clone: Clone) -> None:
    git("config", "commit.gpgSign", "true", cwd=clone.path)


def signers(git: RealGit, clone: Clone, where: str = REF) -> list[str]:
    """Return who signed the commits of a ref, by first parents; nothing for those that are not signed."""
    said = git("log", "--first-parent", "--format=%G? %GS", where, cwd=clone.path)
    return [line.removeprefix("G ").removeprefix("N").strip() for line in said.split("\n")]


def send(clone: Clone, remote: str = "origin", *, signs: bool = True) -> None:
    """Push as `gitmem push` does, or as what runs in the background."""
    context = context_of_process()
    context.move(clone.path)
    with opened_sharing(context, signs=signs) as sharing:
        push_levels(context, sharing, remote)


def sync(clone: Clone) -> None:
    clone.pull()
    send(clone)


def test_a_push_sends_a_signed_commit_on_top(
    run: CommandLine, git: RealGit, team: Team, ada: Clone, ben: Clone
) -> None:
    signs(git, ada)
    ada.remember("one")
    before = ada.ref()
    tree = ada.tree()
    run("push", "origin", cwd=ada.path)
    assert signers(git, ada) == ["ada@example.org", ""]
    assert team.hub.ref() == ada.ref()
    assert ada.tree() == tree
    assert git("rev-parse", f"{REF}^", cwd=ada.path) == before
    assert "[skip ci]" in git("log", "-1", "--format=%s", REF, cwd=ada.path)
    assert not git("count-objects", cwd=ada.path).startswith("1 "), "what is signed is in a pack of gitmem's"

    run("push", "origin", cwd=ada.path)
    assert signers(git, ada) == ["ada@example.org", ""], "nothing to send is nothing to sign"
    run("pull", "origin", cwd=ben.path)
    assert signers(git, ben) == ["ada@example.org", ""]
    signs(git, ben)
    run("sync", "origin", cwd=ben.path)
    assert ben.ref() == ada.ref()


def test_two_who_sign_come_to_one_history(git: RealGit, ada: Clone, ben: Clone) -> None:
    for clone in (ada, ben):
        signs(git, clone)
    ada.remember("one")
    ben.remember("two")
    for clone in (ada, ben, ada, ben, ada):
        sync(clone)
    assert ada.ref() == ben.ref()
    assert signers(git, ada)[0] == "ben@example.org"


def test_a_tip_that_another_signed_is_signed_on_the_way_to_another_remote(
    git: RealGit, team: Team, ada: Clone, ben: Clone
) -> None:
    signs(git, ada)
    ada.remember("one")
    send(ada)
    signs(git, ben)
    ben.pull()
    git("clone", "--quiet", "--bare", team.url, "second.git", cwd=team.folder)
    git("remote", "add", "second", f"file://{team.folder / 'second.git'}", cwd=ben.path)
    git("update-ref", "-d", REF, cwd=team.folder / "second.git")
    send(ben, "second")
    assert signers(git, ben)[:2] == ["ben@example.org", "ada@example.org"]


def test_where_git_cannot_sign_nothing_is_sent_unless_asked_for_once(
    run: CommandLine, git: RealGit, team: Team, ada: Clone
) -> None:
    signs(git, ada)
    git("config", "user.signingKey", str(ada.path / "nothing.pub"), cwd=ada.path)
    ada.remember("one")
    tip = ada.ref()
    said = run("push", "origin", cwd=ada.path, status=1).stderr
    assert "could not sign" in said
    assert "--no-sign" in said
    assert (ada.ref(), team.hub.ref()) == (tip, None)
    run("push", "--no-sign", "origin", cwd=ada.path)
    assert team.hub.ref() == tip
    git("config", "gitmem.sign", "false", cwd=ada.path)
    ada.remember("two")
    run("sync", "origin", cwd=ada.path)
    assert team.hub.ref() == ada.ref()


def test_in_the_background_nothing_is_signed_and_unsigned_is_sent_or_waits_as_settings_say(
    git: RealGit, team: Team, ada: Clone, run: CommandLine
) -> None:
    signs(git, ada)
    ada.remember("one")
    tip = ada.ref()
    send(ada, signs=False)
    assert team.hub.ref() == ada.ref() == tip

    git("config", "gitmem.requireSigned", "true", cwd=ada.path)
    ada.remember("two")
    with pytest.raises(UnsignedNotSent):
        send(ada, signs=False)
    assert team.hub.ref() == tip
    said = run("push", "--no-sign", "origin", cwd=ada.path, status=1).stderr
    assert "gitmem.requireSigned" in said
    send(ada)
    assert team.hub.ref() == ada.ref() != tip
    send(ada, signs=False)


def test_what_is_captured_while_git_signs_is_looked_at_and_signed_too(
    git: RealGit, team: Team, ada: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs(git, ada)
    ada.remember("one")
    calls: list[int] = []
    really = signing.sign_commit

    def meanwhile(*args: object) -> bytes:
        calls.append(1)
        data = really(*args)  # type: ignore[arg-type]
        if len(calls) == 1:
            ada.remember("two")
        return data

    monkeypatch.setattr(signing, "sign_commit", meanwhile)
    send(ada)
    assert len(calls) == 2
    assert len(ada.sessions()) == 2
    assert signers(git, ada) == ["ada@example.org", "", ""]
    assert team.hub.ref() == ada.ref()


def test_an_epoch_is_never_signed_itself(git: RealGit, team: Team, ada: Clone, ben: Clone) -> None:
    for clone in (ada, ben):
        signs(git, clone)
    session = ada.remember("one")
    send(ada)
    ben.pull()
    ada.write(lambda scribe: scribe.bury(session), parent=False)
    ben.remember("two")
    send(ada)
    sync(ben)
    ada.pull()
    assert ada.ref() == ben.ref() == team.hub.ref()
    first = git("rev-list", "--max-parents=0", REF, cwd=ben.path).split("\n")
    assert all("gpgsig" not in git("cat-file", "commit", each, cwd=ben.path) for each in first)
    assert signers(git, ben)[0] == "ben@example.org"


def test_a_memory_of_sha256_is_signed(run: CommandLine, git: RealGit, tmp_path: Path, keys: Keys) -> None:
    git("init", "--quiet", "--bare", "--object-format=sha256", "hub.git", cwd=tmp_path)
    clone = _clone_of_sha256(git, tmp_path, keys.ada)
    clone.remember("one")
    send(clone)
    assert signers(git, clone) == ["ada@example.org", ""]
    assert Clone(tmp_path / "hub.git").ref() == clone.ref()


def _clone_of_sha256(git: RealGit, folder: Path, key: SshKey) -> Clone:
    clone = Clone(folder / "ada")
    git("init", "--quiet", "--object-format=sha256", str(clone.path), cwd=folder)
    git("remote", "add", "origin", f"file://{folder / 'hub.git'}", cwd=clone.path)
    git.commit(clone.path)
    git("push", "--quiet", "origin", "main", cwd=clone.path)
    git("config", "gitmem.sign", "true", cwd=clone.path)
    use_ssh(git, clone.path, key)
    allow(git, clone.path, {"ada@example.org": key})
    return clone


@pytest.mark.parametrize("form", ["ssh", "openpgp"])
def test_the_public_memory_is_signed_by_a_commit_without_an_address(
    git: RealGit, team: Team, ada: Clone, home: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    git("config", "gitmem.sign", "all", cwd=ada.path)
    git("config", "remote.origin.gitmem", "public", cwd=ada.path)
    with gnupg(monkeypatch, home / "g"):
        if form == "openpgp":
            git("config", "gpg.format", "openpgp", cwd=ada.path)
            git("config", "--unset", "user.signingKey", cwd=ada.path)
            gpg_key("Ada <ada@example.org>")
        ada.write(lambda scribe: scribe.begin("one"), ref=PUBLIC_REF)
        send(ada)
        assert "ada@example.org" in signers(git, ada, PUBLIC_REF)[0]
    assert git("log", "-1", "--format=%cn <%ce>", PUBLIC_REF, cwd=ada.path) == "Ada <>"
    assert team.hub.ref(PUBLIC_REF) == ada.ref(PUBLIC_REF)


def test_the_public_memory_is_signed_only_where_all_is(git: RealGit, ada: Clone) -> None:
    for value, expected in (("true", (True, False)), ("all", (True, True)), ("false", (False, False))):
        git("config", "gitmem.sign", value, cwd=ada.path)
        settings = load(ada.repository, dict(os.environ))
        assert (signing.signs(settings, "team"), signing.signs(settings, "public")) == expected
