"""The command line as click has it: the global options, finding a command, help, completion, complaints."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

import click

import gitmem
from gitmem.cli.command import as_click, directory_option, option_of
from gitmem.cli.commands import COMMANDS, THEMES
from gitmem.cli.context import Context
from gitmem.cli.declared import COLOUR, COMPLETION_VARIABLE, NO_PAGER, Declared
from gitmem.cli.output import Colour
from gitmem.model.errors.base import GitmemError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_USAGE: Final = 2


def invoke(argv: Sequence[str], context: Context, name: str) -> int:
    """Run one command line and return its exit code.

    Raises:
        GitmemError: What click has to complain of, too.
        KeyboardInterrupt: The user has had enough.
    """
    instruction = context.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {"obj": context}, name, COMPLETION_VARIABLE, instruction)
    try:
        with root.make_context(name, list(argv), obj=context) as ctx:
            root.invoke(ctx)
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        return _USAGE
    except click.ClickException as error:
        kind = UsageError if error.exit_code == UsageError.exit_code else GitmemError
        raise kind(error.format_message(), hint=_hint_for(error, name, argv)) from error
    return 0


_LONGEST = max(map(len, COMMANDS))


def load(name: str) -> click.Command:
    """Import the module of a command of the table and return the command."""
    command = import_module(f"gitmem.cli.commands.{COMMANDS[name].module}").command
    if isinstance(command, Declared):
        return as_click(command)
    assert isinstance(command, click.Command), f"{name} exports no command"
    return command


class Commands(click.Group):
    """The commands of the table; one that is not asked for is not imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module, or return None for a name that is not in the table."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a command line, and name the nearest if there is none."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise UsageError(f"could not run {args[0]!r}: there is no such command", hint=_nearest(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, by what the commands are for, their help in one column."""
        for theme, entries in THEMES.items():
            with formatter.section(theme):
                formatter.write_dl([(f"{name:<{_LONGEST}}", entry.help) for name, entry in entries.items()])

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
    params=[
        directory_option(),
        option_of(COLOUR, is_eager=True, expose_value=False, callback=_choose_colour),
        option_of(NO_PAGER),
    ],
)
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


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # Only who mistypes pays for it.

    found = get_close_matches(word, COMMANDS, n=1, cutoff=0.5)
    return f"gitmem {found[0]}: is the nearest" if found else "gitmem -h: lists the commands"


def _hint_for(error: click.ClickException, name: str, argv: Sequence[str]) -> str:
    if not isinstance(error, click.UsageError):
        return ""
    # Of an option that lacks its argument click does not say whose it is.
    words = [name, *[word for word in argv if word in COMMANDS][:1]]
    return f"{error.ctx.command_path if error.ctx else ' '.join(words)} -h: shows how it is used"
