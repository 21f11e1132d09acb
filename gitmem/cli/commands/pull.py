"""`gitmem pull`: bring in what a remote's memory has."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.sharing import opened_sharing


@click.command(
    "pull",
    cls=Command,
    examples=[
        "gitmem pull",
        "gitmem pull origin",
        "gitmem pull --dry-run",
        "gitmem pull --since 30d origin",
        "gitmem pull --whole",
    ],
)
@click.argument("remote", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--since", metavar="AGE", help="Fetch the text of the last 30d, 6mo, ... alone, from now on.")
@click.option("--whole", is_flag=True, help="Fetch what --since left out, and all from now on.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(
    context: Context, remote: str | None, dry_run: bool, since: str | None, whole: bool, as_json: bool
) -> None:
    """Bring in what the memory of REMOTE has, and unite it with the one here.

    Without REMOTE it is the one that `gitmem init --share` chose. Nothing that is here goes; what the remote
    has and does not belong into a memory is kept out and named. With --dry-run it is fetched and told of, and
    the memory stays as it is; of what is private nothing is said then.

    With --since the text of sessions to which nothing was added for so long stays with REMOTE, and is fetched
    when somebody reads one. What is pulled later is pulled in the same way.
    """
    from gitmem.cli.leanness import keep_days, pull_whole
    from gitmem.cli.levels_text import describe_levels, levels_as_json
    from gitmem.cli.sharing_levels import preview_levels, pull_levels

    if (since is not None) + whole + dry_run > 1:
        raise click.UsageError("--since, --whole and --dry-run exclude each other")
    if since is not None:
        context = keep_days(context, remote, since)
    if whole:
        context = pull_whole(context, remote)
    with opened_sharing(context) as sharing:
        shared = (preview_levels if dry_run else pull_levels)(context, sharing, remote)
        if as_json:
            context.output.json(levels_as_json(sharing, shared))
        else:
            describe_levels(context, sharing, shared, is_dry=dry_run)
