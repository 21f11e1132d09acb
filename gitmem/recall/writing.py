"""The words of an answer: a line for each session with its citation, one for each turn with its number in it,
and what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.recall.delimiters import Delimiters
from gitmem.recall.quoting import HEADING, named, quoted
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Told

HOW_TO_OPEN: Final = "more of a turn: gitmem show SESSION#TURN"
"""What an answer ends with: a quotation is cut, and whoever reads it may need the rest."""

_LONGEST_TITLE: Final = 44
"""Characters: a title says which session it is, and what is quoted says the rest."""

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
    name = session_citation(told.session, told.id, is_only=is_only)
    if not told.stream:
        return f"{name}#{told.ordinal}"
    return f"{name}#{told.stream}:{told.ordinal}" if _SAFE.fullmatch(told.stream) else name


def session_citation(session: str, id_: str, *, is_only: bool) -> str:
    """Return what `gitmem show` opens a session by, as `citation` has it."""
    is_short = len(session) <= _SHORT_KEY and _SAFE.fullmatch(session)
    return session if is_short and is_only else id_[:_ID_DIGITS]


def cost_of(quotation: Quotation, first: Quotation | None) -> int:
    """Return how many tokens a quotation takes; more where no `first` one of its session was quoted."""
    lines = [*_about_turn(quotation, first or quotation), quoted(quotation.text), ""]
    return estimate("\n".join(lines if first else [_about_session(quotation), *lines]))


def cost_of_example(best: Quotation) -> int:
    """Return how many tokens it takes that an answer ends with how to open its best turn."""
    return estimate(_how_to_open(best)) - estimate(_how_to_open(None)) + 1


def cost_around(around: Delimiters) -> int:
    """Return how many tokens stand around all that is quoted."""
    return estimate(written((), around))


def written(quotations: Sequence[Quotation], around: Delimiters) -> str:
    """Return an answer: sessions in the order of their first quotation, their turns in their own."""
    sessions: dict[tuple[str, str], list[Quotation]] = {}
    for each in quotations:
        sessions.setdefault((each.told.repo, each.told.id), []).append(each)
    lines = [around.begins]
    for group in sessions.values():
        lines.append(_about_session(group[0]))
        for each in sorted(group, key=lambda one: one.told.place):
            lines += [*_about_turn(each, group[0]), quoted(each.text)]
    return "\n".join([*lines, _how_to_open(quotations[0] if quotations else None), around.ends])


def _how_to_open(best: Quotation | None) -> str:
    example = f", as {best.cite}" if best and "#" in best.cite else ""
    return f"{HEADING}{HOW_TO_OPEN}{example}"


def _about_session(first: Quotation) -> str:
    """Return the line about a session: its citation, agent, day, title, branch, who captured it, its commit.

    A note is called by its first words, which stand below it, so it has no title here.
    """
    told = first.told
    name = first.cite.partition("#")[0]
    agent = told.agent if _SAFE.fullmatch(told.agent) else named(told.agent)
    if told.note:
        parts = [_kind_of(told), _day(told.at), f"with {agent}" if told.agent else ""]
    else:
        what = "" if name.startswith(f"{told.agent}/") else agent
        parts = [what, _day(told.at), named(_short(told.title)) if told.title else ""]
    parts += [f"branch {named(told.branch)}" if told.branch else "", f"by {named(told.author)}"]
    parts.append("" if told.trust == "known" else f"{told.trust} author")
    parts.append(f"commit {first.commit[:_COMMIT_DIGITS]}" if first.commit else "")
    # No comma behind the citation: it is copied.
    return f"{HEADING}{name} {', '.join(part for part in parts if part)}"


def _about_turn(quotation: Quotation, first: Quotation) -> list[str]:
    """Return the line about a turn: its number, its role, who spoke, and its commit; a note needs none.

    Who spoke, how far whoever captured it is trusted, and the commit that it led to go without saying where
    they are as of the `first`.
    """
    told = quotation.told
    if told.note:
        return []
    parts = [quotation.cite[len(quotation.cite.partition("#")[0]) :], _kind_of(told)]
    parts.append(named(told.tool) if told.tool else "")
    if (told.author, told.trust) != (first.told.author, first.told.trust):
        parts += [named(told.author), "" if told.trust == "known" else f"{told.trust} author"]
    if quotation.commit != first.commit:
        parts.append(f"commit {quotation.commit[:_COMMIT_DIGITS]}" if quotation.commit else "no commit")
    return [HEADING + " ".join(part for part in parts if part)]


def _kind_of(told: Told) -> str:
    if told.note:
        return told.note if _SAFE.fullmatch(told.note) else "note"
    if told.kind == "tool_call":
        return "call"
    if told.kind == "tool_result":
        return "failed" if told.is_error else "result"
    return told.role if told.kind == "message" else f"{told.role} {told.kind}"


def _short(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1].rstrip('… ')}…"


def _day(moment: str) -> str:
    return moment[:10] if _DAY.match(moment) else ""
