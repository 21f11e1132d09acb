"""Who is a recipient opens what is sealed, who is none counts it; recipients come and go."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gitmem import disk
from gitmem.git.storage import GitStorage
from gitmem.model.errors.store import IdentityMissing, RecipientRefused
from gitmem.model.refs import KEYS_NAMESPACE, SEALED_NAMESPACE
from gitmem.sealed.envelope import MAX_RECIPIENTS
from gitmem.sealed.identities import as_recipient, own_identity_path, plain_recipient, read_identities
from gitmem.sealed.keeping import read_key
from gitmem.sealed.recipients import Resealed, reseal_all, rewrap_all
from gitmem.sealed.tips import by_name, read_tips
from tests.conftest import CommandLine, RealGit
from tests.importing import samples
from tests.sealed.conftest import Person, every_object, open_at

SshKey = Callable[[str], tuple[Path, str]]


def test_the_own_identity_is_made_once_and_read_by_its_user_alone(ada: Person) -> None:
    path = own_identity_path(ada.user_dir)
    assert ada.ring().own() == ()
    assert not path.exists()
    key = ada.public_key()
    content = path.read_bytes()
    assert ada.public_key() == key == ada.ring().own()[0]
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ada.user_dir.stat().st_mode) == 0o700
    assert sorted(file.name for file in ada.user_dir.iterdir()) == ["identity", "identity.lock"]


def test_many_who_come_at_once_make_one_identity(ada: Person) -> None:
    children = []
    for _ in range(6):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(write, ada.public_key().encode())
            finally:
                os._exit(0)
        os.close(write)
        children.append((pid, read))
    keys = set()
    for pid, read in children:
        keys.add(os.read(read, 1000))
        os.close(read)
        assert os.waitpid(pid, 0)[1] == 0
    assert keys == {ada.public_key().encode()}


def test_looking_makes_no_identity(ada: Person, base: GitStorage, bob: Person, tmp_path: Path) -> None:
    bob.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    assert ada.texts() == {}
    assert len(ada.storage().unopened()) == 1
    assert not ada.user_dir.exists()


def test_somebody_else_opens_nothing_and_counts(ada: Person, bob: Person, tmp_path: Path) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    bob.take(samples.write(tmp_path / "c.jsonl", samples.lines(0, 6, name="bobs-own")))
    assert list(bob.texts()) == ["claude-code/bobs-own"]
    assert len(bob.storage().unopened()) == 2
    assert len(ada.texts()) == 2
    assert len(ada.storage().unopened()) == 1


def test_a_recipient_opens_what_is_sealed_to_them(ada: Person, bob: Person, tmp_path: Path) -> None:
    ada.recipients = (bob.public_key(),)
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    assert bob.texts() == ada.texts() != {}
    # What they add is sealed with a key of their own, to their own recipients.
    samples.write(tmp_path / "a.jsonl", samples.lines(0, 9))
    assert len(bob.take(tmp_path / "a.jsonl").grown_sessions) == 1
    assert list(bob.texts().values()) == [samples.lines(0, 9)]
    assert list(ada.texts().values()) == [samples.lines(0, 4)]
    assert len(bob.storage().opened()) == 2


@pytest.fixture
def ssh_key(tmp_path: Path) -> SshKey:
    """Make a pair of ssh keys of a kind, as ssh-keygen would: `ssh_key("ed25519")`."""

    def make(kind: str) -> tuple[Path, str]:
        makers: dict[str, Callable[[], ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey]] = {
            "ed25519": ed25519.Ed25519PrivateKey.generate,
            "rsa": lambda: rsa.generate_private_key(65537, 2048),
        }
        key = makers[kind]()
        path = tmp_path / f"id_{kind}"
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH)
        path.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        path.with_suffix(".pub").write_bytes(public + b" ada@laptop\n")
        return path, public.decode()

    return make


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_an_ssh_key_seals_and_opens(
    ada: Person, base: GitStorage, tmp_path: Path, ssh_key: SshKey, kind: str
) -> None:
    path, public = ssh_key(kind)
    by_ssh = Person(base, tmp_path / "nowhere", identities=(path,))
    assert by_ssh.ring().own() == (public,)
    ada.recipients = (f"{public} a comment",)
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    assert by_ssh.texts() == ada.texts() != {}
    by_ssh.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    assert len(by_ssh.texts()) == 2
    assert not (tmp_path / "nowhere").exists()


def test_several_identities_open_what_each_of_them_opens(
    ada: Person, bob: Person, base: GitStorage, tmp_path: Path, ssh_key: SshKey
) -> None:
    path, _ = ssh_key("ed25519")
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    Person(base, tmp_path / "x", identities=(path,)).take(
        samples.write(tmp_path / "b.jsonl", samples.codex(4))
    )
    both = Person(base, tmp_path / "x", identities=(own_identity_path(ada.user_dir), path))
    assert len(both.texts()) == 2


def test_identities_that_cannot_be_used_are_named(tmp_path: Path, ssh_key: SshKey) -> None:
    path = tmp_path / "identity"
    secret = "AGE-" + "SECRET-KEY-1"
    folder = tmp_path / "folder"
    folder.mkdir()
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    for content in (
        b"",
        b"# nothing\n",
        b"junk\n",
        b"\xff\xfe",
        f"{secret}QQQ\n".encode(),
        f"{secret}{'Q' * 58}\n".encode(),
        b"AGE-PLUGIN-YUBIKEY-1QQQ\n",
        bytes(100_000),
        ssh_key("ed25519")[0].read_bytes()[:150],
        elliptic,
    ):
        path.write_bytes(content)
        with pytest.raises(IdentityMissing) as caught:
            read_identities(path)
        assert caught.value.path == str(path)
    for wrong in (folder, tmp_path / "nowhere"):
        with pytest.raises(IdentityMissing):
            read_identities(wrong)


def test_an_ssh_key_with_a_passphrase_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "id"
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "tides", "-f", str(path)], check=True)
    except FileNotFoundError:
        pytest.skip("there is no ssh-keygen, which alone encrypts a key without a further library")
    with pytest.raises(IdentityMissing, match="passphrase"):
        read_identities(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1zz",
        "age1" + "q" * 58,
        "AGE-" + "SECRET-KEY-1QQQ",
        "ssh-dss AAAAB3NzaC1kc3M",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ecdsa-sha2-nistp256 AAAA",
        "-----BEGIN OPENSSH",
        "age1yubikey1qwerty",
        "github:ada",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(RecipientRefused):
        as_recipient(text)


def test_a_secret_key_that_was_taken_for_a_public_one_is_not_repeated() -> None:
    text = "AGE-" + "SECRET-KEY-1" + "Q" * 58
    with pytest.raises(RecipientRefused) as caught:
        plain_recipient(text)
    assert "QQQ" not in str(caught.value)


def test_more_recipients_than_an_envelope_takes_are_refused(ada: Person) -> None:
    from pyrage import x25519

    more = [str(x25519.Identity.generate().to_public()) for _ in range(MAX_RECIPIENTS)]
    with pytest.raises(RecipientRefused, match="101 keys"):
        ada.ring(*more).wrap(bytes(32))
    assert ada.ring(*more[1:]).wrap(bytes(32))


def test_who_is_added_opens_what_was_there_before(
    ada: Person, bob: Person, base: GitStorage, tmp_path: Path
) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    before = base.list_refs(SEALED_NAMESPACE)
    assert rewrap_all(base, ada.ring(bob.public_key())) == Resealed(2, 0, 0)
    assert bob.texts() == ada.texts()
    assert len(bob.texts()) == 2
    assert base.list_refs(SEALED_NAMESPACE) == before
    for name, tips in by_name(read_tips(base)).items():
        assert tips.key
        assert read_key(base, name, tips.key).number == 2


def test_who_is_removed_opens_nothing_that_comes_after(
    ada: Person, bob: Person, base: GitStorage, tmp_path: Path, git: RealGit, repository: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 4))
    ada.recipients = (bob.public_key(),)
    ada.take(path)
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    texts = ada.texts()
    kept = bob.storage()
    kept.opened()  # so that bob has the secrets of before
    ada.recipients = ()
    assert reseal_all(base, ada.ring()) == Resealed(2, 0, 0)
    assert ada.texts() == texts
    assert bob.texts() == {}
    assert len(bob.storage().unopened()) == 2
    assert kept.opened() == ()
    assert not kept.damaged()
    for ref in base.list_refs("refs/gitmem/"):
        assert git("rev-list", "--count", ref, cwd=repository) == "1"
    samples.write(path, samples.lines(0, 9))
    ada.take(path)
    assert bob.texts() == {}
    assert samples.lines(0, 9) in ada.texts().values()
    git("fsck", "--strict", "--full", cwd=repository)


def test_removing_that_is_broken_off_leaves_all_of_it_open(
    ada: Person, bob: Person, base: GitStorage, tmp_path: Path
) -> None:
    ada.recipients = (bob.public_key(),)
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 4))
    ada.take(path)
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    texts = ada.texts()
    ada.recipients = ()

    class Stopped(Exception):
        pass

    for point in range(6):
        left = point

        def stop(effect: disk.Effect, at: Path) -> None:
            nonlocal left
            if effect == "move ref":
                if left == 0:
                    raise Stopped
                left -= 1

        with pytest.raises(Stopped), disk.observe(stop):
            reseal_all(base, ada.ring())
        assert ada.texts() == texts, point
        assert not ada.storage().damaged()
        samples.write(path, samples.lines(0, 5 + point))
        ada.take(path)
        texts = ada.texts()
        assert samples.lines(0, 5 + point) in texts.values()
    assert reseal_all(base, ada.ring()).changed == 2
    assert ada.texts() == texts
    assert bob.texts() == {}
    for name, tips in by_name(read_tips(base)).items():
        assert tips.key
        assert read_key(base, name, tips.key).before is None


def test_a_key_that_waits_is_used_and_follows_the_recipients(
    ada: Person, bob: Person, base: GitStorage, tmp_path: Path
) -> None:
    from gitmem.model.refs import PRIVATE_REF
    from gitmem.verbs.starting import start
    from tests.sealed.conftest import WHO

    ada.recipients = (bob.public_key(),)
    start(ada.storage(), PRIVATE_REF, WHO)
    [before] = base.list_refs(KEYS_NAMESPACE)
    ada.recipients = ()
    assert reseal_all(base, ada.ring()) == Resealed(0, 0, 0)
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    assert list(base.list_refs(KEYS_NAMESPACE)) == [before]
    assert bob.texts() == {}
    assert len(ada.texts()) == 1


def test_no_identity_no_secret_and_no_envelope_of_before_stays_reachable(
    ada: Person, base: GitStorage, repository: Path, tmp_path: Path, git: RealGit
) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    [opened] = ada.storage().opened()
    rewrap_all(base, ada.ring())
    reseal_all(base, ada.ring())
    reachable = git("rev-list", "--objects", "--all", cwd=repository)
    [old] = [opened.tips.key]
    assert old
    assert old not in reachable
    identity = own_identity_path(ada.user_dir).read_bytes().splitlines()[-1]
    for content in every_object(repository).values():
        assert identity not in content
        assert opened.secret not in content


def test_no_secret_is_in_what_is_printed_of_an_object(ada: Person, tmp_path: Path) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ring = ada.ring()
    [opened] = ada.storage().opened()
    [pair] = read_identities(own_identity_path(ada.user_dir))
    shown = repr([ring, opened, pair, ada.storage(), opened.box, opened.session])
    for secret in (opened.secret, pair.mark):
        assert repr(secret)[2:20] not in shown
        assert secret.hex() not in shown


# --- the command line


def test_recipients_are_listed_added_and_removed(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path, ssh_key: SshKey, home: Path
) -> None:
    listed = json.loads(run("recipients", "list", "--json", cwd=repository).stdout)
    assert listed == {
        "recipients": [],
        "identities": [str(home / ".local/share/gitmem/identity")],
        "opened": 0,
        "unopened": 0,
        "damaged": [],
    }
    _, public = ssh_key("ed25519")
    with closing(open_at(repository)) as base:
        ada = Person(base, home / ".local/share/gitmem")
        ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
        Person(base, tmp_path / "bob").take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    key = str(tmp_path / "id_ed25519.pub")
    assert "1 private session can be opened by 2 keys" in run("recipients", "add", key, cwd=repository).stdout
    assert git("config", "--get-all", "gitmem.recipient", cwd=repository) == public
    shown = run("recipients", "list", cwd=repository)
    assert public in shown.stdout
    listed = json.loads(run("recipients", "list", "--json", cwd=repository).stdout)
    assert (listed["opened"], listed["unopened"]) == (1, 1)
    assert [row["own"] for row in listed["recipients"]] == [True, False]
    with closing(open_at(repository)) as base:
        by_ssh = Person(base, tmp_path / "none", identities=(tmp_path / "id_ed25519",))
        assert len(by_ssh.texts()) == 1
    removed = json.loads(run("recipients", "remove", public, "--json", cwd=repository).stdout)
    assert removed == {
        "recipients": [listed["recipients"][0]["key"]],
        "changed": 1,
        "others": 0,
        "unopened": 1,
    }
    assert "gitmem.recipient" not in git("config", "--list", cwd=repository)
    with closing(open_at(repository)) as base:
        assert Person(base, tmp_path / "none", identities=(tmp_path / "id_ed25519",)).texts() == {}
        assert len(Person(base, home / ".local/share/gitmem").texts()) == 1


def test_what_removing_does_not_undo_is_said(
    run: CommandLine, repository: Path, ssh_key: SshKey, ada: Person
) -> None:
    _, public = ssh_key("ed25519")
    run("recipients", "add", public, cwd=repository)
    finished = run("recipients", "remove", public, cwd=repository)
    assert "may have kept" in finished.stdout
    again = run("recipients", "remove", public, cwd=repository)
    assert "was no recipient" in again.stderr


def test_changes_that_cannot_be_made_are_refused_by_name(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path, ssh_key: SshKey
) -> None:
    _, public = ssh_key("ed25519")
    run("recipients", "add", public, cwd=repository)
    own = json.loads(run("recipients", "list", "--json", cwd=repository).stdout)["recipients"][0]["key"]
    assert "your own" in run("recipients", "remove", own, cwd=repository, status=2).stderr
    assert "age1zz" in run("recipients", "add", "age1zz", cwd=repository, status=2).stderr
    (tmp_path / "empty.pub").write_text("# nothing\n")
    run("recipients", "add", str(tmp_path / "empty.pub"), cwd=repository, status=2)
    (tmp_path / "other.txt").write_text(f"{public}\nhunter2\n")
    refused = run("recipients", "add", str(tmp_path / "other.txt"), cwd=repository, status=2).stderr
    assert "other.txt, line 2" in refused
    assert "hunter2" not in refused
    git("config", "--unset-all", "gitmem.recipient", cwd=repository)
    git("config", "--global", "gitmem.recipient", public, cwd=repository)
    assert "--global" in run("recipients", "remove", public, cwd=repository, status=2).stderr
    git("config", "gitmem.identity", str(tmp_path / "nowhere"), cwd=repository)
    refused = run("recipients", "list", cwd=repository, status=1).stderr
    assert "nowhere" in refused
    assert "hint: git config gitmem.identity" in refused


def test_nothing_that_comes_with_a_clone_names_a_recipient(
    run: CommandLine, git: RealGit, repository: Path, ssh_key: SshKey
) -> None:
    _, public = ssh_key("ed25519")
    (repository / ".gitmem.toml").write_text(f'recipient = "{public}"\n')
    assert "recipient" in run("recipients", "list", cwd=repository, status=2).stderr
    (repository / ".gitmem.toml").unlink()
    listed = run("recipients", "list", "--json", cwd=repository, environ={"GITMEM_RECIPIENT": public}).stdout
    assert public not in listed
