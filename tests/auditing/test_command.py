"""`gitmem audit`, and what other commands leave in it, as processes."""

from __future__ import annotations

import io
import json
import os
import random
import string
import time
from pathlib import Path
from typing import Any

import pytest

from gitmem.cli import main
from gitmem.cli.acting import acting
from gitmem.cli.context import Context
from tests.conftest import CommandLine, RealGit

PERSON = {"CLAUDECODE": "", "CLAUDE_CODE_SESSION_ID": "", "AGENT": "", "AI_AGENT": ""}


@pytest.fixture
def canary(seed: int) -> str:
    return "canary" + "".join(random.Random(seed).choices(string.ascii_lowercase, k=20))


def ask(*args: str, cwd: Path, status: int = 0, environ: dict[str, str] | None = None) -> str:
    """Run the command line in this process, for what is not about processes, and return what it printed."""
    stdout, stderr = io.BytesIO(), io.BytesIO()
    context = Context(
        environ={**os.environ, **PERSON, **(environ or {})},
        stdin=io.BytesIO(),
        stdout=stdout,
        stderr=stderr,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    assert main.run(["-C", str(cwd), *args], context) == status, stderr.getvalue()
    return stdout.getvalue().decode()


@pytest.fixture
def remembering(repository: Path, tmp_path: Path, canary: str) -> Path:
    """Return a repository whose memory has one session, with a canary in every text of it."""
    lines = [
        {"session": {"id": canary, "title": f"title {canary}", "cwd": f"/{canary}", "branch": canary}},
        {"id": "a", "role": "user", "author": canary, "text": f"look into {canary}"},
        {"id": "b", "role": "assistant", "text": f"it is in {canary}.py"},
    ]
    path = tmp_path / f"{canary}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ask("init", "--no-hooks", "--no-import", cwd=repository)
    ask("import", str(path), cwd=repository)
    return repository


def entries(cwd: Path, *options: str, status: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ask("audit", "--json", *options, cwd=cwd, status=status))[
        "entries"
    ]
    return found


def reading(cwd: Path) -> list[tuple[str, str]]:
    """Return who read how, the oldest first."""
    return [(row["by"], row["action"]) for row in reversed(entries(cwd, "--who", "me"))]


def test_reading_is_noted_of_people_and_of_agents(run: CommandLine, remembering: Path, canary: str) -> None:
    run("search", canary, cwd=remembering, environ=PERSON)
    run("search", canary, cwd=remembering, environ={**PERSON, "CLAUDECODE": "1"})
    ask("show", f"generic/{canary}", cwd=remembering)
    assert [row for row in reading(remembering) if row[1] in ("search", "show")] == [
        ("person", "search"),
        ("agent:claude-code", "search"),
        ("person", "show"),
    ]


def test_a_search_that_finds_nothing_is_noted_too(run: CommandLine, remembering: Path) -> None:
    run("search", "nowhere-to-be-found", cwd=remembering, status=1, environ=PERSON)
    [entry] = entries(remembering, "--action", "search")
    assert entry["detail"] == {"queries": 1, "sessions": 0}


def test_a_batch_is_one_entry(run: CommandLine, remembering: Path, canary: str) -> None:
    queries = f"{canary}\nanother\nthird\n".encode()
    run("search", "--batch", "-", "--json-lines", cwd=remembering, stdin=queries, environ=PERSON)
    [entry] = entries(remembering, "--action", "search")
    assert entry["detail"] == {"queries": 3, "sessions": 1}


def test_no_content_is_in_the_audit(
    run: CommandLine, remembering: Path, canary: str, git: RealGit, home: Path
) -> None:
    for words in (["search", canary], ["search", "--file", canary], ["show", f"generic/{canary}"]):
        run(*words, cwd=remembering, status=None, environ=PERSON)
    ask("title", f"generic/{canary}", f"more {canary}", cwd=remembering)
    git.commit(remembering, f"{canary}.txt")
    run("why", f"{canary}.txt", cwd=remembering, status=None, environ=PERSON)
    ask("audit", "shred", "--yes", cwd=remembering)
    refs = git("for-each-ref", "--format=%(refname)", "refs/gitmem/audit/", cwd=remembering).split()
    assert refs
    held = [path.read_bytes() for path in (remembering / ".git/gitmem/audit").rglob("*") if path.is_file()]
    for ref in refs:
        held.append(git("log", "--format=%an %ae %cn %ce %B", ref, cwd=remembering).encode())
        for line in git("ls-tree", "-r", ref, cwd=remembering).splitlines():
            held.append(line.encode())
    held.append(ask("audit", "--json", cwd=remembering).encode())
    whole = b"\n".join(held)
    assert b'"action":"show"' in whole
    for text in (canary, "Ada", "example.org", str(remembering), home.name):
        assert text.encode() not in whole, text


def test_the_list_can_be_narrowed(run: CommandLine, remembering: Path, canary: str) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    run("search", canary, cwd=remembering, environ=PERSON)
    assert {row["action"] for row in entries(remembering, "--action", "show")} == {"show"}
    assert len(entries(remembering, "--limit", "1")) == 1
    assert entries(remembering, "--until", "2001-01-01", status=1) == []
    assert entries(remembering, "--since", "1h") == entries(remembering)
    device = entries(remembering)[0]["device"]
    assert entries(remembering, "--device", device[:8]) == entries(remembering)
    assert entries(remembering, "--device", "z", status=1) == []
    assert entries(remembering, "--who", "0" * 32, status=1) == []


def test_people_see_who_it_was(remembering: Path, canary: str) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    shown = ask("audit", cwd=remembering)
    assert "you" in shown
    assert "show" in shown
    mine = json.loads(ask("audit", "me", "--json", cwd=remembering))
    assert mine["actor"] == entries(remembering)[0]["actor"]
    assert mine["device"] in ask("audit", "me", cwd=remembering)


def test_nothing_leads_to_a_person_once_the_key_is_shredded(
    run: CommandLine, remembering: Path, canary: str, home: Path
) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    before = json.loads(ask("audit", "me", "--json", cwd=remembering))
    ask("audit", "shred", cwd=remembering, status=2)
    ask("audit", "shred", "--yes", cwd=remembering)
    assert not (home / ".local/share/gitmem/audit-identity").exists()
    run("search", canary, cwd=remembering, environ=PERSON)
    rows = entries(remembering)
    assert [row["action"] for row in rows if row["is_me"]] == ["search"]
    old = [row for row in rows if row["device"] == before["device"]]
    assert [row["action"] for row in old][:2] == ["erase", "show"]
    assert all(row["published"] and row["name"] is None for row in old)
    after = json.loads(ask("audit", "me", "--json", cwd=remembering))
    assert before["actor"] != after["actor"]
    assert before["device"] != after["device"]
    ask("audit", "verify", cwd=remembering)


def test_a_pseudonym_can_be_given_a_name_and_lose_it(remembering: Path, canary: str, home: Path) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    actor = entries(remembering)[0]["actor"]
    (home / ".local/share/gitmem/audit-identity").unlink()
    ask("audit", "name", actor[:8], "Grace", cwd=remembering)
    assert "Grace" in ask("audit", cwd=remembering)
    assert entries(remembering, "--who", "Grace")[0]["name"] == "Grace"
    ask("audit", "name", actor, "", cwd=remembering)
    assert entries(remembering)[0]["name"] is None
    ask("audit", "name", "0" * 32, "Nobody", cwd=remembering, status=2)


def test_verify_names_what_does_not_hold(remembering: Path, canary: str, git: RealGit) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    assert "all holds" in ask("audit", "verify", cwd=remembering)
    ask("audit", cwd=remembering)
    [log] = (remembering / ".git/gitmem/audit").glob("*/log")
    content = log.read_bytes()
    log.write_bytes(content.replace(b'"person"', b'"agent"', 1) + content)
    shown = ask("audit", "verify", cwd=remembering, status=1)
    assert "unreadable" in shown
    found = json.loads(ask("audit", "verify", "--json", cwd=remembering, status=1))
    assert not found["ok"]
    assert found["findings"][0]["kind"] == "unreadable"
    # A stranger's ref cannot move the cursor, and is named.
    log.write_bytes(content)
    git("update-ref", "refs/gitmem/audit/laptop", "HEAD", cwd=remembering)
    assert "misnamed" in ask("audit", "verify", cwd=remembering, status=1)
    ask("audit", cwd=remembering)


def test_a_ref_that_is_no_audit_is_left_out_and_named(
    run: CommandLine, remembering: Path, canary: str, git: RealGit
) -> None:
    ask("show", f"generic/{canary}", cwd=remembering)
    git("update-ref", "refs/gitmem/audit/" + "5e" * 16, "HEAD", cwd=remembering)
    finished = run("audit", cwd=remembering)
    assert "show" in finished.stdout
    assert "left out" in finished.stderr


@pytest.mark.parametrize(("setting", "expected"), [("changes", 1), ("false", 1), ("true", 0)])
def test_reading_is_noted_unless_the_setting_says_no(
    run: CommandLine, remembering: Path, canary: str, git: RealGit, setting: str, expected: int
) -> None:
    git("config", "gitmem.audit", setting, cwd=remembering)
    run("search", canary, cwd=remembering, environ=PERSON)
    ask("audit", "--action", "search", cwd=remembering, status=expected)


def test_a_search_goes_on_where_it_cannot_be_noted(run: CommandLine, remembering: Path, canary: str) -> None:
    folder = remembering / ".git/gitmem/audit"
    if folder.exists():
        folder.rename(folder.with_name("away"))
    folder.write_bytes(b"in the way")
    finished = run("search", canary, cwd=remembering, environ=PERSON)
    assert canary in finished.stdout
    assert "could not be noted" in finished.stderr


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "person"),
        ({"CLAUDECODE": "1"}, "agent:claude-code"),
        ({"CODEX_SANDBOX": "seatbelt"}, "agent:codex"),
        ({"GEMINI_CLI": "1"}, "agent:gemini-cli"),
        ({"CURSOR_AGENT": "1"}, "agent:cursor"),
        ({"OPENCODE": "1"}, "agent:opencode"),
        ({"CLAUDECODE": "0", "GEMINI_CLI": ""}, "person"),
        ({"AGENT": "ada@example.org"}, "agent"),
    ],
)
def test_whose_hand_it_is_the_environment_says(environ: dict[str, str], expected: str) -> None:
    assert acting(environ) == expected


def test_an_action_that_there_is_not_is_refused_with_those_that_there_are(
    run: CommandLine, remembering: Path
) -> None:
    refused = run("audit", "--action", "delete", cwd=remembering, status=2)
    assert "'delete'" in refused.stderr
    assert "forget" in refused.stderr
