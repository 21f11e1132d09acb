"""Notes on two machines: they come together like sessions, and what was erased stays gone."""

from __future__ import annotations

import pytest

from gitmem.format.memory import open_memory
from gitmem.notes.listing import Listed, list_notes
from gitmem.notes.writing import Desk, Draft, add, forget, set_done, set_tags
from gitmem.verbs.committing import Writer
from tests.conftest import RealGit
from tests.notes.conftest import Here
from tests.sharing.clones import NOW_S, REF, Clone, Team


class Writing:
    """Somebody who writes notes in a clone."""

    def __init__(self, clone: Clone) -> None:
        self.clone, self.now_s = clone, NOW_S

    def desk(self, storage: object) -> Desk:
        self.now_s += 1
        with self.clone.sharing() as sharing:
            author = sharing.writer.author
        return Desk(storage, REF, Writer(author, lambda: self.now_s), lambda text: text)  # type: ignore[arg-type]

    def add(self, text: str, *supersedes: str) -> str:
        with self.clone.opened() as storage:
            draft = Draft("decision", text, supersedes=supersedes)  # type: ignore[arg-type]
            return add(self.desk(storage), draft)

    def change(self, work: object, *args: object) -> None:
        with self.clone.opened() as storage:
            work(self.desk(storage), *args)  # type: ignore[operator]

    def listed(self, *, closed: bool = False) -> tuple[Listed, ...]:
        with self.clone.opened() as storage:
            return list_notes(open_memory(storage, REF), self.clone.repository.state_dir, closed=closed)

    def texts(self) -> set[str]:
        return {note.text for note in self.listed()}


@pytest.fixture
def ada(team: Team) -> Writing:
    clone = team.clone("ada")
    clone.remember("shared")
    writing = Writing(clone)
    writing.add("the first")
    clone.push()
    return writing


@pytest.fixture
def ben(team: Team, ada: Writing) -> Writing:
    clone = team.clone("ben")
    clone.pull()
    return Writing(clone)


def sync(*people: Writing) -> None:
    for each in (*people, *people):
        each.clone.pull()
        each.clone.push()


def test_notes_of_both_are_in_both_clones(ada: Writing, ben: Writing, git: RealGit) -> None:
    ada.add("by Ada")
    ben.add("by Ben")
    sync(ada, ben)
    assert ada.texts() == ben.texts() == {"the first", "by Ada", "by Ben"}
    assert ada.clone.tree() == ben.clone.tree()
    for each in (ada, ben):
        git("fsck", "--strict", cwd=each.clone.path)
        Here(each.clone.path)("verify", "--full")


def test_two_who_supersede_the_same_note_have_both_and_one_more_settles_it(
    ada: Writing, ben: Writing
) -> None:
    (first,) = ada.listed()
    here, there = ada.add("by Ada", first.name), ben.add("by Ben", first.name)
    sync(ada, ben)
    assert ada.texts() == ben.texts() == {"by Ada", "by Ben"}
    desk = Here(ada.clone.path)
    (told,) = desk.json("conflicts")["notes"]
    assert told["note"] == first.address
    assert {heir["title"] for heir in told["heirs"]} == {"by Ada", "by Ben"}
    assert f"--supersedes note/{here[:12]}" in desk("conflicts").stdout
    ben.add("by both", here, there)
    sync(ada, ben)
    assert ada.texts() == ben.texts() == {"by both"}
    assert desk("conflicts", status=1).stdout == ""


def test_what_both_say_of_a_note_comes_together(ada: Writing, ben: Writing) -> None:
    (first,) = ada.listed()
    ada.change(set_tags, first.name, ["sea"])
    ben.change(set_done, [first.name])
    sync(ada, ben)
    for each in (ada, ben):
        (note,) = each.listed(closed=True)
        assert (note.state, note.tags) == ("done", ("sea",))


def test_a_note_that_was_superseded_elsewhere_is_removed_with_its_heir(ada: Writing, ben: Writing) -> None:
    (first,) = ada.listed()
    new = ben.add("the second", first.name)
    ada.change(forget, [first.name], (NOW_S + 86_400) * 1000)
    sync(ada, ben)
    assert ada.texts() == ben.texts() == {"the second"}
    ben.change(forget, [new], (NOW_S + 86_400) * 1000)
    sync(ada, ben)
    assert ada.texts() == ben.texts() == set()


def test_what_one_erased_is_gone_from_the_other_and_does_not_come_back(
    ada: Writing, ben: Writing, git: RealGit
) -> None:
    (first,) = ada.listed()
    ben.change(set_tags, first.name, ["sea"])
    ada.add("another")
    ada.clone.erase(first.name)  # type: ignore[arg-type]
    sync(ada, ben)
    assert ada.texts() == ben.texts() == {"another"}
    for each in (ada, ben):
        assert f"notes/{first.name[:2]}" not in git("ls-tree", "-r", "--name-only", REF, cwd=each.clone.path)
        Here(each.clone.path)("verify", "--full")


def test_a_clone_of_the_memory_alone_has_the_notes(team: Team, ada: Writing) -> None:
    clone = team.clone("eve")
    here = Here(clone.path)
    here("init", "--no-hooks", "--no-import", "--agents", "none")
    assert here.texts() == ["the first"]
    assert here.found("first") == ["the first"]
