"""Whatever is quoted stays a quotation: every line of an answer is quoted, or is one of ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.cli.text import clean
from gitmem.recall.delimiters import WIDEST, delimiters
from gitmem.recall.digest import MORE, Item, Part
from gitmem.recall.digest import written as digest_of
from gitmem.recall.quoting import harmless, named, quoted
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Told, read_hits
from gitmem.recall.writing import HOW_TO_OPEN, Quotation, citation, written
from tests.recalling.hits import hit
from tests.recalling.hostile import HOSTILE

AROUND = delimiters(bytes.fromhex("0a1b2c3d4e5f"))
_NAME = r'"[^"\n\[\]|#\\]*"'
_OURS = re.compile(
    r"# (?:(?:[\w./@+…-]+)?(?:#[\w./@+:-]+)?|failed|result|call|user|assistant|system|tool|thinking|notice|preamble"
    rf"|commit [0-9a-f]{{1,10}}|by|branch|unknown author|untrusted author|[0-9-]{{10}}|on|,|{_NAME}| )*"
)
_TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(), st.lists(st.sampled_from(HOSTILE)).map("".join))


def expect_quoted(text: str) -> None:
    """Fail where a line between the delimiters is neither quoted nor of the form of one of ours."""
    lines = text.split("\n")
    assert len(lines) == len(text.splitlines()), "no other line end is left"
    assert (lines[0], lines[-1]) == (AROUND.begins, AROUND.ends)
    for line in lines[1:-1]:
        assert line.startswith("|") or _OURS.fullmatch(line), line
        assert "0a1b2c3d4e5f" not in line
        assert "gitmem-history" not in line.lower()
        assert not re.search("<[A-Za-z/|!?]", line), line
        assert clean(line) == line, "nothing acts on a terminal or hides"


def told(text: str, **more: str) -> Told:
    return read_hits([hit(text, **more)], clean)[0].told


@given(text=_TEXTS, name=_TEXTS, more=_TEXTS)
def test_no_text_and_no_name_leaves_its_quotes(text: str, name: str, more: str) -> None:
    one = told(text, title=name, author=more, branch=name, tool=more, session=f"generic/{name}", stream=more)
    texts = Quotation(one, one.passage.text, citation(one, is_only=True), "ab" * 20)
    found = written([texts, texts._replace(told=one._replace(kind="tool_call"))], AROUND)
    *lines, last, ends = found.split("\n")
    assert re.fullmatch(rf"# {HOW_TO_OPEN}(?:, as [\w./@+-]+#[\w./@+:-]+)?", last)
    expect_quoted("\n".join([*lines, ends]))


@given(text=_TEXTS, name=_TEXTS)
def test_a_digest_is_quoted_as_well(text: str, name: str) -> None:
    item = Item(
        "generic/x#1", "2026-02-03", "", (("", clean(name)), ("on", clean(name))), clean(text), "ab" * 20
    )
    found = digest_of([Part("what happened last", (item,))], AROUND, 100_000)
    expect_quoted(found.replace(f"# {MORE}\n", ""))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_quoted_text_begins_each_of_its_lines_so(text: str) -> None:
    assert all(line.startswith("|") for line in quoted(clean(text)).splitlines())
    assert len(named(clean(text)).splitlines()) == 1
    assert named(clean(text)).count('"') == 2


def test_what_is_no_tag_stays_as_it_is() -> None:
    assert harmless("if a < b and c <= d: x << 2") == "if a < b and c <= d: x << 2"
    assert harmless("Vec<String> → </x>") == "Vec‹String> → ‹/x>"


def test_our_own_word_for_it_is_taken_out_however_it_is_written() -> None:
    for text in ("gitmem-history", "GitMem History", "gitmem _ history", "gitmem\u2011history"):
        assert "history" in harmless(text)
        assert not re.search(r"gitmem[\W_]{0,3}history", harmless(text).replace("’s", "XX"), re.IGNORECASE)


def test_a_note_is_named_once() -> None:
    one = told("Batch ref updates.", session="note/" + "ab" * 32, title="Batch ref updates.")
    note = one._replace(note="decision")
    text = written([Quotation(note, note.passage.text, citation(note, is_only=True))], AROUND)
    assert text.split("\n")[1:3] == [
        '# note/abababababab decision, 2026-02-03, with generic, branch "main", by "Ada"',
        "| Batch ref updates.",
    ]
    assert f"# {HOW_TO_OPEN}\n" in text
    expect_quoted(text.replace(f"# {HOW_TO_OPEN}\n", ""))


def test_what_is_as_of_the_first_turn_is_said_once_for_a_session() -> None:
    turns = read_hits([hit(f"turn {n}", n) for n in range(4)], clean)
    commits = ("ab" * 20, "ab" * 20, "cd" * 20, "")
    quotations = [
        Quotation(one.told, one.told.passage.text, f"7e228c8e45a4#{one.told.ordinal}", commit)
        for one, commit in zip(turns, commits, strict=True)
    ]
    assert written(quotations, AROUND).split("\n")[1:-1] == [
        '# 7e228c8e45a4 generic, 2026-02-03, branch "main", by "Ada", commit ababababab',
        "# #0 user",
        "| turn 0",
        "# #1 user",
        "| turn 1",
        "# #2 user commit cdcdcdcdcd",
        "| turn 2",
        "# #3 user no commit",
        "| turn 3",
        "# more of a turn: gitmem show SESSION#TURN, as 7e228c8e45a4#0",
    ]


@given(drawn=st.binary(min_size=6, max_size=6))
def test_no_number_takes_more_tokens_than_the_one_that_answers_are_cut_by(drawn: bytes) -> None:
    assert estimate("\n".join(delimiters(drawn))) <= estimate("\n".join(WIDEST))


def test_delimiters_are_of_the_number_that_was_drawn() -> None:
    assert "0a1b2c3d4e5f" in AROUND.begins
    assert AROUND.ends == "[gitmem-history 0a1b2c3d4e5f ends]"
    with pytest.raises(AssertionError):
        delimiters(b"abc")


def test_a_citation_goes_by_the_name_where_a_line_can_hold_it() -> None:
    one = told("x", session="generic/short", stream="")
    assert citation(one, is_only=True) == "generic/short#3"
    assert citation(one, is_only=False) == f"{one.id[:12]}#3"
    assert citation(one._replace(stream="agent-7"), is_only=True) == "generic/short#agent-7:3"
    assert citation(one._replace(stream="a b"), is_only=True) == "generic/short"
    assert citation(one._replace(session="generic/a b"), is_only=True) == f"{one.id[:12]}#3"
    assert (
        citation(one._replace(session="note/" + "ab" * 32, note="decision"), is_only=True)
        == "note/abababababab"
    )
