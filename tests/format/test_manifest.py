"""Manifests: what captures come to, compared with plain lists of lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.format.manifest import Head, Span, heads, repeats, trace
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import RecordId, SegmentId, SessionId
from gitmem.model.records import Author, Capture, SegmentEntry
from tests.verify.memories import AT, Draft, lines_of

SESSION = SessionId("ab" * 32)


class Log:
    """Captures with small segments that were cut anywhere, and the text that each stands for."""

    def __init__(self) -> None:
        self.captures: dict[RecordId, Capture] = {}
        self.segments: dict[SegmentId, bytes] = {}
        self.texts: dict[RecordId, bytes] = {}
        self.generations: dict[RecordId, int] = {}

    def add(
        self, pieces: list[bytes], *parents: RecordId, keep: int | None = None, stream: str = "", at: str = AT
    ) -> RecordId:
        before = self.texts[parents[0]] if parents else b""
        total = before.count(b"\n")
        keep = total if keep is None else keep
        entries = []
        for piece in pieces:
            segment = SegmentId(f"{len(self.segments):064x}")
            self.segments[segment] = piece
            entries.append(SegmentEntry(segment, piece.count(b"\n"), len(piece)))
        name = RecordId(f"{len(self.captures):064x}")
        self.captures[name] = Capture(
            SESSION, at, Author("Ada"), "t", "r", tuple(entries), keep, parents, stream
        )
        self.texts[name] = b"".join(lines_of(before)[:keep]) + b"".join(pieces)
        self.generations[name] = (self.generations[parents[0]] if parents else 0) + (keep < total)
        return name

    def text(self, head: Head) -> bytes:
        return b"".join(span.take(self.segments[span.segment]) for span in head.spans)

    def check(self, name: RecordId) -> Head:
        head = trace(name, self.captures)
        assert self.text(head) == self.texts[name]
        assert head.lines == self.texts[name].count(b"\n") == sum(span.line_ends for span in head.spans)
        assert head.generation == self.generations[name]
        assert head.size_bytes >= len(self.texts[name])
        return head


PIECES = st.lists(st.text("ab\n", min_size=1, max_size=6).map(str.encode), max_size=4)


@settings(max_examples=300)
@given(st.lists(st.tuples(PIECES, st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_captures_come_to_the_text_that_a_list_of_lines_says(
    steps: list[tuple[list[bytes], int, int]],
) -> None:
    log = Log()
    names: list[RecordId] = []
    for pieces, choice, taken_back in steps:
        parent = names[-1 - choice % len(names)] if names and choice else None
        if parent is None:
            names.append(log.add(pieces))
        else:
            lines = log.texts[parent].count(b"\n")
            names.append(log.add(pieces, parent, keep=max(0, lines - taken_back % 4)))
        log.check(names[-1])
    parents = {parent for capture in log.captures.values() for parent in capture.parents}
    found = heads(log.captures)[""]
    assert {head.capture for head in found} == set(names) - parents
    assert [head.lines for head in found] == sorted((head.lines for head in found), reverse=True)


def test_what_stands_behind_the_last_line_end_is_dropped_by_the_next_capture() -> None:
    log = Log()
    first = log.add([b"one\ntwo\nhalf of th"])
    second = log.add([b"three\n"], first)
    assert log.text(log.check(first)) == b"one\ntwo\nhalf of th"
    assert log.text(log.check(second)) == b"one\ntwo\nthree\n"
    assert log.check(second).generation == 0


def test_a_long_line_in_pieces_is_dropped_as_a_whole() -> None:
    log = Log()
    first = log.add([b"one\nbegin", b"middle", b"end"])
    assert log.text(log.check(log.add([b"two\n"], first))) == b"one\ntwo\n"
    kept = log.add([b"one\nbegin", b"middle", b"end\n"])
    assert log.text(log.check(log.add([b"two\n"], kept))) == b"one\nbeginmiddleend\ntwo\n"


def test_taking_text_back_starts_a_generation() -> None:
    log = Log()
    first = log.add([b"1\n2\n3\n", b"4\n5\n"])
    second = log.add([b"x\n"], first, keep=4)
    third = log.add([], second, keep=2)
    assert log.text(log.check(second)) == b"1\n2\n3\n4\nx\n"
    assert log.text(log.check(third)) == b"1\n2\n"
    assert log.check(third).generation == 2


def test_keeping_nothing_starts_anew() -> None:
    log = Log()
    head = log.check(log.add([b"new\n"], log.add([b"1\n2\n"]), keep=0))
    assert log.text(head) == b"new\n"
    assert len(head.spans) == 1


def test_a_text_may_be_empty() -> None:
    log = Log()
    assert log.check(log.add([])) == Head(RecordId("0" * 64), log.captures[RecordId("0" * 64)], (), 0, 0, 0)


def test_no_captures_are_no_heads() -> None:
    assert heads({}) == {}


def test_a_fork_is_two_heads_with_the_longer_first() -> None:
    log = Log()
    base = log.add([b"1\n"])
    short, long = log.add([b"2\n"], base), log.add([b"2\n3\n"], base)
    assert [head.capture for head in heads(log.captures)[""]] == [long, short]


def test_of_heads_as_long_as_each_other_the_later_comes_first_and_then_the_higher_id() -> None:
    log = Log()
    late = log.add([b"1\n"], at="2027-01-01T00:00:00.000Z")
    early, early_too = log.add([b"2\n"]), log.add([b"3\n"])
    assert [head.capture for head in heads(log.captures)[""]] == [late, early_too, early]


def test_a_head_that_contains_another_leaves_one() -> None:
    log = Log()
    base = log.add([b"1\n"])
    one, other = log.add([b"2\n"], base), log.add([b"2\n"], base)
    both = log.add([b"3\n"], one, other)
    [head] = heads(log.captures)[""]
    assert head.capture == both
    assert log.text(head) == b"1\n2\n3\n"


def test_each_stream_has_heads_of_its_own_and_the_sessions_comes_first() -> None:
    log = Log()
    log.add([b"sub\n"], stream="agent-2")
    log.add([b"sub\n"], stream="agent-1")
    log.add([b"main\n"])
    assert list(heads(log.captures)) == ["", "agent-1", "agent-2"]


@pytest.mark.parametrize("keep", [1, 3, 2**53 - 1])
def test_keeping_more_than_there_is_is_refused(keep: int) -> None:
    log = Log()
    log.add([b"1\n"], keep=keep)
    with pytest.raises(RecordRefused, match=f"keeps {keep} lines where there are 0"):
        heads(log.captures)


def test_a_parent_that_is_not_here_is_refused_by_name() -> None:
    log = Log()
    base = log.add([b"1\n"])
    log.add([b"2\n"], base)
    del log.captures[base]
    with pytest.raises(RecordRefused, match=f"capture {base}, which is not here"):
        heads(log.captures)


def test_a_parent_of_another_stream_or_session_is_refused() -> None:
    log = Log()
    base = log.add([b"1\n"], stream="agent-1")
    name = log.add([b"2\n"], base)
    with pytest.raises(RecordRefused, match="not of its line"):
        trace(name, log.captures)
    other = Draft("codex", "1")
    elsewhere = other.capture(b"1\n")
    child = log.add([b"2\n"])
    log.captures[child] = Capture(SESSION, AT, Author("A"), "t", "r", (), parents=(elsewhere,))
    with pytest.raises(RecordRefused, match="not of its line"):
        trace(child, log.captures | other.captures)


def test_captures_in_a_circle_are_refused() -> None:
    # Names are digests, so nobody can make one; what reads them does not count on it.
    one, two = RecordId("1" * 64), RecordId("2" * 64)
    circle = {
        one: Capture(SESSION, AT, Author("A"), "t", "r", (), parents=(two,)),
        two: Capture(SESSION, AT, Author("A"), "t", "r", (), parents=(one,)),
    }
    with pytest.raises(RecordRefused, match="not of its line"):
        trace(one, circle)


def test_ten_thousand_captures_in_a_line_are_traced() -> None:
    log = Log()
    last = log.add([b"0\n"])
    for _ in range(9_999):
        name = RecordId(f"{len(log.captures):064x}")
        entry = SegmentEntry(SegmentId("0" * 64), 1, 2)
        log.captures[name] = Capture(SESSION, AT, Author("A"), "t", "r", (entry,), len(log.captures), (last,))
        last = name
    assert trace(last, log.captures).lines == 10_000


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(SegmentId("a" * 64), None, 2, 4), b"1\n2"),
        (Span(SegmentId("a" * 64), None, 1, 4), b"1\n2\n"),
        (Span(SegmentId("a" * 64), 3, 3, 4), b"1\n2\n"),
        (Span(SegmentId("a" * 64), 1, 1, 4), b"1\n2\n3\n"),
        (Span(SegmentId("a" * 64), None, 0, 0), b"1"),
    ],
)
def test_a_segment_that_is_not_as_its_capture_lists_it_is_damaged(span: Span, text: bytes) -> None:
    with pytest.raises(ObjectDamaged, match="bytes and lines"):
        span.take(text)


def repeating(times: int, size_bytes: int, *parents: RecordId, keep: int = 0) -> Capture:
    """Return a capture that lists one segment, of one line, over and over."""
    entries = (SegmentEntry(SegmentId("5e" * 32), 1, size_bytes),) * times
    return Capture(SESSION, AT, Author("Ada"), "t", "r", entries, keep, parents)


@pytest.mark.parametrize(("times", "size_bytes"), [(200_000, 256 << 10), (200_000, 1), (200_000, 0)])
def test_a_text_that_repeats_one_segment_without_bound_is_refused(times: int, size_bytes: int) -> None:
    name = RecordId("01" * 32)
    with pytest.raises(RecordRefused, match="repeats"):
        trace(name, {name: repeating(times, size_bytes)})


def test_repetition_is_counted_over_all_captures_and_forgotten_where_it_is_cut_off() -> None:
    captures: dict[RecordId, Capture] = {}
    parents: tuple[RecordId, ...] = ()
    for n in range(5):
        name = RecordId(f"{n:064x}")
        captures[name] = repeating(1700, 256 << 10, *parents, keep=1700 * n)
        parents = (name,)
    with pytest.raises(RecordRefused, match="repeats"):
        trace(name, captures)
    assert repeats(captures.values())
    captures[name] = repeating(1700, 256 << 10, *captures[name].parents, keep=1700)
    assert trace(name, captures).lines == 3400


def test_a_log_that_says_the_same_for_a_while_is_no_repetition_too_much() -> None:
    name = RecordId("01" * 32)
    assert trace(name, {name: repeating(4096, 256 << 10)}).lines == 4096
