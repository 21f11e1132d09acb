"""`gitmem search`: turns that match, for people and for programs.

It must start fast, so nothing here may load what reads a memory; the indexer's process does all of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.text import clean, one_line
from gitmem.model.errors import UsageError
from gitmem.model.settings import LEVELS
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since, parse_until
from gitmem.sidecar.wire import Grouping, Json, Mode

ROLES: Final = ("user", "assistant", "tool", "system")
"""As gitmem.model.turns has them, which would load a library that a search has no use for."""

_MAX_LIMIT: Final = 10_000


@click.command(
    "search",
    cls=Command,
    examples=[
        "gitmem search retry after a timeout",
        "gitmem search '\"connection refused\" -test' --since 7d",
        "gitmem search --file src/app.py --tool edit",
        "gitmem search --batch queries.txt --json-lines --group session",
    ],
)
@click.argument("words", metavar="[QUERY…]", nargs=-1)
@click.option("--limit", "-n", type=click.IntRange(1, _MAX_LIMIT), default=10, help="At most so many hits.")
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "lexical", "semantic"]),
    default="hybrid",
    help="By words, by meaning, or both; without an embedding model hybrid is by words.",
)
@click.option(
    "--group",
    type=click.Choice(["turn", "session"]),
    default="turn",
    help="Turns, or each session once at its best turn.",
)
@click.option("--agent", "agents", metavar="NAME", multiple=True, help="Sessions of this agent.")
@click.option("--repo", "repos", metavar="NAME", multiple=True, help="Sessions of this repository.")
@click.option("--branch", "branches", metavar="NAME", multiple=True, help="Turns on this branch.")
@click.option("--author", "authors", metavar="WHO", multiple=True, help="By words of a name or address.")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, help="Whose turns.")
@click.option(
    "--session", "sessions", metavar="SESSION", multiple=True, help="Sessions whose name or id begins so."
)
@click.option("--file", "files", metavar="PATH", multiple=True, help="Calls of tools on this file or folder.")
@click.option("--tool", "tools", metavar="NAME", multiple=True, help="Calls of this tool, and their results.")
@click.option("--errors", is_flag=True, help="Results of tools that failed.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Sessions with this tag.")
@click.option("--level", "levels", type=click.Choice(LEVELS), multiple=True, help="Sessions of this level.")
@click.option(
    "--since", metavar="WHEN", help="Not before: a date, a moment (UTC), or 90min, 12h, 7d, 2w ago."
)
@click.option("--until", metavar="WHEN", help="Not after; a date means all of that day.")
@click.option("--batch", metavar="FILE", help="Answer one query a line; - is standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--json-lines", is_flag=True, help="Print a line of JSON for each query.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    limit: int,
    mode: Mode,
    group: Grouping,
    batch: str | None,
    as_json: bool,
    json_lines: bool,
    **narrowing: Any,
) -> None:
    """Search the sessions of this repository's memory.

    Words are alternatives: the more of them a turn has, and the rarer, the better. "Words in quotes" must
    stand together, -word must not be there, and begin* stands for every word that begins so. Without a QUERY
    but with a filter, the latest turns are listed.

    Ends with 1 if nothing was found.
    """
    context: Context = ctx.obj
    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines exclude each other")
    filters = _filters(context, narrowing)
    queries = _queries(context, words, batch, filters)
    answers = ask_indexer(
        context, "search", queries=queries, filters=filters, mode=mode, group=group, limit=limit
    )
    has_found = False
    collected: list[Json] = []
    for answer in answers:
        has_found = has_found or bool(answer["hits"])
        if json_lines:
            context.output.json(answer)
        else:
            collected.append(answer)
    if as_json:
        context.output.json({"answers": collected} if batch is not None else collected[0])
    elif has_found:
        with context.paged() as output:
            for answer in collected:
                _show(output, answer, heading=batch is not None)
    if not has_found:
        context.output.note("nothing found")
        ctx.exit(1)


def _filters(context: Context, values: dict[str, Any]) -> Filters:
    now_ms = context.now_ms()
    since, until = values.pop("since"), values.pop("until")
    return Filters(
        since_ms=None if since is None else parse_since(since, now_ms),
        until_ms=None if until is None else parse_until(until, now_ms),
        **values,
    )


def _queries(
    context: Context, words: tuple[str, ...], batch: str | None, filters: Filters
) -> tuple[str, ...]:
    if batch is None:
        if not words and filters == Filters():
            raise click.UsageError("expected a QUERY or a filter")
        return (" ".join(words),)
    if words:
        raise click.UsageError("--batch has the queries: expected no QUERY beside it")
    if batch == "-":
        content = context.stdin.read()
    else:
        try:
            content = (context.start / Path(batch)).read_bytes()
        except OSError as error:
            hint = "gitmem search --batch -: takes the queries from standard input"
            raise UsageError(f"could not read {batch}: {error.strerror}", hint=hint) from error
    lines = content.decode("utf-8", "replace").removesuffix("\n")
    return tuple(line.removesuffix("\r") for line in lines.split("\n")) if lines else ()


def _show(output: Output, answer: Json, *, heading: bool) -> None:
    """Print an answer for people."""
    if heading:
        output.say(Styled(one_line(str(answer["query"])), "strong"))
    if answer.get("relaxed"):
        output.note("no turn has what stands in quotes; it was searched for as words")
    behind = cast(Json, answer["indexed"])["behind"]
    if behind:
        output.note(f"another process is indexing; {behind} commits of the memory are not searched yet")
    for hit in cast(list[Json], answer["hits"]):
        _show_hit(output, hit)


def _show_hit(output: Output, hit: Json) -> None:
    """Print a hit; nothing in it can end a line, so that none can be made up by what a memory holds."""
    about = [hit["role"], hit["tool"], hit["at"] and str(hit["at"])[:16].replace("T", " "), hit["author"]]
    turn = f"{hit['stream']}:{hit['ordinal']}" if hit["stream"] else hit["ordinal"]
    output.say(
        Styled(one_line(f"{hit['session']}#{turn}"), "name"),
        "  ",
        Styled("  ".join(one_line(str(each)) for each in about if each), "dim"),
    )
    title, snippet = one_line(str(hit["title"])), str(hit["snippet"])
    # A title is often how the first turn begins, which is then a hit itself.
    if title and not one_line(snippet).startswith(title.removesuffix("…")):
        output.say("    ", Styled(title, "strong"))
    output.say("    ", *_highlighted(snippet, cast(list[list[int]], hit["marks"])))
    output.say()


def _highlighted(text: str, marks: list[list[int]]) -> Iterator[Part]:
    at = 0
    for start, end in marks:
        yield _in_line(text[at:start])
        yield Styled(_in_line(text[start:end]), "match")
        at = end
    yield _in_line(text[at:])


def _in_line(part: str) -> str:
    """Return a part of a line clean and without line ends, with the spaces that it begins and ends with."""
    return " ".join(clean(part).split("\n"))
