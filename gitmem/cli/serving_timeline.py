"""The tool `timeline`, and sessions and notes as resources: what there is, and reading it by its address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote, unquote

from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.recalling import current_sessions
from gitmem.cli.recursing import reach
from gitmem.cli.rendering import iso
from gitmem.cli.serving import NOTICE, Host, called, cite, framed, going_on, heading, short, who
from gitmem.cli.serving_sessions import show, title_of
from gitmem.cli.serving_untold import nothing, untold
from gitmem.cli.text import count
from gitmem.cli.trusting import trusting_here
from gitmem.model.errors.repositories import NotARepository
from gitmem.model.errors.serving import AddressRefused
from gitmem.model.errors.store import NoMemory
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since, parse_until
from gitmem.serving.cursors import FAR_MS, cursor, place_of, question_of
from gitmem.serving.forms import SessionTold, ShowTaken, TimelineGiven, TimelineTaken
from gitmem.serving.offer import Answered, Listed, Resource

if TYPE_CHECKING:
    from pathlib import Path

    from gitmem.format.memory import Memory
    from gitmem.query.trusting import Trust, Trusting
    from gitmem.verbs.summaries import Summary

_SCHEME: Final = "gitmem://"
_RESOURCES: Final = 20
_ID_DIGITS: Final = 12


def timeline(host: Host, asked: TimelineTaken, client: str) -> Answered:
    """List sessions, the newest first."""
    context = host.begin(untrusted=asked.untrusted)
    question = question_of("timeline", asked)
    after = place_of(asked.cursor, question, int, str) if asked.cursor else None
    now_ms = context.now_ms()
    filters = Filters(
        agents=() if asked.agent is None else (asked.agent,),
        authors=() if asked.author is None else (asked.author,),
        branches=() if asked.branch is None else (asked.branch,),
        since_ms=None if asked.since is None else parse_since(asked.since, now_ms),
        until_ms=None if asked.until is None else parse_until(asked.until, now_ms),
        levels=host.levels(context),
    )
    rows, unknown = _latest(context, filters, untrusted=asked.untrusted)
    left_out = 0 if asked.cursor else unknown
    said = untold(host, left_out, count(left_out, "session"))
    rest = [row for row in rows if after is None or row.place > after]
    shown = rest[: asked.limit]
    further = cursor(question, *shown[-1].place) if len(shown) < len(rest) else None
    with ExitStack() as stack:
        memories: dict[Path, Memory] = {}
        for row in shown:
            common_dir = row.context.repository.common_dir
            if common_dir not in memories:
                memories[common_dir] = stack.enter_context(opened_memory(row.context))
        found = [_told(row, memories[row.context.repository.common_dir]) for row in shown]
    lines = [_line(each) for each in found]
    if lines:
        text = framed([*said, *lines, *going_on(further)])
    else:
        text = "\n".join([nothing("no session is like that", asked, "search"), *said])
    given = TimelineGiven(notice=NOTICE, sessions=tuple(found), untold=left_out, cursor=further)
    return Answered(text, given)


class _Row(NamedTuple):
    """A session, where it is, and whom the user knows there."""

    told: Summary
    context: Context
    trusting: Trusting

    @property
    def trust(self) -> Trust:
        """How far it is trusted."""
        return self.trusting.of_all(self.told.captured_by)

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the order that sessions are listed in, the newest first."""
        return FAR_MS - self.told.last_ms, self.told.session[:_ID_DIGITS]


def _latest(context: Context, filters: Filters, *, untrusted: bool) -> tuple[list[_Row], int]:
    """Return the sessions that are asked for in all repositories around, the newest first.

    Beside them, how many were left out because the user does not know who captured them.

    Raises:
        NoMemory: None of them remembers anything.
    """
    reached = reach(context, None).contexts
    rows: list[_Row] = []
    missing: list[NoMemory] = []
    current = current_sessions(context.environ)
    for each in reached:
        try:
            rows += [row for row in _of_one(each, filters) if str(row.told.key) not in current]
        except NoMemory as error:
            missing.append(error)
    if len(missing) == len(reached) and missing:
        raise missing[0]
    told = [row for row in rows if untrusted or row.trust == "known"]
    left_out = 0 if untrusted else sum(row.trust == "unknown" for row in rows)
    return sorted(told, key=lambda row: row.place), left_out


def _of_one(context: Context, filters: Filters) -> Iterator[_Row]:
    from gitmem.verbs.listing import Summaries, select

    repository = context.repository
    with opened_memory(context) as memory:
        found = Summaries(memory, repository.state_dir, repository.name).all()
    trusting = trusting_here(context)
    for summary in select(found.summaries, filters):
        yield _Row(summary, context, trusting)


def _told(row: _Row, memory: Memory) -> SessionTold:
    summary = row.told
    return SessionTold(
        id=cite(str(summary.key), summary.session),
        at=iso(summary.last_ms or None) or "",
        by=who(called(summary.author.name), trust=row.trust),
        title=title_of(memory, summary, lambda _: row.trusting),
        branch=short(summary.branch or "", 60),
        turns=summary.turns,
        trust=row.trust,
    )


def _line(told: SessionTold) -> str:
    facts = who(told.by, called(told.branch), count(told.turns, "turn"))
    return heading(f"{told.id} {told.at[:16]}", facts, told.title)


def list_sessions(host: Host, at: str | None) -> Listed:
    """List the latest sessions as resources."""
    asked = TimelineTaken(limit=_RESOURCES, cursor=at)
    try:
        value = cast(TimelineGiven, timeline(host, asked, "").value)
    except (NoMemory, NotARepository):
        return Listed([], None)  # a client lists unasked, and whoever calls a tool is told what is amiss
    found = [
        Resource(address_of(each.id), each.id, " ".join(filter(None, (each.at[:10], each.title))))
        for each in value.sessions
    ]
    return Listed(found, value.cursor)


def address_of(name: str) -> str:
    """Return the address of a session's resource."""
    agent, slash, native = name.partition("/")
    return f"{_SCHEME}session/" + (
        f"{quote(agent, safe='')}/{quote(native, safe='')}" if slash else quote(name)
    )


def read_resource(host: Host, uri: str) -> str:
    """Return the text of a resource: a page of a session, a turn of it, or a note.

    Raises:
        AddressRefused: It is no address of one.
    """
    body, _, fragment = uri.removeprefix(_SCHEME).partition("#")
    path, _, query = body.partition("?")
    kind, *names = path.split("/")
    is_form = uri.startswith(_SCHEME) and 0 < len(names) < 3 and all(names) and len(uri) < 2_000
    if not is_form or kind not in ("session", "note") or (kind == "note" and (query or fragment)):
        raise AddressRefused(uri)
    name = "/".join(map(unquote, names))
    if kind == "note":
        name = f"note/{name}"
    elif fragment:
        name = f"{name}#{unquote(fragment)}"
    first = query.removeprefix("from=")
    if query and not (query.startswith("from=") and first.isascii() and first.isdigit() and len(first) < 10):
        raise AddressRefused(uri)
    asked = ShowTaken(id=name)
    if query:
        asked = ShowTaken(id=name, cursor=cursor(question_of("show", asked), int(first)))
    return show(host, asked, "").text
