"""zstd frames: what goes in comes out, and whatever else claims to be a frame is refused in bounds."""

from __future__ import annotations

import random
import tracemalloc
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gitmem.format.codec import (
    MAX_WINDOW_BYTES,
    attach_trailer,
    compress,
    declared_size,
    decompress,
    detach_trailer,
)
from gitmem.model.errors.store import ObjectDamaged

LIMIT = 1 << 20
SKIPPABLE = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"


def frame_header(size: int, window_log: int | None = None) -> bytes:
    """Write a frame header by hand (RFC 8878, 3.1.1.1) that declares 8 bytes of size."""
    magic = (0xFD2FB528).to_bytes(4, "little")
    if window_log is None:
        return magic + b"\xe0" + size.to_bytes(8, "little")
    return magic + b"\xc0" + bytes(((window_log - 10) << 3,)) + size.to_bytes(8, "little")


@given(st.binary(max_size=4096), st.binary(max_size=4096))
def test_bytes_come_back_with_and_without_a_prefix(plain: bytes, prefix: bytes) -> None:
    for given_prefix in (b"", prefix):
        frame = compress(plain, given_prefix)
        assert declared_size(frame, "x") == len(plain)
        assert decompress(frame, "x", len(plain), given_prefix) == plain


def test_text_behind_a_prefix_that_it_repeats_costs_next_to_nothing(seed: int) -> None:
    text = random.Random(seed).randbytes(100_000)
    assert len(compress(text, text)) < 100 < len(compress(text))


def test_a_prefix_of_two_megabytes_is_used_to_its_beginning(seed: int) -> None:
    prefix = random.Random(seed).randbytes(2 << 20)
    frame = compress(prefix[:50_000], prefix)
    assert len(frame) < 1000
    assert decompress(frame, "x", LIMIT, prefix) == prefix[:50_000]


def test_another_prefix_is_found_out_or_gives_other_bytes(seed: int) -> None:
    rng = random.Random(seed)
    prefix, other = rng.randbytes(5000), rng.randbytes(5000)
    plain = prefix[1000:4000]
    frame = compress(plain, prefix)
    assert decompress(frame, "x", LIMIT, other) != plain
    with pytest.raises(ObjectDamaged):
        decompress(frame, "x", LIMIT)


def test_a_frame_cut_short_anywhere_is_refused() -> None:
    frame = compress(b"a line of text, and another line of text\n" * 3)
    assert decompress(frame, "x", LIMIT)
    for length in range(len(frame)):
        with pytest.raises(ObjectDamaged):
            decompress(frame[:length], "x", LIMIT)


@pytest.mark.parametrize(
    "behind", [b"\0", b"\n", SKIPPABLE, compress(b"more")], ids=["zero", "line end", "skippable", "frame"]
)
def test_anything_behind_a_frame_is_refused(behind: bytes) -> None:
    with pytest.raises(ObjectDamaged, match="something behind it"):
        decompress(compress(b"hello") + behind, "x", LIMIT)


@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 40, (1 << 64) - 3])
def test_a_frame_that_declares_too_much_is_refused_before_it_is_decoded(size: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ObjectDamaged, match=f"declares {size} bytes"):
            decompress(frame_header(size) + b"\x01\0\0", "x", LIMIT)
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


def test_a_frame_that_declares_no_size_is_refused() -> None:
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(b"hello")
    with pytest.raises(ObjectDamaged, match="does not declare a size"):
        decompress(unsized, "x", LIMIT)


def test_a_bomb_stops_at_what_it_declared() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(64 << 20))
    assert len(bomb) < 10_000
    lying = frame_header(1000, window_log=20) + bomb[zstandard.frame_header_size(bomb) :]
    tracemalloc.start()
    try:
        with pytest.raises(ObjectDamaged):
            decompress(lying, "x", LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 8 * LIMIT
    finally:
        tracemalloc.stop()


def test_a_frame_that_holds_less_than_it_declares_is_refused() -> None:
    empty_block = b"\x01\0\0"
    with pytest.raises(ObjectDamaged):
        decompress(frame_header(5, window_log=20) + empty_block, "x", LIMIT)


def test_a_window_beyond_the_bound_is_refused() -> None:
    plain = b"x" * 100
    block = ((len(plain) << 3) | 1).to_bytes(3, "little") + plain  # one raw block, the last
    allowed = MAX_WINDOW_BYTES.bit_length() - 1
    assert decompress(frame_header(100, allowed) + block, "x", LIMIT) == plain
    with pytest.raises(ObjectDamaged, match="window"):
        decompress(frame_header(100, allowed + 1) + block, "x", LIMIT)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    for blob in (data, compress(b"")[:4] + data):
        with suppress(ObjectDamaged):
            assert len(decompress(blob, "x", LIMIT)) == declared_size(blob, "x")


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", SKIPPABLE, SKIPPABLE + compress(b"hello")],
    ids=["empty", "text", "skippable", "skippable first"],
)
def test_what_does_not_begin_with_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ObjectDamaged, match="not a zstd frame"):
        decompress(data, "x", LIMIT)


@given(st.binary(max_size=64), st.binary(max_size=254))
def test_a_trailer_comes_off_as_it_was_put_on(plain: bytes, payload: bytes) -> None:
    frame = compress(plain)
    assert detach_trailer(attach_trailer(frame, payload), "x") == (frame, payload)


def test_any_zstd_decoder_passes_over_a_trailer() -> None:
    blob = attach_trailer(compress(b"hello"), bytes(32))
    assert zstandard.ZstdDecompressor().stream_reader(blob).read() == b"hello"


@pytest.mark.parametrize("length", range(41))
def test_a_trailer_cut_short_is_refused(length: int) -> None:
    blob = attach_trailer(compress(b"hello"), bytes(range(32)))
    with pytest.raises(ObjectDamaged, match="trailer"):
        detach_trailer(blob[: len(blob) - 41 + length], "x")


def test_a_trailer_without_a_frame_is_refused() -> None:
    with pytest.raises(ObjectDamaged):
        detach_trailer(attach_trailer(b"", b"payload"), "x")
