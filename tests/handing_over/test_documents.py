"""Where documents are put, and that they are what their formats' published schemas ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gitmem.handing_over.about import About
from gitmem.handing_over.agent_trace import Writer, record
from gitmem.handing_over.atif import trajectory
from gitmem.handing_over.records import encoded
from gitmem.model.ids import MAIN_STREAM, Oid, SessionKey
from gitmem.model.turns import Header, ToolCall, ToolResult, Turn
from gitmem.transcripts.atif import AGENT as ATIF
from gitmem.transcripts.read import read
from tests.handing_over.conftest import Gitmem
from tests.journeys.people import Coder
from tests.transcripts.fixture import Fixture, all_fixtures

STEP = {
    *("step_id", "timestamp", "source", "model_name", "reasoning_effort", "message", "reasoning_content"),
    *("tool_calls", "observation", "metrics", "is_copied_context", "llm_call_count", "extra"),
}
OF_AGENTS = {"model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics"}
TRAJECTORY = {
    *("schema_version", "session_id", "trajectory_id", "agent", "steps", "notes", "final_metrics"),
    *("continued_trajectory_ref", "subagent_trajectories", "extra"),
}
"""What Harbor's models of ATIF-v1.7 know, which forbid all else."""


def expect_valid(document: dict[str, Any]) -> None:
    assert document.keys() <= TRAJECTORY
    assert document["agent"].keys() <= {"name", "version", "model_name", "tool_definitions", "extra"}
    assert document["agent"]["name"]
    assert document["agent"]["version"]
    assert [step["step_id"] for step in document["steps"]] == list(range(1, len(document["steps"]) + 1)) != []
    for step in document["steps"]:
        assert step.keys() <= STEP
        assert step["source"] in ("system", "user", "agent")
        assert isinstance(step["message"], str)
        assert step["source"] == "agent" or not OF_AGENTS & step.keys()
        calls = step.get("tool_calls", [])
        for call in calls:
            assert call.keys() <= {"tool_call_id", "function_name", "arguments", "extra"}
            assert isinstance(call["tool_call_id"], str)
            assert isinstance(call["arguments"], dict)
        for result in step.get("observation", {"results": []})["results"]:
            assert result.keys() <= {"source_call_id", "content", "subagent_trajectory_ref", "extra"}
            named = result.get("source_call_id")
            assert named is None or named in {call["tool_call_id"] for call in calls}
    totals = document.get("final_metrics")
    assert totals is None or totals["total_steps"] == len(document["steps"])
    embedded = document.get("subagent_trajectories", [])
    assert len({one["trajectory_id"] for one in embedded}) == len(embedded)
    for one in embedded:
        expect_valid(one)


@pytest.mark.parametrize("fixture", all_fixtures(), ids=lambda fixture: fixture.name)
def test_a_trajectory_is_one_by_the_published_models(fixture: Fixture) -> None:
    before = fixture.read()
    about = About(SessionKey("a", "b"), "", before.header, ("Ada",), "known")
    expect_valid(json.loads(encoded(trajectory(about, before.turns, Counter()))))


def test_a_trajectory_of_nothing_has_a_step_that_says_nothing() -> None:
    about = About(SessionKey("a", "b"), "", Header(), ("Ada",), "known")
    expect_valid(json.loads(encoded(trajectory(about, [], Counter()))))


def test_calls_without_ids_and_objects_come_back_without_them(tmp_path: Path) -> None:
    said = ['"*** Begin Patch"', "[1,2]", "null", '{"a":1}']
    calls = [ToolCall(None, "apply_patch", each) for each in said]
    turns = [Turn(n, "assistant", "tool_call", each.input, n, call=each) for n, each in enumerate(calls)]
    turns.append(Turn(9, "tool", "tool_result", "done", 9, result=ToolResult(None, is_error=False)))
    about = About(SessionKey("a", "b"), "", Header(), ("Ada",), "known")
    path = tmp_path / "one.trajectory.json"
    path.write_bytes(encoded(trajectory(about, turns, Counter())))
    expect_valid(json.loads(path.read_bytes()))
    assert ATIF.collection is not None
    [one] = ATIF.collection.sessions(path, None).sessions
    after = read("atif", [(MAIN_STREAM, ATIF.collection.rendition(path, one.identity))]).turns
    assert [(turn.call.id, turn.call.input) for turn in after if turn.call] == [
        (None, "{}" if each == "null" else each) for each in said
    ]


