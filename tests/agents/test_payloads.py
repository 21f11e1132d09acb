"""What agents say to hooks: read as far as it is what it should be, and never a reason to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.agents.answers import answer
from gitmem.agents.payloads import MAX_BYTES, NoPayload, Payload, read_payload
from gitmem.agents.targets import AGENTS
from gitmem.agents.telling import is_first

STARTS: dict[str, dict[str, Any]] = {
    "claude-code": {
        "session_id": "s1",
        "transcript_path": "/h/.claude/projects/-r/s1.jsonl",
        "cwd": "/r",
        "hook_event_name": "SessionStart",
        "source": "startup",
        "permission_mode": "default",
    },
    "codex": {
        "session_id": "s1",
        "transcript_path": None,
        "cwd": "/r",
        "hook_event_name": "SessionStart",
        "model": "gpt-5",
        "source": "startup",
    },
    "gemini-cli": {
        "session_id": "s1",
        "transcript_path": "/h/.gemini/tmp/r/chats/session-1.jsonl",
        "cwd": "/r",
        "hook_event_name": "SessionStart",
        "timestamp": "2026-11-01T10:00:00Z",
        "source": "startup",
    },
    "cursor": {
        "conversation_id": "s1",
        "generation_id": "g1",
        "hook_event_name": "sessionStart",
        "cursor_version": "2.9",
        "workspace_roots": ["/r"],
        "user_email": "ada@example.org",
        "transcript_path": None,
    },
    "opencode": {"sessionID": "s1", "directory": "/r", "source": "startup"},
    "copilot-cli": {"sessionId": "s1", "timestamp": 1_790_000_000_000, "cwd": "/r", "source": "new"},
}


def read(agent: str, said: Any) -> Payload:
    payload = read_payload(agent, json.dumps(said).encode())
    assert isinstance(payload, Payload)
    return payload


@pytest.mark.parametrize("agent", AGENTS)
def test_every_agents_payload_is_read(agent: str) -> None:
    payload = read(agent, STARTS[agent])
    assert (payload.session_id, payload.cwd, payload.ignored) == ("s1", Path("/r"), ())
    assert payload.wants_digest


def test_a_transcript_is_named_by_those_that_have_one() -> None:
    assert read("claude-code", STARTS["claude-code"]).transcript == Path("/h/.claude/projects/-r/s1.jsonl")
    assert read("copilot-cli", {"transcriptPath": "/h/t.jsonl"}).transcript == Path("/h/t.jsonl")
    assert read("codex", STARTS["codex"]).transcript is None


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b'{"session_id": "\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"[]", "not an object"),
        (b'"x"', "not an object"),
        (b"null", "not an object"),
        (b'{"a": "' + b"x" * MAX_BYTES + b'"}', "too large"),
    ],
)
def test_what_is_no_payload_has_a_name(agent: str, content: bytes, why: str) -> None:
    assert read_payload(agent, content) == NoPayload(why)  # type: ignore[arg-type]


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    "value", [7, None, True, [], {}, ["x"], {"a": 1}, "x" * 5000, "a\nb", "a\x00b", "\ud800"]
)
def test_fields_of_a_wrong_kind_are_left_out(agent: str, value: Any) -> None:
    payload = read(agent, dict.fromkeys(STARTS[agent], value))
    assert (payload.session_id, payload.transcript, payload.cwd, payload.source) == (None, None, None, None)


@pytest.mark.parametrize(
    "path", ["t.jsonl", "../../etc/passwd", "~/x", "\\\\host\\x", "file:///etc/passwd", ""]
)
def test_a_path_that_is_not_absolute_is_none(path: str) -> None:
    assert read("claude-code", {"transcript_path": path, "cwd": path}).transcript is None


@pytest.mark.parametrize(
    ("agent", "said", "expected"),
    [
        ("claude-code", {"source": "resume"}, False),
        ("claude-code", {"source": "fork"}, False),
        ("claude-code", {"source": "compact"}, True),
        ("claude-code", {"source": "clear"}, True),
        ("claude-code", {"source": "some day"}, True),
        ("claude-code", {"agent_id": "a1"}, False),
        ("codex", {"parent_thread_id": "t1"}, False),
        ("opencode", {"parentID": "ses_1"}, False),
        ("claude-code", {"transcript_path": None}, False),  # Copilot CLI runs what stands in .claude as well
        ("claude-code", {"cursor_version": "2.9"}, False),
    ],
)
def test_who_has_been_told_or_is_somebody_elses_wants_no_digest(
    agent: str, said: dict[str, Any], expected: bool
) -> None:
    assert read(agent, {**STARTS[agent], **said}).wants_digest is expected


@given(
    st.sampled_from(AGENTS),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*STARTS["claude-code"], *STARTS["cursor"], "sessionId", "agent_id"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_whatever_is_said_something_comes_of_it(agent: str, content: bytes) -> None:
    payload = read_payload(agent, content)
    if isinstance(payload, Payload):
        assert all(path is None or path.is_absolute() for path in (payload.cwd, payload.transcript))
    else:
        assert payload.why


def test_each_agent_is_answered_in_its_own_form() -> None:
    said = {agent: json.loads(answer(agent, "what went before")) for agent in AGENTS}
    claude = {
        "hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": "what went before"}
    }
    assert said == {
        "claude-code": claude,
        "codex": claude,
        "gemini-cli": claude,
        "cursor": {"additional_context": "what went before"},
        "opencode": {"context": "what went before"},
        "copilot-cli": {"additionalContext": "what went before"},
    }


@pytest.mark.parametrize("agent", AGENTS)
def test_an_answer_is_one_line_of_ascii_and_none_where_nothing_is_to_say(agent: str) -> None:
    said = answer(agent, 'two\nlines, "quoted" </s> \u2028 ü')
    assert said.isascii()
    assert said.count(b"\n") == 1
    assert answer(agent, "") == b""


def test_a_session_is_told_once_within_seconds_and_again_later(tmp_path: Path) -> None:
    assert is_first(tmp_path, "s1", 1_000_000)
    assert not is_first(tmp_path, "s1", 1_000_500)
    assert is_first(tmp_path, "s2", 1_000_500)
    assert is_first(tmp_path, "s1", 1_020_000)
    assert is_first(tmp_path, "s1", 5)  # the clock was set back
    for damaged in (b"", b"[]", b"{", b'{"x": "y"}'):
        (tmp_path / "told").write_bytes(damaged)
        assert is_first(tmp_path, "s3", 1_000_000)
    for n in range(60):
        assert is_first(tmp_path, f"n{n}", 1_000_000 + n)
    assert len(json.loads((tmp_path / "told").read_bytes())) == 50
