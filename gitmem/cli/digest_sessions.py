"""What a digest tells of sessions: how each ended, as the index has it; without one, which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.recalling import citing, opened_as_it_is
from gitmem.cli.text import clean
from gitmem.cli.trusting import marked, trusted_filter, trusting_here
from gitmem.query.filters import Filters
from gitmem.recall.digest import Item, Part
from gitmem.recall.trimming import beginning
from gitmem.recall.turns import Hit, Told, read_hits
from gitmem.recall.worth import is_unfinished
from gitmem.recall.writing import session_citation

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.model.settings import Level
    from gitmem.query.trusting import Trusting
    from gitmem.sidecar.wire import Json, Place
    from gitmem.verbs.summaries import Summary

LAST: Final = "what happened last"
CHANGED: Final = "sessions that touched what is changed here"

_GIT_S: Final = 0.3
_SESSIONS: Final = 6
"""To choose from; the budget is for three to five."""

_TOLD: Final = 3
"""So many of them are told at least, as a rule."""

_MISSED: Final = 2
"""So many sessions of the branch at hand are looked up, where none of the latest ended there."""

_FILES: Final = 6
_SAID_TOKENS: Final = 52
_SAID_LATER_TOKENS: Final = 40
"""Of the sessions behind the first: which there were says more than how each of them ended."""

_SAYS_LITTLE: Final = 12
"""Characters."""

_TITLE_CHARACTERS: Final = 44
_BEGINS_A_PLAN: Final = "implement the following plan: "
"""What Claude Code puts before a plan that was made; `_short` leaves it out, and `Plan: ` behind it."""

_PASSAGE_CHARACTERS: Final = 1_000
_SAID: Final = "role:assistant kind:message"

Whose = Callable[[str, str, str], tuple[tuple[str, str], ...]]
"""Given a session's author and agent and its citation, the words and names that say whose it is."""


def from_index(context: Context, place: Place, without: Sequence[str]) -> Iterator[Part]:
    """Yield how the latest sessions ended, then which touched what is changed; raises as `ask_indexer` does.

    The branch at hand helps to rank: what is told of a session is how it ended, wherever that was.
    """
    from gitmem.git.dirty import changed_files
    from gitmem.git.heads import standpoint

    branch = standpoint(context.repository, context.git).branch
    files = [path for path in changed_files(context.repository, context.git, _GIT_S) if '"' not in path][
        :_FILES
    ]
    here = [f'branch:"{branch}" {_SAID}'] if branch and '"' not in branch else []
    filters = Filters(
        levels=levels_told(context),
        trusted=trusted_filter(context, [place]),
        without=tuple(without),
        firsthand=True,
    )
    whose = _telling_whose(context)
    with citing(context, (place,), only_known=True) as cite:

        def ask(queries: Sequence[str], sessions: tuple[str, ...] = ()) -> list[list[Told]]:
            asked = ask_indexer(
                context,
                "search",
                places=(place,),
                queries=tuple(queries),
                filters=filters._replace(sessions=sessions),
                mode="lexical",
                group="session",
                limit=_SESSIONS,
                passage=_PASSAGE_CHARACTERS,
            )
            answers = marked(context, (place,), asked, only_known=True)
            found = [_told(answer) for answer in answers]
            return [[told for told in each if cite.shows(told, filters.levels)] for each in found]

        last, *found = ask([_SAID, *here, *(f'file:"{path}" -kind:note' for path in files)])
        if here:
            there = {told.id for told in last}
            missed = [told.session for told in found.pop(0) if told.id not in there][:_MISSED]
            if missed and all(told.branch != branch for told in last):
                last += [told for [*each] in ask([_SAID], tuple(missed)) for told in each]
        last = _ranked(last, branch)[:_SESSIONS]
        yield Part(LAST, tuple(_last(nth, told, whose, branch, *cite(told)) for nth, told in enumerate(last)))
        touched: dict[str, tuple[Told, list[str]]] = {}
        for path, each in zip(files, found, strict=True):
            for told in each:
                touched.setdefault(told.id, (told, []))[1].append(path)
        # There is room for one or two, and who is told of above has been.
        above = {told.id for told in last[:_TOLD]}
        ordered = sorted(touched.values(), key=lambda one: (one[0].id in above, -len(one[1])))
        yield Part(
            CHANGED,
            tuple(_changed(told, whose, paths, cite(told)[0]) for told, paths in ordered[:_SESSIONS]),
        )


