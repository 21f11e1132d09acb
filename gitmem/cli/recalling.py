"""Recall: from a question to what is quoted in answer, with everything that a quotation says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from gitmem.cli.auditing import noted
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.text import clean
from gitmem.cli.trusting import marked, trusting_in
from gitmem.model.errors.repositories import RepositoryError
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused, StoreError
from gitmem.query.filters import Filters
from gitmem.recall.assembling import assemble
from gitmem.recall.delimiters import NONCE_BYTES, WIDEST, Delimiters, delimiters
from gitmem.recall.turns import Told, read_hits
from gitmem.recall.writing import Quotation, citation, cost_around, written
from gitmem.sidecar.wire import Json, Mode, Place

if TYPE_CHECKING:
    from gitmem.checkpoints.tied import Ties
    from gitmem.format.memory import Memory

HITS: Final = 60
PASSAGE_CHARACTERS: Final = 2_000
LEAST_TOKENS: Final = 150
MOST_TOKENS: Final = 100_000

_CURRENT: Final[Mapping[str, str]] = {
    "CLAUDE_CODE_SESSION_ID": "claude-code",
    "CODEX_THREAD_ID": "codex",
    "GEMINI_SESSION_ID": "gemini-cli",
}
"""Where agents name the session that a command runs in."""


class Recalled(NamedTuple):
    """An answer: what is quoted, between which delimiters, and what the search said beside its hits."""

    quotations: tuple[Quotation, ...]
    around: Delimiters
    answer: Json

    @property
    def text(self) -> str:
        """The answer as an agent is given it, without a line end behind it."""
        return written(self.quotations, self.around)


def current_sessions(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the session that this runs in, as far as the agent's environment names it."""
    return tuple(f"{agent}/{environ[name]}" for name, agent in _CURRENT.items() if environ.get(name))


def recall(
    context: Context,
    places: tuple[Place, ...],
    query: str,
    filters: Filters,
    *,
    budget: int,
    mode: Mode = "hybrid",
    is_recent: bool = False,
) -> Recalled:
    """Return what answers a query in at most `budget` tokens, as `recall_each` does."""
    [found] = recall_each(context, places, (query,), filters, budget=budget, mode=mode, is_recent=is_recent)
    return found


def recall_each(
    context: Context,
    places: tuple[Place, ...],
    queries: tuple[str, ...],
    filters: Filters,
    *,
    budget: int,
    mode: Mode = "hybrid",
    is_recent: bool = False,
) -> Iterator[Recalled]:
    """Yield what answers each query in at most `budget` tokens; raises as `ask_indexer` does.

    What gitmem itself said before, and the session that this runs in, are left out. Where nothing that was
    found is an answer, nothing is quoted: an agent would take it for one.
    """
    without = (*filters.without, *current_sessions(context.environ))
    asked = ask_indexer(
        context,
        "search",
        places=places,
        queries=queries,
        filters=filters._replace(firsthand=True, without=without),
        mode=mode,
        limit=HITS,
        is_recent=is_recent,
        passage=PASSAGE_CHARACTERS,
    )
    only_known = bool(filters.trusted)
    with citing(context, places, only_known=only_known) as cite:
        for answer in noted(context, places, marked(context, places, asked, only_known=only_known)):
            hits = read_hits(cast("list[Json]", answer["hits"]), clean, only_known=only_known)
            # An index that is current has the levels that the filter asks for.
            levels = filters.levels if is_behind(answer) else ()
            hits = [hit for hit in hits if cite.shows(hit.told, levels)]
            around = delimiters(os.urandom(NONCE_BYTES))
            quotations = assemble(hits, budget - cost_around(WIDEST), cite)
            yield Recalled(() if answer.get("weak") else tuple(quotations), around, answer)


def is_behind(answer: Json) -> bool:
    """Whether an index that answered lacks some of the memory, such as what has become of a session since."""
    return bool(cast("Json", answer.get("indexed") or {}).get("behind"))


@contextmanager
def citing(context: Context, places: Sequence[Place], *, only_known: bool = False) -> Iterator[Citing]:
    """Return what cites turns of these memories, each of which is opened when something of it is cited.

    Of one that cannot be opened, and of two of one name, sessions go by their ids and no commits are told;
    with `only_known`, none that only somebody unknown tied to a session.
    """
    with ExitStack() as stack:
        yield Citing(context, places, stack, only_known=only_known)


