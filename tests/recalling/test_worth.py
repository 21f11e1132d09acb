"""What tells nothing is quoted only where nothing else is, and what is cut is cut between sentences."""

from __future__ import annotations

from typing import Any

import pytest

from gitmem.cli.text import clean
from gitmem.recall.assembling import assemble
from gitmem.recall.tokens import estimate
from gitmem.recall.trimming import trim
from gitmem.recall.turns import Passage, Told, read_hits
from gitmem.recall.worth import announces, is_routine, is_unfinished, tells
from gitmem.recall.writing import citation
from tests.recalling.hits import hit, turn

ANSWER = hit("The mooring lines are doubled when the gauge falls below two metres.", 9, score=0.1)


def cite(told: Told) -> tuple[str, str]:
    return citation(told, is_only=True), ""


def texts(*hits: dict[str, Any]) -> list[str]:
    return [one.text for one in assemble(read_hits(hits, clean), 2_000, cite)]


def told(text: str, **more: Any) -> Told:
    return read_hits([hit(text, **more)], clean)[0].told


@pytest.mark.parametrize("text", ["commit this", "Commit.", "yes", "ok", "a", "commit / push"])
def test_a_turn_of_the_words_that_were_asked_for_is_no_answer(text: str) -> None:
    words = [word for word in ("commit", "Commit") if word in text]
    says_nothing = hit(text, words=words, score=1.0)
    assert texts(says_nothing, ANSWER) == [ANSWER["passage"]["text"]]
    assert texts(says_nothing) == [text], "it is quoted where nothing else was found"


@pytest.mark.parametrize("text", ["The commit 4f2a broke it", "commit to main instead", "コミットは駄目です"])
def test_a_short_turn_that_says_more_is_an_answer(text: str) -> None:
    assert tells(told(text, words=["commit"] if "commit" in text else []))


@pytest.mark.parametrize(
    "text",
    [
        "The file src/a.py has been updated. Here's the result of running `cat -n`:\n 1\tone\n 2\ttwo",
        "File created successfully at: src/a.py",
        "Todos have been modified successfully.",
        "Task #9 created successfully: the header of the page",
        "Successfully overwrote file: src/a.py",
        "(no output)",
    ],
)
def test_a_result_that_only_says_that_it_was_done_is_left_out(text: str) -> None:
    result = {"kind": "tool_result", "role": "tool", "tool": "Edit"}
    assert is_routine(told(text, **result))
    assert not is_routine(told(text, **result, error=True))
    edit = hit(
        "src/a.py\n- the old mooring\n+ the new", 3, kind="tool_call", beside=[turn(text, 4, **result)]
    )
    assert texts(edit) == ["src/a.py\n- the old mooring\n+ the new"]
    assert texts(hit(text, **result), ANSWER) == [ANSWER["passage"]["text"]]


@pytest.mark.parametrize(
    "text",
    [
        "3 failed, 2 passed",
        "ok  example.org/tide 0.3s",
        "File not created: permission denied",
        "wrote one\nwrote two\nerror: three",
    ],
)
def test_a_result_that_tells_what_came_of_it_is_kept(text: str) -> None:
    assert not is_routine(told(text, kind="tool_result", role="tool"))


def test_what_a_host_put_into_a_prompt_is_left_out() -> None:
    preamble = hit("Rules about mooring lines: only doubled ones.", kind="preamble", role="system", score=1.0)
    assert texts(preamble, ANSWER) == [ANSWER["passage"]["text"]]


def test_what_only_announces_the_next_call_comes_last() -> None:
    call = turn("cat mooring.py", 4, kind="tool_call", role="assistant")
    said = {"role": "assistant", "beside": [call], "score": 1.0}
    bare = hit("Good question! Let me look at the mooring code:", **said)
    finds = hit("The mooring lines are never doubled. Let me fix that.", **said)
    [first, second] = read_hits([bare, finds], clean)
    assert (announces(first), announces(second)) == (True, False)
    assert texts(bare, ANSWER)[0] == ANSWER["passage"]["text"]
    in_a_talk = hit("I will sail to the mooring on Friday.", role="assistant", score=1.0)
    assert texts(in_a_talk, ANSWER)[0] == "I will sail to the mooring on Friday."


def test_a_cut_leaves_no_half_sentence_where_one_ends_nearby() -> None:
    before = "The harbour was closed for the whole of that week. " * 5
    behind = "Nobody was hurt by it at all, as far as we know. " * 5
    text = f"{before}The mooring line broke at noon. It was worn.\n{behind}"
    at = text.index("mooring")
    shown = trim(Passage(text, ((at, at + 7),)), 36)
    assert "The mooring line broke at noon." in shown
    assert shown.strip("…").startswith(("The ", "It ", "Nobody "))
    assert shown.endswith(".…")
    assert estimate(shown) <= 36


def test_no_cut_ends_with_the_number_of_a_list_or_with_what_announces_one() -> None:
    text = (
        "1. Splice the mooring line again\n2. Grease the winch and its bearings\nThe steps that are left:\n- "
        + ("more words " * 99)
    )
    for tokens in range(14, 60):
        shown = trim(Passage(text, ((11, 14),)), tokens).rstrip("…").rstrip()
        assert not shown.endswith(("1.", "2.", ":")), shown


def test_numbers_of_lines_are_no_part_of_a_file() -> None:
    listed = "     1→package tide\n     2→\n     3→func High() int {\n     4\treturn 3\n"
    assert trim(Passage(listed), 60) == "package tide\nfunc High() int {\nreturn 3"
    assert trim(Passage("12\tapples\n"), 60) == "12\tapples", "a table of two columns stays"


def test_code_that_takes_many_tokens_is_cut_around_its_words() -> None:
    code = "".join(f"x_{n}[{n}]->q{n}(&y{n});\n" for n in range(400))
    text = f"{code}anchor_chain(&winch, mooring);\n{code}"
    at, other = text.index("anchor"), text.index("mooring")
    shown = trim(Passage(text, ((at, at + 12), (other, other + 7))), 40)
    assert "anchor_chain" in shown
    assert "mooring" in shown


@pytest.mark.parametrize(
    ("text", "is_news"),
    [
        ("Let me look at it. I will create a branch first.", False),
        ("Five finder agents are running… Waiting for their results.", False),
        ("The tests are still running in the background. I will report back.", False),
        ("Once they are done I will report what they found.", False),
        ("Root cause: crates in pairs. Fixed in hoist.py, 12 tests green, PR 7 is open.", True),
        ("Fixed and pushed. Waiting for the review of PR 7.", True),
        ("The winch is greased; will you look at it?", True),
        ("", True),
    ],
)
def test_what_is_announced_or_waited_for_is_no_news_by_itself(text: str, is_news: bool) -> None:
    assert is_unfinished(Passage(text)) is not is_news
