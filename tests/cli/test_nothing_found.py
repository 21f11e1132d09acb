"""Where nothing is found, a line on standard error says so, whoever reads it; results and the exit code stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.sharing.clones import Clone


@pytest.fixture
def empty(repository: Path) -> Path:
    """Return a repository whose memory holds nothing."""
    Clone(repository).write(lambda scribe: None)
    return repository


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("sessions",), "there are no sessions yet"),
        (("search", "tide"), "nothing found"),
        (("log", "--checkpoints"), "there are no checkpoints yet"),
        (("conflicts",), "no session went on in two places, and no note was replaced in two ways"),
        (("digest",), "there is nothing to say yet"),
        (("note", "list"), "no note is like that"),
        (("note", "list", "--due"), "nothing is due"),
        (("forget", "--list"), "nothing waits to be erased"),
    ],
)
def test_that_nothing_is_found_is_said_in_a_line(
    run: CommandLine, empty: Path, args: tuple[str, ...], says: str
) -> None:
    told = run(*args, cwd=empty, status=None)
    assert (told.stdout, told.stderr) == ("", f"{says}\n")


def test_recall_says_what_to_try_besides(run: CommandLine, empty: Path) -> None:
    told = run("recall", "tide", cwd=empty, status=1)
    assert (told.stdout, told.stderr.splitlines()[0]) == ("", "nothing found")


def test_json_that_says_so_itself_has_no_line_beside_it(run: CommandLine, empty: Path) -> None:
    for args, name in (
        (("sessions",), "sessions"),
        (("search", "tide"), "hits"),
        (("recall", "tide"), "turns"),
        (("log", "--checkpoints"), "checkpoints"),
    ):
        told = run(*args, "--json", cwd=empty, status=1)
        assert (json.loads(told.stdout).get(name, []), told.stderr) == ([], "")
