"""What does not come along is said to the line, and what comes along tells an agent nothing to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gitmem.cli.resuming import _IMPORT_TIMEOUT_S
from gitmem.handing_over.claude_code import folder_name
from tests.conftest import RealGit
from tests.handing_over.conftest import (
    ANSWER,
    OWN_ID,
    QUESTION,
    Gitmem,
    Listing,
    abroad,
    go_on,
    place_of,
    records,
)
from tests.journeys.people import Coder

ELSEWHERE = "22222222-2222-4333-8444-555555555555"


def written_abroad(home: Path, lines: list[str]) -> Path:
    """Return a transcript of Claude Code that began in a directory of another machine."""
    path = home / "abroad" / f"{ELSEWHERE}.jsonl"
    path.parent.mkdir()
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def line(uuid: str, parent: str | None, text: str, **more: Any) -> str:
    record = {"parentUuid": parent, "isSidechain": False, "cwd": "/elsewhere", "sessionId": ELSEWHERE}
    record |= {"type": "user", "uuid": uuid, "timestamp": "2026-05-08T09:00:00.000Z", "version": "2.1.0"}
    return json.dumps(record | {"message": {"role": "user", "content": text}} | more)


def resumed(gitmem: Gitmem, path: Path, *args: str) -> dict[str, Any]:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", str(path))
    [row] = gitmem("sessions", "--json").json["sessions"]
    return dict(gitmem("resume", row["session"], "--json", *args).json)


def test_lines_that_are_no_records_are_counted_and_the_next_hangs_on_the_one_before(
    gitmem: Gitmem, home: Path
) -> None:
    lines = [line("a", None, QUESTION), line("b", "a", "half")[:40], "[1, 2]", "", line("c", "b", ANSWER)]
    path = written_abroad(home, [*lines, line("d", "c", "A lone \\ud83d one").replace("\\\\u", "\\u")])
    handed = resumed(gitmem, path)
    mended = "lines that were mended, for they were no JSON"
    assert handed["lost"] == {"lines that are no records": 2, mended: 1}
    copied = records(Path(handed["files"][0]))
    chain = [(record["uuid"], record["parentUuid"]) for record in copied if "uuid" in record]
    assert chain == [("a", None), ("c", "a"), ("d", "c")]


def test_what_would_set_the_state_of_claude_code_stays_behind_and_is_counted(
    gitmem: Gitmem, home: Path
) -> None:
    state = {"worktreePath": "/evil", "originalCwd": "/evil"}
    lines = [
        json.dumps({"type": "worktree-state", "worktreeSession": state, "sessionId": ELSEWHERE}),
        json.dumps({"type": "agent-setting", "agentSetting": "evil", "sessionId": ELSEWHERE}),
        line("a", None, QUESTION),
        line("x", "a", "", type="tide gauge\u202e"),
        line("b", "x", ANSWER),
    ]
    handed = resumed(gitmem, written_abroad(home, lines))
    assert handed["lost"] == {
        "lines of type (other)": 1,
        "lines of type agent-setting": 1,
        "lines of type worktree-state": 1,
    }
    text = Path(handed["files"][0]).read_text()
    assert "evil" not in text
    chain = [record for record in map(json.loads, text.splitlines()) if "uuid" in record]
    assert [record["parentUuid"] for record in chain] == [None, "a"]


def test_a_copy_brings_codex_no_instructions_and_no_provider(gitmem: Gitmem) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad("codex")))
    [row] = gitmem("sessions", "--json").json["sessions"]
    handed = gitmem("resume", row["session"], "--json").json
    assert handed["lost"] == {
        "instructions of the program": 2,
        "settings of the place it began in": 5,
        "streams that stay behind": 1,
    }
    copied = records(Path(handed["files"][0]))
    assert not {"base_instructions", "model_provider"} & copied[0]["payload"].keys()
    assert not [each for each in copied if each["payload"].get("role") == "developer"]


@pytest.mark.parametrize(("origin", "agent"), [("codex", "codex"), ("claude-code", "opencode")])
def test_streams_that_stay_behind_are_named_with_the_command_that_reads_them(
    gitmem: Gitmem, origin: str, agent: str
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad(origin)))
    [row] = gitmem("sessions", "--json").json["sessions"]
    handed = gitmem("resume", row["session"], "--agent", agent, "--json")
    [left] = handed.json["left"]
    assert left["lines"] > 0
    assert " ".join(left["read"]) in handed.stderr
    assert gitmem(*left["read"][1:], "--json").json["turns"]


def test_a_picture_that_was_not_kept_is_a_grey_one_and_the_line_stays_the_same(
    gitmem: Gitmem, ada: Coder, sessions: Listing, seed: int
) -> None:
    kinds = {
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "gif": b"GIF89a\x40\0",
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    }
    data = {kind: begins + Random(seed).randbytes(3000) for kind, begins in kinds.items()}
    blocks = [
        {"type": "image", "source": {"type": "base64", "data": b64encode(one).decode()}}
        for one in data.values()
    ]
    ada._write("user", {"role": "user", "content": blocks})
    gitmem("capture")
    ada.transcript.unlink()
    handed = gitmem("resume", ada.session, "--json").json
    assert handed["lost"] == {"pictures, which are grey now": 3}
    assert handed["placeholders"] == {}
    text = Path(handed["files"][0]).read_text()
    assert "[gm:" not in text
    assert all(begins in text for begins in ('"iVBORw0KGgo', '"R0lGOD', '"/9j/4AAQ'))
    gitmem("capture")
    assert {name: row["forks"] for name, row in sessions().items()} == {ada.session: 0}


def test_a_stranger_who_was_in_the_same_directory_gets_another_id(
    gitmem: Gitmem, ada: Coder, repository: Path, git: RealGit
) -> None:
    git("config", "gitmem.distrust", "ada@example.org", cwd=repository)
    ada.transcript.unlink()
    handed = gitmem("resume", ada.session, "--json").json
    assert (handed["form"], handed["trust"]) == ("renamed", "untrusted")
    assert not (place_of(ada.home, repository) / f"{OWN_ID}.jsonl").exists()


def test_codex_finds_a_thread_below_another_day(gitmem: Gitmem, ada: Coder, repository: Path) -> None:
    path = Path(gitmem("resume", ada.session, "--agent", "codex", "--json").json["files"][0])
    go_on("codex", ada.home, path, path.stem[-36:])
    gitmem("capture")
    other = path.parents[3] / "2001/01/01" / path.name
    other.parent.mkdir(parents=True)
    path.rename(other)
    name = f"codex/{path.stem[-36:]}"
    handed = gitmem("resume", name, "--json").json
    assert (handed["form"], handed["state"], handed["files"]) == ("verbatim", "stands", [str(other)])


def test_a_folder_in_the_place_of_a_transcript_is_in_the_way(gitmem: Gitmem, ada: Coder) -> None:
    path = Path(gitmem("resume", ada.session, "--agent", "codex", "--dry-run", "--json").json["files"][0])
    path.mkdir(parents=True)
    assert "something else stands there" in gitmem("resume", ada.session, "--agent", "codex", status=1).stderr


def test_a_program_that_cannot_be_run_is_said_to_have_taken_nothing_in(
    gitmem: Gitmem, home: Path, ada: Coder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _IMPORT_TIMEOUT_S > 60
    (home / "bin").mkdir()
    program = home / "bin/opencode"
    program.write_text("#!/nowhere/at/all\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
    refused = gitmem("resume", ada.session, "--agent", "opencode", status=1)
    assert "could not have opencode take the session in" in refused.stderr
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr("gitmem.cli.resuming._IMPORT_TIMEOUT_S", 0.01)
    refused = gitmem("resume", ada.session, "--agent", "opencode", "--fresh", status=1)
    assert "it did not end within" in refused.stderr


def test_a_session_that_was_handed_over_and_went_on_is_found_once(gitmem: Gitmem, home: Path) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad("claude-code")))
    [row] = gitmem("sessions", "--json").json["sessions"]

    def found() -> list[tuple[str, int]]:
        return [(hit["session"], hit["turn"]) for hit in gitmem("search", "--json", "summer").json["hits"]]

    before = found()
    assert before
    handed = set()
    for agent in ("claude-code", "codex", "gemini-cli"):
        copy = gitmem("resume", row["session"], "--agent", agent, "--json").json
        go_on(agent, home, Path(copy["files"][0]), copy["session"].partition("/")[2])
        handed.add(copy["session"])
    gitmem("capture")
    listed = gitmem("sessions", "--json").json["sessions"]
    assert {each["session"]: each["turns"] for each in listed} == {
        row["session"]: row["turns"],
        **dict.fromkeys(handed, 1),
    }
    assert found() == before


def test_two_at_once_write_one_session(repository: Path, home: Path, gitmem: Gitmem, ada: Coder) -> None:
    command = [sys.executable, "-P", "-m", "gitmem", "resume", "--json", "--agent", "codex", ada.session]
    both = [
        subprocess.Popen(
            command, cwd=repository, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
        )
        for _ in range(2)
    ]
    told = [json.loads(each.communicate()[0]) for each in both]
    assert sorted(each["state"] for each in told) == ["stands", "written"]
    assert len({each["session"] for each in told}) == 1
    assert len(list((home / ".codex/sessions").rglob("*"))) == 4


def test_a_directory_is_called_as_claude_code_calls_it() -> None:
    assert folder_name("/a\U0001f600b") == "-a--b"
    assert folder_name(f"/home/ada/{'x' * 200}") == f"-home-ada-{'x' * 190}-q2ekhe"
