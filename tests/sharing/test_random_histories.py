"""Random histories on real clones that sync through a hub and with each other: all come to what is defined."""

from __future__ import annotations

import random

import pytest

from gitmem.format import layout
from gitmem.objects import trees
from gitmem.objects.history import walk_history
from gitmem.sharing import pulling as sharing
from gitmem.sharing.pushing import push
from gitmem.verbs.inspecting import Counts
from gitmem.verbs.verifying import verify
from tests.conftest import RealGit
from tests.sharing.clones import NOW_S, REF, Clone, Team
from tests.sharing.histories import Files, act, buried, by_definition, targets
from tests.sharing.samples import Scribe


class World:
    """Some clones of a hub that know each other as well, and all that anybody ever had."""

    def __init__(self, rng: random.Random, team: Team, number: int) -> None:
        self.rng, self.team = rng, team
        self.clones = [team.clone(f"clone{n}") for n in range(number)]
        for clone in self.clones:
            for other in self.clones:
                if other is not clone:
                    team.git("remote", "add", other.path.name, str(other.path), cwd=clone.path)
        self.had: list[Files] = []
        self.clones[0].write(self._grow)
        self.clones[0].push()
        for clone in self.clones[1:]:
            clone.pull()

    def step(self) -> None:
        """Do anything at all in any of the clones."""
        clone = self.rng.choice(self.clones)
        match self.rng.choice(["write", "write", "write", "push", "pull", "meet", "erase", "fetch"]):
            case "write":
                clone.write(self._grow)
            case "push":
                clone.push()
            case "pull":
                clone.pull()
            case "meet":
                clone.pull(self._other(clone).path.name)
            case "fetch":  # by git alone, and united later by a command that reads
                self.team.git("fetch", "--quiet", "origin", cwd=clone.path)
                with clone.sharing() as shared:
                    sharing.unite_fetched(shared, "origin")
            case "erase":
                self._erase(clone)
                if self.rng.random() < 0.5:  # somebody else at the same time
                    self._erase(self._other(clone))

    def settle(self) -> None:
        """Let everybody sync, in any order, until nobody has anything new."""
        for _ in range(2):
            for clone in self.rng.sample(self.clones, len(self.clones)):
                clone.push()
        for clone in self.clones:
            clone.pull()

    def expected(self) -> Files:
        return by_definition(files.items() for files in self.had)

    def _grow(self, scribe: Scribe) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            act(self.rng, scribe)
        self.had.append(dict(scribe.files()))

    def _erase(self, clone: Clone) -> None:
        found = targets(files_of(clone).items())
        if found:
            chosen = self.rng.sample(found, min(len(found), self.rng.choice([1, 1, 2])))
            # Clocks that are years apart, in both directions.
            years = self.rng.choice([0, 0, -80, 40, 3000])
            clone.erase(*chosen, at_s=NOW_S + years * 31_556_952)  # type: ignore[arg-type]
            self.had.append(files_of(clone))

    def _other(self, clone: Clone) -> Clone:
        return self.rng.choice([each for each in self.clones if each is not clone])


def files_of(clone: Clone) -> Files:
    with clone.memory() as memory:
        return dict(Scribe(memory.storage, memory.root).files())


def assert_sound(clone: Clone, git: RealGit) -> None:
    """The memory verifies, no commit before it holds what was erased, and git has nothing to complain of."""
    with clone.opened() as storage:
        assert list(verify(storage, [REF], Counts(), full=True)) == []
        tip = clone.ref()
        gone = buried(files_of(clone).items())
        for _, commit in walk_history(storage, tip):
            for target in gone:
                for path in layout.buried_paths(target):
                    assert trees.find(storage, commit.tree, path) is None
    git("fsck", "--strict", cwd=clone.path)


@pytest.mark.parametrize(("number", "clones"), [(0, 2), (1, 3), (2, 4), (3, 6)])
def test_whatever_is_done_in_whatever_order_all_come_to_the_same(
    team: Team, git: RealGit, seed: int, number: int, clones: int
) -> None:
    world = World(random.Random(seed * 100 + number), team, clones)
    for _ in range(22):
        world.step()
    world.settle()
    assert {clone.ref() for clone in world.clones} == {team.hub.ref()}
    assert files_of(world.clones[0]) == world.expected()
    for clone in world.clones[:2]:
        assert_sound(clone, git)
    with world.clones[0].sharing() as shared:
        assert push(shared, "origin").is_up_to_date


@pytest.mark.parametrize("number", range(2))
def test_clones_that_only_pull_from_each_other_come_to_the_same_tree(
    team: Team, git: RealGit, seed: int, number: int
) -> None:
    world = World(random.Random(seed * 1000 + number), team, 3)
    for _ in range(14):
        world.step()
    for _ in range(2):
        for clone in world.rng.sample(world.clones, 3):
            for other in world.rng.sample(world.clones, 3):
                if other is not clone:
                    clone.pull(other.path.name)
    assert len({clone.tree() for clone in world.clones}) == 1
    hub = files_of(team.hub)
    assert files_of(world.clones[0]) == by_definition([*(files.items() for files in world.had), hub.items()])
    for clone in world.clones:
        assert_sound(clone, git)
