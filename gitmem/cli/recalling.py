"""Recall: from a question to what is quoted in answer, with everything that a quotation says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from gitmem.cli.auditing import noted
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.text import clean
from gitmem.cli.trusting import marked, trusting_in
from gitmem.model.errors import RepositoryError, StoreError
from gitmem.query.filters import Filters
from gitmem.recall.assembling import Cite, assemble
from gitmem.recall.delimiters import NONCE_BYTES, Delimiters, delimiters
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Told, read_hits
from gitmem.recall.writing import Quotation, citation, written
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

    What gitmem itself said before, and the session that this runs in, are left out.
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
            around = delimiters(os.urandom(NONCE_BYTES))
            quotations = assemble(hits, budget - estimate(written((), around)), cite)
            yield Recalled(tuple(quotations), around, answer)


@contextmanager
def citing(context: Context, places: Sequence[Place], *, only_known: bool = False) -> Iterator[Cite]:
    """Return what cites turns of these memories, each of which is opened when something of it is cited.

    Of one that cannot be opened, and of two of one name, sessions go by their ids and no commits are told;
    with `only_known`, none that only somebody unknown tied to a session.
    """
    names = [place.name for place in places]
    with ExitStack() as stack:
        opened: dict[str, _Cited | None] = {}

        def cite(told: Told) -> tuple[str, str]:
            if told.repo not in opened:
                found = [place for place in places if place.name == told.repo]
                is_one = names.count(told.repo) == 1
                opened[told.repo] = _open(context, found[0], stack, only_known) if is_one else None
            cited = opened[told.repo]
            if cited is None:
                return citation(told, is_only=False), ""
            return citation(told, is_only=cited.is_only(told)), cited.commit(told)

        yield cite


class _Cited(NamedTuple):
    """A memory that is open, and the checkpoints in it."""

    memory: Memory
    ties: Ties

    def is_only(self, told: Told) -> bool:
        from gitmem.model.ids import SessionKey

        return len(self.memory.find_key(SessionKey.parse(told.session))) == 1

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
        there = context.at(discover(Path(place.common_dir), context.git.elsewhere()))
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
