"""What gitmem itself put into a session is known again, however it came there."""

from __future__ import annotations

import time

import pytest

from gitmem.recall.delimiters import delimiters
from gitmem.recall.echoes import is_echo, without_echoes
from indexer.finding.passages import passage

AROUND = delimiters(bytes(range(6)))
ANSWER = f"{AROUND.begins}\n# generic/a#1 user\n| words\n{AROUND.ends}"


@pytest.mark.parametrize(
    "command",
    [
        "gitmem recall why",
        "cd /x && gitmem search 'anchor chain' --json",
        "git mem show claude-code/0f3a#3",
        "GITMEM_SIDECAR=false gitmem -C ../x --no-pager why src/app.py:3",
        "/usr/local/bin/gitmem digest",
        "bash -lc 'gitmem recall x'",
        "echo x | gitmem search --batch -",
        "python3 -P -m gitmem recall x",
    ],
)
def test_a_call_that_reads_a_memory_is_an_echo(command: str) -> None:
    assert is_echo("tool_call", command, "Bash")


@pytest.mark.parametrize(
    "command",
    [
        "git commit -m 'gitmem search: faster'",
        "gitmem capture",
        "gitmem push origin",
        "rg gitmem recall",
        "vim docs/gitmem-search.md",
        "pytest tests/recall",
    ],
)
def test_other_calls_are_none(command: str) -> None:
    assert not is_echo("tool_call", command, "Bash")


def test_tools_of_its_own_are_echoes_and_so_are_answers_and_what_a_hook_put_in() -> None:
    assert is_echo("tool_call", "{}", "mcp__gitmem__search")
    assert is_echo("tool_result", "hits", "gitmem_recall")
    assert not is_echo("tool_call", "{}", "mcp__github__search")
    assert is_echo("tool_result", ANSWER, "")
    assert is_echo("preamble", f"SessionStart:startup hook additional context: {ANSWER}", "")
    assert is_echo("message", ANSWER, "")
    assert not is_echo("message", f"{ANSWER}\nWhat do you think?", "")


def test_only_what_stands_between_one_answers_delimiters_goes() -> None:
    other = delimiters(bytes(6))
    assert without_echoes(f"before\n{ANSWER}\nbehind") == "before\n\nbehind"
    assert without_echoes(f"a {AROUND.begins} b {other.ends} c {AROUND.ends} d") == "a  d"
    assert without_echoes(f"a {AROUND.begins} cut off") == "a "
    assert without_echoes(f"a {AROUND.ends} b") == f"a {AROUND.ends} b"


def test_a_passage_has_most_of_what_was_asked_for_and_nothing_of_ours() -> None:
    wanted = {"anchor", "chain"}
    text = f"{ANSWER} {'far away. ' * 100}\nthe anchor chain broke\n{'anchor. ' * 5}{'behind ' * 100}"
    found = passage(text, wanted.__contains__, 120)
    assert "words" not in found.text
    assert "the anchor chain broke" in found.text
    assert len(found.text) <= 120
    assert (found.before, found.behind) == (True, True)
    assert {found.text[a:b] for a, b in found.marks} == wanted
    assert passage("short anchor", wanted.__contains__, 120) == ("short anchor", ((6, 12),), False, False)


def test_looking_for_calls_takes_no_longer_on_hostile_text() -> None:
    started = time.process_time()
    for text in (";" * 8_192, " " * 8_192, "\n" * 8_192, ";a=;" * 2_048, "/" * 8_192, "python -E" * 900):
        is_echo("tool_call", text, "Bash")
    assert time.process_time() - started < 60, "a sign of a pattern that grows with the square, or worse"
