"""`gitmem push`: send a remote's memory what it lacks."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.sharing import opened_sharing


@click.command("push", cls=Command, examples=["gitmem push", "gitmem push origin", "gitmem push --json"])
@click.argument("remote", required=False)
@click.option("--no-sign", is_flag=True, help="Sign nothing, this once.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, remote: str | None, no_sign: bool, as_json: bool) -> None:
    """Send the memory to REMOTE, after pulling what others have sent there.

    Without REMOTE it is the one that `gitmem init --share` chose; nothing goes to one that nobody named.
    A remote gets the levels that it was given (remote.<name>.gitmem), and what it gets is looked through once
    more, with today's rules. Its memory only ever moves forward, and nothing else of yours is sent.
    Where you sign commits (commit.gpgsign, gitmem.sign), what is sent is signed.
    """
    from gitmem.cli.levels_text import describe_levels, levels_as_json
    from gitmem.cli.sharing_levels import push_levels

    with opened_sharing(context, signs=not no_sign) as sharing:
        shared = push_levels(context, sharing, remote)
        if as_json:
            context.output.json(levels_as_json(sharing, shared))
        else:
            describe_levels(context, sharing, shared)
