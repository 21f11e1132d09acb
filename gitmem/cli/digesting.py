"""The digest that an agent is given when it starts: what somebody known said, as far as it comes in time.

Whatever takes longer than the deadline is left out: an index that has to be made, git in a huge working tree.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.digest_sessions import day_of, from_index, from_table, one_line
from gitmem.cli.indexing import places_of
from gitmem.cli.recalling import current_sessions, opened_as_it_is
from gitmem.cli.text import clean
from gitmem.cli.trusting import trusting_here
from gitmem.model.errors.base import GitmemError
from gitmem.recall.delimiters import NONCE_BYTES, delimiters
from gitmem.recall.digest import Item, Part, written
from gitmem.recall.trimming import beginning
from gitmem.recall.turns import Passage

if TYPE_CHECKING:
    from gitmem.model.ids import SessionKey
    from gitmem.notes.listing import Listed

DEADLINE_S: Final = 0.75
"""For all of it; what starts the program and hands its answer on has the rest of a second."""

ANSWER_VARIABLE: Final = "GITMEM_ANSWER_S"
"""How many seconds an agent's hook waits, where that is not one."""

GRACE_S: Final = 0.15
"""What notes may take longer: they come from a table, and are what somebody wanted to be told."""

_PATIENCE: Final = 0.4
"""After so much of the time without an answer of the index, sessions are looked up in the table, too."""

_NOTES: Final = 3
_NOTE_TOKENS: Final = 44
_OPEN: Final = "open reminders and decisions"


class Digest(NamedTuple):
    """What there is to say, in parts, and as it is said."""

    parts: tuple[Part, ...]
    text: str


def digest(context: Context, current: SessionKey | None) -> str:
    """Return the digest of the repository at hand, for the session that starts; empty where there is none.

    What cannot be found or read is left out, and what takes too long; raises for nothing of that.
    """
    seconds = context.environ.get(ANSWER_VARIABLE, "")
    deadline_s = DEADLINE_S * (int(seconds) if seconds.isdecimal() and 0 < len(seconds) < 3 else 1)
    return digest_of(context, () if current is None else (str(current),), deadline_s).text


def digest_of(context: Context, without: Sequence[str], deadline_s: float) -> Digest:
    """Return a digest without some sessions, and without what is not found by the deadline."""
    until = time.monotonic() + deadline_s
    try:
        [place] = places_of(context, recurse=False)
    except GitmemError:
        return Digest((), "")
    names = (*without, *current_sessions(context.environ))
    notes = _Beside(partial(_from_notes, context))
    index = _Beside(partial(from_index, context, place, names))
    sessions = index.wait(time.monotonic() + _PATIENCE * deadline_s)
    if not sessions:
        table = _Beside(partial(from_table, context, names))
        sessions = index.wait(until) or table.wait(until)
    else:
        sessions = index.wait(until)
    parts = (*notes.wait(until + GRACE_S), *sessions)
    parts = tuple(part for part in parts if part.items)
    return Digest(parts, written(parts, delimiters(os.urandom(NONCE_BYTES))))


class _Beside:
    """Finds parts in a thread of its own; what is not found in time is given up, as far as it had come."""

    def __init__(self, find: Callable[[], Iterator[Part]]) -> None:
        self._find = find
        self._found: list[Part] = []
        self._bugs: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="digest", daemon=True)
        self._thread.start()

    def wait(self, until: float) -> list[Part]:
        """Return what is found until a moment of the monotonic clock; a bug is raised here."""
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._bugs:
            raise self._bugs[0]
        return list(self._found)

    def _run(self) -> None:
        try:
            for part in self._find():
                self._found.append(part)
        except GitmemError:
            return  # there is less to tell, and whoever asks for more is told why
        except BaseException as bug:  # noqa: BLE001 (raised again where it is waited for)
            self._bugs.append(bug)


def _from_notes(context: Context) -> Iterator[Part]:
    from gitmem.git.repository import identity
    from gitmem.notes.listing import list_notes, people

    with opened_as_it_is(context) as memory:
        state_dir, now_ms = context.repository.state_dir, context.now_ms()
        known = trusting_here(context, people(memory, state_dir))

        def is_known(address: str) -> bool:
            return known.of(address) == "known"

        due = list_notes(memory, state_dir, due_at_ms=now_ms, is_known=is_known)
        decided = list_notes(memory, state_dir, types=("decision",), is_known=is_known)
        # Neither crowds out the other, however much is overdue.
        in_turn = (*due[:1], *decided[:1], *due[1:], *decided[1:])
        wanted = list({note.name: note for note in in_turn}.values())
        first = len({note.name for note in (*due[:1], *decided[:1])})
        own_name = one_line(identity(context.repository, context.git.environ).name)
        yield Part(_OPEN, tuple(_note(note, now_ms, own_name) for note in wanted[:_NOTES]), first)


def _note(note: Listed, now_ms: int, own_name: str) -> Item:
    """Return what is told of a note: whose it is, unless it is the user's; of two days, when it is due."""
    author = one_line(note.author.name)
    names = (("by", author if author != own_name else ""), ("with", one_line(note.agent or "")))
    text = beginning(Passage(clean(note.text)), _NOTE_TOKENS)
    day = "" if note.due_ms is not None else day_of(note.at_ms)
    words = _told_of(note, now_ms)
    return Item(note.short_address, day, words if any(name for _, name in names) else words[:-1], names, text)


def _told_of(note: Listed, now_ms: int) -> str:
    """Say of which type a note is, and when it is due; dates are in UTC, as they were written down."""
    if note.due_ms is None:
        return f"{note.type},"
    day, today = day_of(note.due_ms), day_of(now_ms)
    late = ", overdue" if day < today else ", today" if day == today else ""
    return f"{note.type}, due {day}{late},"
