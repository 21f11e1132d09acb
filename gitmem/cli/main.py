"""The entry point: the global options, finding the command, and the one place that turns errors into text.

Exit codes: 0 done; 1 nothing found, or an expected failure; 2 usage; 3 a bug; 130 interrupted; 141 the reader
of standard output went away, as a shell says it of a program that SIGPIPE ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import gitmem
from gitmem.cli.command import COMPLETION_VARIABLE, directory_option
from gitmem.cli.commands import COMMANDS
from gitmem.cli.context import Context, context_of_process
from gitmem.cli.output import Colour, Styled, reader_is_gone
from gitmem.cli.text import one_line
from gitmem.model.errors import GitmemError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_USAGE: Final = 2
_BUG: Final = 3
_INTERRUPTED: Final = 130
_READER_GONE: Final = 141


def main() -> int:
    """Run the command line of this process and return its exit code."""
    name = "git mem" if Path(sys.argv[0]).name == "git-mem" else "gitmem"
    return run(sys.argv[1:], context_of_process(), name=name)


def run(argv: Sequence[str], context: Context, *, name: str = "gitmem") -> int:
    """Run one command line and return its exit code; no failure leaves it as an exception."""
    try:
        status = _invoke(argv, context, name)
        context.output.flush()
    except GitmemError as error:
        return _fail(context, str(error), error.hint, error.exit_code)
    except click.ClickException as error:
        return _fail(context, error.format_message(), _hint_for(error, name), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail(context, "interrupted", "", _INTERRUPTED)
    except BrokenPipeError as error:
        if not (reader_is_gone(context.output.stdout) or reader_is_gone(context.output.stderr)):
            return _report(error, argv, context)
        _forget_unwritten(context)
        return _READER_GONE
    except Exception as error:  # noqa: BLE001 (the last handler: what arrives here is a bug)
        return _report(error, argv, context)
    return status


class Commands(click.Group):
    """The commands of the table; one that is not asked for is not imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module, or return None for a name that is not in the table."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"gitmem.cli.commands.{COMMANDS[cmd_name].module}").command
        assert isinstance(command, click.Command), f"{cmd_name} exports no click command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a command line, and name the nearest if there is none."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise UsageError(f"could not run {args[0]!r}: there is no such command", hint=_nearest(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name from the table."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]


def _choose_colour(ctx: click.Context, param: click.Parameter, colour: Colour) -> None:
    # At once, for a wrong word further on is told in colour too, or not.
    context: Context = ctx.obj
    context.choose_colour(colour)


def _say_version(ctx: click.Context, param: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        context: Context = ctx.obj
        context.output.say(f"gitmem {gitmem.__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[directory_option()],
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    is_eager=True,
    expose_value=False,
    callback=_choose_colour,
    help="When to use colour; auto asks the terminal and NO_COLOR.",
)
@click.option("--no-pager", is_flag=True, help="Print straight to the terminal.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
@click.pass_context
def root(ctx: click.Context, no_pager: bool) -> None:
    """Remember, in git, the work that people do with coding agents."""
    context: Context = ctx.obj
    context.is_paged = not no_pager
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(_USAGE)


def _invoke(argv: Sequence[str], context: Context, name: str) -> int:
    instruction = context.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {"obj": context}, name, COMPLETION_VARIABLE, instruction)
    try:
        with root.make_context(name, list(argv), obj=context) as ctx:
            root.invoke(ctx)
    except click.exceptions.Exit as asked:
        return asked.exit_code
    return 0


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # Only who mistypes pays for it.

    found = get_close_matches(word, COMMANDS, n=1, cutoff=0.5)
    return f"gitmem {found[0]}: is the nearest" if found else "gitmem -h: lists the commands"


def _hint_for(error: click.ClickException, name: str) -> str:
    if not isinstance(error, click.UsageError):
        return ""
    return f"{error.ctx.command_path if error.ctx else name} -h: shows how it is used"


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
