"""`gitmem sessions`: what is in the memory."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Part, Styled
from gitmem.cli.trusting import mark, trusting_here
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since, parse_until

if TYPE_CHECKING:
    from gitmem.query.trusting import Trusting
    from gitmem.verbs.listing import Listing
    from gitmem.verbs.summaries import Summary


@click.command(
    "sessions",
    cls=Command,
    examples=[
        "gitmem sessions",
        "gitmem sessions --agent codex --since 7d",
        "gitmem sessions --branch main --tag release --json",
    ],
)
@click.option("--agent", "agents", metavar="NAME", multiple=True, help="Only sessions with this agent.")
@click.option(
    "--author", "authors", metavar="WHO", multiple=True, help="Only those by words of a name or address."
)
@click.option(
    "--branch", "branches", metavar="NAME", multiple=True, help="Only those that were on this branch."
)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only those with this tag.")
@click.option("--since", metavar="WHEN", help="Only those that went on after a date, or within 7d, 12h, …")
@click.option("--until", metavar="WHEN", help="Only those that had begun by then.")
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(min=1), help="At most so many, the newest first."
)
@click.option("--all", "with_hidden", is_flag=True, help="Those that wait to be forgotten, too.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    agents: tuple[str, ...],
    authors: tuple[str, ...],
    branches: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int | None,
    with_hidden: bool,
    as_json: bool,
) -> None:
    """List the sessions in this repository's memory, the newest first.

    Of several values of one filter any may fit; different filters must all fit. Ends with 1 if none does.
    """
    from gitmem.cli.rendering import summary_as_json
    from gitmem.verbs.listing import select

    context: Context = ctx.obj
    now_ms = context.now_ms()
    filters = Filters(
        agents=agents,
        authors=authors,
        branches=branches,
        tags=tags,
        since_ms=None if since is None else parse_since(since, now_ms),
        until_ms=None if until is None else parse_until(until, now_ms),
    )
    listing = _list(context)
    found = list(islice(select(listing.summaries, filters, hidden=with_hidden), limit))
    if as_json:
        known = _trusting(context, found)
        listed = [summary_as_json(summary, known.of_all(summary.captured_by)) for summary in found]
        context.output.json({"sessions": listed})
    elif found:
        _say(context, found, listing)
    else:
        context.output.note("no session is like that" if listing.summaries else "there are no sessions yet")
    for refused in listing.refused:
        context.output.warn(Styled("left out:", "bad"), f" {refused.session[:12]}: {refused.error}")
    if not found:
        ctx.exit(1)


def _list(context: Context) -> Listing:
    from gitmem.verbs.listing import Summaries

    with opened_memory(context) as memory, context.output.progress("reading sessions", None) as progress:

        def tell(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        return Summaries(memory, context.repository.state_dir, context.repository.name).all(tell)


def _say(context: Context, found: list[Summary], listing: Listing) -> None:
    from gitmem.cli.rendering import ago, short_names

    names, now_ms = short_names(listing.summaries), context.now_ms()
    is_mixed = any(summary.level != "team" for summary in found)
    known = _trusting(context, found)
    trusts = {summary.session: known.of_all(summary.captured_by) for summary in found}
    is_marked = any(trust != "known" for trust in trusts.values())
    is_shared = len({summary.author for summary in found}) > 1
    rows: list[list[Part]] = [
        [
            Styled(ago(summary.last_ms or None, now_ms), "dim"),
            Styled(names[summary.session], "name"),
            Styled(f"{summary.turns:,}", "dim"),
            " ".join([summary.title or "(no title)", *(f"#{tag}" for tag in summary.tags)]),
            *([summary.level] if is_mixed else []),
            *([Styled(summary.author.name, "dim")] if is_shared else []),
            *(mark(trusts[summary.session], "") or [""] if is_marked else []),
        ]
        for summary in found
    ]
    header = ["last", "session", "turns", "title"]
    further = (("level", is_mixed), ("author", is_shared), ("trust", is_marked))
    header += [name for name, is_told in further if is_told]
    with context.paged() as output:
        output.table(rows, header=header, flexible=3, right=(2,))


def _trusting(context: Context, found: list[Summary]) -> Trusting:
    return trusting_here(context, {address for summary in found for address in summary.captured_by})
