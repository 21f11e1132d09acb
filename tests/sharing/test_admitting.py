"""What several processes decode comes in as what one does, and none of them is missed."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from gitmem.format import layout
from gitmem.format.layout import EntryKind
from gitmem.format.lone import Lone, Looker
from gitmem.objects import trees
from gitmem.sharing import admitting
from gitmem.sharing.pulling import Pulled
from tests.conftest import RealGit
from tests.sharing.clones import Clone, Team
from tests.sharing.samples import Scribe, segment_at

SESSIONS = 9


@pytest.fixture
def hub(ada: Clone) -> None:
    """Have the hub hold some sessions, of which one has a damaged segment."""

    def change(scribe: Scribe) -> None:
        for n in range(SESSIONS):
            session = scribe.begin(f"session {n}")
            scribe.capture(session, b"text %d\n" % n)
        path, _ = segment_at(scribe, session)
        scribe.put({path: trees.read_blob(scribe.storage, dict(scribe.files())[path])[:-3]})

    ada.write(change)
    ada.git.run(["push", "-q", "origin", "gitmem"], doing="push", git_dir=ada.repository.git_dir)


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fork for a few sessions; return how many processes each pool had."""
    from gitmem.verbs import workers

    pools: list[int] = []
    fork_pool = workers.fork_pool

    def noting(count: int, *given: object) -> object:
        pools.append(count)
        return fork_pool(count, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "fork_pool", noting)
    monkeypatch.setattr(workers, "may_fork", lambda: True)  # the tests' own threads take no locks of ours
    monkeypatch.setattr(admitting, "_FORK_PAYS", 4)
    monkeypatch.setattr(admitting, "_AT_ONCE", 2)
    monkeypatch.setattr(admitting, "_AHEAD", 1)
    return pools


def pulled_by(team: Team, name: str, git: RealGit, workers: int) -> Pulled:
    clone = team.clone(name)
    git("config", "gitmem.workers", str(workers), cwd=clone.path)
    pulled = clone.pull()
    assert len(clone.sessions()) == SESSIONS
    return pulled


@pytest.mark.usefixtures("hub")
def test_several_processes_let_in_what_one_does(team: Team, git: RealGit, forking: list[int]) -> None:
    alone, beside = pulled_by(team, "alone", git, 1), pulled_by(team, "beside", git, 2)
    assert forking == [2]
    for pulled in (alone, beside):
        assert len(pulled.refused) == 2
        assert pulled.arrived["capture"] == pulled.arrived["segment"] == SESSIONS - 1
    assert (beside.sessions, beside.refused, beside.arrived) == (alone.sessions, alone.refused, alone.arrived)


@pytest.mark.usefixtures("hub")
def test_a_process_that_is_killed_costs_time_and_nothing_else(
    team: Team, git: RealGit, forking: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, look = os.getpid(), Looker.look

    def dying(self: Looker, lone: Lone) -> Mapping[EntryKind, int] | None:
        if os.getpid() != here:
            os._exit(9)
        return look(self, lone)

    monkeypatch.setattr(Looker, "look", dying)
    pulled = pulled_by(team, "ben", git, 2)
    assert forking == [2]
    assert len(pulled.refused) == 2
    assert pulled.arrived["session"] == SESSIONS


@pytest.mark.usefixtures("hub")
def test_few_sessions_are_decoded_without_another_process(
    team: Team, git: RealGit, forking: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admitting, "_FORK_PAYS", SESSIONS + 1)
    pulled_by(team, "ben", git, 2)
    assert not forking


def test_the_folder_of_a_session_is_where_it_is_looked_for(ada: Clone) -> None:
    session = ada.remember("one")
    with ada.memory() as memory:
        [found] = admitting.lone_sessions(memory.storage, None, memory.root)
    assert found.path == layout.session_folder(session)
