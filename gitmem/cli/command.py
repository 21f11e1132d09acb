"""How every command looks: `-h` with examples, and `-C` after its name as well as before.

A declared command becomes one of click's here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from gitmem.cli.context import Context
from gitmem.cli.declared import DIRECTORY, RECURSE, Declared, Option

_WHOLE_SENTENCE: Final = 1000


class Command(click.Command):
    """A command that shows how it is used: `@click.command("show", cls=Command, examples=[…])`."""

    def __init__(self, *args: Any, examples: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params.append(directory_option())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the options."""
        write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class _KeepingDashes(Command):
    """A command for which the `--` that ends its options is a word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write it twice, for click takes one away."""
        if "--" in args:
            args = [*args[: args.index("--")], "--", *args[args.index("--") :]]
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A command with commands of its own, such as `index status`, each of them a `Command`."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params.append(directory_option())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole first sentence about each command, where click would cut it to a line."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.commands[name].get_short_help_str(_WHOLE_SENTENCE))
                    for name in self.list_commands(ctx)
                ]
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the commands."""
        write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


def directory_option() -> click.Option:
    """Return `-C`, which acts as soon as it is read and is no parameter of the command."""
    return click.Option(
        [*DIRECTORY.names, "directory"],
        metavar=DIRECTORY.metavar,
        type=click.Path(path_type=Path),
        multiple=True,
        expose_value=False,
        is_eager=True,
        callback=_move,
        help=DIRECTORY.help,
    )


def recurse_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command of click's the switch that says whether submodules take part."""
    switch = click.option("/".join(RECURSE.names), RECURSE.key, default=None, help=RECURSE.help)
    return switch(function)


def as_click(declared: Declared) -> Command:
    """Make the click command of a declaration."""

    @click.pass_context
    def callback(ctx: click.Context, /, words: tuple[str, ...], **values: Any) -> None:
        ctx.exit(declared.run(ctx.obj, words, **values))

    return (_KeepingDashes if declared.keeps_dashes else Command)(
        declared.name,
        params=[
            click.Argument(["words"], metavar=declared.words, nargs=-1),
            *map(option_of, declared.options),
        ],
        callback=callback,
        help=declared.about,
        examples=declared.examples,
    )


def option_of(option: Option, **more: Any) -> click.Option:
    """Make the click option of a declaration; `more` is for click."""
    kind: click.ParamType[Any] | None = None
    if option.kind == "number":
        kind = click.IntRange(*option.bounds)
    elif option.choices:
        kind = click.Choice(option.choices)
    names = [*option.names]
    if option.kind == "switch":
        names = ["/".join(option.names)]
    return click.Option(
        [*names, option.key],
        metavar=option.metavar,
        type=kind,
        is_flag=option.kind in ("flag", "switch"),
        multiple=option.is_many,
        default=False if option.kind == "flag" else (None if option.is_many else option.default),
        help=option.help,
        **more,
    )


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Write example command lines as they are typed."""
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def _move(ctx: click.Context, param: click.Parameter, directories: Sequence[Path]) -> None:
    if ctx.resilient_parsing:
        return  # Completing a command line, which must change nothing.
    context: Context = ctx.obj
    for directory in directories:
        context.move(directory)
