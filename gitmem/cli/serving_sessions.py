"""The tools that read sessions: `show`, `timeline`, and sessions as resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote, unquote

from gitmem.cli.auditing import note_session
from gitmem.cli.context import Context
from gitmem.cli.naming import is_note
from gitmem.cli.opening import opened_memory
from gitmem.cli.recalling import current_sessions
from gitmem.cli.recursing import first_that, reach
from gitmem.cli.rendering import FOLDED_KINDS, iso
from gitmem.cli.serving import NOTICE, Host, behind, cite, framed, going_on, heading, plain, short, who
from gitmem.cli.serving_notes import show_note
from gitmem.cli.trusting import trust_of, trusting_here
from gitmem.model.errors import (
    AddressRefused,
    AuthorUntrusted,
    CursorRefused,
    NoMemory,
    NotARepository,
    NoteUnknown,
    PrivateUntold,
    SessionUnknown,
    TurnUnknown,
)
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since, parse_until
from gitmem.recall.quoting import named
from gitmem.recall.tokens import estimate
from gitmem.serving.cursors import cursor, place_of, question_of
from gitmem.serving.forms import SessionTold, ShowGiven, Shown, ShowTaken, TimelineGiven, TimelineTaken
from gitmem.serving.offer import Answered, Listed, Resource
from gitmem.why.accounts import turn_name

if TYPE_CHECKING:
    from gitmem.format.memory import Folder, Memory
    from gitmem.model.turns import Turn
    from gitmem.query.trusting import Trusting
    from gitmem.verbs.summaries import Summary

PAGE_TOKENS: Final = 2_000
PAGE_TURNS: Final = 30
WHOLE_CHARACTERS: Final = 8_000
"""Of the one turn that was asked for; what is longer is read on by a cursor."""

_CUT: Final = 700
_CUT_RESULT: Final = 200
_LONGEST_TITLE: Final = 100
_SCHEME: Final = "gitmem://"
_RESOURCES: Final = 20
_ID_DIGITS: Final = 12


def show(host: Host, asked: ShowTaken, client: str) -> Answered:
    """Show a session a page at a time, a turn with those around it, or a note."""
    context = host.begin(untrusted=asked.untrusted)

    def attempt(one: Context) -> Answered:
        if is_note(asked.id):
            return show_note(one, asked)
        return _show(host, one, asked)

    return first_that(context, None, attempt, SessionUnknown, NoteUnknown, NoMemory)


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
    rows = _latest(context, filters, untrusted=asked.untrusted)
    if after is not None:
        at, session = cast("tuple[int, str]", after)
        rows = [row for row in rows if (-row.told.last_ms, row.told.session[:_ID_DIGITS]) > (-at, session)]
    shown = rows[: asked.limit]
    last = shown[-1].told if len(rows) > len(shown) else None
    further = None if last is None else cursor(question, max(0, last.last_ms), last.session[:_ID_DIGITS])
    found = [_told(row) for row in shown]
    lines = [
        heading(f"{each.id} {each.at[:16]}", who(each.by, each.branch, f"{each.turns} turns"), each.title)
        for each in found
    ]
    text = framed([*lines, *going_on(further)]) if lines else "no session is like that"
    return Answered(text, TimelineGiven(notice=NOTICE, sessions=tuple(found), cursor=further))


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


# --- one session --------------------------------------------------------------------------------------


def _show(host: Host, context: Context, asked: ShowTaken) -> Answered:
    from gitmem.verbs import reading
    from gitmem.verbs.levels import registered

    with opened_memory(context) as memory:
        folder, turn = reading.address(memory, asked.id)
        stored = memory.load(folder)
        addresses = {capture.author.email for capture in stored.captures.values()}
        trusting = trusting_here(context, addresses)
        trust = trust_of(trusting, stored)
        if trust != "known" and not asked.untrusted:
            raise AuthorUntrusted(asked.id)
        levels = host.levels(context)
        if levels and registered(memory, folder, "team") not in levels:
            raise PrivateUntold(asked.id)
        memory.absent.require(folder.session)
        note_session(context, "show", memory, folder)
        given = _page(context, memory, folder, turn, asked)
        given = _about(context, memory, folder, given, trusting)
    at = heading(given.id, given.by, given.title)
    lines = [at]
    for each in given.turns:
        told = who(
            each.role, each.tool, "failed" if each.failed else "", f"{each.cut} more" if each.cut else ""
        )
        lines += [heading(f"#{named(each.turn)[1:-1]}", told), behind(each.text)]
    return Answered(framed([*lines, *going_on(given.cursor)]), given)


def _about(
    context: Context, memory: Memory, folder: Folder, given: ShowGiven, trusting: Trusting
) -> ShowGiven:
    """Return a page with what is known of the session as a whole."""
    import msgspec

    from gitmem.verbs.listing import Summaries

    repository = context.repository
    summary = Summaries(memory, repository.state_dir, repository.name).one(folder)
    trust = trusting.of_all(summary.captured_by)
    by = who(
        summary.author.name, (iso(summary.started_ms) or "")[:10], summary.branch, summary.model, trust=trust
    )
    return msgspec.structs.replace(
        given,
        id=cite(str(summary.key), summary.session),
        by=by,
        title=_title(context, memory, summary),
        streams=tuple(short(stream, 80) for stream in summary.streams if stream),
        trust=trust,
    )


def _page(context: Context, memory: Memory, folder: Folder, turn: str | None, asked: ShowTaken) -> ShowGiven:
    """Return the turns that are shown: a page of the session's own, or those that were asked for."""
    from gitmem.verbs.picking import pick
    from gitmem.verbs.reading import session_record

    record = session_record(memory, folder)
    key, state_dir = f"{record.agent}/{record.native_id}", context.repository.state_dir
    question = question_of("show", asked)
    at = cast(int, place_of(asked.cursor, question, int)[0]) if asked.cursor else 0

    given = ShowGiven(notice=NOTICE, id=key, by="")
    if turn is not None:
        picked = pick(memory, folder, turn, context=asked.around, state_dir=state_dir)
        turns = tuple(
            _shown(each, WHOLE_CHARACTERS, at) if each.ordinal in picked.asked_for else _shown(each, _CUT)
            for each in picked.turns
        )
        longest = max(len(each.text) for each in picked.turns if each.ordinal in picked.asked_for)
        further = cursor(question, at + WHOLE_CHARACTERS) if longest > at + WHOLE_CHARACTERS else None
        return _with(given, turns, picked.total, further)
    try:
        picked = pick(memory, folder, str(at), context=PAGE_TURNS, state_dir=state_dir)
    except TurnUnknown:
        if at:
            raise CursorRefused from None  # what was there has been erased
        return given
    kept: list[Shown] = []
    room, next_at = PAGE_TOKENS, at
    for each in picked.turns:
        if each.ordinal < at:
            continue
        next_at = each.ordinal
        if each.kind not in FOLDED_KINDS and each.text.strip():
            one = _shown(each, _CUT_RESULT if each.result else _CUT)
            room -= estimate(one.text) + 20
            if room < 0 and kept:
                break
            kept.append(one)
        next_at += 1
    return _with(
        given, tuple(kept), picked.total, cursor(question, next_at) if next_at < picked.total else None
    )


