"""What is particular to pi: a tree of entries, of which all branches are read."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gitmem.transcripts import folders
from gitmem.transcripts.detect import detect
from gitmem.transcripts.read import Transcript, read
from tests.transcripts.fixture import FIXTURES
from tests.transcripts.records import line, lines

HEADER = {"type": "session", "id": "s-1", "timestamp": "2026-05-08T09:00:00Z", "cwd": "/tideline"}


def entry(own: str | None, parent: str | None, text: str, role: str = "user") -> dict[str, object]:
    message = {"role": role, "content": text}
    return {"type": "message", "id": own, "parentId": parent, "message": message}


def read_pi(*records: object, inherited: frozenset[str] = frozenset()) -> Transcript:
    return read("pi", [("", [lines(HEADER, *records)])], inherited=inherited)


def live_branch(transcript: Transcript) -> list[str]:
    """Go from the last turn to its parent, and on, as docs/agents.md says."""
    texts, wanted = [], transcript.turns[-1].id
    for turn in reversed(transcript.turns):
        if turn.id == wanted:
            texts.append(turn.text)
            parent = turn.parent
        elif turn.id == parent:
            texts.append(turn.text)
            wanted, parent = turn.id, turn.parent
    return texts[::-1]


def test_all_branches_are_read_and_the_last_one_is_the_live_one() -> None:
    transcript = read_pi(
        entry("1", None, "a"),
        entry("2", "1", "left"),
        entry("3", "2", "left, on"),
        {"type": "label", "id": "4", "parentId": "3", "targetId": "1", "label": "here"},
        entry("5", "1", "right"),
        {"type": "model_change", "id": "6", "parentId": "5", "modelId": "m"},
        entry("7", "6", "right, on"),
    )
    notice = "Back to turn 0: another branch begins here"
    assert [turn.text for turn in transcript.turns] == ["a", "left", "left, on", notice, "right", "right, on"]
    assert live_branch(transcript) == ["a", notice, "right", "right, on"]


def test_parent_of_a_turn_is_an_entry_that_has_turns() -> None:
    transcript = read_pi(
        entry("1", None, "a"),
        {"type": "thinking_level_change", "id": "2", "parentId": "1", "thinkingLevel": "low"},
        {"type": "model_change", "id": "3", "parentId": "2", "modelId": "m"},
        entry("4", "3", "b"),
    )
    assert [(turn.id, turn.parent) for turn in transcript.turns] == [("1", None), ("4", "1")]


def test_lines_of_the_first_version_have_no_ids_and_no_branches() -> None:
    first = [{"type": "message", "message": {"role": "user", "content": text}} for text in "ab"]
    turns = read_pi(*first).turns
    assert [(turn.text, turn.id, turn.parent) for turn in turns] == [("a", None, None), ("b", None, None)]


def test_fork_is_read_without_what_it_copied_and_goes_on_from_there() -> None:
    records = (entry("1", None, "a"), entry("2", "1", "b"), entry("3", "2", "c"), entry("4", "1", "d"))
    transcript = read_pi(*records, inherited=frozenset("12"))
    assert [(turn.text, turn.parent) for turn in transcript.turns] == [
        ("c", "2"),
        ("Back to what is not here: another branch begins here", "1"),
        ("d", "1"),
    ]
    assert transcript.tally.replayed == 2
    assert transcript.ids == {"1", "2", "3", "4"}


def test_entries_of_one_id_are_all_kept() -> None:
    # Redaction may have made two ids one.
    assert [turn.text for turn in read_pi(entry("1", None, "a"), entry("1", "1", "b")).turns] == ["a", "b"]


def test_entry_that_is_its_own_parent_or_names_none_that_is_there_stands_at_the_root() -> None:
    turns = read_pi(entry("1", "1", "a"), entry("2", "nobody", "b")).turns
    assert [turn.parent for turn in turns if turn.kind == "message"] == [None, None]


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("/home/ada/.pi/agent/sessions/--t--/2026-05-07T08-00-00-000Z_s-0.jsonl", "s-0"),
        ("C:\\Users\\ada\\.pi\\agent\\sessions\\2026_s-0.jsonl", "s-0"),
        ("s-0", "s-0"),
        ("", None),
        (7, None),
    ],
)
def test_fork_names_its_origin_by_a_path_or_an_id(parent: object, expected: str | None) -> None:
    identity = detect(line(HEADER | {"parentSession": parent}), PurePath("x.jsonl"))
    assert (identity.agent, identity.forked_from) == ("pi", expected)


def test_sessions_of_omp_and_openclaw_are_looked_for_where_they_are(tmp_path: Path) -> None:
    kept = tmp_path / ".openclaw" / "agents" / "harbour" / "sessions"
    kept.mkdir(parents=True)
    assert folders.pi(tmp_path, {}) == [
        tmp_path / ".pi" / "agent" / "sessions",
        tmp_path / ".omp" / "agent" / "sessions",
        kept,
    ]
    assert folders.pi(tmp_path, {"PI_CODING_AGENT_DIR": "/pi"})[0] == Path("/pi/sessions")


def test_live_branch_of_the_fixture_is_the_last_entry() -> None:
    data = (FIXTURES / "pi" / "two-branches" / "main.jsonl").read_bytes()
    before = read("pi", [("", [data[: data.rindex(b'{"type":"message","id":"c0000001"')]])])
    assert "Leave the sign; is the chart datum LAT?" in live_branch(before)
    assert "1 failed in 0.12s\n\nCommand exited with code 1" not in live_branch(before)
    assert [t for t in live_branch(read("pi", [("", [data])])) if "Start over" in t]
