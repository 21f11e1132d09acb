"""People type `git push`, `git pull` and `git clone`, and have each other's sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import CommandLine, Finished, RealGit, surroundings
from tests.journeys.people import Coder, wait_for_drains


@dataclass
class Person:
    """Somebody with a home directory and a clone of their own."""

    home: Path
    top: Path
    environ: dict[str, str]
    real_git: RealGit
    run: CommandLine
    clones: list[Path] = field(default_factory=list)

    def git(self, *args: str, cwd: Path | None = None) -> str:
        return self.real_git(*args, cwd=cwd or self.top, environ=self.environ)

    def gitmem(self, *args: str, status: int | None = 0, cwd: Path | None = None) -> Finished:
        return self.run(*args, cwd=cwd or self.top, environ=self.environ, status=status)

    def clone(self, url: str, *options: str) -> None:
        self.git("clone", "--quiet", *options, url, str(self.top), cwd=self.home)
        self.clones.append(self.common_dir)

    @property
    def common_dir(self) -> Path:
        dot = self.top / ".git"
        return dot if dot.is_dir() else self.top

    def works(self, name: str, message: str) -> str:
        """Have an agent write a file, commit it, and return the session's name."""
        coder = Coder(self.home, self.top, name)
        coder.hears(message)
        coder.writes(f"{name}.py", f"{name} = 1\n")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)
        return coder.session

    def sessions(self, cwd: Path | None = None) -> set[str]:
        # Ends with 1 where there is none.
        told = json.loads(
            self.gitmem("sessions", "--no-recurse-submodules", "--json", cwd=cwd, status=None).stdout
        )
        return {one["session"] for one in told["sessions"]}

    def settle(self) -> None:
        wait_for_drains(*self.clones)


@pytest.fixture
def hub(tmp_path: Path, git: RealGit) -> Path:
    """Return a bare repository with one commit on `main`."""
    git("init", "--quiet", "--bare", "hub.git", cwd=tmp_path)
    git("clone", "--quiet", str(tmp_path / "hub.git"), "seed", cwd=tmp_path)
    git.commit(tmp_path / "seed")
    git("push", "--quiet", "origin", "main", cwd=tmp_path / "seed")
    return tmp_path / "hub.git"


@pytest.fixture
def person(tmp_path: Path, git: RealGit, run: CommandLine) -> Iterator[Callable[[str], Person]]:
    """Make somebody: `person("ben")`; at the end nothing that they started runs any more."""
    made: list[Person] = []

    def make(name: str) -> Person:
        home = tmp_path / name
        home.mkdir()
        environ = {**surroundings(home), "GITMEM_HOOKS": "true"}
        made.append(Person(home, home / "work", environ, git, run))
        return made[-1]

    yield make
    for one in made:
        one.settle()


@pytest.fixture
def ada(person: Callable[[str], Person], hub: Path) -> Person:
    """Return somebody whose clone shares its memory, and to whom the hub's first memory is owed."""
    ada = person("ada")
    ada.clone(f"file://{hub}")
    ada.gitmem("init", "--share", "origin")
    return ada


@pytest.fixture
def ben(person: Callable[[str], Person], hub: Path, ada: Person) -> Person:
    """Return somebody who cloned and shares, too, before anything was remembered."""
    assert ada.top.is_dir()
    ben = person("ben")
    ben.clone(f"file://{hub}")
    ben.gitmem("init", "--share", "origin")
    return ben


def refs(git: RealGit, hub: Path) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname)", cwd=hub).split())


def test_two_people_who_push_and_pull_have_each_others_sessions(ada: Person, ben: Person) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    ben.git("pull", "--quiet")
    ben.settle()
    assert first in ben.sessions()
    second = ben.works("second", "and close it")
    ben.git("push", "--quiet")
    ben.settle()
    third = ada.works("third", "paint it")
    ada.git("pull", "--quiet", "--rebase")
    ada.git("push", "--quiet")
    ada.settle()
    assert ada.sessions() == {first, second, third}
    ben.git("pull", "--quiet")
    ben.settle()
    assert ben.sessions() == {first, second, third}


