"""The words of an answer: a line for each session, one for each turn with its citation, and what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.recall.delimiters import Delimiters
from gitmem.recall.quoting import HEADING, named, quoted
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Told

HOW_TO_OPEN: Final = "more of one: gitmem show CITATION"
"""What an answer ends with: a quotation is cut, and whoever reads it may need the rest."""

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,99}")
_SHORT_KEY: Final = 32
_ID_DIGITS: Final = 12
_NOTE_CHARACTERS: Final = len("note/") + 12
_COMMIT_DIGITS: Final = 10
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


class Quotation(NamedTuple):
    """A turn, as much of its text as is shown, its citation, and the commit that checkpoints tie it to."""

    told: Told
    text: str
    cite: str = ""
    commit: str = ""


def citation(told: Told, *, is_only: bool) -> str:
    """Return what `gitmem show` opens the turn by.

    A session goes by its name where that is short and, as `is_only` says, no other has it; else by the first
    digits of its id. A stream of a name that a line cannot hold is left to whoever opens the session.
    """
    if told.note:
        return told.session[:_NOTE_CHARACTERS]
    name = told.session
    if len(name) > _SHORT_KEY or not _SAFE.fullmatch(name) or not is_only:
        name = told.id[:_ID_DIGITS]
    if not told.stream:
        return f"{name}#{told.ordinal}"
    return f"{name}#{told.stream}:{told.ordinal}" if _SAFE.fullmatch(told.stream) else name


def cost_of(quotation: Quotation, first: Told | None) -> int:
    """Return how many tokens a quotation takes; more where no `first` one of its session was quoted."""
    lines = [_about_turn(quotation, first or quotation.told), quoted(quotation.text), ""]
    return estimate("\n".join(lines if first else [_about_session(quotation.told), *lines]))


def written(quotations: Sequence[Quotation], around: Delimiters) -> str:
    """Return an answer: sessions in the order of their first quotation, their turns in their own."""
    sessions: dict[tuple[str, str], list[Quotation]] = {}
    for each in quotations:
        sessions.setdefault((each.told.repo, each.told.id), []).append(each)
    lines = [around.begins]
    for group in sessions.values():
        lines.append(_about_session(group[0].told))
        for each in sorted(group, key=lambda one: one.told.place):
            lines += [_about_turn(each, group[0].told), quoted(each.text)]
    return "\n".join([*lines, f"{HEADING}{HOW_TO_OPEN}", around.ends])


def _about_session(told: Told) -> str:
    """Return the line about a session: its agent, day, title, branch, and who captured it.

    What it is called stands in its turns' citations.
    """
    agent = told.agent if _SAFE.fullmatch(told.agent) else named(told.agent)
    parts = [agent, _day(told.at), named(told.title) if told.title else ""]
    parts += [f"branch {named(told.branch)}" if told.branch else "", f"by {named(told.author)}"]
    parts.append("" if told.trust == "known" else f"{told.trust} author")
    return HEADING + ", ".join(part for part in parts if part)


def _about_turn(quotation: Quotation, first: Told) -> str:
    """Return the line about a turn: its citation, its role, who spoke, and its commit.

    Who spoke, and how far whoever captured it is trusted, goes without saying where it is as of the `first`.
    """
    told = quotation.told
    if told.note:
        who = told.note if _SAFE.fullmatch(told.note) else "note"
    elif told.kind == "tool_call":
        who = "call"
    elif told.kind == "tool_result":
        who = "failed" if told.is_error else "result"
    else:
        who = told.role if told.kind == "message" else f"{told.role} {told.kind}"
    parts = [quotation.cite, who, named(told.tool) if told.tool else ""]
    if (told.author, told.trust) != (first.author, first.trust):
        parts += [named(told.author), "" if told.trust == "known" else f"{told.trust} author"]
    parts.append(f"commit {quotation.commit[:_COMMIT_DIGITS]}" if quotation.commit else "")
    return HEADING + " ".join(part for part in parts if part)


def _day(moment: str) -> str:
    return moment[:10] if _DAY.match(moment) else ""
