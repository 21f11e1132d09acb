"""Printing: clean for people, exact for machines, in colour and paged only where that is wanted."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.cli.output import Output, Styled, choose_pager, reader_is_gone, uses_colour
from gitmem.cli.progress import Progress, describe, size
from gitmem.model.errors.store import DiskRefused
from tests.cli.terminal import run_on_terminal


class Terminal(io.BytesIO):
    """Bytes written to what says it is a terminal, 80 columns wide."""

    def isatty(self) -> bool:
        return True


def output_to(stdout: io.BytesIO, environ: Mapping[str, str] | None = None) -> Output:
    return Output(stdout, io.BytesIO(), environ or {})


def test_line_for_people_is_clean_whatever_its_style() -> None:
    stdout = io.BytesIO()
    output = Output(stdout, io.BytesIO(), {}, "always")
    output.say("a\x1b[31m", Styled("b\x1b]0;x\x07", "strong"))
    assert stdout.getvalue() == b"a\x1b[1mb\x1b[m\n"


def test_nothing_is_coloured_in_a_pipe() -> None:
    stdout = io.BytesIO()
    output_to(stdout).say(Styled("b", "bad"))
    assert stdout.getvalue() == b"b\n"


@pytest.mark.parametrize(
    ("colour", "environ", "is_terminal", "expected"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ("always", {"TERM": "dumb", "NO_COLOR": "1"}, False, True),
        ("never", {"TERM": "xterm"}, True, False),
    ],
)
def test_colour_is_used_where_it_is_wanted(
    colour: str, environ: Mapping[str, str], is_terminal: bool, expected: bool
) -> None:
    assert uses_colour(colour, environ, is_terminal=is_terminal) is expected  # type: ignore[arg-type]


def test_notes_reach_terminals_alone_and_warnings_everybody() -> None:
    for stderr, expected in ((Terminal(), b"nice to know\nmind\n"), (io.BytesIO(), b"mind\n")):
        output = Output(io.BytesIO(), stderr, {"TERM": "dumb"})
        output.note("nice to know")
        output.warn("mind")
        assert stderr.getvalue() == expected


def test_json_is_utf8_in_a_pipe_and_ascii_on_a_terminal() -> None:
    value = {"text": "日\u202e\x1b[31m", "path": "a\udcff"}
    pipe, terminal = io.BytesIO(), Terminal()
    output_to(pipe).json(value)
    output_to(terminal).json(value)
    assert "日".encode() in pipe.getvalue()
    assert terminal.getvalue().isascii()
    assert b"\x1b" not in pipe.getvalue() + terminal.getvalue()
    assert json.loads(pipe.getvalue()) == json.loads(terminal.getvalue()) == value


def test_json_that_is_encoded_already_is_printed_as_it_is_except_on_a_terminal() -> None:
    pipe, terminal = io.BytesIO(), Terminal()
    line = '{"text":"\x9b31m\u202e"}'.encode()
    output_to(pipe).encoded(line)
    output_to(terminal).encoded(line)
    assert pipe.getvalue() == line + b"\n"
    assert terminal.getvalue() == b'{"text":"<U+202E>"}\n'


def test_stored_bytes_are_exact_in_a_pipe_and_clean_on_a_terminal() -> None:
    pipe, terminal = io.BytesIO(), Terminal()
    stored = b"\xff\x1b[31mred\r\n"
    output_to(pipe).raw(stored)
    output_to(terminal).raw(stored)
    assert pipe.getvalue() == stored
    assert terminal.getvalue() == b"\\xffred\n"


def test_table_is_aligned_by_columns_not_by_characters() -> None:
    stdout = io.BytesIO()
    output_to(stdout).table(
        [["日本", "1", "a\nb"], ["abc", "22", "c\x1b[2J"]], header=["name", "n", "what"], right={1}
    )
    assert stdout.getvalue().decode().splitlines() == [
        "name   n  what",
        "日本   1  a b",
        "abc   22  c",
    ]


def test_table_without_rows_prints_nothing() -> None:
    stdout = io.BytesIO()
    output_to(stdout).table([], header=["name"])
    assert stdout.getvalue() == b""


def test_flexible_column_is_cut_to_the_terminal_and_never_in_a_pipe() -> None:
    row = ["key", "x" * 200, "end"]
    pipe, terminal = io.BytesIO(), Terminal()
    output_to(pipe).table([row], flexible=1)
    output_to(terminal, {"COLUMNS": "40"}).table([row], flexible=1)
    assert b"x" * 200 in pipe.getvalue()
    assert len(terminal.getvalue().decode()) == 40 + len("\n")


@pytest.mark.parametrize(
    ("environ", "core_pager", "expected"),
    [
        ({"GIT_PAGER": "one", "PAGER": "three"}, "two", "one"),
        ({"PAGER": "three"}, "two", "two"),
        ({"PAGER": "three"}, None, "three"),
        ({"GIT_PAGER": "", "PAGER": "three"}, "two", ""),
        ({"GIT_PAGER": "cat", "PAGER": "three"}, None, ""),
        ({"PATH": "/nowhere"}, None, ""),
    ],
)
def test_pager_is_chosen_in_gits_order(
    environ: Mapping[str, str], core_pager: str | None, expected: str
) -> None:
    assert choose_pager(environ, core_pager) == expected


PAGED = """
from gitmem.cli.context import context_of_process
context = context_of_process()
with context.paged() as output:
    for n in range(3):
        output.say(f"line {n}")