def test_a_pull_that_brings_no_code_brings_the_memory(ada: Person, ben: Person) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    ben.git("pull", "--quiet")
    ben.settle()
    later = Coder(ada.home, ada.top, "later")
    later.hears("why does it squeak?")
    ada.gitmem("capture")
    ada.gitmem("push")
    ben.git("pull", "--quiet")
    assert ben.sessions() == {first, later.session}
    found = json.loads(ben.gitmem("search", "squeak", "--json").stdout)
    assert [hit["session"] for hit in found["hits"]] == [later.session]


def test_a_fresh_clone_finds_the_memory_by_init_alone(
    ada: Person, person: Callable[[str], Person], hub: Path
) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    cleo = person("cleo")
    cleo.clone(f"file://{hub}")
    cleo.gitmem("init")
    assert cleo.sessions() == {first}


def test_templates_have_a_clone_take_the_memory_over(
    ada: Person, person: Callable[[str], Person], hub: Path
) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    cleo = person("cleo")
    cleo.gitmem("enable", "git", "--global", cwd=cleo.home)
    cleo.clone(f"file://{hub}")
    cleo.settle()
    cleo.git("merge-base", "--is-ancestor", "origin/gitmem", "gitmem")
    assert cleo.sessions() == {first}


def test_a_remote_that_nobody_chose_gets_nothing(
    ada: Person, person: Callable[[str], Person], hub: Path, git: RealGit
) -> None:
    cleo = person("cleo")
    cleo.clone(f"file://{hub}")
    cleo.gitmem("init")
    cleo.works("secret", "not for you")
    cleo.git("push", "--quiet")
    cleo.settle()
    assert refs(git, hub) == {"refs/heads/main"}
    assert ada.top.is_dir()


def test_what_was_switched_off_carries_nothing(ada: Person, hub: Path, git: RealGit) -> None:
    ada.git("config", "gitmem.carry", "false")
    ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    assert refs(git, hub) == {"refs/heads/main"}


def test_what_somebody_drained_by_hand_is_carried_by_a_process_of_its_own(
    ada: Person, hub: Path, git: RealGit
) -> None:
    (ada.common_dir / "gitmem/python").write_text("/bin/true\n/\n")  # so that the hooks start nothing
    ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.gitmem("capture")
    ada.settle()
    assert refs(git, hub) >= {"refs/heads/main", "refs/heads/gitmem"}


def test_pushes_that_race_lose_nothing(ada: Person, ben: Person, hub: Path, git: RealGit) -> None:
    for one in (ada, ben):
        one.git("switch", "--quiet", "-c", one.home.name)
    mine, theirs = ada.works("mine", "open the gate"), ben.works("theirs", "close the gate")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: one.git("push", "--quiet", "origin", "HEAD"), (ada, ben)))
    ada.settle()
    ben.settle()
    for one in (ada, ben):
        one.git("fetch", "--quiet")
        assert one.sessions() == {mine, theirs}


def test_a_remote_that_is_gone_fails_nothing_and_is_told(ada: Person, hub: Path) -> None:
    ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    hub.rename(hub.with_name("away"))
    ada.git("switch", "--quiet", "-c", "side")
    ada.works("second", "close it")
    ada.git("switch", "--quiet", "main")
    ada.git("merge", "--quiet", "side")  # as a pull would
    ada.settle()
    told = json.loads(ada.gitmem("status", "--json").stdout)
    [remote] = told["memory"]["remotes"]
    assert remote["trouble"] == "offline"
    assert told["capture"]["failure"] is None
    hub.with_name("away").rename(hub)
    ada.git("push", "--quiet")
    ada.settle()
    told = json.loads(ada.gitmem("status", "--json").stdout)
    assert told["memory"]["remotes"][0]["trouble"] is None
    assert told["memory"]["remotes"][0]["ahead"] == 0


