"""A question that a memory has no answer to: search lists what there is, and recall quotes none of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.indexer.memories import Filled
from tests.recalling.conftest import Run

ABSENT = "who wants to replace our payroll software for tax withholding"


@pytest.fixture
def embedded(run: Run, memory: Filled, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITMEM_MODEL_DIR", str(model_dir))
    run("index", "update", cwd=memory.top)
    return memory.top


def test_of_what_only_has_a_word_of_the_question_recall_quotes_nothing(run: Run, embedded: Path) -> None:
    listed = run("search", ABSENT, cwd=embedded)
    assert "we replace it each year" in listed.stdout
    assert listed.stderr.startswith("nothing matches well")
    assert json.loads(run("search", "--json", ABSENT, cwd=embedded).stdout)["weak"] is True
    found = json.loads(run("recall", "--json", ABSENT, cwd=embedded, status=1).stdout)
    assert found["turns"] == []
    done = run("recall", ABSENT, cwd=embedded, status=1)
    assert done.stdout == ""
    assert done.stderr.startswith("nothing matches well\ngitmem search ")


def test_what_answers_in_other_words_is_quoted(run: Run, embedded: Path) -> None:
    done = run("recall", "lubricate the windlass", cwd=embedded)
    assert "| The winch needs grease." in done.stdout
    assert "nothing matches well" not in run("search", "lubricate the windlass", cwd=embedded).stderr


def test_a_word_that_nobody_knows_ends_with_1(run: Run, embedded: Path) -> None:
    for command in ("search", "recall"):
        done = run(command, "zzzqqq", cwd=embedded, status=1)
        assert done.stdout == ""
