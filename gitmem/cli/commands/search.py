"""`gitmem search`: turns that match, for people and for programs.

It must start fast, so nothing here may load what reads a memory; the indexer's process does all of that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

from gitmem.cli.auditing import noted
from gitmem.cli.context import Context
from gitmem.cli.declared import Declared
from gitmem.cli.hits import show
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.search_options import OPTIONS
from gitmem.cli.searching import filters_of, places_for
from gitmem.cli.text import one_line
from gitmem.cli.trusting import marked
from gitmem.model.errors.base import UsageError
from gitmem.query.filters import Filters
from gitmem.sidecar.wire import FACETS, Facet, Grouping, Json, Mode, Place

_USAGE_HINT: Final = "gitmem search -h: shows how it is used"


def search(
    context: Context,
    words: tuple[str, ...],
    /,
    *,
    limit: int,
    mode: Mode,
    group: Grouping,
    facets: str | None,
    is_recent: bool,
    complete: str | None,
    every: bool,
    recurse: bool | None,
    batch: str | None,
    as_json: bool,
    json_lines: bool,
    **narrowing: Any,
) -> int:
    """Search and print what was found; return 1 if nothing was."""
    if as_json and json_lines:
        raise UsageError("--json and --json-lines exclude each other", hint=_USAGE_HINT)
    if every and recurse:
        raise UsageError("--all and --recurse-submodules exclude each other", hint=_USAGE_HINT)
    if complete is not None and (words or batch is not None):
        raise UsageError("--complete has what to complete: expected no QUERY beside it", hint=_USAGE_HINT)
    places = places_for(context, narrowing, every=every, recurse=recurse)
    if complete is not None:
        return _complete(context, places, complete, limit, as_json=as_json or json_lines)
    filters = filters_of(context, places, narrowing)
    queries = _queries(context, words, batch, filters)
    answers = ask_indexer(
        context,
        "search",
        places=places,
        queries=queries,
        filters=filters,
        mode=mode,
        group=group,
        limit=limit,
        facets=_facets(facets),
        is_recent=is_recent,
    )
    not_here = _count_absent(places)
    has_found = False
    collected: list[Json] = []
    for answer in noted(context, places, marked(context, places, answers, only_known=bool(filters.trusted))):
        has_found = has_found or bool(answer["hits"])
        answer["not_here"] = not_here
        if json_lines:
            context.output.json(answer)
        else:
            collected.append(answer)
    if as_json:
        context.output.json({"answers": collected} if batch is not None else collected[0])
    elif has_found:
        with context.telling() as output:
            for answer in collected:
                show(output, answer, heading=batch is not None, with_repo=len(places) > 1)
    if not (as_json or json_lines):
        _say_rest(context, not has_found, not_here)
    return 0 if has_found else 1


command: Final = Declared(
    name="search",
    about="""\
Search the sessions of this repository's memory; in a superproject, of all of its submodules too.

Words are alternatives: the more of them a turn has, and the rarer, the better. "Words in quotes" must
stand together, -word must not be there, and begin* stands for every word that begins so. field:value
narrows as the option of that name does: agent:codex, file:src/app.py, since:7d, is:error. Without a QUERY
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


def _say_rest(context: Context, is_nothing: bool, not_here: int) -> None:
    if is_nothing:
        context.output.warn("nothing found")
    if not_here:
        context.output.warn(f"{not_here:,} sessions were not searched: their text stays with a remote")


def _count_absent(places: tuple[Place, ...]) -> int:
    from gitmem.verbs.absent_table import read_absent

    return sum(len(read_absent(Path(place.common_dir) / "gitmem", place.ref)) for place in places)


def _facets(text: str | None) -> tuple[Facet, ...]:
    if text is None:
        return ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    found = tuple(facet for facet in FACETS if facet in names)
    unknown = [name for name in names if name not in FACETS]
    if unknown or not found:
        expected = ", ".join(FACETS)
        raise UsageError(f"could not count by {', '.join(unknown) or 'nothing'}: expected some of {expected}")
    return found


def _complete(
    context: Context, places: tuple[Place, ...], beginning: str, limit: int, *, as_json: bool
) -> int:
    """Print the words that begin so; return 1 if there is none."""
    (answer,) = ask_indexer(context, "complete", places=places, queries=(beginning,), limit=limit)
    words = cast(list[Json], answer["words"])
    if as_json:
        context.output.json(answer)
    else:
        for each in words:
            context.output.say(one_line(str(each["word"])))
        if not words:
            context.output.warn("no word begins so")
    return 0 if words else 1


def _queries(
    context: Context, words: tuple[str, ...], batch: str | None, filters: Filters
) -> tuple[str, ...]:
    if batch is None:
        if not words and filters == Filters(without=filters.without):
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
