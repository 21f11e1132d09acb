"""Segments: any text under any cuts comes back, and no chain that gitmem would not write is followed."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.format import segments
from gitmem.format.codec import attach_trailer, compress
from gitmem.format.segments import (
    EMPTY_GROUP,
    MAX_GROUP_BYTES,
    MAX_GROUP_SEGMENTS,
    MAX_SEGMENT_BYTES,
    Group,
    Opener,
    Sealed,
    cut,
    declared_size,
    name_of,
    predecessor_of,
    seal,
    seal_all,
    unseal,
)
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
from gitmem.model.ids import SegmentId

NOWHERE = SegmentId("0" * 64)


class Store(dict[SegmentId, bytes]):
    """Blobs by name, which counts what is fetched."""

    fetched = 0

    def fetch(self, name: SegmentId) -> bytes:
        self.fetched += 1
        if name not in self:
            raise ObjectMissing(name)
        return self[name]


def keep(store: Store, sealed: Sealed) -> Sealed:
    store[sealed.name] = sealed.blob
    return sealed


def chain(store: Store, pieces: list[bytes]) -> list[Sealed]:
    """Seal pieces as one group, without asking whether there is room."""
    group, made = EMPTY_GROUP, []
    for piece in pieces:
        made.append(keep(store, seal(piece, group)))
        group = group.grown(made[-1].name, piece)
    return made


@given(
    st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=12), st.randoms(use_true_random=False)
)
def test_any_text_under_any_cuts_comes_back_in_any_order(pieces: list[bytes], order: random.Random) -> None:
    store, group, made = Store(), EMPTY_GROUP, []
    for piece in pieces:
        [(sealed, group)] = seal_all(piece, group)
        made.append((keep(store, sealed), piece))
    opener = Opener(store.fetch)
    assert b"".join(opener.open(sealed.name) for sealed, _ in made) == b"".join(pieces)
    order.shuffle(made)
    for sealed, piece in made:
        assert opener.open(sealed.name) == piece
        assert (sealed.lines, sealed.size_bytes) == (piece.count(b"\n"), len(piece))
        assert declared_size(sealed.blob, "x") == len(piece)


@given(st.integers(0, 5), st.integers(0, 2**32))
def test_a_cut_stands_behind_a_line_end_where_there_is_one(lines: int, seed: int) -> None:
    rng = random.Random(seed)
    text = b"".join(b"x" * rng.choice([10, 1000, 200_000, 600_000]) + b"\n" for _ in range(lines)) + b"tail"
    pieces = list(cut(text))
    assert b"".join(pieces) == text
    assert all(0 < len(piece) <= MAX_SEGMENT_BYTES for piece in pieces)
    for piece in pieces[:-1]:
        assert piece.endswith(b"\n") or b"\n" not in piece


def test_no_text_is_no_segment() -> None:
    assert list(cut(b"")) == []
    assert list(seal_all(b"", EMPTY_GROUP)) == []


def test_a_name_is_a_digest_over_predecessor_and_text() -> None:
    assert name_of(None, b"text") == hashlib.sha256(b"\0text").hexdigest()
    assert name_of(NOWHERE, b"text") == hashlib.sha256(b"\1" + bytes(32) + b"text").hexdigest()


def test_no_text_can_end_in_what_looks_like_a_trailer(seed: int) -> None:
    rng = random.Random(seed)
    # Stored as it is, since it does not compress; its last byte, a space, counts 32 before it.
    lookalike = attach_trailer(rng.randbytes(20), rng.randbytes(32))
    sealed = seal(lookalike, EMPTY_GROUP)
    assert lookalike in sealed.blob
    assert predecessor_of(sealed.blob, "x") is None
    assert unseal(sealed.blob, sealed.name, EMPTY_GROUP, "x") == lookalike


def test_a_group_ends_where_the_next_segment_would_not_fit(seed: int) -> None:
    text = random.Random(seed).randbytes(5 << 19).replace(b"\n", b" ")
    groups = [group for _, group in seal_all(text, EMPTY_GROUP)]
    assert max(len(group.text) for group in groups) == MAX_GROUP_BYTES
    assert [group.segments for group in groups] == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2]


def test_a_group_has_no_more_segments_than_the_bound() -> None:
    group, sizes = EMPTY_GROUP, []
    for n in range(MAX_GROUP_SEGMENTS + 2):
        [(_, group)] = seal_all(b"%d\n" % n, group)
        sizes.append(group.segments)
    assert sizes[-3:] == [MAX_GROUP_SEGMENTS, 1, 2]


def test_a_chain_of_as_many_segments_as_allowed_is_read() -> None:
    store = Store()
    made = chain(store, [b"line %d\n" % n for n in range(MAX_GROUP_SEGMENTS)])
    assert Opener(store.fetch).open(made[-1].name) == b"line 63\n"


def test_a_longer_chain_is_refused() -> None:
    store = Store()
    made = chain(store, [b"line %d\n" % n for n in range(MAX_GROUP_SEGMENTS + 1)])
    with pytest.raises(ObjectDamaged, match="builds on more than 64"):
        Opener(store.fetch).open(made[-1].name)
    in_order = Opener(store.fetch)
    for sealed in made[:-1]:
        in_order.open(sealed.name)
    with pytest.raises(ObjectDamaged, match="group is larger"):
        in_order.open(made[-1].name)


def test_a_group_beyond_its_bytes_is_refused(seed: int) -> None:
    store, rng = Store(), random.Random(seed)
    made = chain(store, [rng.randbytes(MAX_SEGMENT_BYTES) for _ in range(9)])
    opener = Opener(store.fetch)
    for sealed in made[:8]:
        opener.open(sealed.name)
    with pytest.raises(ObjectDamaged, match="group is larger"):
        opener.open(made[8].name)


def test_a_segment_beyond_its_bytes_is_refused() -> None:
    sealed = seal(bytes(MAX_SEGMENT_BYTES + 1), EMPTY_GROUP)
    with pytest.raises(ObjectDamaged, match="more than"):
        unseal(sealed.blob, sealed.name, EMPTY_GROUP, "x")


def test_a_chain_that_bites_its_tail_is_refused() -> None:
    a, b = SegmentId("a" * 64), SegmentId("b" * 64)
    frame = compress(b"text")
    store = Store({a: attach_trailer(frame, bytes.fromhex(b)), b: attach_trailer(frame, bytes.fromhex(a))})
    with pytest.raises(ObjectDamaged, match="builds on more than"):
        Opener(store.fetch).open(a)
    assert store.fetched <= MAX_GROUP_SEGMENTS


def test_swapped_blobs_are_found_out() -> None:
    store = Store()
    first, second = chain(store, [b"first\n", b"second\n"])
    store[first.name], store[second.name] = store[second.name], store[first.name]
    for name in (first.name, second.name):
        with pytest.raises(ObjectDamaged):
            Opener(store.fetch).open(name)


def test_the_same_text_behind_another_predecessor_is_another_segment() -> None:
    store = Store()
    _, one = chain(store, [b"a\n", b"same\n"])
    _, two = chain(store, [b"b\n", b"same\n"])
    assert one.name != two.name
    store[one.name] = store[two.name]
    with pytest.raises(ObjectDamaged, match=f"named {two.name}"):
        Opener(store.fetch).open(one.name)


def test_a_missing_predecessor_is_named() -> None:
    store = Store()
    first, second = chain(store, [b"first\n", b"second\n"])
    del store[first.name]
    with pytest.raises(ObjectMissing) as caught:
        Opener(store.fetch).open(second.name)
    assert caught.value.oid == first.name


def test_after_a_failure_the_next_segment_is_read_all_the_same() -> None:
    store = Store()
    made = chain(store, [b"1\n", b"2\n", b"3\n"])
    other = keep(store, seal(b"other\n", EMPTY_GROUP))
    good, store[made[1].name] = store[made[1].name], b"damaged"
    opener = Opener(store.fetch)
    with pytest.raises(ObjectDamaged):
        opener.open(made[2].name)
    assert opener.open(other.name) == b"other\n"
    assert opener.open(made[0].name) == b"1\n"
    store[made[1].name] = good
    assert opener.open(made[2].name) == b"3\n"


@pytest.mark.parametrize("size", [1, 20, 31, 33, 64])
def test_a_trailer_that_is_no_name_is_refused(size: int) -> None:
    with pytest.raises(ObjectDamaged, match=f"trailer has {size} bytes"):
        predecessor_of(attach_trailer(compress(b"x"), bytes(size)), "x")


def test_a_flip_anywhere_in_a_blob_is_found() -> None:
    store = Store()
    first, second = chain(store, [b"the first line\n" * 5, b"the second line\n" * 5])
    group = EMPTY_GROUP.grown(first.name, b"the first line\n" * 5)
    for at in range(len(second.blob)):
        damaged = bytearray(second.blob)
        damaged[at] ^= 1 << (at % 8)
        store[second.name] = bytes(damaged)
        try:
            text = Opener(store.fetch).open(second.name)
        except (ObjectDamaged, ObjectMissing):
            continue
        # zstd has bits that say nothing (reserved ones, the choice of a header): the text is what counts.
        assert text == unseal(second.blob, second.name, group, "x")


def test_reading_in_order_fetches_each_segment_once() -> None:
    store = Store()
    made = [keep(store, sealed) for sealed, _ in seal_all(bytes(5 << 20), EMPTY_GROUP)]
    opener = Opener(store.fetch)
    assert sum(len(opener.open(sealed.name)) for sealed in made) == 5 << 20
    assert store.fetched == len(made) == 20


def test_group_at_gives_what_the_next_segment_may_build_on() -> None:
    store = Store()
    made = chain(store, [b"1\n", b"2\n"])
    group = Opener(store.fetch).group_at(made[1].name)
    assert group == Group(made[1].name, b"1\n2\n", 2)
    third = keep(store, seal(b"3\n", group))
    assert predecessor_of(third.blob, "x") == made[1].name
    assert Opener(store.fetch).open(third.name) == b"3\n"


def test_group_with_room_is_the_longest_that_leaves_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MAX_GROUP_BYTES", 10)
    store = Store()
    made = chain(store, [b"123\n", b"56\n", b"8\n"])
    opener = Opener(store.fetch)
    for size_bytes, count in ((1, 3), (2, 2), (3, 2), (4, 1), (6, 1), (7, 0)):
        assert opener.group_with_room(made[2].name, size_bytes).segments == count
