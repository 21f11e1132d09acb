"""Clones with sessions in them, and agents' places that sessions are handed to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import Gitmem, Said, gitmem  # noqa: F401 (a fixture)
from tests.journeys.people import Coder
from tests.transcripts.fixture import all_fixtures
from tests.transcripts.test_opencode_database import make_database

OWN_ID = "11111111-2222-4333-8444-555555555555"
QUESTION = "Why is the tide table off by an hour?"
ANSWER = "Daylight saving time was added twice."

Listing = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def sessions(gitmem: Gitmem) -> Listing:  # noqa: F811
    """Return what `sessions --json` has, by name; hidden ones are not among them."""

    def listed() -> dict[str, dict[str, Any]]:
        return {row["session"]: row for row in gitmem("sessions", "--json").json["sessions"]}

    return listed


@pytest.fixture
def ada(gitmem: Gitmem, repository: Path, home: Path) -> Coder:  # noqa: F811
    """Return an agent that has worked in the repository, which remembers it."""
    coder = Coder(home, repository, OWN_ID)
    coder.hears(QUESTION)
    coder.says(ANSWER)
    coder.writes("tides.py", "def high_water_at(port, moment):\n    return table[port][moment]\n")
    coder.hears("And the moon?")
    coder.says("The moon is fine.")
    place_of(coder.home, repository).mkdir(parents=True)
    gitmem("init", "--no-hooks", "--agents", "claude-code")
    return coder


def place_of(home: Path, top: Path) -> Path:
    """Return the folder in which Claude Code keeps the sessions of a directory."""
    return home / ".claude/projects" / "".join(c if c.isalnum() else "-" for c in str(top))


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def append(path: Path, *more: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in more)


def abroad(agent: str) -> list[Path]:
    """Return the files of a session that began on another machine."""
    found = next(fixture for fixture in all_fixtures() if fixture.agent == agent)
    return found.files


def opencode_takes(home: Path, document: Path) -> None:
    """Do as `opencode import` does."""
    path = home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        make_database(path, [])
    content = json.loads(document.read_text())
    info = content["info"]
    with closing(sqlite3.connect(path)) as connection, connection:
        row = (info["id"], info["projectID"], None, info["title"], info["directory"], info["version"])
        times = (info["time"]["created"], info["time"]["updated"])
        connection.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, *times))
        for message in content["messages"]:
            opencode_hears(connection, info["id"], message)


def opencode_hears(connection: sqlite3.Connection, session: str, message: dict[str, Any]) -> None:
    own, at = message["info"]["id"], message["info"]["time"]["created"]
    body = {key: value for key, value in message["info"].items() if key not in ("id", "sessionID")}
    connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (own, session, at, at, json.dumps(body)))
    for part in message["parts"]:
        body = {key: value for key, value in part.items() if key not in ("id", "sessionID", "messageID")}
        row = (part["id"], own, session, at, at, json.dumps(body))
        connection.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute("UPDATE session SET time_updated = ? WHERE id = ?", (at + 1, session))


def go_on(agent: str, home: Path, path: Path, native_id: str) -> None:
    """Let a user say a word to the agent that a session was handed to."""
    at = "2026-12-01T00:00:00.000Z"
    content: list[dict[str, Any]] = [{"type": "input_text", "text": "And the sun?"}]
    if agent == "claude-code":
        last = next(record for record in reversed(records(path)) if "uuid" in record)
        named = {"uuid": f"{native_id}-new", "parentUuid": last["uuid"], "timestamp": at, "type": "user"}
        append(
            path,
            {key: value for key, value in last.items() if key not in ("forkedFrom", "gitmem")}
            | {**named, "message": {"role": "user", "content": "And the sun?"}},
        )
    elif agent == "codex":
        append(
            path,
            {"timestamp": at, "type": "event_msg", "payload": {"type": "task_started", "turn_id": "new"}},
            {
                "timestamp": at,
                "type": "response_item",
                "payload": {"type": "message", "role": "user", "content": content},
            },
        )
    elif agent == "gemini-cli":
        copies = [record for record in records(path) if "type" in record]
        append(
            path,
            {"$set": {"messages": copies}},  # as it does whenever it resumes
            {"id": "new", "timestamp": at, "type": "user", "content": [{"text": "And the sun?"}]},
        )
    else:
        info = {
            "id": f"msg_ffffffffffff{native_id[-14:]}",
            "role": "user",
            "time": {"created": 1_799_000_000_000},
        }
        part = {"id": f"prt_ffffffffffff{native_id[-14:]}", "type": "text", "text": "And the sun?"}
        with closing(sqlite3.connect(home / ".local/share/opencode/opencode.db")) as connection, connection:
            opencode_hears(connection, native_id, {"info": info, "parts": [part]})


__all__ = ["Gitmem", "Said"]
