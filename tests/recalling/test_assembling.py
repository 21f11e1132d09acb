"""What is chosen fits its budget, says nothing twice, and comes with what it cannot be understood without."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gitmem.cli.text import clean
from gitmem.recall.assembling import assemble
from gitmem.recall.delimiters import delimiters
from gitmem.recall.likeness import Seen
from gitmem.recall.tokens import estimate
from gitmem.recall.trimming import telling, trim
from gitmem.recall.turns import Hit, Passage, Told, read_hits
from gitmem.recall.writing import Quotation, citation, written
from tests.recalling.hits import hit, turn

WORDS = [
    "tide",
    "gauge",
    "harbour",
    "anchor",
    "chain",
    "parser",
    "retry",
    "timeout",
    "table",
    "branch",
    "index",
    "commit",
]


def cite(told: Told) -> tuple[str, str]:
    return citation(told, is_only=True), ""


def quote(hits: list[dict[str, Any]], budget: int = 2_000) -> list[Quotation]:
    return assemble(read_hits(hits, clean), budget, cite)


def texts(hits: list[dict[str, Any]], budget: int = 2_000) -> list[str]:
    return [one.text for one in quote(hits, budget)]


def made_up(rng: random.Random, count: int) -> list[Hit]:
    found = []
    for n in range(count):
        text = " ".join(rng.choice(WORDS) + str(rng.randrange(99)) for _ in range(rng.randrange(1, 400)))
        beside = [turn("and then? " + text[:90], 4, role="assistant"), turn("why? " + text[-50:], 2)]
        session = f"generic/{rng.randrange(9)}"
        found.append(hit(text, 10 * n, session=session, score=rng.random(), beside=beside))
    return read_hits(found, clean)


def test_no_answer_is_over_its_budget(seed: int) -> None:
    rng = random.Random(seed)
    around = delimiters(bytes(6))
    for budget in (150, 200, 350, 900, 2_000, 5_000):
        chosen = assemble(made_up(rng, 60), budget - estimate(written((), around)), cite)
        assert chosen
        assert estimate(written(chosen, around)) <= budget


def test_in_a_narrow_budget_the_best_is_cut_rather_than_left_out() -> None:
    best = hit("The mooring line broke at noon, as it was worn through at the fairlead. " * 9, score=1.0)
    short = hit("Tar the mooring line.", 9, session="generic/other", score=0.1)
    assert texts([best, short], 70)[0].startswith("The mooring line broke")


def test_the_same_is_said_once_and_nearly_the_same_too() -> None:
    long = "the retry of the upload waits for a second, then two, and gives up after the fifth attempt"
    forked = hit(long, session="generic/fork", score=0.9)
    nearly = hit(long.replace("fifth", "sixth") + "  ", session="generic/other", score=0.8)
    more = hit(
        "what else: " + long + ", and this is new: " + " ".join(WORDS), session="generic/third", score=0.7
    )
    assert [one.told.session for one in quote([hit(long), forked, nearly, more])] == [
        "generic/one",
        "generic/third",
    ]


def test_short_texts_are_alike_only_if_they_are_the_same() -> None:
    seen = Seen()
    assert not seen.has_like("yes, do that")
    assert seen.has_like("Yes — do that!")
    assert not seen.has_like("yes, do this")


def test_a_question_comes_with_its_answer_and_an_answer_with_its_question() -> None:
    question = turn("Why is the tide late?", 2)
    answer = turn("The nodal factors are of last year.", 3, role="assistant")
    asked = hit("Why is the tide late?", 2, beside=[answer])
    assert texts([asked]) == ["Why is the tide late?", "The nodal factors are of last year."]
    answered = hit("The nodal factors are of last year.", 3, role="assistant", beside=[question])
    assert texts([answered]) == ["The nodal factors are of last year.", "Why is the tide late?"]


def test_a_call_comes_with_the_telling_lines_of_its_result() -> None:
    noise = "\n".join(f"collecting item {n}" for n in range(200))
    result = turn(
        f"{noise}\nE   AssertionError: 3 != 4\n{noise}", 4, role="tool", kind="tool_result", tool="Bash"
    )
    found = quote([hit("pytest -q", kind="tool_call", role="assistant", tool="Bash", beside=[result])])
    assert [one.told.kind for one in found] == ["tool_call", "tool_result"]
    assert found[1].text == "…E AssertionError: 3 != 4…"
    back = hit("3 failed", 4, kind="tool_result", role="tool", beside=[turn("pytest", 3, kind="tool_call")])
    assert texts([back]) == ["3 failed", "pytest"]


def test_several_sessions_have_their_say() -> None:
    rng = random.Random(3)

    def text() -> str:
        return " ".join(f"{rng.choice(WORDS)}{rng.randrange(10**6)}" for _ in range(30))

    loud = [hit(text(), n, session="generic/loud", score=1.0) for n in range(0, 90, 3)]
    quiet = [hit(text(), 1, session=f"generic/quiet{n}", score=0.1) for n in range(4)]
    assert {one.told.session for one in quote(loud + quiet, 1_200)} == {
        "generic/loud",
        *(f"generic/quiet{n}" for n in range(4)),
    }


def test_no_turn_is_a_sliver_and_most_of_an_answer_is_what_was_said(seed: int) -> None:
    rng = random.Random(seed)
    code = ["def f(x):", "target: - GITHUB_PUSH_5000", "if err := s.push(ctx); err != nil {", "a[i] += 0x1f"]
    hits = []
    for n in range(60):
        lines = [f"{rng.choice(code)} {rng.choice(WORDS)}{rng.randrange(10**6)}" for _ in range(60)]
        hits.append(hit("\n".join(lines), 3 * n, session=f"generic/{n % 15}", score=rng.random()))
    around = delimiters(bytes(6))
    quotations = quote(hits, 2_000 - estimate(written((), around)))
    assert min(len(one.text) for one in quotations) > 150
    assert 8 <= len(quotations) <= 14
    answer = written(quotations, around)
    assert sum(len(one.text) for one in quotations) > 0.6 * len(answer)


def test_neighbours_of_strangers_are_left_out_where_only_known_people_count() -> None:
    stranger = turn("Because I say so.", 3, role="assistant", captured_by="eve@example.org")
    asked = hit("Why is the tide late?", 2, beside=[stranger])
    [found] = read_hits([asked], clean, only_known=True)
    assert found.beside == ()
    [found] = read_hits([asked], clean)
    assert found.beside[0].trust == "unknown"


@pytest.mark.parametrize("tokens", [10, 25, 60])
def test_a_long_text_is_cut_to_where_its_words_stand(tokens: int) -> None:
    text = ("nothing of interest here. " * 200) + "The anchor chain broke at noon. " + ("and so on. " * 200)
    at = text.index("anchor")
    shown = trim(Passage(text, ((at, at + 6), (at + 7, at + 12))), tokens)
    assert "anchor chain" in shown
    assert estimate(shown) <= tokens
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_what_has_no_words_shows_its_beginning_and_blank_lines_go() -> None:
    assert trim(Passage("first\n\n\n   \nsecond   line\n"), 50) == "first\nsecond line"
    assert trim(Passage("begin " * 400), 12).startswith("begin begin")
    assert trim(Passage(""), 10) == ""
    assert len(trim(Passage("x" * 100_000), 5_000).split("\n")[0]) < 500


def test_what_came_of_it_is_the_last_lines_where_nothing_tells() -> None:
    assert telling("one\ntwo\nthree", 50) == "…two\nthree"
    assert telling("fine", 50) == "fine"


def test_marks_hold_where_cleaning_changes_the_text() -> None:
    [found] = read_hits([hit("an\x1b[31m anchor \x07 chain", words=["anchor", "chain"])], clean)
    passage = found.told.passage
    assert [passage.text[a:b] for a, b in passage.words] == ["anchor", "chain"]
    [split] = read_hits([hit("\x1b]0;title word\x07rest", words=["word"])], clean)
    assert split.told.passage.text == clean(split.told.passage.text)
