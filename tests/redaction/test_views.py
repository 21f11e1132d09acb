"""Readings of a line, and the way back to its raw bytes."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gitmem.redaction.views import MAX_LAYERS, innermost, read

SPICY = st.text(
    alphabet=st.sampled_from('ab"\\/\n\t\r\b\f\u00e9\u20ac\U0001f600\ud83d\x00u0041'), max_size=12
)


@given(SPICY | st.text(max_size=20), st.integers(1, 4), st.booleans())
@example("\\u0041", 2, True)
@example("\ud83d", 1, True)
def test_each_layer_of_json_is_a_reading(text: str, layers: int, ascii_only: bool) -> None:
    if not ascii_only and any("\ud800" <= c <= "\udfff" for c in text):
        return
    line, wanted = text, []
    for _ in range(layers):
        wanted.append(line.encode("utf-8", "surrogatepass"))
        line = json.dumps(line, ensure_ascii=ascii_only)[1:-1]
    readings = [view.data for view in read(line.encode("utf-8", "surrogatepass")).views]
    for at, text_there in enumerate(reversed(wanted), 1):
        assert readings[min(at, len(readings) - 1)] == text_there


@given(st.binary(max_size=40) | SPICY.map(lambda text: json.dumps(text).encode()), st.data())
def test_a_span_leads_back_to_bytes_that_read_as_it(raw: bytes, data: st.DataObject) -> None:
    views = read(raw).views
    depth = data.draw(st.integers(0, len(views) - 1))
    view = views[depth]
    start = data.draw(st.integers(0, len(view.data)))
    end = data.draw(st.integers(start, len(view.data)))
    raw_start, raw_end = view.raw_span(start, end)
    assert 0 <= raw_start <= raw_end <= len(raw) or start == end
    if start < end:
        again = read(raw[raw_start:raw_end]).views
        assert view.data[start:end] in again[min(depth, len(again) - 1)].data


@given(st.binary(max_size=60))
def test_spans_side_by_side_do_not_overlap(raw: bytes) -> None:
    for view in read(raw).views:
        for cut in range(1, len(view.data)):
            _, end = view.raw_span(0, cut)
            start, _ = view.raw_span(cut, len(view.data))
            if view.data[:cut].isascii() and view.data[cut:].isascii():
                assert end <= start


def test_every_reading_of_hostile_nesting_is_bounded() -> None:
    for raw in (b"\\" * 100_001, b"\\u005c" * 20_000, b"\\" + b"u005c" * 20_000, b"\\\\n" * 30_000):
        assert len(read(raw).views) <= MAX_LAYERS + 2


def test_escapes_spelled_out_too_deep_are_named() -> None:
    letter = "g"
    for _ in range(MAX_LAYERS + 1):
        letter = "".join(f"\\u{ord(c):04x}" for c in letter)
    assert not read(letter.encode()[:0]).too_deep
    reading = read(b"ab " + letter.encode() + b" cd")
    assert reading.too_deep
    assert all(3 <= start < end <= 3 + len(letter) for start, end in reading.too_deep)


def test_backslashes_of_any_depth_are_read() -> None:
    line = "\nx"
    for _ in range(14):
        line = json.dumps(line)[1:-1]
    assert innermost(line.encode()) == b"\nx"


def test_innermost_is_the_same_wherever_a_text_stood() -> None:
    text = line = 'pa"s/s\\w\u00e9'
    for _ in range(3):
        line = json.dumps(line)[1:-1]
        assert innermost(line.encode()) == innermost(text.encode())
