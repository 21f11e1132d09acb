"""Printing, for people and for machines.

Whatever is printed for people goes through `clean` here, so that no command can forget it; style is given
beside the text and never inside it.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple

from gitmem.cli.progress import Progress, Unit
from gitmem.cli.text import clean, fit, one_line, pad, width
from gitmem.model.errors.store import DiskRefused

if TYPE_CHECKING:
    import subprocess

    from gitmem.recall.delimiters import Delimiters

Colour = Literal["auto", "always", "never"]
Style = Literal["strong", "dim", "name", "good", "bad", "match"]

_SGR: Final[Mapping[Style, str]] = {
    "strong": "1",
    "dim": "2",
    "name": "33",
    "good": "32",
    "bad": "31",
    "match": "1;31",
}
_GAP: Final = "  "
_LEAST_FLEXIBLE_COLUMNS: Final = 12


class Styled(NamedTuple):
    """A piece of text and how it looks where there is colour."""

    text: str
    style: Style


Part = str | Styled


class Output:
    """The standard output and standard error of one run.

    Results go to standard output, warnings to standard error, and so does that there is no result, where no
    JSON says it; what is only nice to know goes to standard error if that is a terminal. A reader that goes
    away raises BrokenPipeError, any other failure DiskRefused.
    """

    def __init__(
        self, stdout: IO[bytes], stderr: IO[bytes], environ: Mapping[str, str], colour: Colour = "auto"
    ) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.is_terminal = stdout.isatty()
        self.is_stderr_terminal = stderr.isatty()
        self.columns = _columns_of(stdout if self.is_terminal else stderr, environ)
        self.has_colour = uses_colour(colour, environ, is_terminal=self.is_terminal)
        self.has_stderr_colour = uses_colour(colour, environ, is_terminal=self.is_stderr_terminal)
        self._environ = environ
        self._target = stdout
        self._quoted: Callable[[str], str] | None = None

    def say(self, *parts: Part) -> None:
        """Print one line, or the lines of a text, made of the parts as they stand."""
        self._write(self._render(parts, self.has_colour) + "\n")

    def note(self, *parts: Part) -> None:
        """Tell a person at a terminal something that is no result."""
        if self.is_stderr_terminal:
            self.warn(*parts)

    def warn(self, *parts: Part) -> None:
        """Print a line to standard error, whoever reads it."""
        line = self._render(parts, self.has_stderr_colour) + "\n"
        self.stderr.write(line.encode("utf-8", "replace"))
        self.stderr.flush()

    def json(self, value: object) -> None:
        """Print one JSON document on a line of its own; on a terminal in ASCII, so nothing acts there."""
        import json  # Most commands print no JSON, and one of them is a search.

        text = json.dumps(value, ensure_ascii=self.is_terminal, separators=(",", ":"), allow_nan=False)
        self.encoded(text.encode("utf-8", "backslashreplace"))

    def encoded(self, line: bytes) -> None:
        """Print a line that is JSON already; a terminal gets clean text instead."""
        if self.is_terminal:
            line = clean(line.decode("utf-8", "surrogateescape")).encode("utf-8", "replace")
        self._write_bytes(line + b"\n")

    def raw(self, content: bytes) -> None:
        """Print stored bytes as they are; a terminal gets clean text instead."""
        if self.is_terminal:
            content = clean(content.decode("utf-8", "surrogateescape")).encode("utf-8", "replace")
        self._write_bytes(content)

    def table(
        self,
        rows: Iterable[Sequence[Part]],
        *,
        header: Sequence[str] = (),
        flexible: int | None = None,
        right: Container[int] = (),
    ) -> None:
        """Print aligned columns, each cell on one line.

        On a terminal the column `flexible` is cut so that a row fits; columns in `right` are flushed right.
        """
        styled = [[_as_styled(part) for part in row] for row in rows]
        if header and styled:
            styled.insert(0, [("dim", one_line(title)) for title in header])
        if not styled:
            return
        count = max(len(row) for row in styled)
        widths = [max(width(row[n][1]) for row in styled if n < len(row)) for n in range(count)]
        if flexible is not None and self.is_terminal:
            others = sum(widths) - widths[flexible] + len(_GAP) * (count - 1)
            widths[flexible] = min(widths[flexible], max(_LEAST_FLEXIBLE_COLUMNS, self.columns - others))
        for row in styled:
            cells = []
            for n, (style, text) in enumerate(row):
                is_last = n == len(row) - 1
                cell = fit(text, widths[n])
                if n in right or not is_last:
                    cell = pad(cell, widths[n], right=n in right)
                cells.append(self._paint(style, cell, self.has_colour))
            self._write(_GAP.join(cells) + "\n")

    def progress(self, label: str, total: int | None, *, unit: Unit = "items") -> Progress:
        """Return a progress line; drawn only where standard error is a terminal that can rewrite a line."""
        is_drawn = self.is_stderr_terminal and self._environ.get("TERM", "dumb") != "dumb"
        stream = self.stderr if is_drawn else None
        return Progress(label, total, unit=unit, stream=stream, columns=self.columns)

    @contextmanager
    def paged(self, pager: str) -> Iterator[None]:
        """Send what is printed inside through a pager, on a terminal and unless `pager` is empty."""
        if not (self.is_terminal and pager):
            yield
            return
        self.flush()
        import subprocess

        # As git starts it: by the shell, with less told to keep colours and to end when a screen is enough.
        process = subprocess.Popen(
            ["/bin/sh", "-c", pager],
            stdin=subprocess.PIPE,
            env={"LESS": "FRX", "LV": "-c", **self._environ},
        )
        assert process.stdin is not None
        self._target = process.stdin
        try:
            yield
            process.stdin.flush()
        except BrokenPipeError:
            if not reader_is_gone(process.stdin):
                raise
        finally:
            self._target = self.stdout
            with suppress(BrokenPipeError):
                process.stdin.close()
            _wait_through_interrupts(process)

    @contextmanager
    def quoting(self, around: Delimiters) -> Iterator[None]:
        """Print what is for people as the lines of a quotation, and nothing round it where there are none."""
        from gitmem.recall.quoting import PREFIX, quoted

        has_begun = False

        def behind(text: str) -> str:
            nonlocal has_begun
            begins = "" if has_begun else f"{around.begins}\n"
            has_begun = True
            return f"{begins}{quoted(text)}\n"

        self._quoted, self.columns = behind, self.columns - len(PREFIX)
        try:
            yield
        finally:
            self._quoted, self.columns = None, self.columns + len(PREFIX)
            if has_begun:
                self._write(f"{around.ends}\n")

    def flush(self) -> None:
        """Hand on all that was printed."""
        self._guard(self._target.flush)

    def _render(self, parts: Iterable[Part], has_colour: bool) -> str:
        return "".join(
            clean(part) if isinstance(part, str) else self._paint(part.style, clean(part.text), has_colour)
            for part in parts
        )

    def _paint(self, style: Style | None, text: str, has_colour: bool) -> str:
        if style is None or not has_colour or not text:
            return text
        return f"\x1b[{_SGR[style]}m{text}\x1b[m"

    def _write(self, lines: str) -> None:
        text = lines if self._quoted is None else self._quoted(lines)
        self._write_bytes(text.encode("utf-8", "replace"))

    def _write_bytes(self, content: bytes) -> None:
        self._guard(lambda: self._target.write(content))
        if self.is_terminal:
            self.flush()

    def _guard(self, write: Callable[[], object]) -> None:
        try:
            write()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DiskRefused("write to", "standard output", error.strerror or str(error)) from error


def uses_colour(colour: Colour, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Tell whether to print in colour: what the user says, then NO_COLOR and TERM=dumb, then the terminal."""
    if colour != "auto":
        return colour == "always"
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def choose_pager(environ: Mapping[str, str], core_pager: str | None) -> str:
    """Return the pager's shell command, in git's order, or nothing where none is wanted."""
    for command in (environ.get("GIT_PAGER"), core_pager, environ.get("PAGER")):
        if command is not None:
            return "" if command.strip() in ("", "cat") else command
    import shutil

    return "less" if shutil.which("less", path=environ.get("PATH")) else ""


def reader_is_gone(stream: IO[bytes]) -> bool:
    """Tell whether nobody reads the other end of a pipe any more; False for what is no pipe."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _as_styled(part: Part) -> tuple[Style | None, str]:
    return (None, one_line(part)) if isinstance(part, str) else (part.style, one_line(part.text))


def _columns_of(stream: IO[bytes], environ: Mapping[str, str]) -> int:
    if environ.get("COLUMNS", "").isdecimal() and int(environ["COLUMNS"]):
        return int(environ["COLUMNS"])
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80  # No terminal, so nothing is cut to it.


def _wait_through_interrupts(process: subprocess.Popen[bytes]) -> None:
    """Wait for a pager, which takes Ctrl-C as its own and ends when the person says so."""
    while process.poll() is None:
        with suppress(KeyboardInterrupt):
            process.wait()
