"""Data moves by the user's own git: over http and file, with their credentials, rewrites, versions and signatures."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.model.errors.sharing import RemoteSilent, RemoteUnreachable
from gitmem.sharing import pulling as sharing
from gitmem.sharing import pushing
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import REF, TRACKING, Clone, Team
from tests.sharing.http_backend import Server, serving


@pytest.fixture
def server(team: Team, git: RealGit) -> Iterator[Server]:
    git("config", "http.receivepack", "true", cwd=team.hub.path)
    with serving(team.folder) as server:
        yield server


def point_at(git: RealGit, url: str, *clones: Clone) -> None:
    for clone in clones:
        git("remote", "set-url", "origin", url, cwd=clone.path)


@pytest.mark.usefixtures("has_http")
class TestHttp:
    @pytest.mark.parametrize("version", ["0", "1", "2"])
    def test_every_version_of_gits_protocol_shares(
        self, git: RealGit, server: Server, ada: Clone, ben: Clone, version: str, home: Path
    ) -> None:
        git("config", "--global", "protocol.version", version, cwd=home)
        point_at(git, f"{server.url}/hub.git", ada, ben)
        one, two = ada.remember("one"), ben.remember("two")
        ada.push()
        ben.push()
        ada.pull()
        assert ada.sessions() == ben.sessions() == {one, two}
        spoken = {"0": "", "1": "version=1", "2": "version=2"}[version]
        assert spoken in server.protocols

    def test_a_push_of_more_than_a_request_holds(
        self, git: RealGit, server: Server, ada: Clone, ben: Clone
    ) -> None:
        git("config", "http.postBuffer", "70000", cwd=ada.path)
        point_at(git, f"{server.url}/hub.git", ada, ben)
        for n in range(4):
            ada.remember(f"{n}", random.Random(n).randbytes(40_000).hex().encode() + b"\n")
        ada.push()
        ben.pull()
        assert ben.tree() == ada.tree()

    def test_a_password_comes_from_the_users_own_helper_and_nobody_is_asked(
        self, team: Team, git: RealGit, ada: Clone, run: CommandLine
    ) -> None:
        git("config", "http.receivepack", "true", cwd=team.hub.path)
        ada.remember("one")
        with serving(team.folder, "ada:correct horse") as server:
            point_at(git, f"{server.url}/hub.git", ada)
            refused = run("push", "origin", cwd=ada.path, status=1)
            assert "could not reach origin" in refused.stderr
            helper = "!f() { echo username=ada; echo password='correct horse'; }; f"
            git("config", "credential.helper", helper, cwd=ada.path)
            assert "1 session" in run("push", "origin", cwd=ada.path).stdout
        assert team.hub.ref() == ada.ref()

    def test_a_server_that_says_nothing_is_given_up_on(
        self, git: RealGit, server: Server, ada: Clone, run: CommandLine
    ) -> None:
        ada.remember("one")
        ada.push()
        ada.remember("two")
        point_at(git, f"{server.url}/hub.git", ada)
        server.stalls.set()
        with ada.sharing() as shared:
            impatient = shared._replace(silence_s=0.2)
            with pytest.raises(RemoteSilent, match=r"git said nothing for 0.2 s") as caught:
                pushing.push(impatient, "origin")
            assert caught.value.hint.startswith("git config gitmem.timeout")
            with pytest.raises(RemoteSilent):
                sharing.pull(impatient, "origin")
        git("config", "gitmem.timeout", "1", cwd=ada.path)
        finished = run("sync", "origin", cwd=ada.path)
        assert "git said nothing for 1 s and was ended" in finished.stderr
        server.stalls.clear()
        server.goes_on.set()
        assert len(ada.push().sent) == 1

    def test_a_proxy_is_gone_through(
        self, git: RealGit, team: Team, server: Server, ada: Clone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "")
        point_at(git, "http://memories.example.org/hub.git", ada)
        ada.remember("one")
        # The proxy is asked for the whole address; this server takes the path of it.
        with pytest.raises(RemoteUnreachable):
            ada.push()
        assert any("http://memories.example.org/hub.git" in request for request in server.requests)


class TestAddresses:
    def test_rewritten_addresses_are_followed(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("clone", "--quiet", "--bare", team.url, "other.git", cwd=team.folder)
        git("config", f"url.file://{team.folder}/.insteadOf", "team:", cwd=ada.path)
        point_at(git, "team:hub.git", ada)
        ada.remember("one")
        ada.push()
        assert team.hub.ref() == ada.ref()
        git("config", f"url.file://{team.folder}/other.git.pushInsteadOf", "team:hub.git", cwd=ada.path)
        ada.remember("two")
        ada.push()
        assert Clone(team.folder / "other.git").ref() == ada.ref() != team.hub.ref()

    def test_what_is_pushed_elsewhere_goes_there(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("clone", "--quiet", "--bare", team.url, "writes.git", cwd=team.folder)
        writes = f"file://{team.folder}/writes.git"
        git("config", "remote.origin.pushurl", writes, cwd=ada.path)
        for n in range(2):
            ada.remember(f"{n}")
            ada.push()
        assert Clone(team.folder / "writes.git").ref() == ada.ref()
        assert team.hub.ref() is None

    def test_several_addresses_all_get_it(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("clone", "--quiet", "--bare", team.url, "second.git", cwd=team.folder)
        git("remote", "set-url", "--add", "origin", f"file://{team.folder}/second.git", cwd=ada.path)
        ada.remember("one")
        ada.push()
        assert team.hub.ref() == Clone(team.folder / "second.git").ref() == ada.ref()

    @pytest.mark.parametrize("by", ["environment", "configuration"])
    def test_ssh_is_the_users_own(
        self, team: Team, git: RealGit, ada: Clone, by: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ssh = team.folder / "ssh"
        # What stands for ssh runs the command here, as a server's shell would.
        ssh.write_text(
            f'#!/bin/sh\necho "$@" >>{team.folder}/said\nfor last; do :; done\nexec sh -c "$last"\n'
        )
        ssh.chmod(0o755)
        if by == "environment":
            monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
        else:
            git("config", "core.sshCommand", str(ssh), cwd=ada.path)
        git("config", "ssh.variant", "simple", cwd=ada.path)
        point_at(git, f"ssh://memories{team.folder}/hub.git", ada)
        ada.remember("one")
        ada.push()
        ada.pull()
        assert team.hub.ref() == ada.ref()
        said = (team.folder / "said").read_text()
        assert "git-receive-pack" in said
        assert "git-upload-pack" in said


def test_what_git_left_running_holds_nobody_up(team: Team, git: RealGit, ada: Clone) -> None:
    ssh = team.folder / "ssh"
    # As ssh does that stays for the next connection: with git's own standard error.
    ssh.write_text(
        f"#!/bin/sh\nsleep 600 </dev/null >/dev/null &\necho $! >>{team.folder}/left\n"
        'for last; do :; done\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    git("config", "core.sshCommand", str(ssh), cwd=ada.path)
    git("config", "ssh.variant", "simple", cwd=ada.path)
    point_at(git, f"ssh://memories{team.folder}/hub.git", ada)
    ada.remember("one")
    try:
        ada.push()
    finally:
        for pid in (team.folder / "left").read_text().split():
            os.kill(int(pid), signal.SIGTERM)
    assert team.hub.ref() == ada.ref()


def test_a_push_is_signed_where_the_users_own_are(team: Team, git: RealGit, ada: Clone, home: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    git("config", "receive.certNonceSeed", "seed of tests", cwd=team.hub.path)
    hook = team.hub.path / "hooks" / "post-receive"
    hook.write_text(f'#!/bin/sh\necho "$GIT_PUSH_CERT" >{team.folder}/certificate\n')
    hook.chmod(0o755)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("push.gpgSign", "true")):
        git("config", name, value, cwd=ada.path)
    ada.remember("one")
    ada.push()
    certificate = (team.folder / "certificate").read_text().strip()
    assert REF in git("cat-file", "blob", certificate, cwd=team.hub.path)


class TestClones:
    def test_a_mirror_pulls_and_pushes(self, team: Team, git: RealGit, ada: Clone) -> None:
        ada.remember("one")
        ada.push()
        mirror = team.clone("mirror.git", "--mirror")
        two = mirror.remember("two")
        assert mirror.push().sent == (two,)
        ada.pull()
        ada.remember("three")
        ada.push()
        assert mirror.pull().how == "fast-forward"
        assert mirror.tree() == ada.tree()

    def test_one_with_alternates_pulls_and_pushes(self, team: Team, ada: Clone) -> None:
        ada.remember("one")
        ada.push()
        borrowing = team.clone("borrowing", "--reference", str(ada.path))
        assert (borrowing.path / ".git" / "objects" / "info" / "alternates").exists()
        assert borrowing.pull().how == "taken over"
        two = borrowing.remember("two")
        assert borrowing.push().sent == (two,)
        ada.pull()
        assert ada.tree() == borrowing.tree()

    def test_one_that_is_shallow_stays_so_and_loses_nothing(
        self, team: Team, git: RealGit, ada: Clone
    ) -> None:
        for n in range(4):
            ada.remember(f"{n}")
            ada.push()
        shallow = team.clone("shallow", "--depth=1", "--no-single-branch")
        shallow.pull()
        mine = shallow.remember("mine")
        ada.remember("more")
        ada.push()
        assert shallow.push().sent == (mine,)
        assert git("rev-parse", "--is-shallow-repository", cwd=shallow.path) == "true"
        ada.pull()
        assert ada.tree() == shallow.tree()
        assert ada.ref() == ada.ref(TRACKING)


def test_a_port_on_which_nobody_answers_is_named(ada: Clone, git: RealGit) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        point_at(git, f"http://127.0.0.1:{taken.getsockname()[1]}/hub.git", ada)
        ada.remember("one")
        with pytest.raises(RemoteUnreachable):
            ada.push()
    assert threading.active_count() < 50
