"""Pull and push between real clones: what arrives, what is refused, and what is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.errors.sharing import (
    LevelNotShared,
    NoRemoteChosen,
    PushRaced,
    PushRefused,
    RemoteAmbiguous,
    RemoteEmpty,
    RemoteUnknown,
    RemoteUnreachable,
)
from gitmem.model.errors.store import FormatNewer, NoMemory, NotAMemory
from gitmem.objects.history import distance, read_commit, walk_history
from gitmem.sharing import choosing, pushing
from gitmem.sharing import pulling as sharing
from gitmem.verbs.committing import SKIP_CI
from tests.conftest import IMPORTED_FROM, RealGit
from tests.sharing.clones import REF, TRACKING, Clone, Team, new_team


class TestRoundTrip:
    def test_what_one_pushes_another_pulls(self, team: Team, ada: Clone, ben: Clone) -> None:
        session = ada.remember("one", b"hello\nworld\n")
        pushed = ada.push()
        assert (pushed.sent, pushed.is_up_to_date, pushed.pulled) == ((session,), False, ())
        assert team.hub.ref() == ada.ref() == ada.ref(TRACKING)
        pulled = ben.pull()
        assert (pulled.how, pulled.sessions) == ("taken over", {session: "new there"})
        assert ben.ref() == ada.ref()
        assert ben.texts(session) == [b"hello\nworld\n"]

    def test_pulling_and_pushing_again_changes_nothing(self, ada: Clone, ben: Clone) -> None:
        ada.remember("one")
        ada.push()
        ben.pull()
        before = ben.ref()
        assert ben.pull().how == "up to date"
        assert ben.push().is_up_to_date
        assert ben.ref() == before

    def test_a_memory_that_only_went_on_there_is_fast_forwarded(self, ada: Clone, ben: Clone) -> None:
        session = ada.remember("one")
        ada.push()
        ben.pull()
        ada.remember("one", b"more\n")
        ada.push()
        pulled = ben.pull()
        assert (pulled.how, pulled.sessions) == ("fast-forward", {session: "grown there"})
        assert ben.ref() == ada.ref()

    def test_clones_that_diverged_come_to_the_same_tree(self, git: RealGit, ada: Clone, ben: Clone) -> None:
        shared = ada.remember("shared")
        ada.push()
        ben.pull()
        mine, other = ada.remember("mine"), ben.remember("other")
        ada.remember("shared", b"ada's\n")
        ben.remember("shared", b"ben's\n")
        ada.push()
        pushed = ben.push()
        assert [pulled.how for pulled in pushed.pulled] == ["merged"]
        assert pushed.pulled[0].sessions == {shared: "forked", mine: "new there", other: "new here"}
        assert set(pushed.sent) == {shared, other}
        assert ada.pull().how == "fast-forward"
        assert ada.tree() == ben.tree()
        assert sorted(ada.texts(shared)) == [b"a line\nada's\n", b"a line\nben's\n"]
        with ben.opened() as storage:
            commit = read_commit(storage, pushed.commit)
            assert len(commit.parents) == 2
            assert SKIP_CI in commit.message
        git("fsck", "--strict", cwd=ada.path)

    def test_memories_that_began_apart_are_united(self, ada: Clone, ben: Clone) -> None:
        one, other = ada.remember("one"), ben.remember("other")
        ada.push()
        ben.push()
        assert ada.pull().how == "fast-forward"
        assert ada.sessions() == ben.sessions() == {one, other}

    def test_what_a_fast_forward_lacks_is_not_lost(self, team: Team, ada: Clone, ben: Clone) -> None:
        session = ada.remember("one")
        ada.push()
        ben.pull()
        team.hub.write(
            lambda scribe: scribe.remove([path for path, _ in scribe.files() if path[0] == "sessions"])
        )
        assert not team.hub.sessions()
        assert ben.pull().how == "merged"
        assert ben.sessions() == {session}
        ben.push()
        assert team.hub.sessions() == {session}

    def test_a_buried_session_goes_everywhere(self, ada: Clone, ben: Clone) -> None:
        session = ada.remember("one")
        ada.push()
        ben.pull()
        ada.write(lambda scribe: scribe.bury(session))
        ben.remember("one", b"went on\n")
        ada.push()
        assert ben.pull().sessions == {session: "tombstoned"}
        assert ben.sessions() == set()

    def test_a_fresh_clone_takes_over_what_its_remote_has(self, team: Team, ada: Clone) -> None:
        session = ada.remember("one")
        ada.push()
        fresh = team.clone("fresh")
        with fresh.sharing() as shared:
            adopted = sharing.adopt(shared, ["elsewhere", "origin"])
        assert adopted
        assert (adopted.how, adopted.remote) == ("taken over", "origin")
        assert fresh.ref() == ada.ref()
        assert fresh.sessions() == {session}
        assert fresh.pull().how == "up to date"

    def test_a_remote_without_a_memory_is_a_normal_answer(self, ada: Clone) -> None:
        pulled = ada.pull()
        assert (pulled.how, pulled.before, pulled.after) == ("no memory there", None, None)
        ada.remember("one")
        assert ada.pull().after == ada.ref()

    def test_progress_is_told(self, ada: Clone, ben: Clone) -> None:
        ada.remember("one")
        said: list[bytes] = []
        with ada.sharing(said.append) as shared:
            pushing.push(shared, "origin")
        with ben.sharing(said.append) as shared:
            sharing.pull(shared, "origin")
        text = b"".join(said)
        assert b"Writing objects" in text
        assert b"Receiving objects" in text or b"remote: Enumerating" in text

    def test_commands_work_below_the_top_where_the_url_is_relative(self, git: RealGit, ada: Clone) -> None:
        git("remote", "set-url", "origin", "../hub.git", cwd=ada.path)
        (ada.path / "deep" / "er").mkdir(parents=True)
        ada.remember("one")
        below = Clone(ada.path / "deep" / "er")
        below.push()
        assert below.pull().how == "up to date"


@pytest.mark.parametrize("kind", ["shallow", "partial", "bare", "hidden ref", "single branch", "worktree"])
def test_every_kind_of_clone_pulls_and_pushes(
    team: Team, git: RealGit, ada: Clone, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "uploadpack.allowFilter", "true", cwd=team.hub.path)
    options = {
        "shallow": ("--depth=1", "--no-single-branch"),
        "partial": ("--filter=blob:none",),
        "bare": ("--bare",),
        "single branch": ("--single-branch",),
    }.get(kind, ())
    if kind == "hidden ref":
        monkeypatch.setenv("GITMEM_REF", "refs/gitmem/team")
        with ada.sharing() as shared:
            assert shared.settings.memory_ref == "refs/gitmem/team"
        ada.write(lambda scribe: scribe.capture(scribe.begin("one"), b"a line\n"), "refs/gitmem/team")
        ada.push()
        other = team.clone("other")
        other.pull()
        assert (
            other.ref("refs/gitmem/team") == team.hub.ref("refs/gitmem/team") == ada.ref("refs/gitmem/team")
        )
        assert other.ref(REF) is None
        return
    for n in range(3):
        ada.remember(f"{n}")
    ada.push()
    other = team.clone("other", *options)
    if kind == "worktree":
        git("worktree", "add", "--quiet", "-b", "side", "../side", cwd=other.path)
        other = Clone(team.folder / "side")
    if kind == "bare":
        git("update-ref", "-d", REF, cwd=other.path)
    assert other.pull().how == "taken over"
    mine = other.remember("mine")
    theirs = ada.remember("theirs")
    ada.push()
    assert other.push().sent == (mine,)
    ada.pull()
    assert ada.tree() == other.tree()
    assert {mine, theirs} <= ada.sessions()
    git("fsck", "--connectivity-only", cwd=other.path)
    if kind == "single branch":
        assert other.ref(TRACKING) == other.ref()


def test_repositories_of_sha256_share_too(
    tmp_path: Path, git: RealGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    team = new_team(tmp_path, git)
    ada, ben = team.clone("ada"), team.clone("ben")
    one, two = ada.remember("one"), ben.remember("two")
    ada.push()
    ben.push()
    ada.pull()
    assert ada.sessions() == ben.sessions() == {one, two}
    assert len(ada.tree()) == 64
    git("fsck", "--strict", cwd=ada.path)


def test_a_partial_clone_fetches_what_it_left_out_at_once(
    team: Team, git: RealGit, ada: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "uploadpack.allowFilter", "true", cwd=team.hub.path)
    sessions = {ada.remember(f"{n}") for n in range(12)}
    ada.push()
    partial = team.clone("partial", "--filter=blob:none")
    trace = team.folder / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    assert partial.pull().how == "taken over"
    assert partial.sessions() == sessions
    assert trace.read_text().count("built-in: git fetch") == 2


class TestWhichRemote:
    def test_nothing_goes_anywhere_unless_somebody_said_where(self, team: Team, ada: Clone) -> None:
        ada.remember("one")
        for verb in (ada.push, ada.pull):
            with pytest.raises(NoRemoteChosen):
                verb(None)
        assert team.hub.ref() is None

    def test_a_shared_remote_is_meant_where_none_is_named(self, team: Team, git: RealGit, ada: Clone) -> None:
        ada.remember("one")
        choosing.share(ada.repository, ada.git, "origin")
        assert git("config", "--get-all", "remote.origin.gitmem", cwd=ada.path) == "team"
        assert ada.push(None).remote == "origin"
        assert team.hub.ref() == ada.ref()

    def test_sharing_keeps_the_levels_that_a_remote_has(self, git: RealGit, ada: Clone) -> None:
        git("config", "remote.origin.gitmem", "public", cwd=ada.path)
        for _ in range(2):
            choosing.share(ada.repository, ada.git, "origin")
            assert git("config", "--get-all", "remote.origin.gitmem", cwd=ada.path) == "team,public"

    @pytest.mark.parametrize(
        "name", ["nowhere", "--upload-pack=touch owned", "ext::sh -c touch% owned", "../hub.git"]
    )
    def test_only_a_configured_remote_can_be_named(self, ada: Clone, name: str) -> None:
        ada.remember("one")
        for verb in (ada.push, ada.pull):
            with pytest.raises(RemoteUnknown):
                verb(name)
        with pytest.raises(RemoteUnknown):
            choosing.share(ada.repository, ada.git, name)
        assert not list(ada.path.rglob("owned"))

    def test_a_remote_whose_name_looks_like_an_option_is_none(
        self, team: Team, git: RealGit, ada: Clone
    ) -> None:
        git("config", "remote.--all.url", team.url, cwd=ada.path)
        ada.remember("one")
        ada.push("--all")
        assert git("for-each-ref", "--format=%(refname)", cwd=team.hub.path).split() == [
            REF,
            "refs/heads/main",
        ]

    def test_one_of_several_chosen_remotes_must_be_named(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("remote", "add", "spare", team.url, cwd=ada.path)
        for name in ("origin", "spare"):
            choosing.share(ada.repository, ada.git, name)
        ada.remember("one")
        with pytest.raises(RemoteAmbiguous, match="origin, spare"):
            ada.push(None)
        assert ada.push("spare").remote == "spare"

    def test_a_remote_that_was_given_other_levels_gets_nothing(
        self, team: Team, git: RealGit, ada: Clone
    ) -> None:
        git("config", "remote.origin.gitmem", "public,private", cwd=ada.path)
        ada.remember("one")
        for named in (None, "origin"):
            with pytest.raises(LevelNotShared, match="it was given public, private alone"):
                ada.push(named)
        assert team.hub.ref() is None


class TestRefusals:
    def test_an_empty_remote_gets_no_memory_as_its_first_branch(
        self, tmp_path: Path, git: RealGit, ada: Clone
    ) -> None:
        git("init", "--quiet", "--bare", "empty.git", cwd=tmp_path)
        git("remote", "add", "empty", f"file://{tmp_path / 'empty.git'}", cwd=ada.path)
        ada.remember("one")
        with pytest.raises(RemoteEmpty) as caught:
            ada.push("empty")
        assert caught.value.hint.startswith("git push empty HEAD")
        assert git("for-each-ref", cwd=tmp_path / "empty.git") == ""
        git("push", "--quiet", "empty", "HEAD", cwd=ada.path)
        assert not ada.push("empty").is_up_to_date

    def test_there_must_be_a_memory_to_push(self, ada: Clone) -> None:
        with pytest.raises(NoMemory):
            ada.push()

    def test_a_hub_that_rejects_is_quoted(self, team: Team, ada: Clone) -> None:
        hook = team.hub.path / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho 'no memories here, please' >&2\nexit 1\n")
        hook.chmod(0o755)
        ada.remember("one")
        with pytest.raises(PushRefused, match="pre-receive hook declined; no memories here, please"):
            ada.push()
        assert team.hub.ref() is None

    @pytest.mark.parametrize("verb", ["push", "pull"])
    def test_a_remote_that_is_away_is_named_with_gits_own_words(
        self, team: Team, ada: Clone, verb: str
    ) -> None:
        ada.remember("one")
        ada.push()
        before = ada.remember("two") and ada.ref()
        team.hub.path.rename(team.folder / "moved.git")
        with pytest.raises(RemoteUnreachable, match=r"could not reach origin: .*hub\.git") as caught:
            getattr(ada, verb)()
        assert str(caught.value).endswith("does not appear to be a git repository")
        assert caught.value.exit_code == 1
        assert ada.ref() == before

    def test_gits_language_does_not_matter(
        self, team: Team, ada: Clone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
        monkeypatch.setenv("LANGUAGE", "de")
        assert ada.pull().how == "no memory there"

    def test_a_ref_that_is_no_memory_is_refused(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("update-ref", REF, "main", cwd=team.hub.path)
        before = ada.remember("one") and ada.ref()
        for verb in (ada.pull, ada.push):
            with pytest.raises(NotAMemory, match="refs/remotes/origin/gitmem"):
                verb()
        assert ada.ref() == before
        assert team.hub.ref() == ada.ref("refs/remotes/origin/main")

    def test_a_newer_memory_is_not_touched(self, team: Team, ada: Clone) -> None:
        team.hub.write(lambda scribe: scribe.put({("FORMAT",): b"99\n"}))
        before, there = ada.remember("one") and ada.ref(), team.hub.ref()
        for verb in (ada.pull, ada.push):
            with pytest.raises(FormatNewer, match="99"):
                verb()
        assert (ada.ref(), team.hub.ref()) == (before, there)

    def test_who_always_loses_the_race_gives_up(self, team: Team, ada: Clone, ben: Clone) -> None:
        hook = team.hub.path / "hooks" / "update"
        ada.remember("one")
        ada.push()
        ben.pull()
        tip = ada.ref()
        # Whenever a push arrives, somebody else has just been there.
        hook.write_text(
            f"#!/bin/sh\nnew=$(git commit-tree -p {REF} -m x {REF}^{{tree}}) && git update-ref {REF} $new\n"
        )
        hook.chmod(0o755)
        ben.remember("two")
        with pytest.raises(PushRaced):
            ben.push()
        with ben.opened() as storage:
            assert distance(storage, ben.ref(), tip).behind == 0
        assert len(ben.sessions()) == 2


class TestLeftAlone:
    def test_nothing_of_the_users_own_is_touched(
        self, team: Team, git: RealGit, ada: Clone, ben: Clone
    ) -> None:
        git("tag", "v1", cwd=ada.path)
        git.commit(ada.path, "b.txt")
        git("config", "push.followTags", "true", cwd=ada.path)
        git("config", "fetch.prune", "true", cwd=ben.path)
        git("config", "remote.origin.tagOpt", "--tags", cwd=ben.path)
        git("fetch", "--quiet", cwd=ben.path)
        git("update-ref", "refs/remotes/origin/stale", "main", cwd=ben.path)
        ada.remember("one")
        before = footprint(git, ada), footprint(git, ben)
        ada.push()
        ben.pull()
        ben.remember("two")
        ben.push()
        ada.pull()
        assert (footprint(git, ada), footprint(git, ben)) == before
        found = git("for-each-ref", "--format=%(refname)", cwd=team.hub.path).split()
        assert found == [REF, "refs/heads/main"]

    def test_a_push_refspec_and_push_default_have_no_say(self, team: Team, git: RealGit, ada: Clone) -> None:
        git("config", "remote.origin.push", "refs/heads/*:refs/heads/*", cwd=ada.path)
        git("config", "push.default", "matching", cwd=ada.path)
        git.commit(ada.path, "b.txt")
        ada.remember("one")
        ada.push()
        assert team.hub.ref("refs/heads/main") != ada.ref("refs/heads/main")
        assert team.hub.ref() == ada.ref()

    def test_the_users_hooks_do_not_run(self, ada: Clone) -> None:
        hook = ada.path / ".git" / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
        hook.chmod(0o755)
        ada.remember("one")
        assert not ada.push().is_up_to_date
        assert not (ada.path / "ran").exists()

    def test_gc_auto_has_nothing_to_do_after_sixty_pulls(self, git: RealGit, ada: Clone, ben: Clone) -> None:
        git("config", "gc.autoPackLimit", "4", cwd=ben.path)
        git("config", "gc.auto", "40", cwd=ben.path)
        git("repack", "-adq", cwd=ben.path)
        for n in range(60):
            ada.remember(f"{n % 5}", b"line %d\n" % n)
            ada.push()
            assert ben.pull().how in ("taken over", "fast-forward")
        packs = set((ben.path / ".git/objects/pack").glob("pack-*.pack"))
        assert len(packs) < 40
        git("gc", "--auto", "--quiet", cwd=ben.path, environ={"GIT_TRACE": str(ben.path / "trace")})
        assert "repack" not in (ben.path / "trace").read_text()
        assert set((ben.path / ".git/objects/pack").glob("pack-*.pack")) == packs
        git("fsck", "--strict", cwd=ben.path)

    def test_pulling_keeps_a_bounded_number_of_packs(self, ada: Clone, ben: Clone) -> None:
        for n in range(30):
            ada.remember(f"{n}")
            ada.push()
            ben.pull()
        folder = ben.path / ".git/objects/pack"
        assert all(
            path.with_suffix(".keep").read_bytes() == b"gitmem\n"
            for path in folder.glob("pack-*.idx")
            if path.with_suffix(".keep").exists()
        )
        assert 1 < len(list(folder.glob("pack-*.keep"))) <= 26


def footprint(git: RealGit, clone: Clone) -> dict[str, str | bytes | None]:
    """Return all of a clone that belongs to its user."""
    refs = git("for-each-ref", "--format=%(refname) %(objectname)", cwd=clone.path).splitlines()
    own = clone.path / ".git"
    files = ["config", "FETCH_HEAD", "HEAD", "index", "packed-refs", "shallow", "ORIG_HEAD"]
    files += [str(path.relative_to(own)) for path in sorted((own / "logs").rglob("*")) if path.is_file()]
    found: dict[str, str | bytes | None] = {
        name: (own / name).read_bytes() if (own / name).exists() else None
        for name in files
        if not name.endswith("/gitmem")
    }
    found["refs"] = "\n".join(ref for ref in refs if "gitmem" not in ref)
    found["status"] = git("status", "--porcelain", cwd=clone.path)
    assert found["refs"]
    return found


class TestRaces:
    def test_racing_pushers_lose_no_session(self, team: Team) -> None:
        clones = [team.clone(f"clone{n}") for n in range(4)]
        expected = set()
        for round_ in range(2):
            expected |= {clone.remember(f"{clone.path.name} {round_}") for clone in clones}
            processes = [gitmem("push", "origin", cwd=clone.path) for clone in clones]
            for process in processes:
                _, said = process.communicate()
                assert process.returncode == 0, said.decode()
            assert team.hub.sessions() == expected
        for clone in clones:
            clone.pull()
        assert {clone.tree() for clone in clones} == {team.hub.tree()}

    def test_pushes_and_captures_in_one_clone_wait_for_each_other(self, team: Team, ada: Clone) -> None:
        ada.remember("first")
        processes = [gitmem("push", "origin", cwd=ada.path) for _ in range(3)]
        more = {ada.remember(f"{n}") for n in range(5)}
        for process in processes:
            _, said = process.communicate()
            assert process.returncode == 0, said.decode()
        ada.push()
        assert team.hub.ref() == ada.ref()
        assert more < team.hub.sessions()

    def test_a_capture_in_the_middle_of_a_pull_is_not_lost(
        self, ada: Clone, ben: Clone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs = ada.remember("theirs")
        ada.push()
        ben.remember("mine")
        captured = set()
        plain = sharing.union

        def union_and_capture(*args: Any, **options: Any) -> object:
            if len(captured) < 2:
                captured.add(ben.remember(f"meanwhile {len(captured)}"))
            return plain(*args, **options)

        with ben.sharing() as shared:
            monkeypatch.setattr(sharing, "union", union_and_capture)
            assert sharing.pull(shared, "origin").how == "merged"
        assert captured | {theirs} <= ben.sessions()
        with ben.opened() as storage:
            assert len(list(walk_history(storage, ben.ref()))) == 5


def gitmem(*args: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmem", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
