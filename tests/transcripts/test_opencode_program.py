"""The database that opencode itself makes of a session, where npm has installed it in GITMEM_TEST_NPM."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitmem.transcripts.opencode import OpencodeSessions
from gitmem.transcripts.read import read

_ANSWER_S = 120.0


@pytest.fixture
def program() -> Path:
    """Return opencode's program, which npm installs as a package of its own for each kind of machine."""
    named = os.environ.get("GITMEM_TEST_NPM")
    found = sorted(Path(named).glob("node_modules/opencode-*-*/bin/opencode")) if named else []
    if not found:
        pytest.skip("GITMEM_TEST_NPM names no folder in which npm has installed opencode-ai")
    return found[0]


def exported(folder: Path) -> dict[str, Any]:
    """Return a session as `opencode export` of 1.18 writes it."""
    of, model = {"sessionID": "ses_ebb00000001"}, {"providerID": "tidal", "modelID": "large"}
    tokens = {"total": 9, "input": 5, "output": 4, "reasoning": 0, "cache": {"read": 0, "write": 0}}
    asked = {"id": "msg_ebb00000001", "role": "user", "time": {"created": 1778230801000}, "agent": "build"}
    told = {
        "id": "msg_ebb00000002",
        "role": "assistant",
        "time": {"created": 1778230802000, "completed": 1778230803000},
        "parentID": asked["id"],
        "mode": "build",
        "agent": "build",
        "path": {"cwd": str(folder), "root": str(folder)},
        "cost": 0,
        "tokens": tokens,
        "finish": "stop",
    }
    state = {
        "status": "completed",
        "input": {"command": "tides ebb"},
        "output": "05:02\n",
        "title": "tides ebb",
        "metadata": {"exit": 0},
        "time": {"start": 1778230802100, "end": 1778230802200},
    }
    parts = [
        {"id": "prt_ebb00000002", "messageID": told["id"], "type": "text", "text": "I look."},
        {"id": "prt_ebb00000003", "messageID": told["id"], "type": "tool", "callID": "c", "tool": "bash"},
    ]
    parts[1]["state"] = state  # type: ignore[assignment]
    question = {"id": "prt_ebb00000001", "messageID": asked["id"], "type": "text", "text": "When is the ebb?"}
    info = {
        "id": of["sessionID"],
        "slug": "calm-ebb",
        "projectID": "p",
        "directory": str(folder),
        "title": "Ebb",
        "version": "1.18.33",
        "time": {"created": 1778230800000, "updated": 1778230803000},
    }
    return {
        "info": info,
        "messages": [
            {"info": asked | of | {"model": model}, "parts": [question | of]},
            {"info": told | of | model, "parts": [part | of for part in parts]},
        ],
    }


def test_session_that_opencode_took_in_reads_as_what_it_was_given(program: Path, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "tideline"
    folder.mkdir()
    document = json.dumps(exported(folder)).encode()
    (tmp_path / "ebb.json").write_bytes(document)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run(
        [program, "import", tmp_path / "ebb.json"],
        cwd=folder,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=_ANSWER_S,
    )
    sessions, database = OpencodeSessions(), home / ".local" / "share" / "opencode" / "opencode.db"
    assert sessions.holds(database, database.read_bytes()[:100])
    [listed] = sessions.sessions(database, None).sessions
    assert (listed.identity.native_id, listed.identity.cwd) == ("ses_ebb00000001", str(folder))
    ours = read("opencode", [("", list(sessions.rendition(database, listed.identity)))])
    theirs = read("opencode", [("", [document])])
    assert [(turn.role, turn.kind, turn.text, turn.result) for turn in ours.turns] == [
        (turn.role, turn.kind, turn.text, turn.result) for turn in theirs.turns
    ]
    assert len(ours.turns) == 4
    assert (ours.header, ours.tally.unknown) == (theirs.header, {})
