"""Races and remotes that are not as they were: everybody converges, nothing is lost, what happened is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.git import sending
from gitmem.git.fetching import fetch
from gitmem.git.transport import find_remote
from gitmem.model.errors.sharing import PushRefused, RemoteEmpty
from gitmem.model.errors.store import NotAMemory
from gitmem.objects.history import first_parents
from gitmem.sharing import pushing
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import REF, TRACKING, Clone, Team


def connections(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have git write down what it runs, and return where."""
    trace = folder / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    return trace


def count(trace: Path) -> list[str]:
    """Return which commands talked to a remote."""
    text = trace.read_text()
    trace.unlink()
    ran = [
        line.partition("built-in: git ")[2].split()[0]
        for line in text.splitlines()
        if "built-in: git" in line
    ]
    return [name for name in ran if name in ("fetch", "push", "ls-remote")]


class TestOneConnection:
    def test_a_push_is_one_and_a_pull_is_one(
        self, team: Team, ada: Clone, ben: Clone, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada.remember("one")
        run("push", "origin", cwd=ada.path)
        run("pull", "origin", cwd=ben.path)
        ada.remember("two")
        trace = connections(team.folder, monkeypatch)
        run("push", "origin", cwd=ada.path)
        assert count(trace) == ["push"]
        run("pull", "origin", cwd=ben.path)
        assert count(trace) == ["fetch"]
        assert ben.ref() == ada.ref() == team.hub.ref()
        with team.hub.opened() as hub, ben.opened() as mine:
            audits = hub.list_refs("refs/gitmem/audit/")
            assert audits
            assert set(mine.list_refs("refs/gitmem/remotes/origin/audit/").values()) == set(audits.values())

    def test_a_push_of_nothing_new_asks_all_the_same(self, team: Team, ada: Clone, ben: Clone) -> None:
        ada.remember("one")
        ada.push()
        ben.pull()
        ben.remember("two")
        ben.push()
        pushed = ada.push()
        assert [pulled.how for pulled in pushed.pulled] == ["fast-forward"]
        assert ada.ref() == ben.ref()

    def test_a_sync_with_nothing_to_do_is_one(
        self, team: Team, ada: Clone, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada.remember("one")
        run("push", "origin", cwd=ada.path)
        trace = connections(team.folder, monkeypatch)
        run("sync", "origin", cwd=ada.path)
        assert count(trace) == ["fetch"]

    def test_a_host_that_refuses_audits_gets_the_memory(
        self, team: Team, ada: Clone, run: CommandLine
    ) -> None:
        hook = team.hub.path / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\nif grep -q refs/gitmem/; then echo 'branches only' >&2; exit 1; fi\n")
        hook.chmod(0o755)
        ada.remember("one")
        finished = run("push", "origin", cwd=ada.path)
        assert "Pushed to origin: 1 session" in finished.stdout
        assert "the audit was not sent to origin: pre-receive hook declined; branches only" in finished.stderr
        assert team.hub.ref() == ada.ref()


class TestRemotesThatAreNotAsTheyWere:
    @pytest.fixture
    def pushed(self, ada: Clone) -> Clone:
        for n in range(3):
            ada.remember(f"{n}")
            ada.push()
        return ada

    def test_a_ref_that_a_mirror_push_deleted_is_sent_again(
        self, team: Team, git: RealGit, pushed: Clone, run: CommandLine
    ) -> None:
        git("push", "--quiet", "--mirror", team.url, cwd=team.folder / "seed")
        assert team.hub.ref() is None
        assert pushed.pull().loss == "gone"
        finished = run("push", "origin", cwd=pushed.path)
        assert "origin had lost its memory" in finished.stdout
        assert team.hub.ref() == pushed.ref() == pushed.ref(TRACKING)
        assert pushed.pull().loss is None

    def test_a_sync_mends_it_too(self, team: Team, git: RealGit, pushed: Clone, run: CommandLine) -> None:
        git("update-ref", "-d", REF, cwd=team.hub.path)
        assert "origin had lost its memory" in run("sync", "origin", cwd=pushed.path).stdout
        assert team.hub.ref() == pushed.ref()

    def test_one_that_was_set_back_gets_again_what_it_lacks(
        self, team: Team, git: RealGit, pushed: Clone
    ) -> None:
        tip = pushed.ref()
        git("update-ref", REF, f"{tip}~2", cwd=team.hub.path)
        pulled = pushed.pull()
        assert (pulled.how, pulled.loss) == ("up to date", "rewound")
        git("update-ref", REF, f"{tip}~1", cwd=team.hub.path)
        again = pushed.push()
        assert (again.commit, len(again.sent)) == (tip, 1)
        assert team.hub.ref() == tip

    def test_one_with_another_history_is_united_with(
        self, team: Team, pushed: Clone, ben: Clone, git: RealGit
    ) -> None:
        other = ben.remember("other")
        git("push", "--quiet", "--force", "origin", f"{REF}:{REF}", cwd=ben.path)
        had = pushed.sessions()
        again = pushed.push()
        assert again.loss == "replaced"
        assert pushed.sessions() == team.hub.sessions() == had | {other}

    def test_one_whose_ref_became_something_else_is_refused(
        self, team: Team, git: RealGit, pushed: Clone
    ) -> None:
        git("update-ref", REF, "refs/heads/main", cwd=team.hub.path)
        before = pushed.ref()
        for verb in (pushed.pull, pushed.push):
            with pytest.raises(NotAMemory):
                verb()
        assert pushed.ref() == before

    def test_one_that_was_made_anew_gets_no_memory_as_its_first_branch(
        self, team: Team, git: RealGit, pushed: Clone
    ) -> None:
        team.hub.path.rename(team.folder / "old.git")
        git("init", "--quiet", "--bare", "hub.git", cwd=team.folder)
        with pytest.raises(RemoteEmpty, match="it is empty"):
            pushed.push()
        assert git("for-each-ref", cwd=team.hub.path) == ""

    def test_one_that_takes_no_more_is_named(self, team: Team, pushed: Clone) -> None:
        pushed.remember("more")
        hook = team.hub.path / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(PushRefused, match="No space left on device"):
            pushed.push()
        hook.unlink()
        assert len(pushed.push().sent) == 1

    def test_a_remote_for_the_memory_alone_may_be_empty(
        self, team: Team, git: RealGit, ada: Clone, run: CommandLine
    ) -> None:
        git("init", "--quiet", "--bare", "memory.git", cwd=team.folder)
        git("remote", "add", "memory", f"file://{team.folder}/memory.git", cwd=ada.path)
        ada.remember("one")
        refused = run("push", "memory", cwd=ada.path, status=1)
        assert "gitmem init --share memory --dedicated" in refused.stderr
        run("init", "--share", "memory", "--dedicated", "--no-import", "--no-hooks", cwd=ada.path)
        run("push", cwd=ada.path)
        assert Clone(team.folder / "memory.git").ref() == ada.ref()
        assert team.hub.ref() is None

    def test_a_remote_under_another_name_is_still_the_chosen_one(
        self, team: Team, git: RealGit, ada: Clone, run: CommandLine
    ) -> None:
        run("init", "--share", "origin", "--no-import", "--no-hooks", cwd=ada.path)
        ada.remember("one")
        run("push", cwd=ada.path)
        git("remote", "rename", "origin", "upstream", cwd=ada.path)
        ada.remember("two")
        assert "Pushed to upstream: 1 session\nsent  generic/two" in run("push", cwd=ada.path).stdout
        assert team.hub.ref() == ada.ref() == ada.ref("refs/remotes/upstream/gitmem")


class TestPieces:
    def test_a_long_history_goes_in_pieces_that_each_move_forward(
        self, team: Team, ada: Clone, monkeypatch: pytest.MonkeyPatch, seed: int
    ) -> None:
        chunk = bytes(range(256)) * 40
        for n in range(12):
            ada.remember(f"{n}", b"%d" % n + chunk.hex().encode() + b"\n")
        with ada.opened() as storage:
            tip = ada.ref()
            assert tip
            chain = list(first_parents(storage, tip))
            remote = find_remote(ada.repository, ada.git, "origin")
            found = sending.pieces(remote, storage, sending.Move(REF, tip), most_bytes=3_000)
        assert 2 <= len(found) <= 11
        assert [commit for commit in reversed(chain) if commit in found] == found

        sizes = []
        real = sending.push

        def push(remote, moves, **options):  # type: ignore[no-untyped-def]
            answer = real(remote, moves, **options)
            sizes.append(team.hub.ref())
            if len(sizes) == 2:
                raise KeyboardInterrupt
            return answer

        monkeypatch.setattr(sending.pieces, "__defaults__", (3_000,))
        monkeypatch.setattr(pushing, "send", push)
        with pytest.raises(KeyboardInterrupt):
            ada.push()
        assert team.hub.ref() == found[1]
        monkeypatch.setattr(pushing, "send", real)
        assert ada.push().commit == team.hub.ref() == tip

    def test_pieces_begin_where_the_remotes_own_came_in(self, team: Team, ada: Clone, ben: Clone) -> None:
        ben.remember("theirs")
        ben.push()
        for n in range(4):
            ada.remember(f"before {n}", bytes(range(32, 127)) * 40 + b"\n")
        ada.pull()
        for n in range(9):
            ada.remember(f"after {n}", bytes(range(32, 127)) * 40 + b"\n")
        theirs, tip = team.hub.ref(), ada.ref()
        assert tip
        with ada.opened() as storage:
            remote = find_remote(ada.repository, ada.git, "origin")
            found = sending.pieces(remote, storage, sending.Move(REF, tip, theirs), most_bytes=500)
            chain = list(first_parents(storage, tip))
        assert found
        assert set(found) <= set(chain[1:10])


def test_what_goes_on_there_between_is_neither_overwritten_nor_lost(
    team: Team, ada: Clone, ben: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.remember("shared")
    ada.push()
    ben.pull()
    real, left = pushing.send, [3]

    def push(remote, moves, **options):  # type: ignore[no-untyped-def]
        if remote.repository.top == ada.path and left[0]:
            left[0] -= 1
            ben.remember(f"ben {left[0]}")
            ben.push()
        return real(remote, moves, **options)

    ada.remember("ada")
    monkeypatch.setattr(pushing, "send", push)
    pushed = ada.push()
    assert len(pushed.pulled) == 3
    assert len(team.hub.sessions()) == 5


def test_a_damaged_audit_keeps_no_memory_out(team: Team, git: RealGit, ada: Clone, ben: Clone) -> None:
    ada.remember("one")
    ada.push()
    empty = git("hash-object", "-t", "tree", "-w", "--stdin", cwd=team.hub.path)
    git("update-ref", "refs/gitmem/audit/" + "0" * 32, empty, cwd=team.hub.path)
    blob = git("hash-object", "-w", "--stdin", cwd=team.hub.path)
    git("update-ref", "refs/gitmem/audit/" + "1" * 32, blob, cwd=team.hub.path)
    path = team.hub.path / "objects" / blob[:2] / blob[2:]
    path.unlink()
    with ben.opened() as storage:
        remote = find_remote(ben.repository, ben.git, "origin")
        fetched = fetch(remote, storage, [REF], ["refs/gitmem/audit/"])
    assert fetched.tips == {REF: ada.ref()}
    assert list(fetched.refused) == ["refs/gitmem/audit/"]
