"""Two sides of one sealed session are united; the numbers are those of `gitmem.sealed.merging`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.format.memory import open_memory
from gitmem.git.storage import GitStorage
from gitmem.model.errors.store import RefMoved
from gitmem.model.refs import PRIVATE_REF, key_ref, sealed_ref
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, Entry, encode_tree
from gitmem.objects.history import is_ancestor, read_commit
from gitmem.sealed.keeping import write_commit
from gitmem.sealed.merging import Merged, adopt, merge
from gitmem.sealed.recipients import reseal_all, rewrap_all
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips, by_name, read_tips
from gitmem.sealed.writing import Writing
from tests.conftest import RealGit
from tests.importing import samples
from tests.objects.storage_suite import commit
from tests.sealed.conftest import Person, open_at

NOTHING = Tips(None, None)

Grow = Callable[[Person, int], None]


@pytest.fixture
def there(repository: Path, tmp_path: Path, git: RealGit) -> Iterator[GitStorage]:
    """A clone, which stands for what other machines have pushed."""
    git("clone", "-q", str(repository), str(tmp_path / "there"), cwd=tmp_path)
    with closing(open_at(tmp_path / "there")) as storage:
        yield storage


@pytest.fixture
def ada_there(ada: Person, there: GitStorage) -> Person:
    """Ada at another machine, with the same key."""
    return Person(there, ada.user_dir)


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Capture the first lines of one session: `grow(ada, 10)`."""

    def grow(person: Person, count: int) -> None:
        path = tmp_path / str(id(person)) / "a.jsonl"
        person.take(samples.write(path, samples.lines(0, count)))

    return grow


def bring(source: GitStorage, target: GitStorage) -> dict[str, Tips]:
    """Fetch all sealed refs as a remote's, and return its tips."""
    refspecs = [
        "+refs/gitmem/private/*:refs/gitmem/remotes/x/private/*",
        "+refs/gitmem/keys/*:refs/gitmem/remotes/x/keys/*",
    ]
    subprocess.run(
        ["git", "fetch", "-q", "--prune", str(source.repository.common_dir), *refspecs],
        cwd=target.repository.common_dir,
        check=True,
    )
    target._backend.forget_packs()
    return by_name(read_tips(source))


def pull(person: Person, source: GitStorage) -> dict[str, Merged]:
    """Fetch and merge everything, and move the refs."""
    theirs, ours = bring(source, person.base), by_name(read_tips(person.base))
    merged = {
        name: merge(person.base, person.ring(), name, ours.get(name, NOTHING), theirs[name])
        for name in theirs
    }
    for name, result in merged.items():
        adopt(person.base, name, result.tips, ours.get(name, NOTHING))
    return merged


def pull_one(person: Person, source: GitStorage) -> Merged:
    [merged] = pull(person, source).values()
    return merged


def only_tips(base: GitStorage) -> Tips:
    [tips] = by_name(read_tips(base)).values()
    return tips


