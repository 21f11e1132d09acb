"""How imports and captures are told, to people and to programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.cli.progress import size
from gitmem.verbs.importing import Report, Source

_SHOWN_REFUSALS = 20


def total_bytes(sources: Iterable[Source]) -> int:
    """Return how much there is to read; a file that is gone meanwhile counts nothing."""
    return sum(source.path.stat().st_size for source in sources if source.path.exists())


def describe(context: Context, report: Report) -> None:
    """Print what came of an import, for people."""
    output = context.output
    new, grown = len(report.new_sessions), len(report.grown_sessions)
    output.say(
        f"{count(new, 'new session')}, {grown} grown, {count(report.unchanged, 'file')} unchanged: "
        f"{count(report.lines, 'line')}, {size(report.bytes)}"
    )
    if report.replaced:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(report.replaced.items()))
        output.say(f"redacted: {kinds}")
    for refused in report.refused[:_SHOWN_REFUSALS]:
        output.warn(Styled("not imported:", "bad"), " ", str(refused.error))
    if len(report.refused) > _SHOWN_REFUSALS:
        output.warn(f"and {len(report.refused) - _SHOWN_REFUSALS} more; --json: names them all")


def report_as_json(report: Report) -> dict[str, Any]:
    """Return what came of an import, for programs."""
    return {
        "files": report.files,
        "new": sorted(report.new_sessions),
        "grown": sorted(report.grown_sessions),
        "unchanged": report.unchanged,
        "lines": report.lines,
        "bytes": report.bytes,
        "redacted": dict(sorted(report.replaced.items())),
        "refused": [{"path": str(r.path), "error": str(r.error)} for r in report.refused],
        "commits": report.commits,
    }


def count(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is one."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")
