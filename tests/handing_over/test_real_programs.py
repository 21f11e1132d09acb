"""The agents' own programs go on with sessions that gitmem has written, and tell their model what was said.

They are tried as in tests/agents/test_real_agents.py: where GITMEM_TEST_NPM names a folder in which npm has
installed them, without an account or a network.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agents.test_real_agents import Model, model, play, program, surroundings  # noqa: F401 (fixtures)
from tests.handing_over.conftest import Gitmem, abroad

ASKED = "And what of the sun?"
CALLS = {
    "claude-code": ["claude", "--resume", "ID", "-p", ASKED],
    "codex": ["codex", "exec", "resume", "ID", ASKED],
    "gemini-cli": ["gemini", "--resume", "ID", "-p", ASKED],
    "opencode": ["opencode", "run", "-s", "ID", ASKED],
}
LISTS = {"gemini-cli": ["gemini", "--list-sessions"], "opencode": ["opencode", "session", "list"]}
PLACES = {
    "claude-code": ".claude/projects",
    "codex": ".codex",
    "gemini-cli": ".gemini/tmp",
    "opencode": ".local/share/opencode",
}
"""Where an agent's sessions are, and what it remembers of them."""

EARLIER = {
    "claude-code": "Daylight saving time was added twice.",
    "codex": "The M2 constituent drifts against",
}
"""What was said in the sessions that are handed over."""

OF_ITS_OWN = {
    "claude-code": "the table prints local time",
    "codex": "S2 is 30 degrees an hour exactly",
}
"""What an agent still tells its model of its own sessions, which were made shorter on the way."""


@pytest.mark.parametrize("agent", CALLS)
@pytest.mark.parametrize("origin", EARLIER)
def test_an_agent_goes_on_with_a_session_and_repeats_nothing_of_it(
    gitmem: Gitmem,
    repository: Path,
    home: Path,
    surroundings: Mapping[str, str],  # noqa: F811
    model: Model,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    agent: str,
    origin: str,
) -> None:
    path = program(CALLS[agent][0])
    monkeypatch.setenv("PATH", f"{Path(path).parent}:{surroundings['PATH']}")
    # The clock of these tests stands in another month, and Gemini CLI clears away what is old.
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    monkeypatch.setattr("gitmem.handing_over.resuming.at_text", lambda at_ms, before_ms: now)
    is_own = agent == origin
    earlier = OF_ITS_OWN[origin] if is_own else EARLIER[origin]
    if is_own or origin == "codex":
        gitmem("import", *map(str, abroad(origin)))
    name = session_of(gitmem, origin, but="claude-code/earlier" if is_own else "")
    handed = gitmem("resume", name, "--agent", agent, "--json").json
    native_id = handed["session"].partition("/")[2]
    gitmem("capture")
    assert handed["session"] not in {row["session"] for row in gitmem("sessions", "--json").json["sessions"]}
    if agent in LISTS:  # however old it is
        assert native_id in play(LISTS[agent], repository, surroundings)
    answer = play(call_of(agent, native_id), repository, surroundings)
    assert any(earlier in told and ASKED in told for told in model.told), (answer, len(model.told))
    gitmem("capture")
    # Gemini CLI may have begun another file of the same session.
    listed = gitmem("sessions", "--json").json["sessions"]
    rows = [row for row in listed if row["session"] == handed["session"] and "replayed" in row["unread"]]
    shown = gitmem("show", "--json", rows[0]["id"]).json
    texts = [turn["text"] for turn in shown["turns"]]
    assert any(ASKED in text for text in texts)
    assert not any(earlier in text for text in texts)
    if agent in LISTS and (agent, origin) != ("gemini-cli", "codex"):  # docs/resume.md says why
        assert native_id in play(LISTS[agent], repository, surroundings)
    config = (home / ".codex/config.toml").read_bytes()
    shutil.rmtree(home / PLACES[agent])
    (home / ".codex").mkdir(exist_ok=True)
    (home / ".codex/config.toml").write_bytes(config)
    model.told.clear()
    again = gitmem("resume", rows[0]["id"], "--json").json
    assert (again["form"], again["session"]) == ("verbatim", handed["session"])
    if agent in LISTS:
        assert native_id in play(LISTS[agent], repository, surroundings)
    answer = play(call_of(agent, native_id), repository, surroundings)
    assert any(earlier in told and ASKED in told for told in model.told), (answer, len(model.told))


def session_of(gitmem: Gitmem, agent: str, but: str = "") -> str:
    listed = gitmem("sessions", "--json").json["sessions"]
    return next(str(row["session"]) for row in listed if row["agent"] == agent and row["session"] != but)


def call_of(agent: str, native_id: str) -> list[str]:
    return [word.replace("ID", native_id) for word in CALLS[agent]]