def test_a_linked_worktree_and_a_hook_that_stood_there(ada: Person, hub: Path, git: RealGit) -> None:
    hook = ada.common_dir / "hooks" / "pre-push"
    hook.write_text(f'#!/bin/sh\necho mine >>"{ada.home}/log"\ncat >>"{ada.home}/log"\n')
    hook.chmod(0o755)
    ada.gitmem("enable", "git")
    ada.git("worktree", "add", "--quiet", "-b", "side", str(ada.home / "side"))
    linked = Person(ada.home, ada.home / "side", ada.environ, git, ada.run)
    session = linked.works("beside", "in a tree of its own")
    linked.git("push", "--quiet", "origin", "side")
    ada.settle()
    assert "refs/heads/gitmem" in refs(git, hub)
    assert "mine\nrefs/heads/side " in (ada.home / "log").read_text()
    assert ada.sessions() == {session}
    assert git("log", "--format=%s", "gitmem", cwd=hub)


def test_a_mirror_push_that_removed_the_memory_is_mended(
    ada: Person, ben: Person, hub: Path, git: RealGit
) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    with pytest.raises(AssertionError, match="gitmem: nothing was pushed to origin"):
        ben.git("push", "--quiet", "--mirror", "origin")
    assert "refs/heads/gitmem" in refs(git, hub)
    mirror = ada.home / "mirror"
    git("clone", "--quiet", f"file://{hub}", str(mirror), cwd=ada.home)
    git("push", "--quiet", "--mirror", "origin", cwd=mirror)  # by somebody who knows nothing of gitmem
    git("update-ref", "-d", "refs/heads/gitmem", cwd=hub)
    second = ada.works("second", "close it")
    ada.git("push", "--quiet", "--force")
    ada.settle()
    ben.git("fetch", "--quiet")
    assert ben.sessions() == {first, second}


def test_a_submodule_has_a_memory_of_its_own_that_goes_along(
    ada: Person, hub: Path, tmp_path: Path, git: RealGit
) -> None:
    git("clone", "--quiet", "--bare", str(hub), "part.git", cwd=tmp_path)
    ada.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        f"file://{tmp_path}/part.git",
        "part",
    )
    ada.git("commit", "--quiet", "-m", "add a part")
    part = Person(ada.home, ada.top / "part", ada.environ, git, ada.run)
    ada.clones.append(ada.common_dir / "modules" / "part")
    part.gitmem("init", "--share", "origin")
    session = part.works("inner", "only of the part")
    ada.git("add", "part")
    ada.git("commit", "--quiet", "-m", "move the part")
    ada.git("push", "--quiet", "--recurse-submodules=on-demand")
    ada.settle()
    assert "refs/heads/gitmem" in refs(git, tmp_path / "part.git")
    assert part.sessions() == {session}
    assert ada.sessions() == set()


@pytest.mark.parametrize("ref", ["refs/heads/gitmem", "refs/gitmem/team"])
def test_a_clone_of_one_branch_gets_the_memory_by_git_alone(
    person: Callable[[str], Person], hub: Path, ref: str
) -> None:
    people = []
    for name in ("cleo", "dan"):
        one = person(name)
        one.clone(f"file://{hub}", "--single-branch", "--branch", "main")
        if ref.startswith("refs/gitmem/"):
            one.git("config", "gitmem.ref", ref)
        told = one.gitmem("init", "--share", "origin").stdout
        assert "git fetch origin brings it along now" in told
        assert "brings it along" not in one.gitmem("init", "--share", "origin").stdout
        one.git("fetch", "--quiet")  # where there is none yet
        people.append(one)
    cleo, dan = people
    first = cleo.works("first", "open the gate")
    cleo.git("push", "--quiet")
    cleo.settle()
    dan.git("fetch", "--quiet")
    assert dan.sessions() == {first}
    before = dan.git("config", "--get-all", "remote.origin.fetch").split("\n")
    dan.settle()
    dan.gitmem("disable", "git")
    assert dan.git("config", "--get-all", "remote.origin.fetch").split("\n") == before[:1]


def test_a_mirror_clone_can_be_read(ada: Person, hub: Path) -> None:
    first = ada.works("first", "open the gate")
    ada.git("push", "--quiet")
    ada.settle()
    ada.git("clone", "--quiet", "--mirror", f"file://{hub}", "mirror.git", cwd=ada.home)
    mirror = ada.home / "mirror.git"
    ada.gitmem("init", "--no-hooks", "--share", "origin", cwd=mirror)
    assert ada.sessions(cwd=mirror) == {first}
    assert ada.git("config", "--get-all", "remote.origin.fetch", cwd=mirror) == "+refs/*:refs/*"
