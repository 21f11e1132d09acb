"""Trajectories in the interchange format: what is in a document, and how its steps are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.turns import Tokens
from gitmem.transcripts import atif as atif_module
from gitmem.transcripts.atif import Trajectories
from gitmem.transcripts.read import Transcript, read
from gitmem.transcripts.trajectory import metrics_of, tokens_of
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.trajectories import lock_gates, result, step, trajectory

GATES = FIXTURES / "atif" / "lock-gates"
DOCUMENT = Trajectories()

counts = st.integers(0, 10**9)


def write(path: Path, document: object, indent: int | None = None) -> Path:
    path.write_text(json.dumps(document, indent=indent))
    return path


def renditions(path: Path) -> dict[str, bytes]:
    return {
        listed.identity.stream: b"".join(DOCUMENT.rendition(path, listed.identity))
        for listed in DOCUMENT.sessions(path, None).sessions
    }


def of(*steps: dict[str, Any], **more: Any) -> Transcript:
    members = trajectory("t", *steps, **more)
    first = {"trajectory": {key: value for key, value in members.items() if key != "steps"}}
    lines = [json.dumps(one).encode() + b"\n" for one in (first, *steps)]
    return read("atif", [("", lines)])


@pytest.mark.parametrize("indent", [None, 2])
def test_renditions_are_the_fixture(tmp_path: Path, indent: int | None) -> None:
    path = write(tmp_path / "lock.trajectory.json", lock_gates(), indent)
    assert DOCUMENT.holds(path, path.read_bytes()[:300])
    found = renditions(path)
    assert list(found) == ["", "agent-sub-1", "agent-sub-2"]
    for stream, rendition in found.items():
        expected = (GATES / f"{stream or 'main'}.jsonl").read_bytes()
        assert [json.loads(one) for one in rendition.splitlines()] == [
            json.loads(one) for one in expected.splitlines()
        ]


def test_embedded_trajectories_are_streams_of_the_outermost(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", lock_gates())
    identities = [listed.identity for listed in DOCUMENT.sessions(path, None).sessions]
    assert {one.native_id for one in identities} == {"lock/../1"}
    assert [one.parent_id for one in identities] == [None, "lock/../1", "sub-1"]
    assert identities[0].cwd == "/home/ada/tideline"


def test_trajectory_without_an_id_is_named_after_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "run-7.trajectory.json", trajectory(None, step(1, "user", "hi")))
    assert DOCUMENT.sessions(path, None).sessions[0].identity.native_id == "run-7"


def test_trajectories_of_one_session_are_told_apart_by_their_own_ids(tmp_path: Path) -> None:
    document = trajectory("run", step(1, "user", "hi"), trajectory_id="part-2")
    path = write(tmp_path / "x.json", document)
    assert DOCUMENT.sessions(path, None).sessions[0].identity.native_id == "part-2"


def test_growing_trajectory_keeps_its_earlier_lines(tmp_path: Path) -> None:
    steps = [step(1, "user", "hi"), step(2, "agent", "ho")]
    path = write(tmp_path / "x.json", trajectory("t", *steps[:1], final_metrics={"total_steps": 1}))
    before = renditions(path)[""].splitlines()
    write(path, trajectory("t", *steps, final_metrics={"total_steps": 2}))
    after = renditions(path)[""].splitlines()
    assert after[:2] == before[:2]
    assert len(after) == len(before) + 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"schema_version": "ATIF-v1.7"}',
        b'{"schema_version": "ATIF-v2.0", "steps": []}',
        b'{"schema_version": "ATIF-v1.7", "steps": [{"a"',
        b'{"schema_version": ["ATIF-v1.7"], "steps": []}',
        b"\xff\xfe",
    ],
)
def test_other_documents_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(UnknownTranscript):
        DOCUMENT.sessions(path, None)


def test_document_beyond_what_is_held_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atif_module, "LARGEST_BYTES", 100)
    path = write(tmp_path / "x.json", trajectory("t", step(1, "user", "hi")))
    with pytest.raises(UnknownTranscript, match="100 bytes"):
        DOCUMENT.sessions(path, None)


def test_subagents_nested_without_end_are_read_as_deep_as_it_makes_sense(tmp_path: Path) -> None:
    document = trajectory("leaf", step(1, "user", "hi"))
    for depth in range(60):
        document = trajectory(f"t{depth}", step(1, "user", "hi"), subagent_trajectories=[document])
    path = write(tmp_path / "x.json", document)
    assert len(DOCUMENT.sessions(path, None).sessions) == 21


def test_members_of_any_type_are_no_reason_to_fail(tmp_path: Path) -> None:
    odd: dict[str, Any] = {
        "schema_version": "ATIF-v1.0",
        "session_id": 5,
        "agent": [],
        "extra": "x",
        "steps": [1, None, [], {"source": "agent", "tool_calls": {}, "observation": {"results": 3}}],
        "subagent_trajectories": [1, {"steps": 7}],
    }
    path = write(tmp_path / "x.json", odd)
    for stream, rendition in renditions(path).items():
        assert read("atif", [(stream, [rendition])]).turns == []


def test_copied_context_is_dropped_and_counted() -> None:
    transcript = of(step(1, "user", "old", is_copied_context=True), step(2, "user", "new"))
    assert [turn.text for turn in transcript.turns] == ["new"]
    assert transcript.tally.replayed == 1


def test_observation_of_any_step_is_a_result() -> None:
    found = {"results": [result("c", "done"), result(None, None)]}
    turns = of(step(1, "system", "", observation=found)).turns
    assert [(turn.role, turn.text) for turn in turns] == [("tool", "done"), ("tool", "")]


@given(tokens=st.builds(Tokens, counts, counts, counts, counts, counts))
def test_tokens_come_back_from_the_metrics_they_are_written_as(tokens: Tokens) -> None:
    assert tokens_of(metrics_of(tokens)) == tokens


def test_prompt_that_is_smaller_than_what_was_cached_counts_nothing() -> None:
    assert tokens_of({"prompt_tokens": 5, "cached_tokens": 9}) == Tokens(cache_read=9)
