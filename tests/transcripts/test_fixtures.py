"""Every reader reads its fixtures as they are expected to be read."""

from __future__ import annotations

import msgspec
import pytest

from gitmem.model.turns import KINDS, ROLES
from gitmem.transcripts.detect import AGENTS
from tests.transcripts.fixture import Fixture, all_fixtures

ALL = all_fixtures()


def test_every_reader_has_a_fixture() -> None:
    assert {fixture.agent for fixture in ALL} == set(AGENTS)
    assert all(fixture.files for fixture in ALL)


@pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)
def test_fixture_reads_as_expected(fixture: Fixture) -> None:
    assert fixture.normal_form() == msgspec.json.decode(fixture.expected.read_bytes())


@pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)
def test_fixture_is_recognised_without_its_name(fixture: Fixture) -> None:
    expected = msgspec.json.decode(fixture.expected.read_bytes())
    assert {identity["agent"] for identity in expected["identities"]} == {fixture.agent}


def test_fixtures_reach_every_role_and_kind() -> None:
    turns = [turn for fixture in ALL for turn in fixture.read().turns]
    assert {turn.role for turn in turns} == set(ROLES)
    assert {turn.kind for turn in turns} == set(KINDS)


@pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)
def test_ordinals_rise_within_each_stream_from_zero(fixture: Fixture) -> None:
    turns = fixture.read().turns
    for stream, _ in fixture.streams():
        ordinals = [turn.ordinal for turn in turns if turn.stream == stream]
        assert ordinals[0] == 0
        assert ordinals == sorted(set(ordinals))
