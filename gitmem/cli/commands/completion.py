"""`gitmem completion`: scripts for the shells that click can complete in."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.declared import COMPLETION_VARIABLE


@click.command(
    "completion",
    cls=Command,
    examples=[
        'eval "$(gitmem completion bash)"                             # in ~/.bashrc',
        'eval "$(gitmem completion zsh)"                              # in ~/.zshrc',
        "gitmem completion fish > ~/.config/fish/completions/gitmem.fish",
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that completes gitmem's commands and options in SHELL."""
    context: Context = ctx.obj
    completion = get_completion_class(shell)
    assert completion is not None, "click completes in all shells that the argument allows"
    script = completion(ctx.find_root().command, {}, "gitmem", COMPLETION_VARIABLE).source()
    context.output.raw(script.encode())
