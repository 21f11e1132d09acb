"""Erasing between real clones: what was erased stays gone, and nothing else is lost, in whatever order they sync."""

from __future__ import annotations

import os
import random
import time
from functools import partial

import pytest

from gitmem.forgetting.forget import Erasing, erase
from gitmem.format import layout
from gitmem.format.burial import all_tombstones, is_buried
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import Tombstone
from gitmem.objects import trees
from gitmem.objects.history import read_commit, walk_history
from gitmem.sharing import pulling as sharing
from tests.conftest import RealGit
from tests.killing import start_child
from tests.sharing.clones import NOW_S, REF, TRACKING, Clone, Team
from tests.sharing.samples import Scribe


def assert_history_never_held(clone: Clone, *sessions: SessionId) -> None:
    """No commit that leads to the tip has any of the sessions."""
    with clone.opened() as storage:
        for _, commit in walk_history(storage, clone.ref()):
            for session in sessions:
                assert trees.find(storage, commit.tree, layout.session_folder(session)) is None


class TestOneErasure:
    def test_the_memory_goes_on_without_history_and_without_the_session(self, ada: Clone) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        after = ada.erase(one)
        with ada.opened() as storage:
            assert read_commit(storage, after).parents == ()
        assert ada.sessions() == {other}
        ada.remember("third")
        assert_history_never_held(ada, one)

    def test_it_reaches_a_clone_that_has_sent_everything(self, team: Team, ada: Clone, ben: Clone) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        after = ada.erase(one)
        ada.push()
        assert team.hub.ref() == after
        pulled = ben.pull()
        assert (pulled.how, pulled.sessions) == ("begun anew", {one: "tombstoned"})
        assert (ben.ref(), ben.sessions()) == (after, {other})

    def test_what_a_clone_had_not_sent_is_kept_and_what_was_erased_does_not_come_back(
        self, team: Team, ada: Clone, ben: Clone
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        ada.erase(one)
        ada.push()
        ben.remember("one", b"went on\n")
        ben.remember("other", b"went on\n")
        new = ben.remember("new")
        pushed = ben.push()
        assert set(pushed.sent) == {other, new}
        ada.pull()
        for clone in (ada, ben, team.hub):
            assert clone.sessions() == {other, new}
            assert_history_never_held(clone, one)
        assert ada.texts(other) == [b"a line\nwent on\n"]

    def test_the_remote_is_moved_only_from_where_it_was_seen(
        self, team: Team, ada: Clone, ben: Clone
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        ada.erase(one)
        with ada.sharing() as shared:
            late = ben.remember("late")
            ben.push()  # after Ada erased, before she pushes
            assert set(sharing_push(shared)) >= {late} - {late}
        assert team.hub.sessions() == {other, late}
        assert ada.sessions() == {other, late}

    def test_a_capture_that_was_under_way_does_not_bring_it_back(self, ada: Clone) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        with ada.opened() as storage, storage.begin() as batch:
            from gitmem.model.records import Author
            from gitmem.verbs.committing import Writer, commit

            path = layout.capture_path(one, Oid("ab" * 32))  # type: ignore[arg-type]
            blob = batch.add("blob", b"something")
            ada.erase(one)
            writer = Writer(Author("Ada"), lambda: NOW_S)
            commit(storage, REF, writer, "Capture\n", {path: blob}, batch)
        assert ada.sessions() == {other}

    def test_erasing_what_is_gone_already_does_nothing(self, ada: Clone) -> None:
        one = ada.remember("one")
        after = ada.erase(one)
        with ada.sharing() as shared:
            assert erase(Erasing(shared.storage, REF, shared.writer), [one]) is None
        assert ada.ref() == after

    @pytest.mark.parametrize(
        "options", [("--filter=blob:none",), ("--filter=tree:0",), ("--depth=1",), ("--mirror",)], ids=str
    )
    def test_it_reaches_clones_that_have_not_got_all(
        self, team: Team, git: RealGit, ada: Clone, options: tuple[str, ...]
    ) -> None:
        git("config", "uploadpack.allowFilter", "true", cwd=team.hub.path)
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ada.erase(one)
        third = ada.remember("third")
        ada.push()
        few = team.clone("few", *options)
        few.pull()
        assert few.sessions() == {other, third}
        ada.erase(other)
        ada.push()
        late = few.remember("late")
        assert few.pull().how == "begun anew"
        few.push()
        ada.pull()
        assert few.sessions() == ada.sessions() == team.hub.sessions() == {third, late}
        assert_history_never_held(ada, one, other)


def sharing_push(shared: sharing.Sharing) -> tuple[SessionId, ...]:
    from gitmem.sharing.pushing import push

    return push(shared, "origin", pause=lambda _: None).sent


class TestTwoErasures:
    def test_both_machines_come_to_the_very_same_commit(self, team: Team, ada: Clone, ben: Clone) -> None:
        one, other, third = ada.remember("one"), ada.remember("other"), ada.remember("third")
        ada.push()
        ben.pull()
        mine, theirs = ada.erase(one, at_s=NOW_S + 5), ben.erase(other, at_s=NOW_S - 5)
        for clone, source in ((ada, ben), (ben, ada)):
            team.git("fetch", "--quiet", str(source.path), f"+{REF}:{TRACKING}", cwd=clone.path)
        assert (ada.ref(TRACKING), ben.ref(TRACKING)) == (theirs, mine)
        for clone in (ada, ben):
            with clone.sharing() as shared:
                assert sharing.adopt(shared, ["origin"]) is not None
        assert ada.ref() == ben.ref()
        with ada.opened() as storage:
            assert read_commit(storage, Oid(str(ada.ref()))).parents == ()
        assert ada.sessions() == {third}

    def test_they_meet_at_a_hub(self, team: Team, ada: Clone, ben: Clone) -> None:
        sessions = [ada.remember(f"s{n}") for n in range(4)]
        ada.push()
        ben.pull()
        ada.erase(sessions[0])
        ben.erase(sessions[1])
        ada.push()
        ben.push()
        ada.pull()
        for clone in (ada, ben, team.hub):
            assert clone.sessions() == set(sessions[2:])
            assert_history_never_held(clone, *sessions[:2])
        assert ada.ref() == ben.ref() == team.hub.ref()

    def test_the_same_session_erased_twice_is_gone_once(self, team: Team, ada: Clone, ben: Clone) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        ada.erase(one)
        ben.erase(one)
        ada.push()
        ben.push()
        ada.pull()
        assert ada.tree() == ben.tree()
        with ada.memory() as memory:
            assert len(list(all_tombstones(memory.storage, memory.root))) == 2
            assert is_buried(memory.storage, memory.root, one, "team")
        assert ada.sessions() == {other}


def has_buried(clone: Clone, native_id: str) -> bool:
    if clone.ref() is None:
        return False
    with clone.memory() as memory:
        scratch = Scribe(memory.storage, memory.root)
        return is_buried(memory.storage, memory.root, scratch.begin(native_id), "team")


class TestForgedAndRewound:
    def test_a_rewound_remote_brings_nothing_back_and_takes_nothing_away(
        self, team: Team, ada: Clone, ben: Clone
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        old = team.hub.ref()
        ada.erase(one)
        late = ada.remember("late")
        ada.push()
        ben.pull()
        team.git("update-ref", REF, str(old), cwd=team.hub.path)
        pulled = ben.pull()
        assert (pulled.how, pulled.behind_epoch) == ("up to date", True)
        assert ben.sessions() == {other, late}
        ben.push()
        assert team.hub.ref() == ben.ref()

    def test_an_epoch_without_tombstones_deletes_nothing(self, team: Team, ada: Clone, ben: Clone) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        team.hub.write(
            lambda scribe: scribe.remove([path for path, _ in scribe.files() if path[0] == "sessions"]),
            parent=False,
        )
        ben.pull()
        assert ben.sessions() == {one, other}
        ben.push()
        assert team.hub.sessions() == {one, other}

    def test_a_tombstone_that_does_not_count_deletes_nothing(
        self, team: Team, ada: Clone, ben: Clone
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        team.hub.erase(one)

        def accept(tombstone: Tombstone) -> str:
            return f"{tombstone.author.name} may not erase"

        with ben.sharing() as shared:
            pulled = sharing.pull(shared._replace(accept=accept), "origin")
        assert ben.sessions() == {one, other}
        assert [refusal.why for refusal in pulled.refused] == ["Hub.Git may not erase"]
        with ben.sharing() as shared:
            from gitmem.sharing.pushing import push

            push(shared._replace(accept=accept), "origin", pause=lambda _: None)
        assert team.hub.sessions() == {one, other}

    def test_a_tombstone_for_another_level_deletes_nothing(self, team: Team, ada: Clone, ben: Clone) -> None:
        one = ada.remember("one")
        ada.push()
        ben.pull()

        def replay(scribe: object) -> None:
            from gitmem.format import records
            from gitmem.model.records import Author

            record = Tombstone(one, "public", "2026-01-02T03:04:05.000Z", Author("Ada"))
            scribe.put_record(layout.tombstone_path(one, records.seal(record)[0]), record)  # type: ignore[attr-defined]

        team.hub.write(replay)
        pulled = ben.pull()
        assert [refusal.why for refusal in pulled.refused] == ["it is for level public"]
        assert ben.sessions() == {one}

    def test_a_tombstone_that_was_refused_counts_once_the_settings_let_it(
        self, team: Team, ada: Clone, ben: Clone
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        ben.pull()
        team.hub.erase(one)
        with ben.sharing() as shared:
            strict = shared._replace(accept=lambda tombstone: "nobody may")
            sharing.pull(strict, "origin")
            merged = ben.ref()
            again = sharing.pull(strict, "origin")
            assert (again.how, again.after) == ("up to date", merged)
            assert [refusal.why for refusal in again.refused] == ["nobody may"]
        assert ben.sessions() == {one, other}
        pulled = ben.pull()
        assert (pulled.how, pulled.sessions) == ("begun anew", {one: "tombstoned"})
        assert ben.sessions() == {other}
        assert_history_never_held(ben, one)
        assert ben.pull().how == "up to date"

    def test_a_history_that_was_joined_to_what_was_erased_is_gone_on_from_by_nobody(
        self, team: Team, ada: Clone, ben: Clone, git: RealGit
    ) -> None:
        one, other = ada.remember("one"), ada.remember("other")
        ada.push()
        old = team.hub.ref()
        ada.erase(one)
        ada.push()
        tree = git("rev-parse", f"{REF}^{{tree}}", cwd=team.hub.path).strip()
        joined = git(
            "commit-tree", tree, "-p", str(team.hub.ref()), "-p", str(old), "-m", "by hand", cwd=team.hub.path
        ).strip()
        git("update-ref", REF, joined, cwd=team.hub.path)
        team.hub.remember("late")
        for clone in (ben, ada):  # one that has nothing yet, and one that erased it
            pulled = clone.pull()
            assert pulled.behind_epoch
            assert clone.sessions() >= {other}
            assert one not in clone.sessions()
            assert_history_never_held(clone, one)
            assert clone.pull().after == pulled.after
        ada.push()
        ben.push()
        assert_history_never_held(team.hub, one)
        assert ada.sessions() == ben.sessions() == team.hub.sessions()

    def test_an_erasure_of_any_year_begins_a_history_that_git_takes(
        self, team: Team, ada: Clone, ben: Clone, git: RealGit
    ) -> None:
        sessions = [ada.remember(f"s{n}") for n in range(4)]
        ada.push()
        ben.pull()
        for session, at_s in zip(sessions, (-62_135_596_800, 253_402_300_799, -1), strict=False):
            ada.erase(session, at_s=at_s)
            ada.push()
            ben.pull()
        assert ada.ref() == ben.ref() == team.hub.ref()
        assert ben.sessions() == {sessions[3]}
        for clone in (ben, team.hub):
            git("commit-graph", "write", "--reachable", cwd=clone.path)
            git("commit-graph", "verify", cwd=clone.path)
            git("fsck", "--strict", cwd=clone.path)


@pytest.mark.parametrize("number", range(6))
def test_clones_that_write_erase_and_sync_in_any_order_converge(
    team: Team, git: RealGit, seed: int, number: int
) -> None:
    rng = random.Random(seed + number)
    clones = [team.clone(f"clone{n}") for n in range(rng.randrange(2, 5))]
    known = {clones[0].remember("first")}
    erased: set[SessionId] = set()
    for _ in range(14):
        clone = rng.choice(clones)
        match rng.choice(["write", "write", "push", "push", "pull", "erase"]):
            case "write":
                if clone.ref() is None:
                    clone.pull()
                name = f"s{rng.randrange(8)}"
                if not has_buried(clone, name):
                    known.add(clone.remember(name, b"line %d\n" % rng.randrange(3)))
            case "push" if clone.ref() is not None:
                clone.push()
            case "pull":
                clone.pull()
            case "erase" if clone.ref() is not None and len(clone.sessions()) > 1:
                target = rng.choice(sorted(clone.sessions()))
                clone.erase(target, at_s=NOW_S + rng.randrange(-1000, 1000))
                erased.add(target)
    for _ in range(2):
        for clone in clones:
            if clone.ref() is None:
                clone.pull()
            if clone.ref() is not None:
                clone.push()
    for clone in clones:
        clone.pull()
    assert len({clone.ref() for clone in clones}) == 1
    assert clones[0].sessions() == known - erased
    for clone in clones:
        assert_history_never_held(clone, *erased)
    git("fsck", "--strict", cwd=clones[0].path)


def test_writers_and_erasers_at_one_hub_at_the_same_time_lose_nothing_and_bring_nothing_back(
    team: Team, git: RealGit, ada: Clone
) -> None:
    rounds, clones = 2, [team.clone(f"clone{n}") for n in range(3)]
    doomed = {(n, turn): ada.remember(f"doomed {n} {turn}") for n in range(3) for turn in range(rounds)}
    ada.push()
    for clone in clones:
        clone.pull()

    def work(n: int) -> None:
        for turn in range(rounds):
            clones[n].remember(f"of {n} {turn}")
            clones[n].erase(doomed[n, turn], at_s=NOW_S + 1000 * n - turn)
            clones[n].push(pause=time.sleep)

    for number in [start_child(partial(work, n)) for n in range(3)]:
        _, status = os.waitpid(number, 0)
        assert status == 0
    for clone in (*clones, ada):
        clone.pull()
        clone.push()
    for clone in clones:
        clone.pull()
    assert {clone.ref() for clone in (*clones, ada)} == {team.hub.ref()}
    assert len(ada.sessions()) == 3 * rounds
    assert_history_never_held(team.hub, *doomed.values())
    git("fsck", "--strict", cwd=team.hub.path)
