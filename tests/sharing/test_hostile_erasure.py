"""Tombstones and histories that a hub may hold and nobody's gitmem wrote: what they name stays, and nothing hangs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gitmem.format import codec, layout, records
from gitmem.format.burial import all_tombstones
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.sharing import FetchRefused
from gitmem.model.errors.store import FormatNewer
from gitmem.model.ids import SessionId
from gitmem.model.records import Author, Tombstone
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, encode_tree
from gitmem.objects.storage import add_all
from gitmem.sharing import pulling as sharing
from gitmem.verbs.inspecting import Counts
from gitmem.verbs.verifying import verify
from tests.conftest import RealGit
from tests.sharing.clones import REF, Clone, Team
from tests.sharing.samples import AT, Scribe, bomb, with_entry

MALLORY = Author("Mallory")


@pytest.fixture
def known(ada: Clone, ben: Clone) -> SessionId:
    """Return a session that the hub and two clones have."""
    session = ada.remember("known")
    ada.push()
    ben.pull()
    return session


def tombstone(target: str) -> tuple[trees.Path, bytes]:
    name, blob = records.seal(Tombstone(target, "team", AT, MALLORY))
    return layout.tombstone_path(target, name), blob


def put_mode(mode: int) -> Callable[[Scribe, SessionId], None]:
    def change(scribe: Scribe, session: SessionId) -> None:
        path, blob = tombstone(session)
        [oid] = add_all(scribe.storage, [("blob", blob)])
        scribe.root = with_entry(scribe, path, Entry(mode, oid))

    return change


def at_a_wrong_place(scribe: Scribe, session: SessionId) -> None:
    path, _ = tombstone(session)
    scribe.put({path: tombstone("ab" * 32)[1]})


def beside_its_place(scribe: Scribe, session: SessionId) -> None:
    path, blob = tombstone(session)
    scribe.put({(*layout.tombstone_folder("ab" * 32), path[-1]): blob})


def under_a_wrong_name(scribe: Scribe, session: SessionId) -> None:
    scribe.put({layout.tombstone_path(session, "cd" * 32): tombstone(session)[1]})  # type: ignore[arg-type]


def spelled_otherwise(scribe: Scribe, session: SessionId) -> None:
    path, blob = tombstone(session)
    plain = codec.decompress(blob, "it", 1 << 20).replace(b'","', b'", "')
    scribe.put({path: codec.compress(plain)})


def unfolding(scribe: Scribe, session: SessionId) -> None:
    scribe.put({tombstone(session)[0]: bomb()})


def repeating(scribe: Scribe, session: SessionId) -> None:
    """One folder of tombstones, at 256 times 256 places, of which none is right."""
    path, blob = tombstone("ab" * 32)
    [oid] = add_all(scribe.storage, [("blob", blob)])
    entry = Entry(FILE_MODE, oid)
    for names in ([path[-1]], ["e" * 60], *2 * [[f"{n:02x}" for n in range(256)]]):
        [oid] = add_all(scribe.storage, [("tree", encode_tree(dict.fromkeys(names, entry)))])
        entry = Entry(TREE_MODE, oid)
    scribe.root = with_entry(scribe, ("tombstones",), entry)


def a_file_for_all(scribe: Scribe, session: SessionId) -> None:
    [oid] = add_all(scribe.storage, [("blob", b"all of it\n")])
    scribe.root = with_entry(scribe, ("tombstones",), Entry(FILE_MODE, oid))


def thousands_for_another_level(scribe: Scribe, session: SessionId) -> None:
    found = [Tombstone(session, "public", AT, MALLORY, f"{n}") for n in range(2000)]
    sealed = [records.seal(one) for one in found]
    scribe.put({layout.tombstone_path(session, name): blob for name, blob in sealed})


@pytest.mark.parametrize(
    "forge",
    [
        put_mode(0o120000),
        put_mode(0o100755),
        at_a_wrong_place,
        beside_its_place,
        under_a_wrong_name,
        spelled_otherwise,
        unfolding,
        repeating,
        a_file_for_all,
        thousands_for_another_level,
    ],
    ids=lambda forge: forge.__qualname__.partition(".")[0],
)
def test_a_forged_tombstone_takes_nothing_away_and_does_not_stay(
    team: Team,
    git: RealGit,
    ada: Clone,
    ben: Clone,
    known: SessionId,
    forge: Callable[[Scribe, SessionId], None],
) -> None:
    def change(scribe: Scribe) -> None:
        scribe.capture(scribe.begin("good"), b"fine\n")
        forge(scribe, known)

    team.hub.write(change)
    try:
        pulled = ben.pull()
    except FetchRefused:
        assert ben.sessions() == {known}
        return
    assert {refusal.side for refusal in pulled.refused} == {"there"}
    assert len(pulled.refused) <= 1000
    assert len(ben.sessions()) == 2
    ben.push()
    assert ada.pull().refused == ()
    assert ada.tree() == ben.tree() == team.hub.tree()
    with ben.opened() as storage:
        assert list(all_tombstones(storage, ben.tree())) == []
        counts = Counts()
        assert [
            finding.kind for finding in verify(storage, [REF], counts) if finding.kind == "reference"
        ] == []


def test_tombstones_of_notes_and_checkpoints_take_them_only_where_they_count(
    team: Team, ada: Clone, ben: Clone
) -> None:
    made: list[str] = []
    ada.write(
        lambda scribe: made.extend([scribe.note("it"), scribe.checkpoint("that"), scribe.note("stays")])
    )
    ada.push()
    ben.pull()
    before = ben.tree()
    team.hub.erase(*made[:2])  # type: ignore[arg-type]
    with ben.sharing() as shared:
        refused = sharing.pull(shared._replace(accept=lambda tombstone: "nobody may"), "origin").refused
    assert [refusal.why for refusal in refused] == ["nobody may", "nobody may"]
    assert ben.tree() == before
    ben.pull()
    with ben.memory() as memory:
        left = {layout.target_at(path) for path, _ in Scribe(memory.storage, memory.root).files()}
    assert left - {None} == {made[2]}
    ben.push()
    assert ben.tree() == team.hub.tree()


def test_thousands_of_tombstones_for_what_nobody_has_take_nothing_away(
    team: Team, ben: Clone, known: SessionId
) -> None:
    def change(scribe: Scribe) -> None:
        scribe.put(dict(tombstone(f"{n * 7919:064x}"[::-1]) for n in range(3000)))

    team.hub.write(change, parent=False)
    pulled = ben.pull()
    assert (pulled.how, len(pulled.sessions)) == ("begun anew", 0)
    assert ben.sessions() == {known}
    assert ben.pull().how == "up to date"


def test_a_fast_forward_that_drops_tombstones_and_brings_back_is_undone(
    team: Team, git: RealGit, ada: Clone, ben: Clone, known: SessionId
) -> None:
    other = ada.remember("other")
    before = ada.tree()
    ada.erase(known)
    ada.push()
    ben.pull()
    git("fetch", "--quiet", str(ada.path), before, cwd=team.hub.path)
    tip = git("commit-tree", before, "-p", str(team.hub.ref()), "-m", "back again", cwd=team.hub.path).strip()
    git("update-ref", REF, tip, cwd=team.hub.path)
    pulled = ben.pull()
    assert pulled.behind_epoch
    assert ben.sessions() == {other}
    ben.push()
    assert team.hub.sessions() == {other}
    assert team.hub.ref() == ben.ref()


def test_a_tree_with_a_tombstone_and_what_it_names_comes_in_without_that(
    team: Team, git: RealGit, ben: Clone, known: SessionId
) -> None:
    team.hub.write(lambda scribe: scribe.put(dict([tombstone(known)])))
    for clone in (ben, team.clone("fresh")):
        clone.pull()
        assert clone.sessions() == set()
        clone.push()
        with clone.opened() as storage:
            assert list(verify(storage, [REF], Counts(), full=True)) == []
    assert team.hub.sessions() == set()


@pytest.mark.parametrize("text", [b"1\n", b"-1\n", b"0\n0\n", b"", b"\xd9\xa1\n", b"9" * 70_000])
def test_of_a_format_that_is_not_ours_nothing_is_taken_and_nothing_goes(
    team: Team, ben: Clone, known: SessionId, text: bytes
) -> None:
    before = ben.tree()

    def change(scribe: Scribe) -> None:
        scribe.bury(known)
        scribe.put({("FORMAT",): text})

    team.hub.write(change)
    with pytest.raises(GitmemError) as raised:
        ben.pull()
    assert isinstance(raised.value, FormatNewer) == (text == b"1\n")
    assert ben.tree() == before


def test_authors_of_any_bytes_begin_a_history_that_git_takes(
    team: Team, git: RealGit, ada: Clone, ben: Clone, known: SessionId
) -> None:
    ada.remember("other")
    ada.push()
    odd = Author("<\x00\n>.,;: \u202e\U0010ffff " + "x" * 3000, " <a@b>\n\x00 ")

    def change(scribe: Scribe) -> None:
        record = Tombstone(known, "team", AT, odd, "why \x00\n\u202e")
        scribe.put({layout.tombstone_path(known, records.seal(record)[0]): records.seal(record)[1]})

    team.hub.write(change)
    assert ben.pull().how == "begun anew"
    ben.push()
    for clone in (ben, team.hub):
        git("fsck", "--strict", "--no-dangling", cwd=clone.path)
