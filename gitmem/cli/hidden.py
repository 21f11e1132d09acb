"""What is hidden by the word of somebody whom the user does not know: anybody who may push can hide anything.

It stays hidden, since it may be a secret that they saw first; but it is told, with what takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gitmem.cli.context import Context
from gitmem.cli.trusting import trusting_here

if TYPE_CHECKING:
    from gitmem.checkpoints.examining import Finding
    from gitmem.notes.listing import Listed
    from gitmem.query.trusting import Trust
    from gitmem.verbs.summaries import Summary

_NAMED: Final = 3
_WHOSE: Final[Mapping[Trust, str]] = {"unknown": "whom you do not know", "untrusted": "whom you distrust"}


def examine_hidden(
    context: Context, summaries: Iterable[Summary], notes: Iterable[Listed]
) -> Iterator[Finding]:
    """Look for sessions and notes that somebody has hidden who is not known."""
    from gitmem.checkpoints.examining import Finding

    hidden = [(str(row.key), row.hidden_by) for row in summaries if row.hidden]
    hidden += [(note.short_address, note.hidden_by) for note in notes if note.hidden_by]
    if not hidden:
        return
    people = {address for _, by in hidden for address in by}
    trusting = trusting_here(context, people)
    for trust, whose in _WHOSE.items():
        found = [(name, by) for name, by in hidden if trusting.of_all(by) == trust]
        if not found:
            continue
        names = [name for name, _ in found]
        by = sorted({address or "nobody" for _, each in found for address in each})
        what = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if names[_NAMED:] else "")
        says = f"{what}: hidden by the word of {', '.join(by[:_NAMED])}, {whose}"
        command = f"gitmem forget --undo {' '.join(names[:_NAMED])}"
        if trust == "unknown":  # somebody of the team it may be, who has written no code
            yield Finding("sessions", "note", f"{says}; {command} takes it back")
        else:
            yield Finding("sessions", "amiss", says, f"{command}: takes it back")


def hiders(context: Context, people: Iterable[str]) -> Mapping[str, Trust]:
    """Return how far those are trusted by whose word something is hidden."""
    asked = frozenset(people)
    if not asked:
        return {}
    trusting = trusting_here(context, asked)
    return {address: trusting.of(address) for address in asked}
