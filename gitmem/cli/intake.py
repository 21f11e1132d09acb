"""How imports and captures are told, to people and to programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.cli.progress import size
from gitmem.cli.text import count
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.verbs.intake import Refused, Report, Source

_SHOWN_REFUSALS = 20
_OTHER_LEVELS = {
    "private": "private: sealed",
    "ephemeral": "ephemeral: nothing of it is kept",
}


def total_bytes(sources: Iterable[Source]) -> int:
    """Return how much there is to read; a file that is gone meanwhile counts nothing."""
    total = 0
    for source in sources:
        if source.rendition is not None:
            total += source.rendition.size_bytes
            continue
        with suppress(OSError):
            total += source.path.stat().st_size
    return total


def describe(context: Context, report: Report, named: Collection[Path] = ()) -> None:
    """Print what came of an import, for people; `named` are the files that they asked for one by one."""
    output = context.output
    new, grown = len(report.new_sessions), len(report.grown_sessions)
    output.say(
        f"{count(new, 'new session')}, {grown} grown, {count(report.unchanged, 'file')} unchanged: "
        f"{count(report.lines, 'line')}, {size(report.bytes)}"
    )
    failed = {refused.path for refused in report.refused}
    for level, text in _OTHER_LEVELS.items():
        taken = (one for one in report.diverted if one.level == level and one.source.path not in failed)
        sessions = {one.key for one in taken}
        if sessions:
            output.say(f"{count(len(sessions), 'session')} {text}")
    if report.erased:
        erased = count(len(set(report.erased)), "session")
        output.say(f"passed over {erased} that was forgotten; gitmem import --again PATH takes it in as new")
    if report.replaced:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(report.replaced.items()))
        output.say(f"redacted: {kinds}")
    passed_over = [r for r in report.refused if is_passed_over(r, named)]
    told = [r for r in report.refused if not is_passed_over(r, named)]
    for refused in told[:_SHOWN_REFUSALS]:
        output.warn(Styled("not imported:", "bad"), " ", str(refused.error))
    for hint in dict.fromkeys(refused.error.hint for refused in told[:_SHOWN_REFUSALS]):
        if hint:
            output.warn(Styled("hint:", "dim"), " ", hint)
    if len(told) > _SHOWN_REFUSALS:
        output.warn(f"and {len(told) - _SHOWN_REFUSALS} more; --json: names them all")
    if passed_over:
        output.say(
            f"passed over {count(len(passed_over), 'file')} that no agent wrote; --json: names them all"
        )


def is_passed_over(refused: Refused, named: Collection[Path]) -> bool:
    """Whether a file was only met in a folder, and is no transcript: nobody misses it."""
    return isinstance(refused.error, UnknownTranscript) and refused.path not in named


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
        "erased": sorted({str(key) for key in report.erased}),
        "commits": report.commits,
        "levels": {
            level: sorted({str(one.key) for one in report.diverted if one.level == level})
            for level in _OTHER_LEVELS
        },
    }
