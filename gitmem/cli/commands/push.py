"""`gitmem push`: send a remote's memory what it lacks."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.sharing import describe_push, opened_sharing, push_as_json


@click.command("push", cls=Command, examples=["gitmem push", "gitmem push origin", "gitmem push --json"])
@click.argument("remote", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, remote: str | None, as_json: bool) -> None:
    """Send the memory to REMOTE, after pulling what others have sent there.

    Without REMOTE it is the one that `gitmem init --share` chose; nothing goes to one that nobody named.
    The remote's memory only ever moves forward, and nothing else of yours is sent.
    """
    from gitmem.verbs.sharing import push

    with opened_sharing(context) as sharing:
        pushed = push(sharing, remote)
        if as_json:
            context.output.json(push_as_json(sharing, pushed))
        else:
            describe_push(context, sharing, pushed)
