"""What was lowered stays low: in documents, forks, subagents, and clones that were made anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import CommandLine, RealGit
from tests.importing import samples
from tests.levels.conftest import Say, levels_in
from tests.levels.test_canaries import objects

_AT = "2026-05-08T13:56:00.000Z"
_CANARY = "weir-of-the-hidden-mill"


def write_document(path: Path, said: list[str]) -> Path:
    """Write a transcript that its agent rewrites as a whole, turn by turn of person and agent."""
    messages = [
        {"id": f"m{n}", "timestamp": _AT, "type": "gemini" if n % 2 else "user", "content": text}
        for n, text in enumerate(said)
    ]
    about = {"sessionId": "document", "projectHash": "0", "startTime": _AT, "lastUpdated": _AT}
    path.write_text(json.dumps({**about, "messages": messages}, indent=2))
    return path


def claude(name: str, n: int, kind: str, text: str, **more: Any) -> str:
    message = {"role": kind, "content": text}
    about = {
        "sessionId": name,
        "type": kind,
        "message": message,
        "timestamp": _AT,
        "uuid": f"{name}-{n}-{more}",
    }
    return json.dumps({**about, "isSidechain": False, "version": "2.0.1", **more}) + "\n"


def test_marker_counts_that_is_said_in_a_document_which_was_captured_before(
    run: CommandLine, remembering: Path, tmp_path: Path
) -> None:
    path = write_document(tmp_path / "session-1.json", ["mend it", "done"])
    run("import", str(path), cwd=remembering)
    write_document(path, ["mend it", "done", f"gitmem:private {_CANARY}", "yes"])
    run("import", str(path), cwd=remembering)
    assert levels_in(run, remembering) == {"document": "private"}
    assert _CANARY.encode() not in b"\0".join(objects(remembering))


def test_marker_counts_where_lines_were_written_anew_behind_what_is_stored(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    run("import", str(say("a", ["mend the tide table", "done"])), cwd=remembering)
    run("import", str(say("a", [f"gitmem:private {_CANARY}", "done", "x" * 4000, "yes"])), cwd=remembering)
    assert levels_in(run, remembering)["a"] == "private"
    assert _CANARY.encode() not in b"\0".join(objects(remembering))


def test_fork_of_what_a_person_lowered_is_as_low(run: CommandLine, remembering: Path, say: Say) -> None:
    run("import", str(say("origin", ["mend it", "done"])), cwd=remembering)
    run("level", "generic/origin", "private", cwd=remembering)
    run("import", str(say("fork", ["mend it", "done", "and more"], forked_from="origin")), cwd=remembering)
    assert levels_in(run, remembering) == {"origin": "private", "fork": "private"}


def test_clone_made_anew_captures_nothing_more_of_it_for_the_team(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    run("import", str(say("a", ["mend it", "done"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    run("level", "generic/a", "private", cwd=remembering)
    run("push", "origin", cwd=remembering)
    anew = tmp_path / "anew"
    git("clone", "-q", str(hub), str(anew), cwd=tmp_path)
    run("init", "--no-hooks", "--no-import", cwd=anew)
    run("import", str(say("a", ["mend it", "done", _CANARY])), cwd=anew)
    assert levels_in(run, anew) == {"a": "private"}
    assert _CANARY.encode() not in b"\0".join(objects(anew))
    run("level", "generic/a", "team", "--yes", cwd=anew)
    run("import", str(say("a", ["mend it", "done", _CANARY, "raised"])), cwd=anew)
    assert levels_in(run, anew) == {"a": "team"}


def test_subagent_of_a_session_that_has_just_been_marked_goes_with_it(
    run: CommandLine, remembering: Path, tmp_path: Path
) -> None:
    name = "0f3a81c2-0000-4000-8000-000000000001"
    main, sub = tmp_path / f"{name}.jsonl", tmp_path / "agent-a1.jsonl"
    main.write_text(claude(name, 0, "user", "mend it") + claude(name, 1, "assistant", "done"))
    run("import", str(main), cwd=remembering)
    with main.open("a") as file:
        file.write(claude(name, 2, "user", "gitmem:private and now the rest"))
    sub.write_text(claude(name, 3, "assistant", _CANARY, isSidechain=True, agentId="a1"))
    run("import", str(sub), str(main), cwd=remembering)
    assert levels_in(run, remembering) == {name: "private"}
    assert _CANARY.encode() not in b"\0".join(objects(remembering))
    assert _CANARY in run("show", f"claude-code/{name}", "--full", cwd=remembering).stdout


def test_private_session_that_becomes_ephemeral_is_out_of_its_owners_sight_too(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    run("import", str(say("a", ["gitmem:private mend it", "done"])), cwd=remembering)
    run("import", str(say("a", ["gitmem:private mend it", "done", "gitmem:ephemeral now"])), cwd=remembering)
    assert levels_in(run, remembering) == {}


def test_checkpoint_names_no_session_that_was_withdrawn(
    run: CommandLine, remembering: Path, home: Path, git: RealGit
) -> None:
    name = "0f3a81c2-0000-4000-8000-000000000002"
    folder = home / ".claude" / "projects" / "here"
    folder.mkdir(parents=True)
    path = folder / f"{name}.jsonl"
    about = {"cwd": str(remembering), "timestamp": samples.now()}
    path.write_text(claude(name, 0, "user", "mend it", **about))
    run("capture", cwd=remembering)
    first = json.loads(run("checkpoint", "--json", cwd=remembering).stdout)
    with path.open("a") as file:
        file.write(claude(name, 1, "user", "gitmem:private more", **about))
    run("capture", cwd=remembering)
    second = json.loads(run("checkpoint", "--json", cwd=remembering).stdout)
    assert first["positions"]
    assert second["positions"] == []


def test_who_cannot_open_a_lowered_session_puts_no_title_of_it_where_the_team_looks(
    run: CommandLine, remembering: Path, hub: Path, say: Say, tmp_path: Path
) -> None:
    run("import", str(say("a", ["mend it", "done"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    run("level", "generic/a", "private", cwd=remembering)
    stranger = {"HOME": str(tmp_path / "stranger"), "XDG_DATA_HOME": ""}
    Path(stranger["HOME"]).mkdir()
    refused = run("title", "generic/a", _CANARY, cwd=remembering, environ=stranger, status=2)
    assert "nothing of it is to be seen" in refused.stderr
    assert _CANARY.encode() not in b"\0".join(objects(remembering))


def test_private_session_without_an_identity_waits_and_the_teams_part_goes_in(
    run: CommandLine, remembering: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    git("config", "gitmem.identity", str(tmp_path / "nowhere"), cwd=remembering)
    paths = [str(say("plain", ["mend it"])), str(say("mine", [f"gitmem:private {_CANARY}"]))]
    told = run("import", *paths, cwd=remembering, status=1)
    assert "git config gitmem.identity PATH" in told.stderr
    assert "sealed for you" not in told.stdout
    assert levels_in(run, remembering) == {"plain": "team"}
    assert _CANARY.encode() not in b"\0".join(objects(remembering))
    git("config", "--unset", "gitmem.identity", cwd=remembering)
    run("import", *paths, cwd=remembering)
    assert levels_in(run, remembering) == {"plain": "team", "mine": "private"}


def test_table_of_levels_that_cannot_be_read_ends_a_capture(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    (remembering / ".git" / "gitmem" / "levels").mkdir()
    refused = run("import", str(say("a", ["mend it"])), cwd=remembering, status=1)
    assert "nothing was taken in" in refused.stderr
