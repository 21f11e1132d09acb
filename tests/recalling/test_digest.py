"""The digest at a session's start: little, cited, of known people, in time, and never a failure."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gitmem.cli import digest_sessions, digesting, recalling
from gitmem.cli.context import Context
from gitmem.cli.digesting import digest, digest_of
from gitmem.model.ids import SessionKey
from gitmem.recall.delimiters import WIDEST, delimiters
from gitmem.recall.digest import TOKENS, Item, Part, written
from gitmem.recall.tokens import estimate
from gitmem.recall.trimming import beginning
from gitmem.recall.turns import Passage
from tests.conftest import RealGit
from tests.importing import samples
from tests.indexer.memories import Filled, called, said
from tests.recalling.conftest import EVE, UUID, Run, checkpoint

LONG_S = 60.0


def context_at(top: Path, **environ: str) -> Context:
    context = Context(
        environ={**os.environ, **environ},
        stdin=BytesIO(),
        stdout=BytesIO(),
        stderr=BytesIO(),
        now_ms=lambda: 1_780_000_000_000,
    )
    context.move(top)
    return context


@pytest.fixture(autouse=True)
def here(run: Run) -> None:
    """Have the indexer answer within this process."""


def told(top: Path, without: tuple[str, ...] = (), **environ: str) -> dict[str, list[Item]]:
    found = digest_of(context_at(top, **environ), without, LONG_S)
    assert estimate(found.text) <= TOKENS
    return {part.heading: list(part.items) for part in found.parts}


def test_a_digest_tells_what_happened_last_and_who_touched_what_is_changed(run: Run, memory: Filled) -> None:
    session = memory.add(
        "editor",
        [
            said("Change a.txt", at="2026-02-05T06:34:50Z"),
            called("Edit", "c1", file_path="a.txt"),
            said("I have changed it; all tests pass.", "assistant", at="2026-02-05T06:35:00Z"),
        ],
        branch="main",
    )
    checkpoint(memory, "2026-02-05T07:00:00.000Z", "c" * 40, {session: 3})
    (memory.top / "a.txt").write_text("changed\n")
    parts = told(memory.top)
    last = parts["what happened last"]
    assert last[0].cite == "generic/editor#2"
    assert last[0].text == "I have changed it; all tests pass."
    assert last[0].commit == "c" * 40
    [touched] = parts["sessions that touched what is changed here"]
    assert touched.cite.startswith("generic/editor#")
    assert ("", "a.txt") in touched.names
    for item in (*last, touched):
        assert run("show", item.cite, cwd=memory.top).stdout
    text = run("digest", cwd=memory.top, status=None).stdout
    assert not text or re.fullmatch(r"\[gitmem-history [0-9a-f]{12} begins: .*\]", text.split("\n")[0])


def test_it_has_nothing_of_strangers_of_itself_or_of_the_session_that_starts(memory: Filled) -> None:
    echo = digest_of(context_at(memory.top), (), LONG_S).text
    memory.add("stranger", [said("I own it now", "assistant", at="2026-03-01T00:00:00Z")], author=EVE)
    memory.add("repeats", [said(echo, "assistant", at="2026-03-01T00:00:00Z")])
    memory.add("now", [samples.line(n, "now") for n in range(2)], agent="claude-code")

    def cited(*without: str, **environ: str) -> set[str]:
        return {
            item.cite.partition("#")[0]
            for items in told(memory.top, without, **environ).values()
            for item in items
        }

    assert "claude-code/now" in cited()
    assert not {"generic/stranger", "generic/eves", "generic/repeats"} & cited()
    assert "claude-code/now" not in cited("claude-code/now")
    assert "claude-code/now" not in cited(CLAUDE_CODE_SESSION_ID="now")


def test_git_may_refuse_repositories_from_within_their_git_directories(memory: Filled) -> None:
    memory.add("worked", [said("The winch holds.", "assistant", at="2026-03-01T00:00:00Z")])
    as_copilot = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.bareRepository",
        "GIT_CONFIG_VALUE_0": "explicit",
    }
    assert told(memory.top, **as_copilot) == told(memory.top) != {}


def test_open_notes_are_told_of(run: Run, memory: Filled) -> None:
    run("note", "add", "--kind", "decision", "Shackles are replaced each year.", cwd=memory.top)
    run("note", "add", "--kind", "reminder", "--due", "2026-01-01", "Grease the winch.", cwd=memory.top)
    notes = told(memory.top)["open reminders and decisions"]
    assert [item.text for item in notes] == ["Grease the winch.", "Shackles are replaced each year."]
    for item in notes:
        assert run("show", item.cite, cwd=memory.top).stdout


def test_a_reminder_says_when_it_is_due_and_decisions_have_their_place(run: Run, memory: Filled) -> None:
    run("note", "add", "Shackles are replaced each year.", cwd=memory.top)
    for day, text in (("2026-05-28", "Oil it."), ("2026-05-27", "Tar it."), ("2026-05-26", "Scrape it.")):
        run("note", "add", "--due", day, text, cwd=memory.top)
    found = digest_of(context_at(memory.top), (), LONG_S)  # on the 28th
    [notes] = [part.items for part in found.parts if part.heading == "open reminders and decisions"]
    assert [item.text for item in notes] == ["Scrape it.", "Shackles are replaced each year.", "Tar it."]
    assert [item.words for item in notes] == [
        "reminder, due 2026-05-26, overdue",
        "decision",
        "reminder, due 2026-05-27, overdue",
    ]
    assert f"# {notes[0].cite} reminder, due 2026-05-26, overdue\n" in found.text
    run("note", "done", notes[0].cite, notes[2].cite, cwd=memory.top)
    assert told(memory.top)["open reminders and decisions"][0].words == "reminder, due 2026-05-28, today"


def test_a_stranger_closes_no_reminder_and_takes_no_decisions_place(run: Run, memory: Filled) -> None:
    shackles = run("note", "add", "Shackles are replaced each year.", cwd=memory.top).stdout.strip()
    winch = run("note", "add", "--kind", "reminder", "Grease the winch.", cwd=memory.top).stdout.strip()
    as_eve = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", EVE.name), ("EMAIL", EVE.email))
    }
    run("note", "add", "--supersedes", shackles, "Shackles last.", cwd=memory.top, environ=as_eve)
    run("note", "done", winch, cwd=memory.top, environ=as_eve)
    notes = told(memory.top)["open reminders and decisions"]
    assert [item.text for item in notes] == ["Grease the winch.", "Shackles are replaced each year."]


def test_what_is_private_is_told_only_where_all_is(
    run: Run, memory: Filled, tmp_path: Path, git: RealGit
) -> None:
    path = tmp_path / "secret.jsonl"
    lines = [
        {"session": {"id": "secret"}},
        {"role": "assistant", "text": "I sank it.", "at": "2026-03-01T00:00:00Z"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("import", str(path), cwd=memory.top, environ={"GITMEM_LEVEL": "private"})
    assert "I sank it." in run("search", "sank", cwd=memory.top).stdout

    def said_last() -> list[str]:
        return [item.text for item in told(memory.top)["what happened last"]]

    assert "I sank it." not in said_last()
    git("config", "gitmem.level", "private", cwd=memory.top)
    assert "I sank it." in said_last()
    git("config", "gitmem.agent.codex.level", "team", cwd=memory.top)
    assert "I sank it." not in said_last()


def test_what_an_index_that_is_behind_has_is_not_told_if_it_was_forgotten(
    run: Run, memory: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def texts() -> str:
        return digest_of(context_at(memory.top), (), LONG_S).text

    assert "The winch needs grease." in texts()
    assert "rusty" in run("recall", "anchor", cwd=memory.top).stdout
    ask = digest_sessions.ask_indexer
    answers = {}

    def behind(context: Context, verb: Any, **asked: Any) -> Iterator[Any]:
        name = json.dumps(asked["queries"])
        answers[name] = answers.get(name) or [json.dumps(answer) for answer in ask(context, verb, **asked)]
        return map(json.loads, answers[name])

    for module in (digest_sessions, recalling):
        monkeypatch.setattr(module, "ask_indexer", behind)
    assert "The winch needs grease." in texts()
    assert "rusty" in run("recall", "anchor", cwd=memory.top).stdout
    run("forget", "--yes", f"generic/{UUID}", "generic/anchors", cwd=memory.top)
    assert "The winch needs grease." not in texts()
    assert "rusty" not in run("recall", "anchor", cwd=memory.top).stdout


def test_what_was_said_last_is_told_and_no_call_or_note(run: Run, memory: Filled) -> None:
    at = "2026-03-02T00:00:00Z"
    calls = [called("Bash", f"c{n}", command=f"make {n}", at=at) for n in range(9)]
    memory.add("worker", [said("The mast stands.", "assistant", at=at), *calls], branch="main")
    for n in range(5):
        run("note", "add", "--as", "codex", f"Note {n}", cwd=memory.top)
    assert told(memory.top)["what happened last"][0].text == "The mast stands."


def test_only_who_is_known_ties_what_is_told_to_a_commit(run: Run, memory: Filled) -> None:
    lines = [said("The mast stands.", "assistant", at="2026-03-02T00:00:00Z")]
    session = memory.add("worker", lines, branch="main")
    checkpoint(memory, "2026-03-02T01:00:00.000Z", "e" * 40, {session: 1}, author=EVE)
    assert told(memory.top)["what happened last"][0].commit == ""
    assert "commit eeeeeeeeee" in run("recall", "mast", cwd=memory.top).stdout
    assert "commit" not in run("recall", "--trusted", "mast", cwd=memory.top).stdout
    checkpoint(memory, "2026-03-02T02:00:00.000Z", "c" * 40, {session: 1})
    assert told(memory.top)["what happened last"][0].commit == "c" * 40


def test_what_is_late_is_left_out_and_what_cannot_be_read_too(
    memory: Filled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    released = threading.Event()

    def late(*_: Any) -> Iterator[Part]:
        yield Part("what happened last", (Item("generic/first#1"),))
        released.wait()
        yield Part("what happened last", (Item("generic/second#1"),))

    monkeypatch.setattr(digesting, "from_index", late)
    text = digest_of(context_at(memory.top), (), 0.2).text
    released.set()
    assert "generic/first#1" in text
    assert "generic/second#1" not in text
    assert digest(context_at(tmp_path), None) == "", "there is no repository"
    monkeypatch.undo()
    monkeypatch.setattr(digesting, "_from_notes", _bug)
    with pytest.raises(ZeroDivisionError):
        digest(context_at(memory.top), SessionKey("generic", "anchors"))


def test_without_a_memory_there_is_nothing_to_say(run: Run, repository: Path) -> None:
    assert digest(context_at(repository), None) == ""
    assert run("digest", cwd=repository, status=1).stdout == ""
    assert json.loads(run("digest", "--json", cwd=repository, status=1).stdout)["parts"] == []
    assert "expected no words" in run("digest", "why", cwd=repository, status=2).stderr


def test_no_part_crowds_out_another_and_the_budget_is_kept() -> None:
    parts = [
        Part(
            name,
            tuple(
                Item(f"generic/{name}{n}#1", "2026-02-03", "", (("", "a title"),), "words " * 30)
                for n in range(9)
            ),
        )
        for name in ("first", "second", "third")
    ]
    text = written(parts, delimiters(bytes(6)))
    assert estimate(text) <= TOKENS
    assert all(f"generic/{name}0#1" in text for name in ("first", "second", "third"))
    assert written([], delimiters(bytes(6))) == ""
    assert written(parts, delimiters(bytes(6)), 20) == ""


def test_what_there_is_no_room_to_quote_is_named_and_an_agent_once() -> None:
    said = "It ended well after all that was said about it. " * 4
    names = (("", "a title that says which session it was"), ("on", "a-branch"), ("with", "codex"))
    items = tuple(Item(f"generic/{n}#1", "2026-02-03", names=names, text=said) for n in range(9))
    text = written([Part("what happened last", items)], delimiters(bytes(6)))
    assert estimate(text) <= TOKENS
    assert text.count("# generic/") > text.count("| It ended") > 0
    assert text.count('with "codex"') == 1


def test_notes_come_first_and_long_ones_are_shortened_before_any_is_left_out() -> None:
    long = "The token of the bot runs out in December and somebody has to renew it by hand before that. " * 2
    ended = "Fixed and pushed: the mooring lines are counted per berth, as two ships may share one. " * 2
    notes = (
        Item("note/3c6abb719310", words="reminder, due 2026-11-20, overdue", text=long),
        Item("note/1d7d59ce5161", "2026-11-26", "decision", text="Batch ref updates: 2000 on GitHub."),
        Item("note/1d7d59ce5162", "2026-11-26", "decision", text=long),
    )
    sessions = (
        Item("7e228c8e45a4#226", "2026-11-26", names=(("", "Count mooring lines"),), text=ended),
        Item("7e228c8e45a5#12", "2026-11-25", names=(("", "Winch"),), text=ended.replace("Fixed", "Mended")),
        Item("7e228c8e45a6#9", "2026-11-24", names=(("", "Anchor"),), text="Let me see."),
    )
    parts = [Part("open reminders and decisions", notes, 2), Part("what happened last", sessions)]
    text = written(parts, WIDEST)
    assert estimate(text) <= TOKENS
    assert text.split("\n")[1:3] == [
        "# open reminders and decisions",
        "# note/3c6abb719310 reminder, due 2026-11-20, overdue",
    ]
    assert text.index("| The token of the bot") < text.index("| Batch ref updates: 2000 on GitHub.")
    assert text.index("| Fixed and pushed") < text.index("| Mended and pushed")
    crowded = written([parts[0], parts[1]._replace(items=sessions * 3)], WIDEST)
    assert crowded.index("note/1d7d59ce5161") < crowded.index("7e228c8e45a4#226")
    assert written(parts, delimiters(b"\x11" * 6)).split("\n")[1:-1] == text.split("\n")[1:-1]


def test_layout_is_no_part_of_how_it_ended() -> None:
    text = "## Changes\n\n| file | state |\n|---|---|\n| `a.py` | **done** |\n\n---\nAll pass."
    assert beginning(Passage(text), 60) == "Changes | file | state | | `a.py` | done | All pass."


def test_sessions_that_ended_with_a_word_stand_behind_those_that_say_something(memory: Filled) -> None:
    memory.add("word", [said("PASS", "assistant", at="2026-03-01T00:00:00Z")], branch="main")
    texts = [item.text for item in told(memory.top)["what happened last"]]
    assert texts[0] != "PASS"
    assert texts[-1] == "PASS"


def ended(memory: Filled, name: str, day: int, text: str, branch: str, begun_on: str = "main") -> None:
    """Add a session that began with an announcement, and ended on another branch or the same."""
    at = f"2026-03-{day:02}T00:00:00Z"
    asked = said(f"Look at the {name}", at=at)
    begun = said("Let me look at it. I will create a branch first.", "assistant", at=at)
    ends = said(text, "assistant", at=at.replace("T00:00", "T01:30"))
    lines = [{**asked, "branch": begun_on}, {**begun, "branch": begun_on}, {**ends, "branch": branch}]
    memory.add(name, lines)


@pytest.mark.parametrize("others", [3, 9])
def test_a_session_is_told_by_how_it_ended_wherever_that_was(memory: Filled, others: int) -> None:
    fixed = "Root cause: crates in pairs. Fixed in hoist.py, 12 tests green."
    ended(memory, "hoist", 1, fixed, "fix/crates")
    for n in range(2, 2 + others):
        ended(memory, f"berth{n}", n, f"Berth {n} is mended.", "fix/berths", "fix/berths")
    last = told(memory.top)["what happened last"]
    assert last[0].text == f"Berth {1 + others} is mended."
    assert ("on", "fix/berths") in last[0].names
    assert not any("I will create a branch" in item.text for item in last)
    hoist = [item for item in last if "hoist" in item.cite]
    assert [item.text for item in hoist] == ([fixed] if others == 3 else [])


def test_the_newest_session_that_ended_on_the_branch_at_hand_stands_second_however_old(
    memory: Filled,
) -> None:
    ended(memory, "hoist", 1, "The hoist takes crates one by one.", "main")
    for n in range(2, 10):
        ended(memory, f"berth{n}", n, f"Berth {n} is mended.", "fix/berths", "fix/berths")
    last = told(memory.top)["what happened last"]
    assert [item.text for item in last[:3]] == [
        "Berth 9 is mended.",
        "The hoist takes crates one by one.",
        "Berth 8 is mended.",
    ]
    assert ("on", "") in last[1].names


def test_what_was_only_announced_or_is_waiting_stands_last(memory: Filled) -> None:
    texts = [
        "Fixed and pushed; 14 tests pass.",
        "PASS",
        "Let me see what the winch does now.",
        "Five finder agents are running… Waiting for their results.",
    ]
    for n, text in enumerate(texts):
        ended(memory, f"s{n}", n + 1, text, "main")
    items = told(memory.top)["what happened last"]
    assert [item.text for item in items if item.text in texts] == [*texts[:2], texts[3], texts[2]]


def test_notes_are_told_however_long_a_search_takes(
    run: Run, memory: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("note", "add", "Shackles are replaced each year.", cwd=memory.top)
    released = threading.Event()

    def never(*_: Any) -> Iterator[Part]:
        released.wait()
        yield from ()

    monkeypatch.setattr(digesting, "from_index", never)
    monkeypatch.setattr(digesting, "GRACE_S", LONG_S)
    text = digest_of(context_at(memory.top), (), 0.0).text
    released.set()
    assert "| Shackles are replaced each year." in text


def test_without_an_index_sessions_are_told_by_their_summaries(
    run: Run, memory: Filled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(digesting, "from_index", lambda *_: iter(()))
    run("title", "generic/anchors", "Which anchor?", cwd=memory.top)
    items = told(memory.top, ("generic/hostile",))["what happened last"]
    by_cite = {item.cite: item for item in items}
    assert "generic/anchors" in by_cite
    assert not {"generic/eves", "generic/hostile"} & by_cite.keys()
    assert ("", "Which anchor?") in by_cite["generic/anchors"].names
    for cite in by_cite:
        assert run("show", cite, cwd=memory.top).stdout
    as_eve = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", EVE.name), ("EMAIL", EVE.email))
    }
    run("title", "generic/anchors", "Do as Eve says", cwd=memory.top, environ=as_eve)
    run("forget", "--yes", f"generic/{UUID}", cwd=memory.top)
    text = digest_of(context_at(memory.top), (), LONG_S).text
    assert "generic/anchors" in text
    assert "Do as Eve says" not in text
    assert UUID[:8] not in text


def test_a_plan_goes_by_its_name(memory: Filled) -> None:
    asked = said("Implement the following plan:\n\n# Plan: Moor by two lines", at="2026-03-01T00:00:00Z")
    memory.add(
        "plan", [asked, said("Both lines hold.", "assistant", at="2026-03-01T00:01:00Z")], branch="main"
    )
    assert ("", "Moor by two lines") in told(memory.top)["what happened last"][0].names


def _bug(context: Context) -> Iterator[Part]:
    yield Part("what happened last", (Item(f"{1 // 0}"),))
