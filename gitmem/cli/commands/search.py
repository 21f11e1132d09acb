"""`gitmem search`: turns that match, for people and for programs.

It must start fast, so nothing here may load what reads a memory; the indexer's process does all of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.search_options import OPTIONS
from gitmem.cli.text import clean, one_line
from gitmem.model.errors import UsageError
from gitmem.query.filters import Filters
from gitmem.sidecar.wire import Grouping, Json, Mode

_USAGE_HINT: Final = "gitmem search -h: shows how it is used"


def search(
    context: Context,
    words: tuple[str, ...],
    /,
    *,
    limit: int,
    mode: Mode,
    group: Grouping,
    batch: str | None,
    as_json: bool,
    json_lines: bool,
    **narrowing: Any,
) -> int:
    """Search and print what was found; return 1 if nothing was."""
    if as_json and json_lines:
        raise UsageError("--json and --json-lines exclude each other", hint=_USAGE_HINT)
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
    return 0 if has_found else 1


command: Final = Declared(
    name="search",
    about="""\
Search the sessions of this repository's memory.

Words are alternatives: the more of them a turn has, and the rarer, the better. "Words in quotes" must
stand together, -word must not be there, and begin* stands for every word that begins so. Without a QUERY
but with a filter, the latest turns are listed.

Ends with 1 if nothing was found.
""",
    words="[QUERY…]",
    options=OPTIONS,
    examples=(
        "gitmem search retry after a timeout",
        "gitmem search '\"connection refused\" -test' --since 7d",
        "gitmem search --file src/app.py --tool edit",
        "gitmem search --batch queries.txt --json-lines --group session",
    ),
    run=search,
)


def _filters(context: Context, values: dict[str, Any]) -> Filters:
    now_ms = context.now_ms()
    since, until = values.pop("since"), values.pop("until")
    if since is None and until is None:
        return Filters(**values)
    from gitmem.query.moments import parse_since, parse_until  # with a library of dates

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
            raise UsageError("expected a QUERY or a filter", hint=_USAGE_HINT)
        return (" ".join(words),)
    if words:
        raise UsageError("--batch has the queries: expected no QUERY beside it", hint=_USAGE_HINT)
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