class Found(Protocol):
    """What an index found, by the memory that it is in and its id; of a note, `note` is its type."""

    @property
    def repo(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def note(self) -> str: ...


class Citing:
    """Cites turns, and knows what became of their sessions; memories are open as long as `stack` is."""

    def __init__(
        self, context: Context, places: Sequence[Place], stack: ExitStack, *, only_known: bool
    ) -> None:
        self._context, self._places, self._stack, self._only_known = context, places, stack, only_known
        self._opened: dict[str, _Cited | None] = {}
        self._levels: dict[tuple[str, str], str | None] = {}

    def __call__(self, told: Told) -> tuple[str, str]:
        """Return the citation of a turn, and the commit that it led to."""
        cited = self._of(told)
        if cited is None:
            return citation(told, is_only=False), ""
        return citation(told, is_only=cited.is_only(told)), cited.commit(told)

    def shows(self, told: Found, levels: Sequence[str] = ()) -> bool:
        """Tell whether what an index found is still shown, and of one of some levels, if any are named.

        An index that is behind has what was forgotten since.
        """
        name = told.repo, told.id
        if name not in self._levels:
            cited = self._of(told)
            try:
                self._levels[name] = cited.level(told) if cited else ""
            except (RecordRefused, ObjectDamaged, ObjectMissing):
                self._levels[name] = None  # nobody knows whether it was forgotten; `verify` names it
        level = self._levels[name]
        return level is not None and (not levels or level in levels)

    def _of(self, told: Found) -> _Cited | None:
        if told.repo not in self._opened:
            found = [place for place in self._places if place.name == told.repo]
            is_one = len(found) == 1
            self._opened[told.repo] = (
                _open(self._context, found[0], self._stack, self._only_known) if is_one else None
            )
        return self._opened[told.repo]


class _Cited(NamedTuple):
    """A memory that is open, and the checkpoints in it."""

    memory: Memory
    ties: Ties

    def is_only(self, told: Told) -> bool:
        from gitmem.model.ids import SessionKey

        return len(self.memory.find_key(SessionKey.parse(told.session))) == 1

    def level(self, told: Found) -> str | None:
        """Return the level that something has now; None where it is shown no more."""
        from gitmem.format import notes
        from gitmem.model.ids import RecordId, SessionId
        from gitmem.verbs.levels import is_hidden, registered

        if told.note:
            note = notes.find(self.memory, RecordId(told.id))
            return None if note is None or note.is_hidden else "team"
        folder = self.memory.find(SessionId(told.id))
        if folder is None or is_hidden(self.memory, folder):
            return None
        return registered(self.memory, folder, "team")

    def commit(self, told: Told) -> str:
        from gitmem.checkpoints.tied import Said
        from gitmem.model.ids import SessionId
        from gitmem.model.times import to_ms

        if not told.at:
            return ""
        return self.ties.commit_of(Said(SessionId(told.id), told.stream, told.line, to_ms(told.at))) or ""


def _open(context: Context, place: Place, stack: ExitStack, only_known: bool) -> _Cited | None:
    from gitmem.checkpoints.tied import Ties
    from gitmem.git.repository import discover

    try:
        # From within its git directory git may be told to find none: Copilot CLI has it set for hooks.
        there = context.at(discover(Path(place.start), context.git.elsewhere()))
        memory = stack.enter_context(opened_as_it_is(there))
        if not only_known:
            return _Cited(memory, Ties(memory, there.repository.state_dir))
        known = trusting_in(context, [place])[place.name]
        return _Cited(
            memory, Ties(memory, there.repository.state_dir, lambda address: known.of(address) == "known")
        )
    except (RepositoryError, StoreError):
        return None


@contextmanager
def opened_as_it_is(context: Context) -> Iterator[Memory]:
    """Open all that the repository remembers, without what was fetched and is not part of it yet.

    Raises:
        NoMemory: There is none yet.
    """
    from gitmem.cli.absence import absent_of
    from gitmem.cli.opening import opened_storage, private_storage
    from gitmem.verbs.memories import open_all

    with opened_storage(context) as storage:
        yield open_all(
            storage, context.settings, lambda: private_storage(context, storage), absent_of(context)
        )
