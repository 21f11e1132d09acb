"""`gitmem sessions`: what is in the memory."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Command, recurse_option
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Part, Styled
from gitmem.cli.recursing import Reach, reach
from gitmem.cli.text import one_line
from gitmem.cli.trusting import mark, trusting_here
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import NoMemory
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since, parse_until

if TYPE_CHECKING:
    from gitmem.query.trusting import Trust
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
@click.option(
    "--repo", "repos", metavar="NAME", multiple=True, help="Only those of this repository, by name or path."
)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only those with this tag.")
@click.option("--since", metavar="WHEN", help="Only those that went on after a date, or within 7d, 12h, …")
@click.option("--until", metavar="WHEN", help="Only those that had begun by then.")
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(min=1), help="At most so many, the newest first."
)
@click.option("--all", "with_hidden", is_flag=True, help="Those that wait to be forgotten, too.")
@recurse_option
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    agents: tuple[str, ...],
    authors: tuple[str, ...],
    branches: tuple[str, ...],
    repos: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int | None,
    with_hidden: bool,
    recurse: bool | None,
    as_json: bool,
) -> None:
    """List the sessions in this repository's memory, and in a superproject those of all of its submodules.

    The newest stand first. With --repo, submodules that are removed or not checked out are read too. Of
    several values of one filter any may fit; different filters must all fit. Ends with 1 if none does.
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
    reached = reach(context, recurse, repos)
    listing = _list(context, reached)
    found = list(islice(select(listing.summaries, filters, hidden=with_hidden), limit))
    trusts = _trusts(context, reached, found)
    if as_json:
        listed = [summary_as_json(each, trusts[each.repo, each.session]) for each in found]
        context.output.json({"sessions": listed})
    elif found:
        _say(context, found, trusts, listing, with_repo=len(reached.contexts) > 1)
    elif repos and not reached.contexts:
        context.output.warn(f"no repository here is called {' or '.join(map(one_line, repos))}")
    else:
        context.output.warn("no session is like that" if listing.summaries else "there are no sessions yet")
    for refused in listing.refused:
        context.output.warn(Styled("left out:", "bad"), f" {refused.session[:12]}: {refused.error}")
    if not found:
        ctx.exit(1)


def _list(context: Context, reached: Reach) -> Listing:
    """List the sessions of all repositories together; those that remember nothing have none.

    Raises:
        NoMemory: None of them remembers anything.
    """
    from gitmem.verbs.listing import together

    if len(reached.contexts) == 1:
        return _list_one(reached.contexts[0], reached.name_of(reached.contexts[0]))
    listings, missing = [], []
    for each in reached.contexts:
        try:
            listings.append(_list_one(each, reached.name_of(each)))
        except NoMemory as error:
            missing.append(error)
        except GitmemError as error:
            context.output.warn(f"{reached.name_of(each)} was left out: {error}")
    if missing and not listings:
        raise missing[0]
    return together(listings)


def _list_one(context: Context, repo: str) -> Listing:
    from gitmem.verbs.listing import Summaries, called

    with opened_memory(context) as memory, context.output.progress("reading sessions", None) as progress:

        def tell(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        found = Summaries(memory, context.repository.state_dir, context.repository.name).all(tell)
    return called(found, repo)


def _say(
    context: Context,
    found: list[Summary],
    trusts: dict[tuple[str, str], Trust],
    listing: Listing,
    *,
    with_repo: bool,
) -> None:
    from gitmem.cli.rendering import ago, short_names

    names, now_ms = short_names(listing.summaries), context.now_ms()
    is_mixed = any(summary.level != "team" for summary in found)
    is_marked = any(trust != "known" for trust in trusts.values())
    has_states = any(map(_state, found))
    is_shared = len({summary.author for summary in found}) > 1
    rows: list[list[Part]] = [
        [
            Styled(ago(summary.last_ms or None, now_ms), "dim"),
            Styled(names[summary.session], "name"),
            Styled(f"{summary.turns:,}", "dim"),
            *([Styled(summary.repo, "dim")] if with_repo else []),
            " ".join([_title(summary), *(f"#{tag}" for tag in summary.tags)]),
            *([summary.level] if is_mixed else []),
            *([_state(summary)] if has_states else []),
            *([Styled(summary.author.name, "dim")] if is_shared else []),
            *(mark(trusts[summary.repo, summary.session], "") or [""] if is_marked else []),
        ]
        for summary in found
    ]
    header = ["last", "session", "turns", *(["repo"] if with_repo else []), "title"]
    further = (("level", is_mixed), ("state", has_states), ("author", is_shared), ("trust", is_marked))
    header += [name for name, is_told in further if is_told]
    with context.telling() as output:
        output.table(rows, header=header, flexible=header.index("title"), right=(2,))


def _title(summary: Summary) -> str:
    return summary.title or ("(its text is not here)" if summary.absent else "(no title)")


def _state(summary: Summary) -> str:
    """Say what is not as with most sessions; nothing of one that is seen and went on in one place."""
    return "hidden" if summary.hidden else "forked" if summary.forks else ""


def _trusts(context: Context, reached: Reach, found: list[Summary]) -> dict[tuple[str, str], Trust]:
    """Return how far each session is trusted, by repository and id: each has authors of its own."""
    trusts: dict[tuple[str, str], Trust] = {}
    for each in reached.contexts:
        there = [summary for summary in found if summary.repo == reached.name_of(each)]
        asked = {address for summary in there for address in summary.captured_by}
        known = trusting_here(context, asked, each.repository)
        trusts |= {(summary.repo, summary.session): known.of_all(summary.captured_by) for summary in there}
    return trusts
