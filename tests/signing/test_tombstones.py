"""Whose tombstones count: signed by git as it signs commits, and let in by the keys that are named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gitmem.format import layout, records
from gitmem.format.burial import tombstones_of
from gitmem.git.settings import load
from gitmem.git.signing import State, check_texts
from gitmem.model.errors.sharing import SigningFailed
from gitmem.model.ids import SessionId
from gitmem.model.records import Author, Tombstone
from gitmem.sharing import erasers
from gitmem.sharing import pulling as sharing
from gitmem.sharing.erasers import accepted_by, certify, sign_if_wanted, sign_tombstone
from tests.conftest import RealGit
from tests.sharing.clones import NOW_S, Clone
from tests.sharing.samples import AT, Scribe
from tests.signing.conftest import Keys
from tests.signing.keys import allow, gnupg, gpg_key, run_program, use_ssh

TARGET = "5e" * 32
BARE = Tombstone(TARGET, "team", AT, Author("Ada Example", "ada@example.org"), "her wish")


def sign(clone: Clone, tombstone: Tombstone = BARE) -> Tombstone:
    return sign_tombstone(clone.repository, clone.git, tombstone)


def why_not(clone: Clone, tombstone: Tombstone, at_s: float = NOW_S) -> str:
    """Return why a tombstone from a remote would not count in a clone."""
    settings = load(clone.repository, dict(os.environ))
    return accepted_by(clone.repository, clone.git, settings, clock=lambda: at_s)(tombstone)


def state(clone: Clone, tombstone: Tombstone) -> State:
    name = records.seal(tombstone)[0]
    [found] = certify(clone.repository, clone.git, [(name, tombstone)])
    return found.verdict.state


def named(git: RealGit, clone: Clone, *erasers: str) -> None:
    for name in erasers:
        git("config", "--add", "gitmem.erasers", name, cwd=clone.path)


def test_by_default_everybody_who_may_push_erases(ada: Clone) -> None:
    assert why_not(ada, BARE) == ""


def test_what_one_who_is_named_signed_counts_and_nobody_elses(
    git: RealGit, ada: Clone, ben: Clone, mallory: Clone
) -> None:
    named(git, ben, "ada@example.org")
    assert why_not(ben, sign(ada)) == ""
    assert "not signed" in why_not(ben, BARE)
    assert "by ben@example.org, whom gitmem.erasers does not name" in why_not(ben, sign(ben))
    assert "git does not trust" in why_not(ben, sign(mallory))


def test_a_key_is_named_by_its_fingerprint_though_git_knows_nobody_of_it(
    git: RealGit, ben: Clone, mallory: Clone, keys: Keys
) -> None:
    signed = sign(mallory)
    named(git, ben, keys.mallory.fingerprint)
    assert why_not(ben, signed) == ""
    git("config", "--unset", "gpg.ssh.allowedSignersFile", cwd=ben.path)
    assert why_not(ben, signed) == ""
    assert "not of this" in why_not(ben, msgspec.structs.replace(signed, target="00" * 32))


@pytest.mark.parametrize(
    "forge",
    [
        lambda signed: msgspec.structs.replace(signed, level="public"),
        lambda signed: msgspec.structs.replace(signed, target="00" * 32),
        lambda signed: msgspec.structs.replace(signed, at="2026-01-02T03:04:06.678Z"),
        lambda signed: msgspec.structs.replace(signed, at="2026-01-02T03:04:05.679Z"),
        lambda signed: msgspec.structs.replace(signed, reason="mine"),
        lambda signed: msgspec.structs.replace(signed, author=Author("Mallory")),
        lambda signed: msgspec.structs.replace(signed, signature="-----BEGIN NONSENSE"),
        lambda signed: msgspec.structs.replace(signed, signature="-----BEGIN SSH SIGNATURE-----\n\0"),
        lambda signed: msgspec.structs.replace(signed, signature=f"{signed.signature}\nparent {'0' * 40}"),
        lambda signed: msgspec.structs.replace(signed, signature=signed.signature + "\n\nx"),
    ],
)
def test_a_signature_counts_for_nothing_but_what_was_signed(
    git: RealGit, ada: Clone, ben: Clone, forge: Callable[[Tombstone], Tombstone]
) -> None:
    named(git, ben, "ada@example.org")
    assert why_not(ben, forge(sign(ada))) != ""


@pytest.mark.parametrize(
    "author",
    [
        Author('Ada <x> & "Co"\n\0tree', "a\nb<>"),
        Author(" .,;", ""),
        Author("Zoë 🦊", "zoë@example.org"),
    ],
)
@pytest.mark.parametrize("at", ["1969-12-31T23:59:59.000Z", "9999-12-31T23:59:59.999Z"])
def test_any_author_and_any_moment_can_be_signed(git: RealGit, ada: Clone, author: Author, at: str) -> None:
    git("config", "i18n.commitEncoding", "ISO-8859-1", cwd=ada.path)
    signed = sign(ada, Tombstone(TARGET, "public", at, author, "why\r\nnot \ud7ff"))
    assert state(ada, signed) == "good"


def test_a_tombstone_is_verified_by_git_alone(git: RealGit, ada: Clone) -> None:
    """Docs/formats/store.md says how, and here it is done."""
    signed = sign(ada)
    plain = records.encode(msgspec.structs.replace(signed, signature="")).decode()
    header = signed.signature.replace("\n", "\n ")
    who = "gitmem <gitmem@localhost> 1767323045 +0000"
    tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    commit = f"tree {tree}\nauthor {who}\ncommitter {who}\ngpgsig {header}\n\n{plain}\n"
    oid = git("hash-object", "-t", "commit", "-w", "--stdin", cwd=ada.path, stdin=commit)
    git("verify-commit", oid, cwd=ada.path)


def test_the_same_signature_is_made_and_verified_in_a_repository_of_sha256(
    git: RealGit, ada: Clone, tmp_path: Path, keys: Keys
) -> None:
    git("init", "--quiet", "--object-format=sha256", "other", cwd=tmp_path)
    other = Clone(tmp_path / "other")
    use_ssh(git, other.path, keys.ada)
    allow(git, other.path, {"ada@example.org": keys.ada})
    assert sign(other) == sign(ada)  # ed25519 signs the same content the same way
    assert state(other, sign(ada)) == "good"


def test_an_expired_or_revoked_key_of_ssh_does_not_count(
    git: RealGit, ada: Clone, ben: Clone, keys: Keys
) -> None:
    signed = sign(ada)
    named(git, ben, "ada@example.org")
    allow(git, ben.path, {'ada@example.org valid-before="20200101"': keys.ada})
    assert "does not trust" in why_not(ben, signed)
    allow(git, ben.path, {"ada@example.org": keys.ada})
    assert why_not(ben, signed) == ""
    revoked = ben.path.parent / "revoked"
    revoked.write_text(keys.ada.public + "\n")
    git("config", "gpg.ssh.revocationFile", str(revoked), cwd=ben.path)
    assert "revoked" in why_not(ben, signed)


def test_what_was_refused_is_remembered_until_who_is_named_or_known_changes(
    git: RealGit, ada: Clone, ben: Clone, mallory: Clone, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = sign(mallory)
    named(git, ben, "ada@example.org")
    asked: list[int] = []

    def counted(*args: object) -> object:
        asked.append(1)
        return check_texts(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(erasers, "check_texts", counted)
    assert why_not(ben, signed) == why_not(ben, signed)
    assert len(asked) == 1
    why_not(ben, signed, NOW_S + 3601)
    assert len(asked) == 2
    allow(git, ben.path, {"mallory@example.org": keys.mallory})
    assert "does not name" in why_not(ben, signed, NOW_S + 3602)
    named(git, ben, "mallory@example.org")
    assert why_not(ben, signed, NOW_S + 3602) == ""
    cache = ben.repository.state_dir / "cache" / "erasers"
    cache.write_bytes(cache.read_bytes()[:-3])
    assert why_not(ben, BARE) != ""


def test_no_more_signatures_are_checked_at_once_than_somebody_can_wait_for(
    git: RealGit, ada: Clone, ben: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasers, "_MOST_CHECKED", 2)
    named(git, ben, "ada@example.org")
    signed = sign(ada)
    settings = load(ben.repository, dict(os.environ))
    judge = accepted_by(ben.repository, ben.git, settings, clock=lambda: NOW_S)
    forged = [msgspec.structs.replace(signed, target=f"{n:064x}") for n in range(2)]
    assert ["not of this" in judge(one) for one in forged] == [True, True]
    assert "the next pull goes on" in judge(signed)
    again = accepted_by(ben.repository, ben.git, settings, clock=lambda: NOW_S)
    assert ["not of this" in again(one) for one in forged] == [True, True]
    assert again(signed) == ""


def test_tombstones_are_signed_where_commits_are(git: RealGit, ada: Clone) -> None:
    def signed(level: str) -> bool:
        settings = load(ada.repository, dict(os.environ))
        tombstone = msgspec.structs.replace(BARE, level=level)
        return bool(sign_if_wanted(ada.repository, ada.git, settings, tombstone).signature)

    assert not signed("team")
    git("config", "commit.gpgSign", "true", cwd=ada.path)
    assert signed("team")
    assert not signed("public"), "a signature says who signed"
    git("config", "gitmem.sign", "all", cwd=ada.path)
    assert signed("public")
    git("config", "gitmem.sign", "false", cwd=ada.path)
    assert not signed("team")


def test_where_git_cannot_sign_that_is_named(git: RealGit, ada: Clone) -> None:
    git("config", "user.signingKey", str(ada.path / "nothing.pub"), cwd=ada.path)
    with pytest.raises(SigningFailed, match=r"could not sign: .*nothing"):
        sign(ada)
    git("config", "gpg.ssh.program", "false", cwd=ada.path)
    with pytest.raises(SigningFailed):
        sign(ada)


def test_keys_of_gpg_are_good_untrusted_unknown_expired_and_revoked(
    git: RealGit, ada: Clone, ben: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "gpg.format", "openpgp", cwd=ada.path)
    git("config", "--unset", "user.signingKey", cwd=ada.path)
    # Short, because a socket's path may have 107 bytes.
    home = Path(os.environ["HOME"])

    with gnupg(monkeypatch, home / "a"):
        key = gpg_key("Ada <ada@example.org>")
        signed = sign(ada)  # by the address of the user, as git finds a key
        assert "PGP" in signed.signature
        assert state(ada, signed) == "good"
        public = run_program("gpg", "--batch", "--armor", "--export", key)
        revocation = (home / "a" / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----", "-----")
    with gnupg(monkeypatch, home / "b"):
        assert state(ben, signed) == "unknown"
        named(git, ben, "ada@example.org")
        assert "not known here" in why_not(ben, signed)
        run_program("gpg", "--batch", "--import", stdin=public)
        assert state(ben, signed) == "untrusted"
        assert "does not trust" in why_not(ben, signed)
        named(git, ben, f"{key[:20]} {key[20:]}".lower())
        assert why_not(ben, signed) == ""
        run_program("gpg", "--batch", "--import-ownertrust", stdin=f"{key}:5:\n")  # marginal is too little
        assert state(ben, signed) in ("untrusted", "good")
        run_program("gpg", "--batch", "--import-ownertrust", stdin=f"{key}:6:\n")
        assert state(ben, signed) == "good"
        git("config", "gpg.minTrustLevel", "ultimate", cwd=ben.path)
        assert state(ben, signed) == "good"
        run_program("gpg", "--batch", "--import", stdin=revocation)
        assert state(ben, signed) == "revoked"
        assert "was revoked" in why_not(ben, signed)
    with gnupg(monkeypatch, home / "c"):
        run_program("gpg", "--batch", "--import", stdin=public)
        run_program("gpg", "--batch", "--import-ownertrust", stdin=f"{key}:5:\n")
        git("config", "gpg.minTrustLevel", "ultimate", cwd=ben.path)
        assert state(ben, signed) == "untrusted"


def test_a_pull_lets_in_no_tombstone_that_nobody_named_signed(
    git: RealGit, ada: Clone, ben: Clone, mallory: Clone
) -> None:
    session = ada.remember("one")
    ada.push()
    for clone in (ben, mallory):
        clone.pull()
    named(git, ben, "ada@example.org")

    def pull() -> sharing.Pulled:
        settings = load(ben.repository, dict(os.environ))
        accept = accepted_by(ben.repository, ben.git, settings, clock=lambda: NOW_S)
        with ben.sharing() as shared:
            return sharing.pull(shared._replace(accept=accept), "origin")

    bury(mallory, session, sign(mallory, msgspec.structs.replace(BARE, target=session)))
    mallory.push()
    pulled = pull()
    assert [refusal.why for refusal in pulled.refused if "tombstones" in refusal.path] == [
        f"it is signed by {mallory_key(mallory)}, which git does not trust"
    ]
    assert ben.sessions() == {session}

    bury(ada, session, sign(ada, msgspec.structs.replace(BARE, target=session)))
    ada.push()
    pull()
    assert ben.sessions() == set()
    with ben.memory() as memory:
        [kept] = tombstones_of(memory.storage, memory.root, session).values()
    assert state(ben, kept) == "good"


def bury(clone: Clone, session: SessionId, tombstone: Tombstone) -> None:
    def change(scribe: Scribe) -> None:
        scribe.put_record(layout.tombstone_path(session, records.seal(tombstone)[0]), tombstone)
        folder = layout.session_folder(session)
        scribe.remove([path for path, _ in scribe.files() if path[:4] == folder])

    clone.write(change, parent=False)


def mallory_key(clone: Clone) -> str:
    signed = sign(clone)
    [found] = certify(clone.repository, clone.git, [(records.seal(signed)[0], signed)])
    return found.verdict.keys[0]
