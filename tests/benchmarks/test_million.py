"""The million turns are as many as asked for, the same each time, and found by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import million_planting, million_turns
from tests.benchmarks.million_peers import build, fts5_ms
from tests.benchmarks.million_queries import queries
from tests.benchmarks.million_turns import RealSession
from tests.conftest import CommandLine

_TURNS = 700


@pytest.fixture
def real(repository: Path, run: CommandLine, tmp_path: Path) -> list[RealSession]:
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    for nth in range(3):
        lines: list[dict[str, object]] = [{"session": {"id": f"real-{nth}", "branch": "main"}}]
        for n in range(20):
            lines.append({"role": "user", "text": f"Is gauge {n} of harbour {nth} right? It drifts."})
            call = {"id": f"c{n}", "name": "bash", "input": {"command": f"lotse gauge {nth}{n}"}}
            lines.append({"role": "assistant", "text": "I look.", "tool_calls": [call]})
            lines.append({"role": "tool", "call_id": f"c{n}", "text": f"gauge {n}\ndrift 0.{nth} cm\nok"})
        (sessions / f"{nth}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("init", "--no-import", "--no-hooks", "--agents", "none", cwd=repository)
    run("import", str(sessions), cwd=repository)
    return million_turns.read_sessions(repository)


def test_there_are_as_many_as_asked_for_and_the_same_ones_each_time(
    real: list[RealSession], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    tally = million_turns.write(real, _TURNS, first)
    million_turns.write(real, _TURNS, second)
    assert (tally.turns, tally.real) == (_TURNS, 240)
    assert tally.sessions == 9  # the last is cut short
    assert first.read_bytes() == second.read_bytes()
    assert sum(map(len, million_turns.read(first))) == _TURNS
    kinds = {kind: count / _TURNS for kind, count in tally.kinds.items()}
    assert kinds == pytest.approx({"message": 0.5, "tool_call": 0.25, "tool_result": 0.25}, abs=0.01)


def test_what_is_planted_is_found_and_leaves_the_index_current(
    real: list[RealSession], repository: Path, run: CommandLine, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    million_turns.write(real, _TURNS, ready)
    run("index", "update", cwd=repository)
    million_planting.plant(repository, ready)
    status = json.loads(run("index", "status", "--json", cwd=repository).stdout)
    assert (status["state"], status["turns"]) == ("current", 240 + _TURNS)
    asked = queries(real, 5)
    assert len(set(asked)) == 5
    for query in asked:
        assert json.loads(run("search", "--json", query, cwd=repository).stdout)["hits"]
    peers = build(ready, tmp_path)
    assert len(list(fts5_ms(peers, asked))) == 5


def test_a_session_in_neutral_form_is_imported_as_it_is(
    real: list[RealSession], repository: Path, run: CommandLine, tmp_path: Path
) -> None:
    transcript = tmp_path / "again.jsonl"
    transcript.write_bytes(million_turns.as_neutral_form(real[0]))
    run("import", "--agent", "generic", str(transcript), cwd=repository)
    again = {session.stored.record.native_id: session for session in million_turns.read_sessions(repository)}
    copy = again[f"generic-{real[0].stored.record.native_id}"]
    assert [(turn.kind, turn.text) for turn in copy.turns] == [
        (turn.kind, turn.text) for turn in real[0].turns
    ]
