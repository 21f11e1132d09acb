"""`gitmem import`: transcripts from files and folders."""

from __future__ import annotations

from pathlib import Path

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.intake import describe, report_as_json, total_bytes
from gitmem.cli.opening import opened_intake, opened_storage


@click.command(
    "import",
    cls=Command,
    examples=[
        "gitmem import ~/.claude/projects/-home-ada-tides",
        "gitmem import --agent generic log.jsonl",
    ],
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--agent", help="Whose transcripts they are, where that cannot be told from the files.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, paths: tuple[Path, ...], agent: str | None, as_json: bool) -> int:
    """Take transcripts into this repository's memory.

    Folders are searched for transcripts; the agent is recognised by the content. Stopping is harmless:
    the same command goes on where it was, and importing again stores only what is new.
    """
    from gitmem.verbs.finding import named_sources
    from gitmem.verbs.importing import import_sources

    named = [context.start / path for path in paths]
    sources = list(named_sources(named, agent))
    with (
        opened_storage(context) as storage,
        opened_intake(context, storage, total_bytes(sources), whole=True, wait_s=3600) as intake,
    ):
        report = import_sources(intake, sources)
    if as_json:
        context.output.json(report_as_json(report))
    else:
        describe(context, report)
    asked_for = {path.absolute() for path in named}
    is_missed = any(refused.path.absolute() in asked_for for refused in report.refused)
    return 1 if is_missed or not (report.files - len(report.refused)) else 0
