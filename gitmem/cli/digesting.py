"""The digest that an agent is given when it starts: what somebody known said, as far as it comes in time.

Whatever takes longer than the deadline is left out: an index that has to be made, git in a huge working tree.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer, places_of
from gitmem.cli.recalling import citing, current_sessions, opened_as_it_is
from gitmem.cli.text import clean
from gitmem.cli.trusting import marked, trusted_filter, trusting_here
from gitmem.model.errors.base import GitmemError
from gitmem.query.filters import Filters
from gitmem.recall.delimiters import NONCE_BYTES, delimiters
from gitmem.recall.digest import Item, Part, written
from gitmem.recall.trimming import beginning
from gitmem.recall.turns import Hit, Passage, Told, read_hits

if TYPE_CHECKING:
    from gitmem.model.ids import SessionKey
    from gitmem.model.settings import Level
    from gitmem.notes.listing import Listed
    from gitmem.sidecar.wire import Json, Place

DEADLINE_S: Final = 0.75
"""For all of it; what starts the program and hands its answer on has the rest of a second."""

ANSWER_VARIABLE: Final = "GITMEM_ANSWER_S"
"""How many seconds an agent's hook waits, where that is not one."""

_GIT_S: Final = 0.3
_SESSIONS: Final = 6
"""To choose from; the budget is for four or five."""

_FILES: Final = 6
_NOTES: Final = 3
_SAID_TOKENS: Final = 40
_SAID_LATER_TOKENS: Final = 28
"""Of the sessions behind the first: which there were says more than how each of them ended."""

_NOTE_TOKENS: Final = 36
_SAYS_LITTLE: Final = 12
"""Characters."""

_TITLE_CHARACTERS: Final = 44
_BEGINS_A_PLAN: Final = "implement the following plan: "
"""What Claude Code puts before a plan that was made; `_short` leaves it out, and `Plan: ` behind it."""

_PASSAGE_CHARACTERS: Final = 1_000
_LAST: Final = "what happened last"
_CHANGED: Final = "sessions that touched what is changed here"
_OPEN: Final = "open reminders and decisions"


Whose = Callable[[Told, str], tuple[tuple[str, str], ...]]
"""Given a session's turn and its citation, the words and names that say whose it is."""


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
    works = [
        _Beside(lambda: _from_notes(context)),
        _Beside(lambda: _from_index(context, place, names)),
    ]
    parts = [part for work in works for part in work.wait(until)]
    order = (_LAST, _OPEN, _CHANGED)
    parts = sorted((part for part in parts if part.items), key=lambda part: order.index(part.heading))
    return Digest(tuple(parts), written(parts, delimiters(os.urandom(NONCE_BYTES))))


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
        yield Part(_OPEN, tuple(_note(note, now_ms) for note in wanted[:_NOTES]))


def _note(note: Listed, now_ms: int) -> Item:
    names = (("by", _one_line(note.author.name)), ("with", _one_line(note.agent or "")))
    text = beginning(Passage(clean(note.text)), _NOTE_TOKENS)
    return Item(note.short_address, _day(note.at_ms), _told_of(note, now_ms), names, text)


def _told_of(note: Listed, now_ms: int) -> str:
    """Say of which type a note is, and when it is due; dates are in UTC, as they were written down."""
    if note.due_ms is None:
        return f"{note.type},"
    day, today = _day(note.due_ms), _day(now_ms)
    late = ", overdue" if day < today else ", today" if day == today else ""
    return f"{note.type}, due {day}{late},"


def _day(moment_ms: int) -> str:
    from gitmem.model.times import to_text

    return to_text(moment_ms)[:10]


