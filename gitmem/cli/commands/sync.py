"""`gitmem sync`: pull and push in one."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.sharing import opened_sharing


@click.command("sync", cls=Command, examples=["gitmem sync", "gitmem sync origin", "gitmem sync --json"])
@click.argument("remote", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_context
def command(ctx: click.Context, /, remote: str | None, as_json: bool) -> None:
    """Bring in what REMOTE has, and send it what it lacks; without REMOTE, of each that was chosen.

    A remote that does not answer is no failure: `gitmem status` says since when, and the next sync goes on.
    Ends with 1 where anything else kept a remote from being synced with.
    """
    from gitmem.cli.sharing_levels import describe_synced, sync_levels, synced_as_json

    context: Context = ctx.obj
    with opened_sharing(context) as sharing:
        synced = sync_levels(context, sharing, remote)
        if as_json:
            context.output.json({"remotes": [synced_as_json(sharing, one) for one in synced]})
        else:
            for one in synced:
                describe_synced(context, sharing, one)
    if any(one.error is not None and not one.is_offline for one in synced):
        ctx.exit(1)
