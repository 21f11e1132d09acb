"""What was changed, cut short, swapped or made up is a named error or somebody else's, and never wrong data."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gitmem.format.memory import open_memory
from gitmem.git.storage import GitStorage
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, SealDamaged
from gitmem.model.ids import Oid
from gitmem.model.refs import KEYS_NAMESPACE, PRIVATE_REF, key_ref, sealed_ref
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, encode_tree, object_id
from gitmem.sealed.box import Box, padded
from gitmem.sealed.envelope import MAX_ENVELOPE_BYTES, check_stanzas
from gitmem.sealed.keeping import write_commit
from gitmem.sealed.ring import Ring
from gitmem.sealed.sessions import SealedSession
from gitmem.sealed.tips import by_name, read_tips
from tests.importing import samples
from tests.sealed.conftest import Person

NAME, OTHER = "ab" * 32, "cd" * 32
SECRET = bytes(range(32))


@pytest.fixture
def box(seed: int) -> Box:
    return Box(SECRET, NAME, random.Random(seed).randbytes)


@pytest.fixture
def ring(ada: Person) -> Ring:
    return ada.ring()


def variants(content: bytes) -> Iterator[bytes]:
    """Yield every content with one byte changed, cut at every length, and with something behind it."""
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1 << (at % 8)
        yield bytes(changed)
        yield content[:at]
    yield content + b"\0"
    yield content + content


def test_a_sealed_blob_opens_to_what_was_sealed(box: Box) -> None:
    for size in (0, 1, 100, 4096, 100_000):
        sealed = box.seal(bytes(size), box.name_of("x"))
        assert box.open(sealed, box.name_of("x"), "x") == bytes(size)
        assert len(sealed) == 1 + 12 + padded(4 + size) + 16


def test_the_same_bytes_are_never_sealed_alike(box: Box) -> None:
    assert box.seal(b"x", box.name_of("x")) != box.seal(b"x", box.name_of("x"))


def test_padding_hides_sizes_and_costs_little() -> None:
    sizes = {padded(size) for size in range(100_000)}
    assert len(sizes) < 350
    for size in [*range(2000), *random.Random(1).choices(range(1 << 24), k=2000)]:
        assert size <= padded(size) <= size * 1.12 + 1
        assert padded(padded(size)) == padded(size)


def test_no_change_of_a_sealed_blob_goes_unseen(box: Box) -> None:
    name = box.name_of("blobs/x")
    sealed = box.seal(b"what was said", name)
    for changed in variants(sealed):
        with pytest.raises(SealDamaged):
            box.open(changed, name, "x")


def test_a_blob_opens_in_its_place_alone(box: Box, seed: int) -> None:
    sealed = box.seal(b"x", box.name_of("blobs/x"))
    rng = random.Random(seed)
    for other, place in (
        (box, "blobs/y"),
        (Box(SECRET, OTHER, rng.randbytes), "blobs/x"),
        (Box(bytes(32), NAME, rng.randbytes), "blobs/x"),
    ):
        with pytest.raises(SealDamaged):
            other.open(sealed, box.name_of(place), "x")


def test_padding_that_is_not_gitmems_is_refused(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    name = box.name_of("x")
    monkeypatch.setattr("gitmem.sealed.box.padded", lambda size: size + 64)
    sealed = box.seal(b"x", name)
    monkeypatch.undo()
    with pytest.raises(SealDamaged, match="padded"):
        box.open(sealed, name, "x")


def test_no_change_of_an_envelope_goes_unseen(ring: Ring, ada: Person) -> None:
    secret = ring.new_secret()
    envelope = ring.wrap(secret)
    fresh = ada.ring()
    assert fresh.unwrap(envelope, "it") == secret
    damaged = others = 0
    for changed in variants(envelope):
        try:
            found = fresh.unwrap(changed, "it")
        except SealDamaged:
            damaged += 1
        else:
            assert found is None
            others += 1
    # A stanza that was changed looks like one for somebody else; everything else is found out.
    assert damaged > others > 0


def test_every_envelope_that_is_made_passes_the_check(ring: Ring) -> None:
    # Each has a stanza at random that says nothing.
    for _ in range(300):
        assert check_stanzas(ring.wrap(SECRET), "it") == 1


def stanza(kind: str, *arguments: str, body: str = "A" * 43) -> bytes:
    return " ".join(("->", kind, *arguments)).encode() + b"\n" + body.encode() + b"\n"


@pytest.mark.parametrize(
    "stanzas",
    [
        stanza("scrypt", "c2FsdHNhbHRzYWx0c2FsdA", "30"),
        stanza("piv-p256", "AAAA", "BBBB"),
        stanza("tag", "AAAA", "BBBB"),
        stanza("X25519", "A" * 43) + stanza("scrypt", "c2FsdA", "30"),
        stanza("X25519"),
        stanza("X25519", "A", "B"),
        stanza("x-grease", "A") * 5 + stanza("X25519", "A" * 43),
        stanza("x-grease", "A"),
        stanza("X25519", "A" * 43) * 101,
        stanza("X25519", "A" * 43, body="A" * 64 + "\n" + "A" * 65),
        stanza("ssh-rsa", "AAAA", body="\n".join(["A" * 64] * 30)),
        b"junk\n",
        b"",
    ],
)
def test_a_stanza_that_gitmem_never_writes_is_refused_unread(ring: Ring, stanzas: bytes) -> None:
    ring.recipients()
    with pytest.raises(SealDamaged):
        ring.unwrap(b"age-encryption.org/v1\n" + stanzas + b"--- " + b"A" * 43 + b"\n" + bytes(64), "it")


def test_ten_thousand_recipients_and_megabytes_are_refused_at_once(ring: Ring) -> None:
    many = b"age-encryption.org/v1\n" + stanza("X25519", "A" * 43) * 10_000 + b"--- x\n"
    assert len(many) > MAX_ENVELOPE_BYTES
    for envelope in (many, many[:MAX_ENVELOPE_BYTES], bytes(50 << 20), b"age-encryption.org/v2\n", b""):
        with pytest.raises(SealDamaged):
            check_stanzas(envelope, "it")


def test_a_secret_of_another_size_is_refused(ring: Ring) -> None:
    with pytest.raises(SealDamaged, match="31 bytes"):
        ring.unwrap(_wrapped(ring, bytes(31)), "it")


def _wrapped(ring: Ring, content: bytes) -> bytes:
    import pyrage
    from pyrage import x25519

    return bytes(pyrage.encrypt(content, [x25519.Recipient.from_str(ring.recipients()[0])]))


# --- whole sessions


@pytest.fixture
def sealed(ada: Person, tmp_path: Path) -> SealedSession:
    """Return one of two sessions, sealed."""
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 12)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(6)))
    return min(sessions(ada), key=lambda session: session.session)


def sessions(person: Person) -> list[SealedSession]:
    return [opened.session for opened in person.storage().opened() if opened.session]


def files_of(base: GitStorage, session: SealedSession) -> dict[trees.Path, Oid]:
    return {path: entry.oid for path, entry in trees.walk(base, session.real_root)}


def replace(base: GitStorage, session: SealedSession, changes: Mapping[trees.Path, bytes | None]) -> None:
    """Put other bytes at places of the sealed tree, as who can write to the ref might."""
    with base.begin() as batch:
        blobs = {
            path: batch.add("blob", data) if data is not None else None for path, data in changes.items()
        }
        root = trees.edit(base, batch, session.real_root, blobs)
        new = write_commit(batch, root or batch.add("tree", b""), (session.content,))
        batch.publish()
    point(base, sealed_ref(session.name), new)


def point(base: GitStorage, ref: str, oid: Oid) -> None:
    base.move_ref(ref, oid, base.read_ref(ref), "tamper")


def read_all(person: Person) -> tuple[dict[str, bytes], list[SealDamaged]]:
    """Return what can be read, and what is said to be damaged."""
    storage = person.storage()
    errors = list(storage.damaged().values())
    memory, texts = open_memory(storage, PRIVATE_REF), {}
    for folder in memory.folders():
        try:
            stored = memory.load(folder)
            for stream, heads in stored.heads().items():
                texts[f"{stored.key}{stream}"] = b"".join(b"".join(memory.text(folder, h)) for h in heads)
        except SealDamaged as error:
            errors.append(error)
    return texts, errors


def test_no_change_of_any_sealed_file_gives_other_data(
    ada: Person, base: GitStorage, sealed: SealedSession
) -> None:
    whole, errors = read_all(ada)
    assert not errors
    files = files_of(base, sealed)
    assert len(files) >= 8
    contents = {path: trees.read_blob(base, oid) for path, oid in files.items()}
    paths = sorted(contents)
    for n, path in enumerate(paths):
        other = contents[paths[n - 1]]
        for changed in (contents[path][:-1], contents[path][:20], b"", other, contents[path][::-1], None):
            replace(base, sealed, {path: changed})
            texts, errors = read_all(ada)
            assert errors, (path, changed)
            assert all(sealed.name in error.name for error in errors)
            assert texts.items() < whole.items()
    point(base, sealed_ref(sealed.name), sealed.content)
    assert read_all(ada) == (whole, [])


def test_blobs_of_another_session_are_refused(ada: Person, base: GitStorage, sealed: SealedSession) -> None:
    whole, _ = read_all(ada)
    [other] = [session for session in sessions(ada) if session.name != sealed.name]
    with base.begin() as batch:
        new = write_commit(batch, other.real_root, (sealed.content,))
        batch.publish()
    point(base, sealed_ref(sealed.name), new)
    texts, errors = read_all(ada)
    assert len(errors) == 1
    assert texts.items() < whole.items()


def test_keys_that_were_swapped_open_nothing(ada: Person, base: GitStorage, sealed: SealedSession) -> None:
    keys = base.list_refs(KEYS_NAMESPACE)
    (one, first), (two, second) = keys.items()
    point(base, one, second)
    point(base, two, first)
    assert read_all(ada)[0] == {}
    assert len(ada.storage().damaged()) == 2


def test_an_older_tree_at_its_own_place_is_found_out(ada: Person, base: GitStorage, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 12))
    ada.take(path)
    [first] = sessions(ada)
    samples.write(path, samples.lines(0, 30))
    ada.take(path)
    [grown] = sessions(ada)
    older = files_of(base, first)
    newer = files_of(base, grown)
    changed = [place for place in older if older[place] != newer[place]]
    assert len(changed) >= 4  # the root, the folder, its captures, its segments
    for place in changed:
        replace(base, grown, {place: trees.read_blob(base, older[place])})
        texts, errors = read_all(ada)
        assert errors
        assert not texts


def test_what_does_not_belong_into_a_sealed_tree_is_refused(
    ada: Person, base: GitStorage, sealed: SealedSession
) -> None:
    blob = next(iter(files_of(base, sealed).values()))
    top = trees.read_tree(base, sealed.real_root)
    hostile = [
        {**top, "more": Entry(FILE_MODE, blob)},
        {**top, "root": Entry(0o120000, blob)},
        {**top, "root": Entry(TREE_MODE, top["trees"].oid)},
        {**top, "trees": Entry(FILE_MODE, blob)},
        {**top, "blobs": Entry(0o160000, sealed.content)},
        {name: entry for name, entry in top.items() if name != "root"},
    ]
    for entries in hostile:
        with base.begin() as batch:
            new = write_commit(batch, batch.add("tree", encode_tree(entries)), ())
            batch.publish()
        point(base, sealed_ref(sealed.name), new)
        assert sealed.name in ada.storage().damaged()
    fan, *_ = trees.read_tree(base, top["trees"].oid)
    for name, mode in (
        ("x" * 30, FILE_MODE),
        ("a" * 62, FILE_MODE),
        ("a" * 30, 0o100755),
        ("a" * 30, TREE_MODE),
    ):
        with base.begin() as batch:
            below = dict(trees.read_tree(base, trees.read_tree(base, top["trees"].oid)[fan].oid))
            below[name] = Entry(mode, top["trees"].oid if mode == TREE_MODE else blob)
            fans = dict(trees.read_tree(base, top["trees"].oid))
            fans[fan] = Entry(TREE_MODE, batch.add("tree", encode_tree(below)))
            entries = {**top, "trees": Entry(TREE_MODE, batch.add("tree", encode_tree(fans)))}
            new = write_commit(batch, batch.add("tree", encode_tree(entries)), ())
            batch.publish()
        point(base, sealed_ref(sealed.name), new)
        with pytest.raises(SealDamaged):
            next(s for s in sessions(ada) if s.name == sealed.name).check()


def test_everything_sealed_is_checked_and_what_stands_beside_it_is_found(
    ada: Person, base: GitStorage, sealed: SealedSession
) -> None:
    for session in sessions(ada):
        session.check()
    replace(base, sealed, {("blobs", "00", "0" * 30): b"x"})
    with pytest.raises(SealDamaged, match="do not belong"):
        next(s for s in sessions(ada) if s.name == sealed.name).check()


@pytest.mark.parametrize(
    "files",
    [
        {"number": b"1\n", "key": b"x", "more": b""},
        {"key": b"x"},
        {"number": b"0\n", "key": b"x"},
        {"number": b"-1\n"},
        {"number": b"1" * 40 + b"\n"},
        {"number": b"1\n", "key": b""},
    ],
)
def test_a_key_that_gitmem_did_not_write_is_refused(
    ada: Person, base: GitStorage, sealed: SealedSession, files: dict[str, bytes]
) -> None:
    with base.begin() as batch:
        entries = {name: Entry(FILE_MODE, batch.add("blob", data)) for name, data in files.items()}
        new = write_commit(batch, batch.add("tree", encode_tree(entries)), ())
        batch.publish()
    point(base, key_ref(sealed.name), new)
    storage = ada.storage()
    if "key" in files:
        assert sealed.name in storage.damaged()
    assert len(ada.texts()) == 1


def test_refs_that_lead_to_no_commit_and_objects_that_are_gone_are_named(
    ada: Person, base: GitStorage, sealed: SealedSession
) -> None:
    blob = next(iter(files_of(base, sealed).values()))
    with base.begin() as batch:
        tree = {"root": Entry(FILE_MODE, object_id("blob", b"gone", base.hash_name))}
        hollow = write_commit(batch, batch.add("tree", encode_tree(tree)), ())
        batch.publish()
    for oid in (blob, sealed.real_root, hollow):
        point(base, sealed_ref(sealed.name), oid)
        error = ada.storage().damaged()[sealed.name]
        assert sealed.name in str(error)
        assert isinstance(error, ObjectDamaged)
    assert not isinstance(error, ObjectMissing)


def test_a_content_whose_key_is_not_here_is_counted(
    ada: Person, base: GitStorage, sealed: SealedSession
) -> None:
    with base.begin() as batch:
        new = write_commit(batch, sealed.real_root, ())
        batch.publish()
    point(base, sealed_ref(OTHER), new)
    assert ada.storage().unopened() == (OTHER,)
    assert by_name(read_tips(base))[OTHER].key is None
