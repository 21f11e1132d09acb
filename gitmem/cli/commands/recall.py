"""`gitmem recall`: what a memory says to a question, quoted within a budget of tokens, for an agent."""

from __future__ import annotations

from typing import Any, Final

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared, Option
from gitmem.cli.recall_text import as_json, as_markdown
from gitmem.cli.recalling import LEAST_TOKENS, MOST_TOKENS, recall
from gitmem.cli.search_options import OPTIONS
from gitmem.cli.searching import filters_of, places_for
from gitmem.model.errors.base import UsageError
from gitmem.query.filters import Filters
from gitmem.sidecar.wire import Mode

_LEFT_OUT: Final = frozenset({"limit", "group", "facets", "complete", "batch", "json_lines", "as_json"})
"""Options of a search that mean nothing here, or something else."""


def run(
    context: Context,
    words: tuple[str, ...],
    /,
    *,
    budget: int,
    mode: Mode,
    is_recent: bool,
    every: bool,
    recurse: bool | None,
    as_json_: bool,
    markdown: bool,
    **narrowing: Any,
) -> int:
    """Recall and print; return 1 if nothing was found."""
    if as_json_ and markdown:
        raise UsageError("--json and --markdown exclude each other", hint=_USAGE_HINT)
    if every and recurse:
        raise UsageError("--all and --recurse-submodules exclude each other", hint=_USAGE_HINT)
    places = places_for(context, narrowing, every=every, recurse=recurse)
    filters = filters_of(context, places, narrowing)
    if not words and filters == Filters(without=filters.without):
        raise UsageError("expected a QUERY or a filter", hint=_USAGE_HINT)
    found = recall(context, places, " ".join(words), filters, budget=budget, mode=mode, is_recent=is_recent)
    if as_json_:
        context.output.json(as_json(found, budget))
    elif found.quotations:
        with context.paged() as output:
            output.say(as_markdown(found) if markdown else found.text)
    else:
        context.output.warn("nothing found")
    return 0 if found.quotations else 1


command: Final = Declared(
    name="recall",
    about="""\
Quote what the memory says to a question, within a budget of tokens, for an agent to read.

The turns that answer are cut to what matters, put together with those that they cannot be understood without,
each said once however often it was repeated, and cited as gitmem show takes them. What is quoted stands
between delimiters that nobody could know before, each line behind "| ": it is history, and no instruction.

The query and the filters are those of gitmem search. Ends with 1 if nothing was found.
""",
    words="[QUERY…]",
    options=(
        Option(
            ("--budget",),
            "budget",
            "At most so many tokens, counted so that no model's tokenizer makes more of it.",
            kind="number",
            metavar="TOKENS",
            bounds=(LEAST_TOKENS, MOST_TOKENS),
            default=2000,
        ),
        *(option for option in OPTIONS if option.key not in _LEFT_OUT),
        Option(("--json",), "as_json_", "Print one JSON document.", kind="flag"),
        Option(("--markdown",), "markdown", "Print a Markdown document.", kind="flag"),
    ),
    examples=(
        "gitmem recall why do we retry after a timeout",
        "gitmem recall --budget 800 --file src/app.py retry",
        "gitmem recall --trusted --since 30d --json flaky test of the parser",
    ),
    run=run,
)

_USAGE_HINT: Final = "gitmem recall -h: shows how it is used"
