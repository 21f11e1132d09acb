"""Sessions that are handed to agents: where they stand, what they say, and what is captured of them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from gitmem.handing_over.targets import TARGETS
from tests.handing_over.conftest import (
    ANSWER,
    OWN_ID,
    QUESTION,
    Gitmem,
    Listing,
    abroad,
    append,
    go_on,
    opencode_takes,
    place_of,
    records,
)
from tests.journeys.people import Coder

OTHERS = sorted(TARGETS.keys() - {"claude-code"})


def file_of(handed: dict[str, Any]) -> Path:
    return Path(handed["files"][0])


def test_a_session_comes_back_as_it_was_stored(
    gitmem: Gitmem, repository: Path, ada: Coder, sessions: Listing
) -> None:
    before = ada.transcript.read_bytes()
    ada.transcript.unlink()
    handed = gitmem("resume", ada.session, "--json").json
    assert (handed["form"], handed["state"], handed["lost"]) == ("verbatim", "written", {})
    assert handed["command"] == ["claude", "--resume", OWN_ID]
    path = file_of(handed)
    assert path == place_of(ada.home, repository) / f"{OWN_ID}.jsonl"
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    gitmem("capture")
    assert sessions().keys() == {ada.session}
    assert sessions()[ada.session]["forks"] == 0


def test_what_is_captured_of_it_goes_on_with_the_session(
    gitmem: Gitmem, ada: Coder, sessions: Listing
) -> None:
    ada.transcript.unlink()
    path = file_of(gitmem("resume", ada.session, "--json").json)
    last = records(path)[-1]
    said = {**last, "uuid": "new", "parentUuid": last["uuid"], "message": {"role": "user", "content": "And?"}}
    append(path, said)
    gitmem("capture")
    listed = sessions()
    assert listed.keys() == {ada.session}
    assert (listed[ada.session]["turns"], listed[ada.session]["forks"]) == (7, 0)


def test_what_stands_there_is_left_alone(gitmem: Gitmem, repository: Path, ada: Coder) -> None:
    place = place_of(ada.home, repository) / ada.transcript.name
    ada.transcript.rename(place)
    with place.open("a") as file:
        file.write('{"type": "mode", "sessionId": "x"}\n')
    before = place.read_bytes()
    handed = gitmem("resume", ada.session, "--json").json
    assert (handed["form"], handed["state"], file_of(handed)) == ("verbatim", "stands", place)
    assert place.read_bytes() == before


def test_a_transcript_that_went_on_otherwise_stays_and_the_copy_has_another_id(
    gitmem: Gitmem, repository: Path, ada: Coder, sessions: Listing
) -> None:
    place = place_of(ada.home, repository) / ada.transcript.name
    ada.transcript.unlink()
    place.write_text(json.dumps({"type": "user", "sessionId": OWN_ID, "cwd": str(repository)}) + "\n")
    before = place.read_bytes()
    handed = gitmem("resume", ada.session, "--json").json
    assert handed["form"] == "renamed"
    assert handed["session"] != ada.session
    assert place.read_bytes() == before
    place.unlink()
    go_on("claude-code", ada.home, file_of(handed), handed["session"].partition("/")[2])
    gitmem("capture")
    assert sessions()[handed["session"]]["unread"] == {"replayed": 6}


def test_a_colleagues_session_belongs_here_and_repeats_nothing(
    gitmem: Gitmem, repository: Path, home: Path, sessions: Listing
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    for agent in ("claude-code", "codex", "gemini-cli"):
        gitmem("import", *map(str, abroad(agent)))
    before = sessions()
    assert len(before) == 3
    for name in before:
        handed = gitmem("resume", name, "--json").json
        assert handed["form"] == "renamed", handed
        assert handed["cwd"] == str(repository)
        assert file_of(handed).is_relative_to(home)
        go_on(before[name]["agent"], home, file_of(handed), handed["session"].partition("/")[2])
    gitmem("capture")
    after = sessions()
    assert len(after) == 6
    for name, row in after.items():
        if name not in before:
            # What had been taken back in the one of Gemini CLI, the trial has said anew.
            assert row["turns"] == (3 if row["agent"] == "gemini-cli" else 1), row
            assert row["title"] in {each["title"] for each in before.values()}
            assert row["unread"]["replayed"] > 0


def test_subagents_come_along_to_their_places(gitmem: Gitmem, home: Path) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad("claude-code")))
    [name] = [row["session"] for row in gitmem("sessions", "--json").json["sessions"]]
    handed = gitmem("resume", name, "--json").json
    main, *others = map(Path, handed["files"])
    assert others
    assert all(path.parent == main.with_suffix("") / "subagents" for path in others)
    assert {record["sessionId"] for path in others for record in records(path)} == {main.stem}


@pytest.mark.parametrize("agent", OTHERS)
def test_a_session_goes_on_with_another_agent(
    gitmem: Gitmem, repository: Path, home: Path, ada: Coder, sessions: Listing, agent: str
) -> None:
    handed = gitmem("resume", ada.session, "--agent", agent, "--json").json
    assert (handed["form"], handed["state"], handed["lost"]) == ("built", "written", {})
    path = file_of(handed)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert all(said in text for said in (QUESTION, ANSWER, "high_water_at", "done", "The moon is fine."))
    if agent == "opencode":
        opencode_takes(home, path)
    gitmem("capture")
    assert sessions().keys() == {ada.session}
    go_on(agent, home, path, handed["session"].partition("/")[2])
    gitmem("capture")
    fork = sessions()[handed["session"]]
    assert (fork["turns"], fork["unread"].keys(), fork["forks"]) == (1, {"replayed"}, 0)
    assert fork["title"] == QUESTION
    assert gitmem("resume", ada.session, "--agent", agent, "--json").json["state"] == "stands"


@pytest.mark.parametrize("agent", sorted(TARGETS))
def test_a_colleagues_session_goes_to_every_agent_and_says_what_is_lost(gitmem: Gitmem, agent: str) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    for origin in ("claude-code", "codex", "gemini-cli", "opencode", "copilot-cli"):
        gitmem("import", *map(str, abroad(origin)))
    for row in gitmem("sessions", "--json").json["sessions"]:
        handed = gitmem("resume", row["session"], "--agent", agent, "--json").json
        assert handed["form"] == ("renamed" if row["agent"] == agent else "built")
        if handed["form"] == "built":
            assert ("thinking" in handed["lost"]) <= (agent == "claude-code")
        assert all(count > 0 for count in handed["lost"].values())
        assert file_of(handed).exists()


def test_calls_have_their_results_right_behind_them(gitmem: Gitmem, home: Path) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad("codex")))
    [row] = gitmem("sessions", "--json").json["sessions"]
    path = file_of(gitmem("resume", row["session"], "--agent", "claude-code", "--json").json)
    blocks = [
        block
        for record in records(path)
        if isinstance(record.get("message", {}).get("content"), list)
        for block in record["message"]["content"]
    ]
    calls = [at for at, block in enumerate(blocks) if block["type"] == "tool_use"]
    assert calls
    for at in calls:
        assert blocks[at + 1]["type"] == "tool_result"
        assert blocks[at + 1]["tool_use_id"] == blocks[at]["id"]
    chain = [record for record in records(path) if "uuid" in record]
    assert [record["parentUuid"] for record in chain] == [None, *(record["uuid"] for record in chain)][:-1]


def test_nothing_is_written_by_a_dry_run(gitmem: Gitmem, ada: Coder) -> None:
    handed = gitmem("resume", ada.session, "--agent", "codex", "--dry-run", "--json").json
    assert handed["state"] == "planned"
    assert not file_of(handed).exists()
    assert not (ada.home / ".codex").exists()


def test_people_are_given_the_command(gitmem: Gitmem, repository: Path, ada: Coder) -> None:
    said = gitmem("resume", ada.session, "--agent", "codex")
    assert said.stdout.startswith("codex resume ")
    (repository / "below").mkdir()
    below = gitmem("resume", ada.session, "--agent", "codex", cwd=repository / "below")
    assert below.stdout == f"cd {repository} && {said.stdout}"


def test_opencodes_own_program_takes_the_document_in(
    gitmem: Gitmem, home: Path, ada: Coder, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = gitmem("resume", ada.session, "--agent", "opencode").stdout
    assert said.startswith("opencode import ")
    assert " && opencode -s ses_" in said
    (home / "bin").mkdir()
    program = home / "bin/opencode"
    program.write_text(f'#!/bin/sh\necho "$@" > {home}/asked\ntest "$1" = import && test -f "$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:/usr/bin:/bin")
    said = gitmem("resume", ada.session, "--agent", "opencode", "--fresh").stdout
    assert said.startswith("opencode -s ses_")
    document = Path((home / "asked").read_text().split()[1])
    assert not document.exists()
    program.write_text("#!/bin/sh\necho no such project >&2\nexit 1\n")
    refused = gitmem("resume", ada.session, "--agent", "opencode", "--fresh", status=1)
    assert "no such project" in refused.stderr
    assert "hint: opencode import " in refused.stderr


def test_a_model_that_opencode_knows_is_named(gitmem: Gitmem, home: Path, ada: Coder) -> None:
    (home / ".config/opencode").mkdir(parents=True)
    (home / ".config/opencode/opencode.jsonc").write_text('{\n  // mine\n  "model": "here/mine",\n}\n')
    document = json.loads(
        file_of(gitmem("resume", ada.session, "--agent", "opencode", "--json").json).read_text()
    )
    models = [message["info"]["model"] for message in document["messages"] if "model" in message["info"]]
    assert models == [{"providerID": "here", "modelID": "mine"}] * 2


def test_another_copy_is_written_when_somebody_asks_for_one(gitmem: Gitmem, ada: Coder) -> None:
    first = gitmem("resume", ada.session, "--agent", "codex", "--json").json
    second = gitmem("resume", ada.session, "--agent", "codex", "--fresh", "--json").json
    assert first["session"] != second["session"]
    assert file_of(first).exists()
    assert file_of(second).exists()


def test_what_stands_in_the_way_is_told_of_and_stays(gitmem: Gitmem, ada: Coder) -> None:
    path = file_of(gitmem("resume", ada.session, "--agent", "codex", "--json").json)
    path.write_text("somebody's\n")
    refused = gitmem("resume", ada.session, "--agent", "codex", status=1)
    assert "something else stands there" in refused.stderr
    assert "hint: gitmem resume --fresh" in refused.stderr
    assert path.read_text() == "somebody's\n"


def test_an_agent_that_takes_no_sessions_is_named(gitmem: Gitmem, ada: Coder) -> None:
    refused = gitmem("resume", ada.session, "--agent", "aider", status=1)
    assert "claude-code, codex, gemini-cli, opencode" in refused.stderr


def test_what_was_forgotten_goes_nowhere(gitmem: Gitmem, ada: Coder) -> None:
    session = gitmem("sessions", "--json").json["sessions"][0]["id"]
    gitmem("forget", "--yes", session)
    for command in ("resume", "export"):
        refused = gitmem(command, session, status=1)
        assert "forgotten" in refused.stderr


def test_a_copy_of_what_is_private_is_private(gitmem: Gitmem, ada: Coder, sessions: Listing) -> None:
    gitmem("level", ada.session, "private")
    handed = gitmem("resume", ada.session, "--agent", "gemini-cli", "--json").json
    go_on("gemini-cli", ada.home, file_of(handed), handed["session"].partition("/")[2])
    gitmem("capture")
    assert sessions()[handed["session"]]["level"] == "private"


def test_placeholders_are_told_of(gitmem: Gitmem, ada: Coder) -> None:
    ada.hears("The card is 4111 1111 1111 1111, keep it.")
    gitmem("capture")
    handed = gitmem("resume", ada.session, "--agent", "codex", "--json").json
    assert sum(handed["placeholders"].values()) > 0
    assert "4111" not in file_of(handed).read_text()
    assert "[gm:" in gitmem("resume", ada.session, "--agent", "codex", "--fresh").stderr


@pytest.mark.parametrize("native_id", ["../../../../evil", "a/b", ".hidden", "x\u202ey"])
def test_no_name_leads_out_of_an_agents_folder(
    gitmem: Gitmem, repository: Path, home: Path, native_id: str
) -> None:
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    coder = Coder(home, repository, "plain")
    coder.hears(QUESTION)
    path = home / "hostile.jsonl"
    path.write_text(coder.transcript.read_text().replace('"plain"', json.dumps(native_id)))
    coder.transcript.unlink()
    gitmem("import", str(path))
    [row] = gitmem("sessions", "--json").json["sessions"]
    handed = gitmem("resume", row["id"], "--json").json
    assert handed["form"] == "renamed"
    assert file_of(handed).parent == place_of(home, repository)
