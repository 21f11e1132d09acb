"""Which agent wrote a file, and which session it is."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.detect import AGENTS, HEAD_BYTES, detect
from tests.transcripts.fixture import Fixture, all_fixtures
from tests.transcripts.records import claude_user, codex, codex_message, gemini, generic, line, lines

ALL = all_fixtures()
HOSTILE_IDS = ["../../etc/passwd", "a/b/c", "..", "x" * 5000, "\u202egnp", "name with\nline feed"]


@pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)
@pytest.mark.parametrize("size", [700, 1000, 5000, HEAD_BYTES])
def test_head_may_be_cut_anywhere(fixture: Fixture, size: int) -> None:
    identity = detect(fixture.main[:size], PurePath("main.jsonl"))
    assert identity.agent == fixture.agent


@pytest.mark.parametrize("agent", [None, *AGENTS])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\x00\x00"])
def test_empty_file_is_named_as_such(agent: str | None, content: bytes) -> None:
    with pytest.raises(UnknownTranscript, match="empty"):
        detect(content, PurePath("x.jsonl"), agent)


@pytest.mark.parametrize(
    "content", [b"# Notes\n\nHello.\n", b'{"name": "tideline", "version": 1}\n', b"[1, 2]\n", b"\xff\xfe\x00"]
)
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(UnknownTranscript):
        detect(content, PurePath("package.json"))


def test_agent_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownTranscript, match="no reader is named 'parrot'"):
        detect(b"{}", PurePath("x.jsonl"), "parrot")


def test_named_agent_takes_a_file_that_says_nothing_of_itself() -> None:
    identity = detect(b'{"type": "from-the-future"}\n', PurePath("abc.jsonl"), "claude-code")
    assert (identity.agent, identity.native_id, identity.shape) == ("claude-code", "abc", "lines")


def test_content_outweighs_the_name() -> None:
    path = PurePath("/home/ada/.codex/sessions/rollout-2026-01-01T00-00-00-0.jsonl")
    assert detect(line(claude_user("u1", "hi")), path).agent == "claude-code"


@pytest.mark.parametrize("name", HOSTILE_IDS)
def test_id_may_be_any_text(name: str) -> None:
    path = PurePath("x.jsonl")
    assert detect(line(claude_user("u1", "hi", sessionId=name)), path).native_id == name
    assert detect(line(codex("session_meta", id=name)), path).native_id == name
    assert detect(line({"session": {"id": name}}), path).native_id == name


def test_bad_first_line_hides_nothing() -> None:
    content = b'wn":"cut off"}\n' + line(claude_user("u1", "hi"))
    assert detect(content, PurePath("x.jsonl")).native_id == "s-1"


def test_bad_first_line_that_looks_like_an_object_hides_nothing() -> None:
    content = b'{"type":"user","sessionId":"s-0","text":"\\q}\n' + line(claude_user("u1", "hi"))
    assert detect(content, PurePath("x.jsonl")).native_id == "s-1"


def test_first_line_longer_than_the_head_is_recognised() -> None:
    content = line(claude_user("u1", "x" * (HEAD_BYTES * 2)) | {"type": "user"})
    head = b'{"type":"user","sessionId":"s-1",' + content[1:]
    assert detect(head[:HEAD_BYTES], PurePath("x.jsonl")).agent == "claude-code"


def test_resumed_claude_session_is_the_one_its_file_is_named_after() -> None:
    content = lines(claude_user("u1", "a", sessionId="before"), claude_user("u2", "b", sessionId="now"))
    assert detect(content, PurePath("now.jsonl")).native_id == "now"


def test_claude_lines_without_a_session_are_named_after_the_file() -> None:
    content = line({"type": "summary", "summary": "Tides", "leafUuid": "u0"})
    assert detect(content, PurePath("p/abc.jsonl")).native_id == "abc"


def test_fork_names_its_origin() -> None:
    forked = claude_user("u1", "a", forkedFrom={"sessionId": "s-0", "messageUuid": "u0"})
    assert detect(line(forked), PurePath("x.jsonl")).forked_from == "s-0"
    assert detect(line(codex("session_meta", id="b", forked_from_id="a")), PurePath("x")).forked_from == "a"


def test_codex_subagent_belongs_to_its_root_where_it_is_told_and_else_to_its_parent() -> None:
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "p"}}}
    told = detect(line(codex("session_meta", id="c", session_id="root", source=spawned)), PurePath("x"))
    untold = detect(line(codex("session_meta", id="c", source=spawned)), PurePath("x"))
    assert (told.native_id, told.stream, told.parent_id) == ("root", "agent-c", "p")
    assert (untold.native_id, untold.stream, untold.parent_id) == ("p", "agent-c", "p")


def test_codex_thread_without_its_first_line_is_named_after_the_file() -> None:
    path = PurePath("rollout-2026-05-08T09-00-00-019e1111-2222-7333-8444-555566667777.jsonl")
    assert detect(line(codex_message("user", "hi")), path).native_id == "019e1111-2222-7333-8444-555566667777"


def test_gemini_subagent_belongs_to_the_session_whose_folder_it_is_in() -> None:
    first = {"sessionId": "child", "projectHash": "0f", "startTime": "", "kind": "subagent"}
    identity = detect(line(first), PurePath("chats/parent-1/child.jsonl"))
    assert (identity.native_id, identity.stream, identity.parent_id) == (
        "parent-1",
        "agent-child",
        "parent-1",
    )


def test_gemini_document_is_told_from_lines() -> None:
    session = {"sessionId": "g", "projectHash": "0f", "startTime": ""}
    whole = line(session | {"messages": [gemini("m1", "hi")]})
    assert detect(whole, PurePath("x.json")).shape == "document"
    assert detect(lines(session, gemini("m1", "hi")), PurePath("x.jsonl")).shape == "lines"


def test_copilot_session_without_its_first_event_is_named_after_its_folder() -> None:
    event = {"type": "user.message", "data": {"content": "hi"}, "id": "e1"}
    assert detect(line(event), PurePath("session-state/abc/events.jsonl")).native_id == "abc"
    assert detect(line(event), PurePath("session-state/def.jsonl")).native_id == "def"


def test_neutral_form_needs_no_session_line() -> None:
    identity = detect(line(generic("1", "hi")), PurePath("talk.jsonl"))
    assert (identity.agent, identity.native_id) == ("generic", "talk")