context.output.say("after")
"""


def test_terminal_is_paged_and_what_follows_is_not(tmp_path: Path) -> None:
    status, shown = run_on_terminal("-c", PAGED, cwd=tmp_path, environ={"GIT_PAGER": "sed 's/^/> /'"})
    assert (status, shown) == (0, "> line 0\n> line 1\n> line 2\nafter\n")


def test_pager_is_told_as_git_tells_it(tmp_path: Path) -> None:
    pager = 'cat >/dev/null; echo "$LESS $LV"'
    assert run_on_terminal("-c", PAGED, cwd=tmp_path, environ={"PAGER": pager})[1] == "FRX -c\nafter\n"
    mine = {"PAGER": pager, "LESS": "R"}
    assert run_on_terminal("-c", PAGED, cwd=tmp_path, environ=mine)[1] == "R -c\nafter\n"


def test_pager_that_is_left_early_is_no_error(tmp_path: Path) -> None:
    script = PAGED.replace("range(3)", "range(200_000)")
    assert run_on_terminal("-c", script, cwd=tmp_path, environ={"GIT_PAGER": "head -n 1"}) == (
        0,
        "line 0\nafter\n",
    )


def test_full_disk_is_told_as_what_it_is() -> None:
    class Full(io.BytesIO):
        def write(self, content: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskRefused, match="No space left"):
        output_to(Full()).say("x")


def test_reader_that_goes_away_is_noticed() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        assert not reader_is_gone(stream)
        os.close(reader)
        assert reader_is_gone(stream)


def test_progress_is_drawn_on_a_terminal_and_wiped() -> None:
    seconds = iter([0.0, 0.05, 0.2, 0.25, 2.0])
    stderr = Terminal()
    with Progress("import", 100, stream=stderr, columns=30, clock=lambda: next(seconds)) as progress:
        for _ in range(4):
            progress.advance(10)
    drawn = stderr.getvalue().decode().split("\r\x1b[K")
    assert drawn == ["", "import 20 %, 20 of 100", "import 40 %, 40 of 100, 20.0…", ""]


def test_progress_is_silent_where_a_line_cannot_be_rewritten() -> None:
    for stderr, environ in ((io.BytesIO(), {"TERM": "xterm"}), (Terminal(), {"TERM": "dumb"})):
        with Output(io.BytesIO(), stderr, environ).progress("import", 2) as progress:
            progress._next_drawing = 0.0
            progress.advance(2)
        assert (stderr.getvalue(), progress.done) == (b"", 2)


@pytest.mark.parametrize(
    ("done", "total", "unit", "elapsed_s", "text"),
    [
        (0, None, "items", 0.0, "0"),
        (1500, None, "items", 0.5, "1,500"),
        (9, 20, "items", 3.0, "45 %, 9 of 20, 3.0/s, 0:04 left"),
        (20, 20, "items", 2.0, "100 %, 20 of 20, 10.0/s"),
        (30, 20, "items", 0.0, "100 %, 30 of 20"),
        (5_000_000, 20_000_000, "bytes", 2.0, "25 %, 5.0 MB of 20.0 MB, 2.5 MB/s, 0:06 left"),
    ],
)
def test_progress_says_how_much_how_fast_and_how_long(
    done: int, total: int | None, unit: str, elapsed_s: float, text: str
) -> None:
    assert describe(done, total, unit, elapsed_s) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_950, "100 kB"),
        (999_600, "1.0 MB"),
        (2 * 10**13, "20.0 TB"),
    ],
)
def test_size_is_said_in_the_unit_that_fits(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text