def _with(given: ShowGiven, turns: tuple[Shown, ...], total: int, further: str | None) -> ShowGiven:
    import msgspec

    return msgspec.structs.replace(given, turns=turns, turn_count=total, cursor=further)


def _shown(turn: Turn, most: int, begins: int = 0) -> Shown:
    text = turn.text[begins : begins + most]
    result = turn.result
    return Shown(
        turn=short(turn_name(turn.stream, turn.ordinal), 80),
        role=turn.role if turn.kind == "message" else f"{turn.role} {turn.kind.replace('_', ' ')}",
        text=plain(text),
        tool=short(turn.call.name, 60) if turn.call else "",
        at=(iso(turn.at_ms) or "")[:16],
        cut=max(0, len(turn.text) - begins - most),
        failed=bool(result and (result.is_error or result.exit_status)),
    )


# --- many sessions ------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A session, where it is, and the title that may be told."""

    told: Summary
    context: Context
    trusting: Trusting


def _latest(context: Context, filters: Filters, *, untrusted: bool) -> list[_Row]:
    """Return the sessions that are asked for in all repositories around, the newest first.

    Raises:
        NoMemory: None of them remembers anything.
    """
    reached = reach(context, None).contexts
    rows: list[_Row] = []
    missing: list[NoMemory] = []
    current = current_sessions(context.environ)
    for each in reached:
        try:
            rows += [
                row
                for row in _of_one(each, filters)
                if str(row.told.key) not in current
                and (untrusted or row.trusting.of_all(row.told.captured_by) == "known")
            ]
        except NoMemory as error:
            missing.append(error)
    if len(missing) == len(reached) and missing:
        raise missing[0]
    return sorted(rows, key=lambda row: (-row.told.last_ms, row.told.session))


def _of_one(context: Context, filters: Filters) -> Iterator[_Row]:
    from gitmem.verbs.listing import Summaries, select

    repository = context.repository
    with opened_memory(context) as memory:
        found = Summaries(memory, repository.state_dir, repository.name).all()
    trusting = trusting_here(context)
    for summary in select(found.summaries, filters):
        yield _Row(summary, context, trusting)


def _told(row: _Row) -> SessionTold:
    summary = row.told
    with opened_memory(row.context) as memory:
        title = _title(row.context, memory, summary)
    return SessionTold(
        id=cite(str(summary.key), summary.session),
        at=iso(summary.last_ms or None) or "",
        by=who(summary.author.name, trust=row.trusting.of_all(summary.captured_by)),
        title=title,
        branch=short(summary.branch or "", 60),
        turns=summary.turns,
        trust=row.trusting.of_all(summary.captured_by),
    )


def _title(context: Context, memory: Memory, summary: Summary) -> str:
    """Return a session's title, if somebody known gave it: anybody can give one to any session."""
    from gitmem.verbs.naming import titled_by

    folder = memory.find(summary.session)
    givers: Sequence[str] = () if folder is None else titled_by(memory.load(folder))
    known = trusting_here(context, givers)
    return short(summary.title, _LONGEST_TITLE) if known.of_all(givers) == "known" else ""
