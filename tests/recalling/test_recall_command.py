"""`gitmem recall` as people and agents run it: cited, quoted, without what it must not repeat."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.importing import samples
from tests.indexer.memories import Filled, called, gave, said
from tests.recalling.conftest import AT, UUID, Run, checkpoint

_OURS = re.compile(r"^# (\S+) ", re.MULTILINE)


def recalled(run: Run, cwd: Path, *arguments: str, **environ: str) -> dict[str, Any]:
    done = run("recall", "--json", *arguments, cwd=cwd, status=None, environ=environ)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.status == (0 if found["turns"] else 1)
    return found


def sessions(found: dict[str, Any]) -> set[str]:
    return {turn["session"] for turn in found["turns"]}


def printed(answer: str) -> list[str]:
    """Return what an answer cites, put together as its last line says."""
    session, found = "", []
    for name in _OURS.findall(answer)[:-1]:
        if name.startswith("#"):
            found.append(f"{session}{name}")
        else:
            session = name
    return found


def test_what_an_answer_prints_is_what_show_opens(run: Run, memory: Filled) -> None:
    answer = run("recall", "anchor", cwd=memory.top).stdout
    cited = printed(answer)
    assert len(cited) > 5
    for each in cited[:6]:
        assert run("show", each, cwd=memory.top).stdout
    example = re.search(r"^# more of a turn: gitmem show SESSION#TURN, as (\S+)$", answer, re.MULTILINE)
    assert example
    assert example[1] in cited


def test_every_citation_opens_what_it_was_printed_for(run: Run, memory: Filled) -> None:
    found = recalled(run, memory.top, "anchor")
    assert len(found["turns"]) > 5
    assert {"generic/anchors", f"generic/{UUID}"} <= sessions(found)
    for turn in found["turns"][:6]:
        shown = json.loads(run("show", "--json", turn["citation"], cwd=memory.top).stdout)
        [asked] = [one for one in shown["turns"] if one["ordinal"] in shown["asked_for"]]
        assert (shown["session"], asked["ordinal"]) == (turn["session"], turn["ordinal"])
    assert {turn["citation"] for turn in found["turns"] if turn["session"] == "generic/anchors"} >= {
        "generic/anchors#0",
        "generic/anchors#1",
    }


def test_an_answer_is_quoted_cited_and_says_what_it_is(run: Run, memory: Filled) -> None:
    first, second = (run("recall", "anchor", "chain", cwd=memory.top).stdout.rstrip("\n") for _ in range(2))
    for text in (first, second):
        begins, *lines, ends = text.split("\n")
        nonce = re.fullmatch(
            r"\[gitmem-history ([0-9a-f]{12}) begins: history written by others, .*\]", begins
        )
        assert nonce
        assert ends == f"[gitmem-history {nonce[1]} ends]"
        assert all(line.startswith(("|", "# ")) for line in lines)
    assert first.split("\n")[1:-1] == second.split("\n")[1:-1]
    assert first.split("\n")[0] != second.split("\n")[0], "nobody can know the number before"
    assert "generic/anchors#0" in printed(first)
    assert "# generic/anchors 2026-02-03, " in first, "its name says which agent it was"
    assert 'branch "main"' in first
    assert "| …FAILED anchor_test: shackle too weak…" in first
    assert "unknown author" in first, "whoever asks is told who is not known"


def test_the_budget_is_kept_and_filters_narrow(run: Run, memory: Filled) -> None:
    small = recalled(run, memory.top, "anchor", "--budget", "200")
    assert small["tokens"] <= 200
    assert len(small["turns"]) < len(recalled(run, memory.top, "anchor")["turns"])
    assert "generic/eves" in sessions(recalled(run, memory.top, "anchor"))
    assert "generic/eves" not in sessions(recalled(run, memory.top, "--trusted", "anchor"))
    assert sessions(recalled(run, memory.top, "--session", "generic/eves")) == {"generic/eves"}
    assert run("recall", cwd=memory.top, status=2).stderr
    assert run("recall", "x", "--json", "--markdown", cwd=memory.top, status=2).stderr
    assert run("recall", "zeppelin", cwd=memory.top, status=1).stdout == ""


def test_what_gitmem_said_and_the_session_itself_are_left_out(run: Run, memory: Filled) -> None:
    answer = run("recall", "anchor", cwd=memory.top).stdout
    memory.add(
        "asker",
        [
            said(f"SessionStart hook additional context: {answer}", "user"),
            called("Bash", "c1", command="gitmem search anchor"),
            gave("c1", "claude-code/0f3a#3 the anchor shackle was rusty"),
            called("mcp__gitmem__recall", "c2", query="anchor"),
            gave("c2", "anchor anchor anchor"),
            called("Bash", "c3", command="cat answer.txt"),
            gave("c3", answer),
            said(f"{answer}\nIs the anchor bow to blame?", "user"),
        ],
    )
    found = recalled(run, memory.top, "anchor bow")
    [own] = [turn for turn in found["turns"] if turn["session"] == "generic/asker"]
    assert own["text"] == "Is the anchor bow to blame?"
    searched = json.loads(
        run("search", "--json", "anchor", "--session", "generic/asker", cwd=memory.top).stdout
    )
    assert len(searched["hits"]) > 3, "a search still finds all of it"
    memory.add("5f3a", [samples.line(0, "5f3a")], agent="claude-code")
    assert "claude-code/5f3a" in sessions(recalled(run, memory.top, "tide table"))
    inside = recalled(run, memory.top, "tide table", CLAUDE_CODE_SESSION_ID="5f3a")
    assert "claude-code/5f3a" not in sessions(inside)
    without = recalled(run, memory.top, "tide table", "--except", "claude-code/5f")
    assert "claude-code/5f3a" not in sessions(without)


def test_a_page_of_markdown_holds_each_turn_in_a_fence(run: Run, memory: Filled) -> None:
    page = run("recall", "--markdown", "anchor", cwd=memory.top).stdout
    assert page.startswith("# anchor\n")
    assert "## `generic/anchors#1`\n" in page
    fences = re.findall(r"^(`{3,})text\n.*?^\1$", page, re.MULTILINE | re.DOTALL)
    assert len(fences) == page.count("\n## ")
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", page, flags=re.MULTILINE | re.DOTALL)
    assert "<" not in outside.replace("\\<", "")


def test_a_turn_names_the_commit_that_it_led_to(run: Run, memory: Filled) -> None:
    session = memory.add("winch", [said("a new capstan", at=AT), said("done", "assistant", at=AT)])
    committed = checkpoint(memory, "2026-02-03T07:00:00.000Z", "c" * 40, {session: 1})
    checkpoint(memory, "2026-02-03T08:00:00.000Z", "d" * 40, {session: 2})
    [turn] = recalled(run, memory.top, "capstan")["turns"]
    assert turn["commits"] == ["c" * 40]
    assert f"commit {'c' * 10}" in run("recall", "capstan", cwd=memory.top).stdout
    assert committed


def test_an_agent_is_not_told_what_is_private_unless_it_asks_for_it(
    run: Run, memory: Filled, tmp_path: Path
) -> None:
    path = tmp_path / "secret.jsonl"
    lines = [{"session": {"id": "secret"}}, {"role": "user", "text": "The anchor was sold in secret."}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("import", str(path), cwd=memory.top, environ={"GITMEM_LEVEL": "private"})

    def ask(*arguments: str, **environ: str) -> str:
        done = run("recall", "anchor", *arguments, cwd=memory.top, environ=environ)
        assert ("1 private session is left out" in done.stderr) == ("secret" not in done.stdout)
        return done.stdout

    assert "sold in secret" in ask()
    assert "sold in secret" not in ask(CLAUDECODE="1")
    assert "rusty" in ask(CLAUDECODE="1")
    assert "sold in secret" in ask("--level", "private", CLAUDECODE="1")
    assert "sold in secret" in ask("level:private", CLAUDECODE="1")
    assert recalled(run, memory.top, "anchor", AGENT="goose")["held_back"] == 1


def test_where_nothing_is_found_it_says_what_to_try(run: Run, memory: Filled) -> None:
    by_words = run("recall", "zeppelin", cwd=memory.top, status=1).stderr
    assert "nothing found\ngitmem model status: " in by_words
    narrowed = run("recall", "anchor", "--since", "2031-01-01", cwd=memory.top, status=1).stderr
    assert "without filters" in narrowed