def from_table(context: Context, without: Sequence[str]) -> Iterator[Part]:
    """Yield which sessions there were last, as far as their summaries cost little; raises as `list_notes`.

    They are told by their titles: how each ended stands in its text, of which none is read.
    """
    from gitmem.git.heads import standpoint
    from gitmem.verbs.listing import Summaries

    levels, whose = levels_told(context), _telling_whose(context)
    branch = standpoint(context.repository, context.git).branch
    items: list[Item] = []
    with opened_as_it_is(context) as memory:
        repository = context.repository
        found = [
            each
            for each in Summaries(memory, repository.state_dir, repository.name).at_hand()
            if not each.hidden
            and (not levels or each.level in levels)
            and not str(each.key).startswith(tuple(without))
        ]
        known = trusting_here(context, {address for each in found for address in each.captured_by})
        for each in found:
            if len(items) < _SESSIONS and known.of_all(each.captured_by) == "known":
                items.append(_listed(memory, each, _title(context, memory, each, known), whose, branch))
    yield Part(LAST, tuple(items))


def levels_told(context: Context) -> tuple[Level, ...]:
    """Return the levels of what may be told: what is private is not told to a session that may not be.

    What a session is told stands in its transcript, and goes where that goes.
    """
    settings = context.settings
    is_private = settings.level in ("private", "ephemeral") and not settings.level_rules
    return () if is_private else ("team", "public")


def day_of(moment_ms: int) -> str:
    """Return the day of a moment, in UTC."""
    from gitmem.model.times import to_text

    return to_text(moment_ms)[:10]


def one_line(text: str) -> str:
    """Return what somebody called something, clean and short."""
    return " ".join(clean(text).split())[:80]


def _told(answer: Json) -> list[Told]:
    """Return the sessions of an answer, each at what was said where it was found."""
    hits = read_hits(cast("list[Json]", answer["hits"]), clean, only_known=True)
    return [_said(hit) for hit in hits]


def _said(hit: Hit) -> Told:
    if hit.told.kind == "message":
        return hit.told
    said = [one for one in reversed(hit.beside) if one.kind == "message" and one.role == "assistant"]
    return said[0] if said else hit.told


def _ranked(last: Sequence[Told], branch: str | None) -> list[Told]:
    """Return sessions, the newest first, but the newest that ended on this branch second at least.

    `PASS` and `Done.` are no news, and what was only announced is none at all: the others stand before these.
    """
    ordered = list(last)
    here = next((nth for nth, told in enumerate(ordered) if told.branch == branch), 0)
    if here > 1:
        ordered.insert(1, ordered.pop(here))
    return sorted(ordered, key=lambda told: (is_unfinished(told.passage), _says_little(told)))


def _says_little(told: Told) -> bool:
    return len(told.passage.text) < _SAYS_LITTLE


def _last(nth: int, told: Told, whose: Whose, here: str | None, cite: str, commit: str) -> Item:
    on = ("on", told.branch if told.branch != here else "")
    names = (("", _short(told.title)), *whose(told.author, told.agent, cite), on)
    text = beginning(told.passage, _SAID_LATER_TOKENS if nth else _SAID_TOKENS)
    return Item(cite, told.at[:10], names=names, text=text, commit=commit)


def _changed(told: Told, whose: Whose, paths: Sequence[str], cite: str) -> Item:
    files = tuple(("", one_line(path)) for path in paths[:2])
    names = (("", _short(told.title)), *whose(told.author, told.agent, cite), *files)
    return Item(cite, told.at[:10], names=names)


def _listed(memory: Memory, summary: Summary, title: str, whose: Whose, here: str | None) -> Item:
    is_only = len(memory.find_key(summary.key)) == 1
    cite = session_citation(str(summary.key), summary.session, is_only=is_only)
    on = ("on", one_line(summary.branch or "") if summary.branch != here else "")
    names = (("", _short(title)), *whose(one_line(summary.author.name), one_line(summary.agent), cite), on)
    return Item(cite, day_of(summary.last_ms) if summary.last_ms else "", names=names)


def _title(context: Context, memory: Memory, summary: Summary, known: Trusting) -> str:
    """Return a session's title, unless somebody unknown gave it: anybody can."""
    from gitmem.verbs.naming import titled_by

    folder = memory.find(summary.session)
    by = titled_by(memory.load(folder)) if folder else ()
    asked = trusting_here(context, by) if not set(by) <= set(summary.captured_by) else known
    return one_line(summary.title) if by and asked.of_all(by) == "known" else ""


def _telling_whose(context: Context) -> Whose:
    from gitmem.git.repository import identity

    return partial(_whose, one_line(identity(context.repository, context.git.environ).name))


def _whose(own_name: str, author: str, agent: str, cite: str) -> tuple[tuple[str, str], ...]:
    """Return whose a session is, where it is not the user's, and the agent, where the citation lacks it."""
    return ("by", author if author != own_name else ""), (
        "with",
        "" if cite.startswith(f"{agent}/") else agent,
    )


def _short(title: str) -> str:
    if title.casefold().startswith(_BEGINS_A_PLAN):
        title = title[len(_BEGINS_A_PLAN) :].removeprefix("Plan: ") or title
    return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1].rstrip('… ')}…"
