"""The options of `gitmem search`, each said once; free of click, see gitmem.cli.declared."""

from __future__ import annotations

from typing import Final

from gitmem.cli.declared import RECURSE, Option
from gitmem.model.settings import LEVELS
from gitmem.query.filters import KINDS
from gitmem.sidecar.wire import FACETS

ROLES: Final = ("user", "assistant", "tool", "system")
"""As gitmem.model.turns has them, which would load a library that a search has no use for."""

MOST_HITS: Final = 10_000

OPTIONS: Final = (
    Option(
        ("--limit", "-n"), "limit", "At most so many hits.", kind="number", bounds=(1, MOST_HITS), default=10
    ),
    Option(
        ("--mode",),
        "mode",
        "By words, by meaning, or both; without an embedding model hybrid is by words.",
        choices=("hybrid", "lexical", "semantic"),
        default="hybrid",
    ),
    Option(
        ("--group",),
        "group",
        "Turns, or each session once at its best turn.",
        choices=("turn", "session"),
        default="turn",
    ),
    Option(("--agent",), "agents", "Sessions of this agent.", metavar="NAME", is_many=True),
    Option(("--repo",), "repos", "Sessions of this repository.", metavar="NAME", is_many=True),
    Option(("--branch",), "branches", "Turns on this branch.", metavar="NAME", is_many=True),
    Option(("--author",), "authors", "By words of a name or address.", metavar="WHO", is_many=True),
    Option(("--role",), "roles", "Whose turns.", choices=ROLES, is_many=True),
    Option(
        ("--kind",),
        "kinds",
        "What was said, notes, or notes of this type.",
        choices=KINDS,
        is_many=True,
    ),
    Option(("--closed",), "closed", "Notes that are done or superseded, too.", kind="flag"),
    Option(
        ("--session",),
        "sessions",
        "Sessions whose name or id begins so.",
        metavar="SESSION",
        is_many=True,
    ),
    Option(
        ("--file",),
        "files",
        "Calls of tools on this file or folder, and notes.",
        metavar="PATH",
        is_many=True,
    ),
    Option(("--tool",), "tools", "Calls of this tool, and their results.", metavar="NAME", is_many=True),
    Option(("--errors",), "errors", "Results of tools that failed.", kind="flag"),
    Option(("--tag",), "tags", "Sessions with this tag.", metavar="TAG", is_many=True),
    Option(("--level",), "levels", "Sessions of this level.", choices=LEVELS, is_many=True),
    Option(
        ("--since",),
        "since",
        "Not before: a date, a moment (UTC), or 90min, 12h, 7d, 2w ago.",
        metavar="WHEN",
    ),
    Option(("--until",), "until", "Not after; a date means all of that day.", metavar="WHEN"),
    Option(
        ("--as-of",),
        "as_of",
        "As the memory was then: a commit of it, a date or a time ago.",
        metavar="WHEN",
    ),
    Option(
        ("--except",),
        "without",
        "Leave out sessions whose name or id begins so, such as the current one.",
        metavar="SESSION",
        is_many=True,
    ),
    Option(
        ("--trusted",),
        "is_trusted",
        "Leave out what unknown or untrusted authors captured.",
        kind="flag",
    ),
    Option(("--recent",), "is_recent", "Rank newer turns higher: a month counts half.", kind="flag"),
    Option(
        ("--facets",),
        "facets",
        f"Count all that match by these, separated by commas: {', '.join(FACETS)}.",
        metavar="NAMES",
    ),
    Option(
        ("--complete",),
        "complete",
        "Print the words in the index that begin so, the most frequent first.",
        metavar="PREFIX",
    ),
    Option(("--all",), "every", "Search every repository that gitmem knows of.", kind="flag"),
    RECURSE,
    Option(("--batch",), "batch", "Answer one query a line; - is standard input.", metavar="FILE"),
    Option(("--json",), "as_json", "Print one JSON document.", kind="flag"),
    Option(("--json-lines",), "json_lines", "Print a line of JSON for each query.", kind="flag"),
)