def test_2_what_is_new_there_is_taken_as_it_is(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    merged = pull_one(ada, ada_there.base)
    assert (merged.outcome, merged.tips) == ("new there", only_tips(ada_there.base))
    assert ada.texts() == ada_there.texts() != {}


def test_1_the_same_again_is_the_same(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    before = only_tips(ada.base)
    assert pull_one(ada, ada_there.base) == Merged("same", before)
    name = next(iter(by_name(read_tips(ada.base))))
    assert merge(ada.base, ada.ring(), name, before, NOTHING).outcome == "same"
    assert merge(ada.base, ada.ring(), "ee" * 32, NOTHING, Tips(before.key, None)).outcome == "same"


def test_3_and_4_who_has_more_goes_on(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    grow(ada_there, 9)
    merged = pull_one(ada, ada_there.base)
    assert (merged.outcome, merged.tips) == ("grown there", only_tips(ada_there.base))
    grow(ada, 12)
    here = only_tips(ada.base)
    assert pull_one(ada, ada_there.base) == Merged("grown here", here)
    assert list(ada.texts().values()) == [samples.lines(0, 12)]


def test_5_what_grew_on_both_sides_is_united_on_top_of_both(
    ada: Person, ada_there: Person, grow: Grow, git: RealGit, repository: Path
) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    grow(ada, 9)
    grow(ada_there, 11)
    here, there = only_tips(ada.base), only_tips(ada_there.base)
    merged = pull_one(ada, ada_there.base)
    assert merged.outcome == "united"
    assert merged.tips.key == here.key
    for parent in (here.content, there.content):
        assert is_ancestor(ada.base, parent, merged.tips.content)
    [text] = ada.texts().values()
    assert samples.lines(0, 9) in text
    assert samples.lines(0, 11) in text
    git("fsck", "--strict", "--full", cwd=repository)
    # The other machine then only has to move forward.
    result = pull_one(ada_there, ada.base)
    assert (result.outcome, result.tips) == ("grown there", merged.tips)
    assert ada_there.texts() == ada.texts()


def test_5_both_machines_that_unite_at_once_come_to_rest(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    grow(ada, 9)
    grow(ada_there, 11)
    theirs, ours = bring(ada_there.base, ada.base), bring(ada.base, ada_there.base)
    for person, other in ((ada, theirs), (ada_there, ours)):
        [(name, tips)] = by_name(read_tips(person.base)).items()
        result = merge(person.base, person.ring(), name, tips, other[name])
        adopt(person.base, name, result.tips, tips)
    assert only_tips(ada.base) != only_tips(ada_there.base)
    # What is equal, though sealed twice, is taken as the other side has it.
    merged = pull_one(ada, ada_there.base)
    assert merged.tips == only_tips(ada_there.base)
    assert pull_one(ada_there, ada.base).outcome == "same"


def test_5_of_two_keys_the_newer_one_goes_on(ada: Person, bob: Person, ada_there: Person, grow: Grow) -> None:
    bobs = bob.public_key()
    ada.recipients = ada_there.recipients = (bobs,)
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    ada_there.recipients = ()
    reseal_all(ada_there.base, ada_there.ring())
    grow(ada, 9)  # with the former key: this machine does not know yet
    grow(ada_there, 11)
    assert list(bob.texts().values()) == [samples.lines(0, 9)]
    there = only_tips(ada_there.base)
    merged = pull_one(ada, ada_there.base)
    assert merged.outcome == "united"
    assert merged.tips.key == there.key
    assert is_ancestor(ada.base, there.content, merged.tips.content)
    [text] = ada.texts().values()
    assert samples.lines(0, 9) in text
    assert samples.lines(0, 11) in text
    assert bob.texts() == {}


def test_5_a_newer_key_here_stays(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    reseal_all(ada.base, ada.ring())
    grow(ada_there, 9)
    here = only_tips(ada.base)
    merged = pull_one(ada, ada_there.base)
    assert (merged.outcome, merged.tips.key) == ("grown there", here.key)
    assert is_ancestor(ada.base, here.content, merged.tips.content)
    assert list(ada.texts().values()) == [samples.lines(0, 9)]


def test_5_somebody_added_on_one_side_stays_added(
    ada: Person, bob: Person, ada_there: Person, there: GitStorage, grow: Grow
) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    rewrap_all(there, ada_there.ring(bob.public_key()))
    grow(ada, 9)
    merged = pull_one(ada, there)
    assert (merged.outcome, merged.tips.key) == ("grown here", only_tips(there).key)
    assert list(bob.texts().values()) == [samples.lines(0, 9)]


def test_6_who_cannot_open_it_only_moves_forward(
    ada: Person, bob: Person, ada_there: Person, grow: Grow
) -> None:
    bob_here = Person(ada.base, bob.user_dir)
    bob_here.public_key()
    grow(ada_there, 6)
    assert pull_one(bob_here, ada_there.base).outcome == "new there"
    grow(ada_there, 9)
    assert pull_one(bob_here, ada_there.base).outcome == "grown there"
    assert bob_here.texts() == {}
    assert len(bob_here.storage().unopened()) == 1
    former = only_tips(ada_there.base)
    grow(ada, 12)
    here = only_tips(ada.base)
    assert pull_one(bob_here, ada_there.base).outcome == "grown here"
    grow(ada_there, 11)
    merged = pull_one(bob_here, ada_there.base)
    assert (merged.outcome, merged.tips) == ("apart", here)
    assert former != here


def test_6_who_was_taken_out_keeps_what_they_have(
    ada: Person, bob: Person, ada_there: Person, grow: Grow
) -> None:
    bob_here = Person(ada.base, bob.user_dir)
    ada_there.recipients = (bob_here.public_key(),)
    grow(ada_there, 6)
    pull(bob_here, ada_there.base)
    texts = bob_here.texts()
    ada_there.recipients = ()
    rewrap_all(ada_there.base, ada_there.ring())
    grow(ada_there, 9)
    # Only the key was wrapped anew: what comes still opens with the one that is here.
    assert pull_one(bob_here, ada_there.base).outcome == "grown there"
    assert list(bob_here.texts().values()) == [samples.lines(0, 9)] != list(texts.values())
    reseal_all(ada_there.base, ada_there.ring())
    assert pull_one(bob_here, ada_there.base).outcome == "apart"
    assert list(bob_here.texts().values()) == [samples.lines(0, 9)]


def test_7_what_is_not_sealed_by_gitmem_is_kept_out(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    [(name, tips)] = bring(ada_there.base, ada.base).items()
    assert tips.content
    assert tips.key
    hostile = []
    top = trees.read_tree(ada.base, read_commit(ada.base, tips.content).tree)
    with ada.base.begin() as batch:
        blob = batch.add("blob", b"x")
        for entries in (
            {"root": Entry(FILE_MODE, blob)},
            {**top, "more": Entry(FILE_MODE, blob)},
            {**top, "root": Entry(FILE_MODE, blob)},
            {**top, "trees": Entry(0o160000, blob)},
        ):
            content = write_commit(batch, batch.add("tree", encode_tree(entries)), ())
            hostile.append(Tips(tips.key, content))
        batch.publish()
    hostile.append(Tips(tips.content, tips.content))
    hostile.append(Tips(tips.key, tips.key))
    hostile.append(Tips(None, tips.content))
    for theirs in hostile:
        merged = merge(ada.base, ada.ring(), name, NOTHING, theirs)
        assert (merged.outcome, merged.tips) == ("refused", NOTHING), theirs
        assert merged.why


def test_7_what_does_not_belong_into_a_session_is_left_out(
    ada: Person, ada_there: Person, grow: Grow
) -> None:
    grow(ada_there, 6)
    storage = ada_there.storage()
    memory = open_memory(storage, PRIVATE_REF)
    [folder] = memory.folders()
    place = (
        "sessions",
        folder.session[:2],
        folder.session[2:4],
        folder.session[4:],
        "captures",
        "aa",
        "b" * 62,
    )
    with storage.begin() as batch:
        root = trees.edit(storage, batch, memory.root, {place: batch.add("blob", b"made up")})
        batch.publish()
    assert root
    storage.move_ref(PRIVATE_REF, commit(storage, root), memory.commit, "tamper")
    merged = pull_one(ada, ada_there.base)
    assert merged.outcome == "new there"
    assert [refusal.path for refusal in merged.refused] == ["/".join(place)]
    assert is_ancestor(ada.base, only_tips(ada_there.base).content, merged.tips.content)
    assert list(ada.texts().values()) == [samples.lines(0, 6)]
    for opened in ada.storage().opened():
        assert opened.session
        opened.session.check()


def test_7_ours_that_is_damaged_is_made_up_for_by_theirs(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    [(name, tips)] = by_name(read_tips(ada.base)).items()
    with ada.base.begin() as batch:
        broken = write_commit(
            batch, batch.add("tree", encode_tree({"root": Entry(FILE_MODE, batch.add("blob", b"x"))})), ()
        )
        batch.publish()
    ada.base.move_ref(sealed_ref(name), broken, tips.content, "damage")
    assert ada.texts() == {}
    merged = pull_one(ada, ada_there.base)
    assert (merged.outcome, merged.tips) == ("new there", tips)
    assert list(ada.texts().values()) == [samples.lines(0, 6)]


def test_8_another_session_under_the_same_name_stays_apart(
    ada: Person, ada_there: Person, grow: Grow, tmp_path: Path
) -> None:
    ada_there.take()  # makes a key that waits
    [(name, tips)] = bring(ada_there.base, ada.base).items()
    assert tips.key
    ada.base.move_ref(key_ref(name), tips.key, None, "a key that waits was shared")
    grow(ada_there, 6)
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(4)))
    merged = pull_one(ada, ada_there.base)
    assert merged.outcome == "apart"
    assert "another session" in merged.why
    assert list(ada.texts().values()) == [samples.codex(4)]


def test_9_what_was_shed_on_one_side_is_told(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    pull(ada, ada_there.base)
    storage = ada_there.storage()
    memory = open_memory(storage, PRIVATE_REF)
    with storage.begin() as batch:
        files = {path: None for path, _ in trees.walk(storage, memory.root) if path[0] == "sessions"}
        root = trees.edit(storage, batch, memory.root, files)
        batch.publish()
    assert root
    storage.move_ref(PRIVATE_REF, commit(storage, root), memory.commit, "shed")
    here = only_tips(ada.base)
    assert pull_one(ada, ada_there.base) == Merged("shed there", here, "it was taken out there")
    assert pull_one(ada_there, ada.base).outcome == "shed here"
    name = next(iter(by_name(read_tips(ada.base))))
    assert merge(ada.base, ada.ring(), name, NOTHING, only_tips(ada_there.base)).outcome == "same"


def test_refs_that_moved_meanwhile_are_not_overwritten(ada: Person, ada_there: Person, grow: Grow) -> None:
    grow(ada_there, 6)
    [(name, theirs)] = bring(ada_there.base, ada.base).items()
    merged = merge(ada.base, ada.ring(), name, NOTHING, theirs)
    adopt(ada.base, name, merged.tips, NOTHING)
    with pytest.raises(RefMoved):
        adopt(ada.base, name, merged.tips, NOTHING)


# --- who was removed, and can still write to the remote


@pytest.fixture
def removed(ada: Person, bob: Person, ada_there: Person, grow: Grow) -> tuple[str, str]:
    """Remove Bob, whose secrets of before he still has: the sessions' name, and his secret in hex."""
    bobs = bob.public_key()
    ada.recipients = ada_there.recipients = (bobs,)
    grow(ada, 6)
    pull(ada_there, ada.base)
    [opened] = bob.storage().opened()
    ada.recipients = ()
    reseal_all(ada.base, ada.ring())
    assert bob.texts() == {}
    return opened.name, opened.secret.hex()


def forge(base: GitStorage, bob: Person, name: str, number: int, victim: str) -> Tips:
    """Wrap a secret that Bob knows for Ada and himself, as the newest key of a session that he knew."""
    ring = bob.ring(victim)
    [opened] = Person(base, bob.user_dir).storage().opened()
    assert opened.session
    storage = SealedStorage(base, bob.ring())
    storage.opened()
    with base.begin() as batch:
        writing = Writing(base, ring, storage, batch)
        writing.reseal(opened._replace(number=number - 1))
        batch.publish()
    return writing.tips[name]


def test_a_key_that_somebody_else_made_is_never_sealed_with(
    ada: Person, bob: Person, ada_there: Person, grow: Grow, removed: tuple[str, str]
) -> None:
    name, _ = removed
    tips = forge(ada_there.base, Person(ada_there.base, bob.user_dir), name, 99, ada.public_key())
    adopt(ada_there.base, name, tips, only_tips(ada_there.base))
    here = only_tips(ada.base)
    merged = pull_one(ada, ada_there.base)
    assert merged.tips.key == here.key
    grow(ada, 12)
    assert samples.lines(0, 12) in ada.texts().values()
    assert bob.texts() == {}


def test_a_fresh_clone_adds_nothing_to_what_somebody_else_sealed(
    ada: Person, bob: Person, ada_there: Person, grow: Grow, removed: tuple[str, str]
) -> None:
    name, _ = removed
    bob_there = Person(ada_there.base, bob.user_dir)
    tips = forge(ada_there.base, bob_there, name, 99, ada.public_key())
    adopt(ada_there.base, name, tips, only_tips(ada_there.base))
    fresh = Person(ada_there.base, ada.user_dir)
    assert list(fresh.texts().values()) == [samples.lines(0, 6)]
    grow(fresh, 12)
    assert samples.lines(0, 12) in b"".join(fresh.texts().values())
    assert list(bob_there.texts().values()) == [samples.lines(0, 6)]


def test_an_older_state_that_was_put_back_is_not_added_to(
    ada: Person, bob: Person, ada_there: Person, grow: Grow, removed: tuple[str, str]
) -> None:
    # The remote shows what it had before Bob was removed, and this clone has never seen anything else.
    fresh = Person(ada_there.base, ada.user_dir)
    bob_there = Person(ada_there.base, bob.user_dir)
    assert list(bob_there.texts().values()) == [samples.lines(0, 6)]
    grow(fresh, 12)
    assert list(fresh.texts().values()) == [samples.lines(0, 12)]
    assert bob_there.texts() == {}


def test_recipients_that_were_changed_by_hand_hold_from_the_next_capture_on(
    ada: Person, bob: Person, grow: Grow
) -> None:
    grow(ada, 6)
    ada.recipients = (bob.public_key(),)
    assert bob.texts() == {}
    grow(ada, 8)
    assert bob.texts() == ada.texts() != {}
    ada.recipients = ()
    grow(ada, 10)
    assert bob.texts() == {}
    assert list(ada.texts().values()) == [samples.lines(0, 10)]
    assert len(ada.storage().opened()) == 1


def test_what_neither_side_made_is_taken_or_kept_but_never_united(
    ada: Person, bob: Person, ada_there: Person, grow: Grow
) -> None:
    ada.recipients = ada_there.recipients = (bob.public_key(),)
    grow(ada, 6)
    pull(ada_there, ada.base)
    reseal_all(ada_there.base, ada_there.ring())
    grow(ada_there, 9)
    bob_here = Person(ada.base, bob.user_dir)
    here = only_tips(ada.base)
    [(name, theirs)] = bring(ada_there.base, ada.base).items()
    taken = merge(ada.base, bob_here.ring(), name, here, theirs)
    assert (taken.outcome, taken.tips) == ("grown there", theirs)
    assert merge(ada.base, bob_here.ring(), name, theirs, here).outcome == "grown here"
    grow(ada, 8)
    here = only_tips(ada.base)
    apart = merge(ada.base, bob_here.ring(), name, here, theirs)
    assert (apart.outcome, apart.tips) == ("apart", here)
