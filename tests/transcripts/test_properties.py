"""What holds of every transcript, whatever its bytes and however they come."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.turns import Turn
from gitmem.transcripts import document as document_module
from gitmem.transcripts.detect import AGENTS, detect
from gitmem.transcripts.read import Transcript, read
from tests.transcripts.fixture import Fixture, all_fixtures

FIXTURES = all_fixtures()
APPENDED = [fixture for fixture in FIXTURES if fixture.files[0].suffix == ".jsonl"]
STRUCTURED = [fixture for fixture in FIXTURES if fixture.files[0].suffix in (".json", ".jsonl")]

fixtures = st.sampled_from(FIXTURES)
junk = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\n", b"\x00", b'"', b"\\", b"{", b"[", b"}", b"]", b",", b"\\ud800", b"\xff", b"null"]
    ),
)


def read_cut(fixture: Fixture, cuts: list[int]) -> Transcript:
    data = fixture.main
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return read(fixture.agent, [("", [data[a:b] for a, b in pairwise(edges)])])


@given(fixture=fixtures, cuts=st.lists(st.integers(0, 2**20), max_size=30))
def test_cuts_change_nothing(fixture: Fixture, cuts: list[int]) -> None:
    assert read_cut(fixture, cuts) == read(fixture.agent, [("", [fixture.main])])


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_bytes_may_come_one_by_one(fixture: Fixture) -> None:
    data = fixture.main
    one_by_one = [data[at : at + 1] for at in range(len(data))]
    assert read(fixture.agent, [("", one_by_one)]) == read(fixture.agent, [("", [data])])


@given(fixture=st.sampled_from(APPENDED), size=st.integers(0, 2**20))
def test_appending_changes_no_earlier_turn(fixture: Fixture, size: int) -> None:
    data = fixture.main
    before = read(fixture.agent, [("", [data[: size % (len(data) + 1)]])]).turns
    after = {turn.ordinal: turn for turn in read(fixture.agent, [("", [data])]).turns}
    # Gemini's messages may be taken back; then no turn ever has their number again.
    shared = [turn for turn in before if fixture.agent != "gemini-cli" or turn.ordinal in after]
    if fixture.agent in ("codex", "gemini-cli"):  # usage may come behind the turn
        assert [_without_tokens(turn) for turn in shared] == [
            _without_tokens(after[turn.ordinal]) for turn in shared
        ]
        assert all(turn.tokens == after[turn.ordinal].tokens for turn in shared if turn.tokens is not None)
    else:
        assert shared == [after[turn.ordinal] for turn in shared]


def _without_tokens(turn: Turn) -> Turn:
    return replace(turn, tokens=None)


@given(data=st.binary(max_size=2000), agent=st.sampled_from(AGENTS))
def test_no_bytes_are_fatal(data: bytes, agent: str) -> None:
    _assert_sound(read(agent, [("", [data])]))


@given(
    fixture=fixtures, spots=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 60), junk), max_size=6)
)
def test_no_damage_to_a_transcript_is_fatal(fixture: Fixture, spots: list[tuple[int, int, bytes]]) -> None:
    data = fixture.main
    for at, length, put in spots:
        at %= len(data) + 1
        data = data[:at] + put + data[at + length :]
    _assert_sound(read(fixture.agent, [("", [data])]))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(fixture=st.sampled_from(STRUCTURED), seed=st.integers(0, 2**32), value=values)
def test_no_field_of_another_type_is_fatal(fixture: Fixture, seed: int, value: object) -> None:
    generator = random.Random(seed)  # where to put it
    data = fixture.main
    if fixture.files[0].suffix == ".json":
        changed = json.dumps(_changed(json.loads(data), value, generator), indent=1).encode()
    else:
        records = [_changed(json.loads(line), value, generator) for line in data.splitlines()]
        changed = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    _assert_sound(read(fixture.agent, [("", [changed])]))
    _assert_detectable_or_refused(changed)


def _changed(record: object, value: object, generator: random.Random) -> object:
    """Put `value` somewhere into a record."""
    if isinstance(record, dict) and record and generator.random() < 0.8:
        key = generator.choice(sorted(record))
        return record | {key: _changed(record[key], value, generator)}
    if isinstance(record, list) and record and generator.random() < 0.8:
        at = generator.randrange(len(record))
        return [*record[:at], _changed(record[at], value, generator), *record[at + 1 :]]
    return value


@given(data=st.binary(max_size=500))
def test_detect_answers_or_refuses(data: bytes) -> None:
    _assert_detectable_or_refused(data)


def _assert_detectable_or_refused(data: bytes) -> None:
    try:
        identity = detect(data, PurePath("x.jsonl"))
    except UnknownTranscript:
        return
    assert identity.agent in AGENTS


@pytest.mark.parametrize(
    "fixture", [f for f in FIXTURES if f.files[0].suffix == ".json"], ids=lambda fixture: fixture.name
)
def test_large_document_reads_as_a_small_one(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    small = fixture.read()
    monkeypatch.setattr(document_module, "DOCUMENT_LIMIT", 0)
    large = fixture.read()
    assert large.turns == small.turns
    assert (large.header, large.tally) == (small.header, small.tally)


def _assert_sound(transcript: Transcript) -> None:
    ordinals = [turn.ordinal for turn in transcript.turns]
    assert ordinals == sorted(set(ordinals))
    for turn in transcript.turns:
        turn.text.encode()
        assert "\x00" not in turn.text
