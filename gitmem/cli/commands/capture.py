"""`gitmem capture`: what has grown since last time."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.intake import describe, report_as_json, total_bytes
from gitmem.cli.opening import opened_intake, opened_storage


@click.command("capture", cls=Command, examples=["gitmem capture", "gitmem capture --json"])
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, as_json: bool) -> None:
    """Take in what has grown in the agents' own transcripts of this repository since last time."""
    from gitmem.verbs.finding import sources_of_repository
    from gitmem.verbs.importing import import_sources

    top = context.repository.top
    sources = [] if top is None else list(sources_of_repository(top, home_of(context), context.environ, None))
    with (
        opened_storage(context) as storage,
        opened_intake(context, storage, total_bytes(sources), whole=False, wait_s=10) as intake,
    ):
        report = import_sources(intake, sources)
    if as_json:
        context.output.json(report_as_json(report))
    else:
        describe(context, report)
