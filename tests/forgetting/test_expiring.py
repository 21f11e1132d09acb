"""What a push erases unasked: only what nobody took back, and only where everybody may erase."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in
from tests.sharing.clones import REF, Clone, Team
from tests.sharing.samples import AT, Scribe


@pytest.fixture
def ben(team: Team) -> Clone:
    return team.clone("ben")


def forget(scribe: Scribe, value: str | None = AT, clock: int = 1) -> None:
    """Say of the only session when it goes: long ago, by any clock."""
    [folder] = scribe.memory.folders()
    scribe.register(folder.session, value, clock, "forgotten")


def test_what_somebody_took_back_is_not_erased_by_a_clone_that_had_not_heard_of_it(
    run: CommandLine, team: Team, ada: Clone, ben: Clone, git: RealGit
) -> None:
    one = ada.remember("one")
    ada.write(forget)
    ada.push()
    ben.pull()
    ben.write(lambda scribe: forget(scribe, None, clock=2))
    ben.push()
    git("config", "gitmem.grace", "0", cwd=ada.path)
    run("push", "origin", cwd=ada.path)
    assert ada.sessions() == team.hub.sessions() == {one}


def test_a_moment_that_somebody_else_wrote_does_not_shorten_ones_own_time_of_grace(
    run: CommandLine, ada: Clone, git: RealGit
) -> None:
    one = ada.remember("one")
    ada.write(forget)
    run("push", "origin", cwd=ada.path)
    assert ada.sessions() == {one}
    git("config", "gitmem.grace", "0", cwd=ada.path)
    run("push", "origin", cwd=ada.path)
    assert ada.sessions() == set()


def test_where_only_some_may_erase_nothing_is_erased_unasked_or_by_others(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    git("config", "gitmem.grace", "0", cwd=remembering)
    git("config", "gitmem.erasers", "somebody.else@example.org", cwd=remembering)
    run("forget", "generic/a", cwd=remembering)
    run("push", "origin", cwd=remembering)
    before = git("rev-parse", REF, cwd=remembering)
    refused = run("forget", "--due", "--yes", cwd=remembering, status=1)
    assert "could not" in refused.stderr
    assert git("rev-parse", REF, cwd=remembering) == before
    run("forget", "--undo", "generic/a", cwd=remembering)
    assert levels_in(run, remembering) == {"a": "team"}


def test_a_clock_that_somebody_ran_up_to_its_end_leaves_the_session_readable(
    run: CommandLine, ada: Clone
) -> None:
    ada.remember("one")
    ada.write(lambda scribe: scribe.register(next(scribe.memory.folders()).session, "mine", 2**53 - 1))
    run("title", "generic/one", "ours", cwd=ada.path)
    run("forget", "generic/one", cwd=ada.path)
    run("forget", "--now", "generic/one", cwd=ada.path, status=None)
    run("verify", "--full", cwd=ada.path)
