"""Sessions of authors whom the user does not know: agents are not told of them, so people are told that.

A teammate who has no commit on the main branch is such an author, and nobody would know why agents do not
answer with what they did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.text import count, one_line
from gitmem.cli.trusting import trusting_here

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.sharing.pulling import Pulled, Sharing
    from gitmem.verbs.captors import Row
    from gitmem.verbs.summaries import Summary

_NAMED: Final = 3
_LISTED: Final = 100
_ADDRESS: Final = re.compile(r"[a-z0-9][a-z0-9._+-]*@[a-z0-9.-]+")
"""An address that is no pattern, which might name everybody, and that every shell takes as it stands."""


class Strangers(NamedTuple):
    """How many sessions agents are not told of, and how many of each author's, most first."""

    sessions: int = 0
    authors: tuple[tuple[str, int], ...] = ()


def find_strangers(context: Context, rows: Iterable[Row | Summary]) -> Strangers:
    """Return whose sessions are left out among these since nobody knows them; not whom the user distrusts."""
    shown = [row.captured_by for row in rows if row.captured_by and not row.hidden]
    trusting = trusting_here(context, {address for by in shown for address in by})
    untold = [by for by in shown if trusting.of_all(by) == "unknown"]
    counted = Counter(
        address
        for by in untold
        for address in {each.lower() for each in by}
        if trusting.of(address) == "unknown"
    )
    return Strangers(len(untold), tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0]))))


def strangers_of(context: Context, memory: Memory) -> Strangers:
    """Return the same of all sessions of a memory."""
    from gitmem.verbs.captors import captors

    return find_strangers(context, captors(memory, context.repository.state_dir))


def say_strangers(found: Strangers) -> Iterator[str]:
    """Yield a line for each of those with most sessions, and what has agents told of them."""
    for address, number in found.authors[:_NAMED]:
        # Whoever may push chooses an address, and this is a command that people copy.
        is_plain = _ADDRESS.fullmatch(address) is not None
        hint = f"git config --add gitmem.trust {address}" if is_plain else "gitmem sessions marks them"
        by = address if is_plain else repr(one_line(address)) if address else "nobody"
        yield f"{count(number, 'session')} by {by} (unknown) {_are(number)} not told to agents: {hint}"
    others = found.authors[_NAMED:]
    if others:
        number = sum(each for _, each in others)
        yield f"and {count(number, 'session')} by {count(len(others), 'other')}: gitmem sessions marks them"


def strangers_as_json(found: Strangers) -> dict[str, Any]:
    """Return the same for programs."""
    listed = [
        {"author": address, "sessions": number, "trust": "unknown"}
        for address, number in found.authors[:_LISTED]
    ]
    return {"sessions": found.sessions, "authors": listed, "unlisted": len(found.authors[_LISTED:])}


def warn_of_strangers(context: Context, sharing: Sharing, pulled: Pulled) -> None:
    """Tell of those of whom a pull brought the first sessions, so that each is told of once."""
    new = {session for session, outcome in pulled.sessions.items() if outcome == "new there"}
    if not new or pulled.after is None:
        return
    from gitmem.format.memory import open_memory
    from gitmem.verbs.captors import captors

    memory = open_memory(sharing.storage, sharing.ref)
    rows = captors(memory, context.repository.state_dir)
    before = {address.lower() for row in rows if row.session not in new for address in row.captured_by}
    found = find_strangers(context, (row for row in rows if row.session in new))
    for line in say_strangers(
        found._replace(authors=tuple(each for each in found.authors if each[0] not in before))
    ):
        context.output.warn(line)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
