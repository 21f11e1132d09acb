"""The entry point: the commands that start without click, and the one place that turns errors into text.

Exit codes: 0 done; 1 nothing found, or an expected failure; 2 usage; 3 a bug; 130 interrupted; 141 the reader
of standard output went away, as a shell says it of a program that SIGPIPE ended.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

from gitmem.cli.commands import COMMANDS
from gitmem.cli.context import Context, context_of_process
from gitmem.cli.declared import COMPLETION_VARIABLE, DIRECTORY, GLOBAL, Declared, read
from gitmem.cli.output import Styled, reader_is_gone
from gitmem.cli.text import one_line
from gitmem.model.errors.base import GitmemError

_BUG: Final = 3
_INTERRUPTED: Final = 130
_READER_GONE: Final = 141


def main() -> int:
    """Run the command line of this process and return its exit code."""
    gc.disable()  # until a command that takes longer than a search turns out to be asked for
    name = "git mem" if Path(sys.argv[0]).name == "git-mem" else "gitmem"
    status = run(sys.argv[1:], context_of_process(), name=name)
    if "click" not in sys.modules:  # a short command
        _leave(status)
    return status


def run(argv: Sequence[str], context: Context, *, name: str = "gitmem") -> int:
    """Run one command line and return its exit code; no failure leaves it as an exception."""
    try:
        status = _invoke(argv, context, name)
        context.output.flush()
    except GitmemError as error:
        return _fail(context, str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return _fail(context, "interrupted", "", _INTERRUPTED)
    except BrokenPipeError as error:
        if not (reader_is_gone(context.output.stdout) or reader_is_gone(context.output.stderr)):
            return _report(error, argv, context)
        _forget_unwritten(context)
        return _READER_GONE
    except Exception as error:  # noqa: BLE001 (the last handler: what arrives here is a bug)
        return _report(error, argv, context)
    return status


def _invoke(argv: Sequence[str], context: Context, name: str) -> int:
    if not context.environ.get(COMPLETION_VARIABLE):
        status = _invoke_plainly(argv, context)
        if status is not None:
            return status
    gc.enable()
    from gitmem.cli.root import invoke

    return invoke(argv, context, name)


def _invoke_plainly(argv: Sequence[str], context: Context) -> int | None:
    """Run a declared command without click, or do nothing where the command line needs click."""
    line = read(GLOBAL, argv, until_word=True)
    if line is None or not line.words:
        return None
    entry = COMMANDS.get(line.words[0])
    if entry is None or not entry.is_declared:
        return None
    command: Declared = import_module(f"gitmem.cli.commands.{entry.module}").command
    own = read((*command.options, DIRECTORY), line.words[1:], keeps_dashes=command.keeps_dashes)
    if own is None:
        return None
    context.choose_colour(line.values["colour"])
    context.is_paged = not line.values["no_pager"]
    for directory in (*line.values["directories"], *own.values.pop("directories")):
        context.move(Path(directory))
    return command.run(context, own.words, **own.values)


def _leave(status: int) -> NoReturn:
    """End the process as Python does, but without taking apart what was loaded, which takes some 5 ms."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # it is flushed, or nobody reads it
            if stream is not None:
                stream.flush()
    os._exit(status)


def _fail(context: Context, message: str, hint: str, status: int) -> int:
    """Say what failed, below what had been printed before."""
    try:
        context.output.flush()
    except (GitmemError, BrokenPipeError):
        _forget_unwritten(context)
    with suppress(OSError):  # Where standard error is gone too, the exit code alone tells.
        # Indented, so that no line of a stranger's passes for one of ours.
        context.output.warn(Styled("error:", "bad"), " ", message.replace("\n", "\n    "))
        if hint:
            context.output.warn(Styled("hint:", "dim"), " ", one_line(hint))
    return status


def _report(error: BaseException, argv: Sequence[str], context: Context) -> int:
    import traceback

    from gitmem.cli.bugs import write_report

    if context.environ.get("GITMEM_TRACEBACK"):
        traceback.print_exception(error)
    try:
        where = f"the report is in {write_report(error, argv, context.environ, context.now_ms())}"
    except OSError as refused:
        where = f"no report could be written: {refused.strerror}"
    return _fail(
        context,
        f"gitmem met a bug of its own, {type(error).__name__}; {where}",
        "GITMEM_TRACEBACK=1: shows all of it; the report holds nothing of your sessions or arguments",
        _BUG,
    )


def _forget_unwritten(context: Context) -> None:
    """Drop what cannot be written any more, so that the interpreter does not try again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, context.output.stdout.fileno())
        os.close(nowhere)