def _from_index(context: Context, place: Place, without: Sequence[str]) -> Iterator[Part]:
    from gitmem.git.dirty import changed_files
    from gitmem.git.heads import standpoint
    from gitmem.git.repository import identity

    whose = partial(_whose, _one_line(identity(context.repository, context.git.environ).name))
    branch = standpoint(context.repository, context.git).branch
    files = [path for path in changed_files(context.repository, context.git, _GIT_S) if '"' not in path][
        :_FILES
    ]
    said = "role:assistant kind:message"
    here = [f'branch:"{branch}" {said}'] if branch and '"' not in branch else []
    queries = (*here, said, *(f'file:"{path}" -kind:note' for path in files))
    filters = Filters(
        levels=levels_told(context),
        trusted=trusted_filter(context, [place]),
        without=tuple(without),
        firsthand=True,
    )
    asked = ask_indexer(
        context,
        "search",
        places=(place,),
        queries=queries,
        filters=filters,
        mode="lexical",
        group="session",
        limit=_SESSIONS,
        passage=_PASSAGE_CHARACTERS,
    )
    answers = marked(context, (place,), asked, only_known=True)
    with citing(context, (place,), only_known=True) as cite:
        levels = levels_told(context)
        found = [[told for told in _told(answer) if cite.shows(told, levels)] for answer in answers]
        last = list({told.id: told for each in found[: len(here) + 1] for told in each}.values())
        # `PASS` and `Done.` are no news; of the others the order stays.
        last = sorted(last, key=lambda told: len(told.passage.text) < _SAYS_LITTLE)[:_SESSIONS]
        yield Part(
            _LAST, tuple(_last(nth, told, whose, branch, *cite(told)) for nth, told in enumerate(last))
        )
        touched: dict[str, tuple[Told, list[str]]] = {}
        for path, each in zip(files, found[len(here) + 1 :], strict=True):
            for told in each:
                touched.setdefault(told.id, (told, []))[1].append(path)
        ordered = sorted(touched.values(), key=lambda one: -len(one[1]))
        yield Part(
            _CHANGED,
            tuple(_changed(told, whose, paths, cite(told)[0]) for told, paths in ordered[:_SESSIONS]),
        )


def _told(answer: Json) -> list[Told]:
    """Return the sessions of an answer, each at what was said where it was found."""
    hits = read_hits(cast("list[Json]", answer["hits"]), clean, only_known=True)
    return [_said(hit) for hit in hits]


def _said(hit: Hit) -> Told:
    if hit.told.kind == "message":
        return hit.told
    said = [one for one in reversed(hit.beside) if one.kind == "message" and one.role == "assistant"]
    return said[0] if said else hit.told


def _last(nth: int, told: Told, whose: Whose, here: str | None, cite: str, commit: str) -> Item:
    names = (("", _short(told.title)), *whose(told, cite), ("on", told.branch if told.branch != here else ""))
    text = beginning(told.passage, _SAID_LATER_TOKENS if nth else _SAID_TOKENS)
    return Item(cite, told.at[:10], names=names, text=text, commit=commit)


def _changed(told: Told, whose: Whose, paths: Sequence[str], cite: str) -> Item:
    files = tuple(("", _one_line(path)) for path in paths[:2])
    return Item(cite, told.at[:10], names=(("", _short(told.title)), *whose(told, cite), *files))


def _whose(own_name: str, told: Told, cite: str) -> tuple[tuple[str, str], ...]:
    """Return whose a session is, where it is not the user's, and the agent, where the citation lacks it."""
    agent = "" if cite.startswith(f"{told.agent}/") else told.agent
    return ("by", told.author if told.author != own_name else ""), ("with", agent)


def _short(title: str) -> str:
    if title.casefold().startswith(_BEGINS_A_PLAN):
        title = title[len(_BEGINS_A_PLAN) :].removeprefix("Plan: ") or title
    return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1].rstrip('… ')}…"


def levels_told(context: Context) -> tuple[Level, ...]:
    """Return the levels of what may be told: what is private is not told to a session that may not be.

    What a session is told stands in its transcript, and goes where that goes.
    """
    settings = context.settings
    is_private = settings.level in ("private", "ephemeral") and not settings.level_rules
    return () if is_private else ("team", "public")


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())[:80]
