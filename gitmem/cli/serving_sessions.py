"""The tool `show`: a session page by page, a turn with those around it, or a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import msgspec

from gitmem.cli.auditing import note_session
from gitmem.cli.context import Context
from gitmem.cli.naming import is_note
from gitmem.cli.opening import opened_memory
from gitmem.cli.recursing import first_that
from gitmem.cli.rendering import FOLDED_KINDS, iso
from gitmem.cli.serving import (
    NOTICE,
    Host,
    behind,
    called,
    cite,
    cite_turn,
    framed,
    going_on,
    heading,
    plain,
    short,
    who,
)
from gitmem.cli.serving_notes import show_note
from gitmem.cli.trusting import trust_of, trusting_here
from gitmem.model.errors.naming import NoteUnknown, SessionUnknown, TurnUnknown
from gitmem.model.errors.serving import AuthorUntrusted, CursorRefused, PrivateUntold
from gitmem.model.errors.store import NoMemory
from gitmem.recall.tokens import estimate
from gitmem.serving.cursors import cursor, place_of, question_of
from gitmem.serving.forms import ShowGiven, Shown, ShowTaken
from gitmem.serving.offer import Answered
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


def show(host: Host, asked: ShowTaken, client: str) -> Answered:
    """Show a session a page at a time, a turn with those around it, or a note."""
    context = host.begin(untrusted=asked.untrusted)

    def attempt(one: Context) -> Answered:
        if is_note(asked.id):
            return show_note(one, asked)
        return _show(host, one, asked)

    return first_that(context, None, attempt, SessionUnknown, NoteUnknown, NoMemory)


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
    lines = [heading(given.id, given.by, given.title)]
    for each in given.turns:
        told = who(
            each.role,
            called(each.tool),
            "failed" if each.failed else "",
            f"{each.cut} more" if each.cut else "",
        )
        stream, _, ordinal = each.turn.rpartition(":")
        at = cite_turn(stream, int(ordinal)) or f"#{ordinal} of {called(stream)}"
        lines += [heading(at, told), behind(each.text)]
    return Answered(framed([*lines, *going_on(given.cursor)]), given)


def _about(
    context: Context, memory: Memory, folder: Folder, given: ShowGiven, trusting: Trusting
) -> ShowGiven:
    """Return a page with what is known of the session as a whole."""
    from gitmem.verbs.listing import Summaries

    repository = context.repository
    summary = Summaries(memory, repository.state_dir, repository.name).one(folder)
    trust = trusting.of_all(summary.captured_by)
    by = who(
        called(summary.author.name),
        (iso(summary.started_ms) or "")[:10],
        called(summary.branch),
        called(summary.model),
        trust=trust,
    )
    return msgspec.structs.replace(
        given,
        id=cite(str(summary.key), summary.session),
        by=by,
        title=title_of(memory, summary, partial(trusting_here, context)),
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
    return msgspec.structs.replace(given, turns=turns, turn_count=total, cursor=further)


def _shown(turn: Turn, most: int, begins: int = 0) -> Shown:
    text = turn.text[begins : begins + most]
    result = turn.result
    return Shown(
        turn=turn_name(short(turn.stream, 80), turn.ordinal),
        role=turn.role if turn.kind == "message" else f"{turn.role} {turn.kind.replace('_', ' ')}",
        text=plain(text),
        tool=short(turn.call.name, 60) if turn.call else "",
        at=(iso(turn.at_ms) or "")[:16],
        cut=max(0, len(turn.text) - begins - most),
        failed=bool(result and (result.is_error or result.exit_status)),
    )


def title_of(memory: Memory, summary: Summary, known: Callable[[Sequence[str]], Trusting]) -> str:
    """Return a session's title, if somebody known gave it: anybody can give one to any session."""
    from gitmem.verbs.naming import titled_by

    folder = memory.find(summary.session)
    givers: Sequence[str] = () if folder is None else titled_by(memory.load(folder))
    return short(summary.title, _LONGEST_TITLE) if known(givers).of_all(givers) == "known" else ""
