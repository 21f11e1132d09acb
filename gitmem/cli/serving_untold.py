"""What an agent is not told: how much, where the user does not know its author, and what to try instead."""

from __future__ import annotations

from typing import Final, cast

from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.serving import Host
from gitmem.cli.trusting import marked
from gitmem.model.errors import code, naming
from gitmem.model.errors.arguments import BadNoteName, BadSessionName
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.serving import AuthorUntrusted
from gitmem.query.filters import Filters
from gitmem.recall.quoting import HEADING
from gitmem.sidecar.wire import Grouping, Json, Place

LOOKED_AT: Final = 10
"""So many of the best hits are looked at for those that are left out; the number of all tells nothing."""

_NARROWING: Final = ("since", "until", "file", "agent", "author", "branch", "kind", "tag", "due")


def untold_hits(
    context: Context,
    places: tuple[Place, ...],
    query: str,
    filters: Filters,
    answer: Json,
    group: Grouping = "turn",
) -> int:
    """Return how many of the best hits are left out because nobody knows their authors.

    The index says in its answer whether it has such authors at all; only where it does is it asked again.
    """
    if not (filters.trusted and answer.get("strangers")):
        return 0
    answers = ask_indexer(
        context,
        "search",
        places=places,
        queries=(query,),
        filters=filters._replace(trusted=()),
        group=group,
        limit=LOOKED_AT,
    )
    [found] = marked(context, places, answers, only_known=False)
    return sum(hit["trust"] == "unknown" for hit in cast("list[Json]", found["hits"]))


def untold(host: Host, number: int, what: str) -> list[str]:
    """Return the line of ours that tells of what is left out, and how to have it; none where nothing is."""
    if not number:
        return []
    how = (
        "untrusted=true has them, too"
        if host.untrusted
        else "gitmem status tells the user whose they are, and only the user can let you have them"
    )
    return [f"{HEADING}left out: {what}, by authors whom the user does not know; {how}"]


def nothing(what: str, asked: object, *others: str) -> str:
    """Return what is said where nothing is found, and what to try: without what narrows it, or another tool.

    Of `others` the last is a tool.
    """
    without = [f"without {name}" for name in _NARROWING if getattr(asked, name, None)]
    *first, tool = others
    return f"{what}; try {', '.join([*first, *without, ''])}or {tool}" if first or without else what


def hint_for(host: Host, error: GitmemError) -> str:
    """Return what to do about an error, by the tools and arguments that an agent has where there are some."""
    match error:
        case BadSessionName():
            return "timeline: lists the names, each as <agent>/<native id>"
        case naming.SessionUnknown():
            return "timeline: lists the sessions that there are; search: finds them by what was said"
        case BadNoteName():
            return "notes closed=true: lists the names, each as note/<id>"
        case naming.NoteUnknown():
            return "notes closed=true: lists those that there are"
        case naming.TurnUnknown():
            return f"show id={error.session}: shows them with their numbers"
        case naming.StreamUnknown():
            return f"show id={error.session}: names its streams"
        case naming.NoteNotDue():
            return "note_add kind=reminder: reminds of it, beside the note that holds"
        case code.LineMissing():
            return f"why target={error.path}: sums up all of its lines"
        case code.TargetUnknown():
            return "why: takes a path as git has it, or a commit, as target; show: is for sessions"
        case code.FolderNotExplained():
            return "why target=FILE: explains one of its files"
        case code.FileOutside() | code.FileInAnotherRepository():
            return "a server that is started there: explains it"
        case code.FileNotExplained():
            return "why target=COMMIT: explains what a commit added"
        case AuthorUntrusted() if host.untrusted:
            return "show untrusted=true: shows it"
        case _:
            return error.hint