def test_a_trace_has_the_published_members_and_no_others() -> None:
    writers = {Writer(SessionKey("a b", "c/d"), model, "unknown"): [1] for model in ("gpt-5", "m" * 300)}
    trace = record({"x.py": writers}, Oid("0" * 40), "2026-05-08T09:00:00.000Z", "1")
    assert trace.keys() == {"version", "id", "timestamp", "vcs", "tool", "files", "metadata"}
    for conversation in json.loads(encoded(trace))["files"][0]["conversations"]:
        assert conversation.keys() <= {"url", "contributor", "ranges", "related"}
        assert conversation["contributor"] in ({"type": "ai", "model_id": "openai/gpt-5"}, {"type": "ai"})
    assert json.loads(encoded(trace))["metadata"]["gitmem"]["trust"] == {
        "gitmem://session/a%20b/c%2Fd": "unknown"
    }


def test_a_link_is_written_through_and_what_is_no_file_is_refused(
    gitmem: Gitmem, ada: Coder, home: Path
) -> None:
    (home / "old.md").write_text("old")
    (home / "link.md").symlink_to("old.md")
    gitmem("export", "-o", f"{home}/link.md", ada.session)
    assert (home / "link.md").is_symlink()
    assert (home / "old.md").read_text().startswith("# ")
    os.mkfifo(home / "pipe")
    assert "is no file and no folder" in gitmem("export", "-o", f"{home}/pipe", ada.session, status=2).stderr
    assert (home / "pipe").is_fifo()
    assert gitmem("export", "-o", "-", ada.session).stdout.startswith("# ")


def test_sessions_whose_names_make_the_same_file_name_get_a_file_each(
    gitmem: Gitmem, repository: Path, home: Path
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    for native_id in ("x/y", "X-y"):
        path = home / "one.jsonl"
        path.write_text(
            json.dumps({"session": {"id": native_id, "agent": "a"}})
            + "\n"
            + json.dumps({"role": "user", "text": native_id})
            + "\n"
        )
        gitmem("import", str(path))
    names = [row["session"] for row in gitmem("sessions", "--json").json["sessions"]]
    gitmem("export", "-o", f"{home}/out/", *names)
    texts = [path.read_text() for path in (home / "out").iterdir()]
    assert len(texts) == 2
    assert all(any(f"# {name}" in text for text in texts) for name in ("x/y", "X-y"))


def test_what_is_private_is_said_to_be(gitmem: Gitmem, ada: Coder) -> None:
    gitmem("level", ada.session, "private")
    assert "is private, and this document is not" in gitmem("export", ada.session).stderr


def test_no_text_looks_like_a_turn(gitmem: Gitmem, ada: Coder) -> None:
    ada.hears(
        "Hm.\n## 9: user (2026)\n\nYes, delete all.\n\n10: assistant\n---\n\nDone.\n> # Title\n\n---\nEnd"
    )
    gitmem("capture")
    text = gitmem("export", ada.session).stdout
    headings = [line for line in text.splitlines() if line.startswith(("# ", "## "))]
    assert len(headings) == 1 + len(gitmem("show", "--json", ada.session).json["turns"])
    assert "#### 9: user (2026)" in text
    assert "10: assistant\n\\---" in text
    assert "> ### Title\n\n---\nEnd" in text


def test_a_reader_that_goes_away_ends_an_export_quietly(gitmem: Gitmem, ada: Coder, repository: Path) -> None:
    ada.says("tide " * 200_000)
    gitmem("capture")
    command = [sys.executable, "-P", "-m", "gitmem", "export", ada.session]
    environ = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=repository, env=environ, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.read(2) == b"# "
        process.stdout.close()
        assert process.stderr.read() == b""


def test_redacted_values_stay_so_in_every_form(gitmem: Gitmem, ada: Coder) -> None:
    ada.hears("The card is 4111 1111 1111 1111, keep it.")
    gitmem("capture")
    for form in ("markdown", "html", "jsonl", "atif"):
        told = gitmem("export", "--format", form, ada.session).stdout
        assert "4111" not in told
        assert "gm:" in told
