"""What measures is right itself: scores, typos, and the file of figures."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from tests.recall import absent, baselines, budgets, figures
from tests.recall.asking import Turn
from tests.recall.figures import Row
from tests.recall.scoring import Score, mean_score
from tests.recall.sets import misspelt

_TURNS = [
    Turn("a", "one", "the anchor chain broke", 1, ""),
    Turn("b", "one", "a chain", 3, ""),
    Turn("c", "two", "chains of events", 2, ""),
]


def test_a_second_hit_counts_by_its_rank() -> None:
    found = mean_score([["x", "right", "x", "also"]], [["right", "also"]])
    ideal = 1 + 1 / math.log2(3)
    gain = 1 / math.log2(3) + 1 / math.log2(4)  # the hit that comes twice takes one place
    assert found == Score(1, 0.0, 1.0, 1.0, 0.5, pytest.approx(gain / ideal))


def test_what_is_beyond_the_tenth_is_not_found() -> None:
    assert mean_score([[*"abcdefghij", "right"]], [["right"]]) == Score(1, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_every_second_longer_word_is_broken_and_no_other(seed: int) -> None:
    for n in range(200):
        first, short, second, third = misspelt("anchor the harbour station", random.Random(seed + n)).split()
        assert first != "anchor"
        assert first[0] == "a"
        assert abs(len(first) - len("anchor")) <= 1
        assert (short, second) == ("the", "harbour")
        assert third != "station"


def test_words_are_counted_and_the_newest_of_equals_stands_first() -> None:
    assert baselines.ripgrep(_TURNS, "turn")("what anchor chain") == ["a", "b", "c"]
    assert baselines.ripgrep(_TURNS, "turn")("chain") == ["b", "c", "a"]
    assert baselines.ripgrep(_TURNS, "session")("chain") == ["one", "two"]


def test_fts5_and_tantivy_stem() -> None:
    for rank in (
        baselines.fts5(_TURNS, "turn", drops_stop_words=False),
        baselines.tantivy_defaults(_TURNS, "turn"),
    ):
        assert rank("anchors, chained")[0] == "a"
        assert set(rank("chaining")) == {"a", "b", "c"}
        assert rank('") OR -(') == []


def test_ranks_are_fused_whatever_the_scores_were() -> None:
    fused = baselines.reciprocal_ranks(lambda _: ["a", "b", "c"], lambda _: ["c", "a"])
    assert fused("anything") == ["a", "c", "b"]


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "figures.md"
    path.write_text("# Why\n\nText.\n\n" + figures.table({}))
    first = {Row("own", "gitmem, lexical"): Score(3, 0.1, 0.2, 0.3, 0.4, 0.5)}
    figures.write(first, path)
    second = {Row("own, typos", "FTS5, porter"): Score(3, 0.1, 0.2, 0.3, 0.4, 0.5123)}
    figures.write(second, path)
    assert figures.read(path) == {**first, **second}
    assert path.read_text().startswith("# Why\n\nText.\n")


def test_only_a_fall_of_our_own_counts() -> None:
    ours, theirs, other = Row("own", "gitmem, lexical"), Row("own", "FTS5"), Row("own", "gitmem, hybrid")
    reviewed = dict.fromkeys((ours, theirs, other), Score(9, 0.5, 0.5, 0.5, 0.5, 0.5))
    lower = Score(9, 0.5, 0.5, 0.5, 0.5, 0.494)
    assert figures.fallen(reviewed, {ours: lower, theirs: lower}) == [ours]
    assert figures.fallen(reviewed, {ours: lower._replace(ndcg_10=0.4951)}) == []
    assert figures.unmeasured(reviewed, {ours: lower}, {"own"}) == [theirs, other]
    assert figures.differences(reviewed, {ours: lower}) == ["own: gitmem, lexical: 0.4940, -0.0060"]


def test_budgets_are_read_as_they_were_written_and_a_fall_is_told(tmp_path: Path) -> None:
    path = tmp_path / "budgets.md"
    path.write_text("# Why\n\n" + budgets.table({}))
    row, other = budgets.Row("own", "lexical", 2000), budgets.Row("own", "hybrid", 2000)
    one = budgets.Answered(9, 0.5, 0.25, 20.5, 3.0, 1990)
    budgets.write({row: one}, path)
    budgets.write({other: one}, path)
    assert budgets.read(path) == {row: one, other: one}
    assert path.read_text().startswith("# Why\n")
    fallen = list(budgets.fallen({row: one._replace(answered=0.494)}, {row: one}))
    assert fallen == ["own, lexical: 0.4940 answered"]
    assert list(budgets.fallen({row: one._replace(most_tokens=2001)}, {})) == [
        "own, lexical: 2001 tokens of 2000"
    ]
    assert list(budgets.fallen({row: one._replace(answered=0.496)}, {row: one})) == []


def test_what_a_set_speaks_of_is_not_asked_as_if_it_did_not() -> None:
    asked = [*absent.questions(), *absent.nonsense()]
    everything = absent.about_nothing(asked, [])
    assert len(everything) == len(set(everything)) > 150
    assert everything == absent.about_nothing([*absent.questions(), *absent.nonsense()], ["about anchors"])
    without = absent.about_nothing(asked, ["Kafka is a queue", "a Finnish SAUNA"])
    assert {text for text in everything if "kafka" in text or "sauna" in text} == {*everything} - {*without}
