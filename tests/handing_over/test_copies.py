"""A copy in which nothing was said is nobody's session; once something is, it is one that names its origin."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gitmem.handing_over.targets import TARGETS
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.handed import marked
from gitmem.verbs.copies import is_closing, is_untouched
from tests.conftest import RealGit
from tests.handing_over.conftest import (
    ANSWER,
    QUESTION,
    Gitmem,
    Listing,
    abroad,
    append,
    go_on,
    opencode_takes,
    records,
)
from tests.journeys.people import Coder

PLACES = {
    "claude-code": ".claude/projects",
    "codex": ".codex/sessions",
    "gemini-cli": ".gemini/tmp",
    "opencode": ".local/share/opencode/opencode.db",
}


def file_of(handed: dict[str, Any]) -> Path:
    return Path(handed["files"][0])


def native_id(handed: dict[str, Any]) -> str:
    return str(handed["session"]).partition("/")[2]


@pytest.mark.parametrize("origin", ["claude-code", "codex"])
@pytest.mark.parametrize("agent", sorted(TARGETS))
def test_a_copy_is_no_session_until_something_is_said_in_it(
    gitmem: Gitmem,
    repository: Path,
    home: Path,
    tmp_path: Path,
    git: RealGit,
    sessions: Listing,
    agent: str,
    origin: str,
) -> None:
    git("init", "--bare", "-q", str(tmp_path / "hub.git"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "hub.git"), cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "begin", cwd=repository)
    git("push", "-q", "origin", "HEAD:main", cwd=repository)
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import", "--share", "origin")
    gitmem("import", *map(str, abroad(origin)))
    [name] = before = sessions()
    handed = gitmem("resume", name, "--agent", agent, "--json").json
    if agent == "opencode":
        opencode_takes(home, file_of(handed))
    gitmem("capture")
    gitmem("capture", "--spool")
    gitmem("import", str(home / PLACES[agent]), "--agent", agent)
    gitmem("sync")
    assert sessions() == before
    there = tmp_path / "grace"
    git("clone", "-q", "-b", "main", str(tmp_path / "hub.git"), str(there), cwd=tmp_path)
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import", "--share", "origin", cwd=there)

    def listed_there() -> dict[str, int]:
        gitmem("sync", cwd=there)
        rows = gitmem("sessions", "--json", cwd=there).json["sessions"]
        return {row["session"]: row["turns"] for row in rows}

    assert listed_there().keys() == {name}
    go_on(agent, home, file_of(handed), native_id(handed))
    gitmem("capture")
    gitmem("sync")
    rows = sessions()
    assert rows.keys() == {name, handed["session"]}
    assert rows[handed["session"]]["forked_from"] == name
    assert rows[handed["session"]]["title"] == before[name]["title"]
    assert f"it went on from {name}" in gitmem("show", handed["session"]).stdout
    assert listed_there() == {each: row["turns"] for each, row in rows.items()}
    assert gitmem("resume", name, "--agent", agent, "--json").json["state"] == "stands"


def test_what_an_agent_writes_when_it_is_only_opened_is_nothing_that_was_said(
    gitmem: Gitmem, ada: Coder, sessions: Listing
) -> None:
    path = file_of(gitmem("resume", ada.session, "--agent", "gemini-cli", "--json").json)
    append(path, {"$set": {"messages": [record for record in records(path) if "type" in record]}})
    gitmem("capture")
    assert sessions().keys() == {ada.session}


def test_a_copy_of_what_was_erased_does_not_bring_it_back(gitmem: Gitmem, home: Path, ada: Coder) -> None:
    gitmem("resume", ada.session, "--agent", "codex", "--json")
    gitmem("capture")
    gitmem("forget", "--now", "--yes", ada.session)
    gitmem("capture")
    gitmem("import", str(home / ".codex/sessions"))
    assert gitmem("sessions", "--json", status=1).json["sessions"] == []


def test_a_copy_of_a_copy_is_none_until_something_is_said_in_it_either(
    gitmem: Gitmem, ada: Coder, sessions: Listing, home: Path
) -> None:
    first = gitmem("resume", ada.session, "--agent", "claude-code", "--fresh", "--json").json
    go_on("claude-code", home, file_of(first), native_id(first))
    gitmem("capture")
    second = gitmem("resume", first["session"], "--fresh", "--json").json
    gitmem("capture")
    assert sessions().keys() == {ada.session, first["session"]}
    go_on("claude-code", home, file_of(second), native_id(second))
    gitmem("capture")
    assert sessions().keys() == {ada.session, first["session"], second["session"]}
    assert sessions()[second["session"]]["forked_from"] == first["session"]


@pytest.mark.parametrize("agent", sorted(TARGETS))
def test_a_copy_is_called_what_was_asked_first(gitmem: Gitmem, ada: Coder, agent: str) -> None:
    handed = gitmem("resume", ada.session, "--agent", agent, "--fresh", "--json").json
    text = file_of(handed).read_text()
    key = {"claude-code": "customTitle", "codex": "thread_name", "gemini-cli": "summary", "opencode": "title"}
    assert f'"{key[agent]}":{json.dumps(QUESTION)}' in text


def test_a_session_comes_back_to_gemini_cli_as_one_that_was_touched_now_and_stays_one(
    gitmem: Gitmem, repository: Path, home: Path, sessions: Listing, ada: Coder
) -> None:
    handed = gitmem("resume", ada.session, "--agent", "gemini-cli", "--json").json
    path = file_of(handed)
    assert records(path)[-1]["$set"]["lastUpdated"] > "2026-09"  # by the clock of the test
    go_on("gemini-cli", home, path, native_id(handed))
    gitmem("capture")
    before = sessions()[handed["session"]]
    stored = path.read_bytes()
    path.unlink()
    again = gitmem("resume", handed["session"], "--json").json
    assert (again["form"], again["state"], file_of(again)) == ("verbatim", "written", path)
    text = path.read_bytes()
    assert text.startswith(stored)
    assert records(path)[-1]["$set"].keys() == {"lastUpdated"}
    gitmem("capture")
    gitmem("import", str(path))
    assert sessions()[handed["session"]] == before
    assert gitmem("resume", handed["session"], "--json").json["state"] == "stands"
    append(path, {"id": "newer", "type": "user", "content": [{"text": "And the stars?"}]})
    gitmem("capture")
    after = sessions()[handed["session"]]
    assert (after["turns"], after["forks"]) == (before["turns"] + 1, 0)


def test_a_document_of_gemini_cli_comes_back_as_a_copy_for_nothing_can_stand_behind_it(
    gitmem: Gitmem, repository: Path, home: Path
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    at = "2026-01-01T00:00:00.000Z"
    message = {"id": "a", "timestamp": at, "type": "user", "content": QUESTION}
    session = {"sessionId": "abcdefab-1", "projectHash": "x", "startTime": at, "lastUpdated": at}
    path = home / "session-2026-01-01T00-00-abcdefab.json"
    path.write_text(
        json.dumps({**session, "directories": [str(repository)], "messages": [message]}, indent=2)
    )
    gitmem("import", str(path))
    handed = gitmem("resume", "gemini-cli/abcdefab-1", "--json").json
    assert (handed["form"], file_of(handed).suffix) == ("renamed", ".jsonl")
    assert records(file_of(handed))[-1]["$set"]["lastUpdated"] > at


@pytest.mark.parametrize("agent", sorted(TARGETS))
def test_the_only_stream_with_turns_is_what_is_handed_over(
    gitmem: Gitmem, home: Path, sessions: Listing, agent: str
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    for origin in ("codex", "claude-code"):
        gitmem("import", *map(str, abroad(origin)[1:]))
    gitmem("import", str(subagent_of_gemini_cli(home)))
    before = sessions()
    assert {row["agent"] for row in before.values()} == {"codex", "claude-code", "gemini-cli"}
    for name, row in before.items():
        assert row["streams"] != ["main"]
        said = gitmem("show", "--json", name).json["turns"]
        handed = gitmem("resume", name, "--agent", agent, "--json").json
        assert handed["form"] == ("renamed" if row["agent"] == agent else "built")
        assert handed["left"] == []
        text = file_of(handed).read_text()
        assert all(json.dumps(turn["text"])[1:-1] in text for turn in said if turn["kind"] == "message")
        if agent == "opencode":
            opencode_takes(home, file_of(handed))
        gitmem("capture")
        assert sessions().keys() == before.keys()
        go_on(agent, home, file_of(handed), native_id(handed))
        gitmem("capture")
        after = sessions().pop(handed["session"])
        assert (after["streams"], after["turns"]) == ([""], 1)
        gitmem("forget", "--now", "--yes", handed["session"])
        assert gitmem("resume", name, "--agent", agent, "--json").json["state"] == "stands"


def subagent_of_gemini_cli(home: Path) -> Path:
    at = "2026-01-01T00:00:00.000Z"
    path = home / "chats/0000abcd/helper.jsonl"
    path.parent.mkdir(parents=True)
    meta = {"sessionId": "helper", "projectHash": "x", "startTime": at, "kind": "subagent"}
    append(path, meta, {"id": "a", "timestamp": at, "type": "user", "content": [{"text": QUESTION}]})
    return path


@pytest.mark.parametrize("agent", ["claude-code", "codex"])
def test_where_nothing_would_come_along_nothing_is_written(gitmem: Gitmem, home: Path, agent: str) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    path = home / "rollout-2026-05-08T09-00-00-11111111-2222-4333-8444-555555555555.jsonl"
    meta = {"id": "11111111-2222-4333-8444-555555555555", "cwd": "/elsewhere"}
    path.write_text(
        json.dumps({"timestamp": "2026-05-08T09:00:00Z", "type": "session_meta", "payload": meta}) + "\n"
    )
    gitmem("import", str(path))
    refused = gitmem("resume", f"codex/{meta['id']}", "--agent", agent, status=1)
    assert "nothing of it would come along" in refused.stderr
    assert f"hint: gitmem show codex/{meta['id']}" in refused.stderr
    assert not (home / ".claude").exists()
    assert not (home / ".codex").exists()


@pytest.mark.parametrize("how", [["--yes"], ["--yes", "--now"]])
def test_a_document_that_waits_goes_with_its_session(
    gitmem: Gitmem, repository: Path, ada: Coder, how: list[str]
) -> None:
    gitmem("import", *map(str, abroad("codex")))
    other = next(
        row["session"]
        for row in gitmem("sessions", "--json").json["sessions"]
        if row["session"] != ada.session
    )
    gone = file_of(gitmem("resume", ada.session, "--agent", "opencode", "--json").json)
    stays = file_of(gitmem("resume", other, "--agent", "opencode", "--json").json)
    left = gone.with_name("unknown.json")
    left.write_text("not what gitmem wrote")
    gitmem("forget", *how, ada.session)
    assert sorted(path.name for path in gone.parent.glob("*.json")) == [stays.name]


def test_only_what_gitmem_wrote_is_taken_for_the_end_of_a_copy() -> None:
    def line(**more: Any) -> bytes:
        return json.dumps({"type": "user", "uuid": "a", "sessionId": "s"} | more).encode() + b"\n"

    said = {"message": {"role": "user", "content": ANSWER}}
    quoted = line(uuid="b", message={"role": "user", "content": [{"gitmem": {"is_last": True}}]})
    end = line(uuid="c", **marked(None, is_last=True))
    identity = Identity("claude-code", "s", "", None, "lines", None, "origin")

    def untouched(*lines: bytes) -> bool:
        text = b"".join(lines)
        return is_untouched(identity, io.BytesIO(text), len(text))

    assert not untouched(line(**said), quoted)
    assert not untouched(b'{"gitmem"\n', line(**said))
    assert untouched(line(**said), end)
    assert untouched(line(**said), end, line(**said))  # the same again
    assert not untouched(line(**said), end, line(**said | {"uuid": "d"}))
    assert not is_closing(io.BytesIO(end + quoted), 0, len(end + quoted))
    assert is_closing(io.BytesIO(end), 0, len(end))
    assert not is_closing(io.BytesIO(b""), 0, 0)
