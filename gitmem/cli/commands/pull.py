"""`gitmem pull`: bring in what a remote's memory has."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.sharing import opened_sharing


@click.command("pull", cls=Command, examples=["gitmem pull", "gitmem pull origin", "gitmem pull --dry-run"])
@click.argument("remote", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, remote: str | None, dry_run: bool, as_json: bool) -> None:
    """Bring in what the memory of REMOTE has, and unite it with the one here.

    Without REMOTE it is the one that `gitmem init --share` chose. Nothing that is here goes; what the remote
    has and does not belong into a memory is kept out and named. With --dry-run it is fetched and told of, and
    the memory stays as it is; of what is private nothing is said then.
    """
    from gitmem.cli.levels_text import describe_levels, levels_as_json
    from gitmem.cli.sharing_levels import preview_levels, pull_levels

    with opened_sharing(context) as sharing:
        shared = (preview_levels if dry_run else pull_levels)(context, sharing, remote)
        if as_json:
            context.output.json(levels_as_json(sharing, shared))
        else:
            describe_levels(context, sharing, shared, is_dry=dry_run)
