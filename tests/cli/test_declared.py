"""A declared command understands without click what click understands, in the same way, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitmem.cli import root
from gitmem.cli.command import as_click
from gitmem.cli.commands import COMMANDS
from gitmem.cli.commands.search import command as search
from gitmem.cli.context import context_of_process
from gitmem.cli.declared import Declared, read
from tests.conftest import IMPORTED_FROM, CommandLine

PIECES = [
    *(
        "--limit",
        "-n",
        "-n5",
        "-n=5",
        "--limit=7",
        "--limit=0",
        "--limit= 3",
        "--lim",
        "--limit=1_0",
        "5",
        "-5",
    ),
    *(
        "--agent",
        "--agent=",
        "--agent=codex",
        "--errors",
        "--errors=1",
        "--json",
        "--json-lines",
        "--no-json",
    ),
    *("--role", "--role=user", "--role=captain", "--mode=lexical", "--mode", "lexical", "user", "-", "--"),
    *(
        "--since",
        "7d",
        "--batch",
        "--batch=-",
        "word",
        "-word",
        "--word",
        "",
        "caf\udce9",
        "a=b",
        "--=",
        "-=",
        "---",
    ),
    *("--facets", "--facets=role,month", "--facets=", "--complete", "--complete=", "--complete=anch"),
    *("--as-of", "--as-of=gitmem~1", "--except", "--except=codex/1", "--recent", "--recent=1"),
    *(
        "--all",
        "--al",
        "--recurse-submodules",
        "--no-recurse-submodules",
        "--recurse",
        "--all=yes",
        "role:user",
        "-role:user",
    ),
    *("-h", "--help", "-nn", "-n-1", "--session=claude-code/1", "--file", "src/a b.py", "١"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=7) | st.lists(st.text(max_size=4), max_size=4))
@example(["--agent", "--", "word"])
@example(["--agent", "a", "--agent=b", "--limit", "3", "-n4", "word", "--errors", "--", "--json", "-x"])
def test_what_is_understood_click_understands_likewise(arguments: Sequence[str]) -> None:
    line = read(search.options, arguments)
    if line is not None:
        assert by_click(arguments) == (line.words, line.values)


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "word"],
        ["--limit", "5", "-n6", "--mode=lexical", "word", "--agent", "codex", "--agent=gemini-cli"],
        ["--since", "7d", "--until=2026-05-08", "--errors", "--json"],
        ["--batch", "-", "--json-lines", "--group", "session"],
        ["--", "-not", "--an-option"],
        ["--file", "-strange-name", "-"],
        ["--facets", "role,month", "--recent", "--as-of=gitmem~1", "--except", "a", "--except=b", "word"],
        ["--all", "--complete", "anch"],
        ["--recurse-submodules", "role:user", "word", "--complete="],
    ],
)
def test_what_is_common_needs_no_click(arguments: Sequence[str]) -> None:
    line = read(search.options, arguments)
    assert line is not None
    assert by_click(arguments) == (line.words, line.values)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-h"],
        ["--help"],
        ["--lim", "5"],
        ["--limit"],
        ["--limit", "0"],
        ["--role", "captain"],
        ["--errors=1"],
        ["--recent=1"],
        ["--recurse"],
        ["--as-of"],
        ["-x"],
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_click(arguments: Sequence[str]) -> None:
    assert read(search.options, arguments) is None


def test_every_option_is_read_by_each_of_its_names() -> None:
    names = {name for option in search.options for name in option.names}
    assert names >= {
        "--facets",
        "--complete",
        "--all",
        "--recurse-submodules",
        "--as-of",
        "--except",
        "--recent",
    }
    for option in search.options:
        for name in option.names:
            text = (*option.choices, "x")[0]
            value = {"flag": [], "switch": [], "number": ["2"], "text": [text]}[option.kind]
            line = read(search.options, [name, *value])
            assert line is not None, name
            assert by_click([name, *value]) == (line.words, line.values)


def test_a_process_that_needed_no_click_ends_with_all_that_it_has_begun(tmp_path: Path) -> None:
    program = (
        "import atexit, sys, threading, time\n"
        "from gitmem.cli.commands import capture as module\n"
        "from gitmem.cli.main import main\n"
        "def late():\n"
        "    time.sleep(0.05)\n"
        "    print('thread')\n"
        "def run(context, words, **values):\n"
        "    atexit.register(lambda: print('exit'))\n"
        "    threading.Thread(target=late).start()\n"
        "    return 1\n"
        "module.command = module.command._replace(run=run)\n"
        "sys.argv[1:] = ['capture']\n"
        "main()\n"
        "print('it comes back')\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, b"thread\nexit\n", b"")


def test_declarations_are_marked_in_the_table() -> None:
    for name, entry in COMMANDS.items():
        module = __import__(f"gitmem.cli.commands.{entry.module}", fromlist=["command"])
        assert isinstance(module.command, Declared) == entry.is_declared, name


@pytest.mark.parametrize(
    ("arguments", "needs_click"),
    [
        (["search", "anchor"], False),
        (["-C", ".", "--no-pager", "--color=never", "search", "-C.", "anchor", "-n", "3"], False),
        (["--color", "green", "search", "anchor"], True),
        (["search", "anchor", "--color=never"], True),
        (["--", "search", "anchor"], True),
        (["search", "-h"], True),
        (["status"], True),
    ],
)
def test_click_is_loaded_for_what_is_unusual_alone(
    arguments: Sequence[str], needs_click: bool, repository: Path, environ: Mapping[str, str]
) -> None:
    program = (
        "import sys\n"
        "from gitmem.cli.context import context_of_process\n"
        "from gitmem.cli.main import run\n"
        "run(sys.argv[1:], context_of_process())\n"
        "sys.exit(10 + ('click' in sys.modules))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program, *arguments],
        cwd=repository,
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=False,
    )
    assert finished.returncode == 10 + needs_click, finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "anchor"],
        ["-C", "nowhere", "search", "anchor"],
        ["search", "anchor", "-C", "nowhere"],
        ["-C", "below", "search", "anchor", "-C", ".."],
        ["search", "--json", "--json-lines", "x"],
        ["search"],
        ["search", "--since", "soon", "x"],
        ["--color=always", "search"],
        ["search", "--batch", "none.txt"],
        ["search", "--all", "x"],
        ["search", "--all", "--recurse-submodules", "x"],
        ["search", "--recurse-submodules", "x"],
        ["search", "--no-recurse-submodules", "x"],
        ["search", "--complete", "x"],
        ["search", "--complete", "x", "y"],
        ["search", "--facets", "colour", "x"],
        ["search", "--as-of", "HEAD~7", "x"],
        ["search", "--except", "x"],
    ],
)
def test_both_ways_end_alike(
    arguments: Sequence[str],
    repository: Path,
    run: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    (repository / "below").mkdir()
    plainly = run(*arguments, cwd=repository, status=None)
    monkeypatch.chdir(repository)
    from gitmem.cli import main

    monkeypatch.setattr(main, "_invoke_plainly", lambda argv, context: None)
    status = main.run(arguments, context_of_process())
    by_root = capfdbinary.readouterr()
    assert (plainly.status, plainly.stdout.encode(), plainly.stderr.encode()) == (
        status,
        by_root.out,
        by_root.err,
    )
    assert plainly.status in (1, 2)


def test_declared_command_helps_like_any_other(tmp_path: Path, run: CommandLine) -> None:
    shown = run("search", "-h", cwd=tmp_path).stdout
    for option in search.options:
        assert option.help.split()[0] in shown
        assert all(name in shown for name in option.names)
    assert isinstance(root.load("search"), click.Command)


def by_click(arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the words and values that click makes of a command line; fails where click complains."""
    seen: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def note(context: object, words: tuple[str, ...], /, **values: Any) -> int:
        seen.append((words, values))
        return 0

    command = as_click(search._replace(run=note))
    with pytest.raises(click.exceptions.Exit), command.make_context("search", list(arguments)) as ctx:
        command.invoke(ctx)
    (found,) = seen
    return found
