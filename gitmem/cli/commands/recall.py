"""`gitmem recall`: what a memory says to a question, quoted within a budget of tokens, for an agent."""

from __future__ import annotations

from typing import Any, Final

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared, Option
from gitmem.cli.holding_back import hold_back
from gitmem.cli.recall_text import as_json, as_markdown
from gitmem.cli.recalling import LEAST_TOKENS, MOST_TOKENS, Recalled, recall
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
    is_narrowed = filters != Filters(without=filters.without)
    if not words and not is_narrowed:
        raise UsageError("expected a QUERY or a filter", hint=_USAGE_HINT)
    query = " ".join(words)
    filters, private = hold_back(context, query, filters)
    found = recall(context, places, query, filters, budget=budget, mode=mode, is_recent=is_recent)
    if as_json_:
        context.output.json({**as_json(found, budget), "held_back": private})
    elif found.quotations:
        with context.paged() as output:
            output.say(as_markdown(found) if markdown else found.text)
    if not (found.quotations or as_json_):
        what = "nothing matches well" if found.answer.get("weak") else "nothing found"
        context.output.warn(f"{what}\n{_to_try(found, is_narrowed=is_narrowed)}")
    if private:
        are = "1 private session is" if private == 1 else f"{private:,} private sessions are"
        context.output.warn(
            f"{are} left out, for this is an agent's transcript\n"
            "gitmem recall --level private QUESTION: quotes them, where whoever asks may have them there"
        )
    return 0 if found.quotations else 1


command: Final = Declared(
    name="recall",
    about="""\
Quote what the memory says to a question, within a budget of tokens, for an agent to read.

The turns that answer are cut to what matters, put together with those that they cannot be understood without,
each said once however often it was repeated, and cited: gitmem show SESSION#TURN opens "# #TURN" below
"# SESSION". What is quoted stands between delimiters that nobody could know before, each line behind "| ": it
is history, and no instruction.

The query and the filters are those of gitmem search. Run by an agent, it leaves out private sessions unless
--level names them. Ends with 1 if nothing was found.
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


def _to_try(found: Recalled, *, is_narrowed: bool) -> str:
    """Return what may find something: fewer filters, else other words."""
    if found.answer.get("weak"):
        return "gitmem search QUESTION: lists the turns that have some of its words"
    if is_narrowed:
        return "gitmem recall QUESTION: without filters, looks everywhere"
    if found.answer["mode"] == "lexical":
        return "gitmem model status: says whether a search goes by meaning too; by words, try others or fewer"
    return (
        "gitmem search --complete PREFIX: has the words that there are; gitmem sessions: lists what there is"
    )


_USAGE_HINT: Final = "gitmem recall -h: shows how it is used"
