"""What every tool that is served begins and ends with: a context of its own, and quoting.

Each call finds the repository and its settings anew, which takes git some milliseconds: what others capture,
pull, erase or configure meanwhile is seen by the next one.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from gitmem.cli.acting import acting
from gitmem.cli.context import Context
from gitmem.cli.digest_sessions import levels_told
from gitmem.cli.output import Output
from gitmem.cli.text import clean, count
from gitmem.model.errors.serving import UntrustedRefused
from gitmem.model.settings import Level
from gitmem.query.trusting import Trust
from gitmem.recall.delimiters import NONCE_BYTES, STANDING, delimiters
from gitmem.recall.quoting import HEADING, harmless, named, quoted

NOTICE: Final = STANDING

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,99}")
_ID_DIGITS: Final = 12
_NOTE_CHARACTERS: Final = len("note/") + 12
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_AGENT: Final = 40
_LONGEST_NAME: Final = 80
_ANY_AGENT: Final = "AI_AGENT"


class Host(NamedTuple):
    """A server's own run: the context that it was started with, and what the person who did allows it.

    With `untrusted` agents may ask for what unknown authors captured, with `private` they are told of private
    sessions too; `agent` writes notes, where that is said.
    """

    context: Context
    untrusted: bool = False
    private: bool = False
    agent: str | None = None

    def begin(self, *, untrusted: bool = False) -> Context:
        """Return a context for one call, whose output nobody reads.

        Raises:
            UntrustedRefused: More is asked for than the person allows.
        """
        if untrusted and not self.untrusted:
            raise UntrustedRefused
        context = self.context.again(Output(io.BytesIO(), io.BytesIO(), self.context.environ))
        context.seek_repository()
        return context

    def levels(self, context: Context) -> tuple[Level, ...]:
        """Return the levels of what may be told, none for any: answers stand in the agent's transcript."""
        return () if self.private else levels_told(context)


def as_an_agent(context: Context) -> None:
    """See that what is read and written from here on is noted as an agent's doing, whichever it is."""
    if acting(context.environ) == "person":
        context.environ = {**context.environ, _ANY_AGENT: "mcp"}


def agent_named(host: Host, client: str) -> str:
    """Return which agent writes: as the person said, as its environment says, or as it calls itself."""
    by = acting(host.context.environ).partition(":")[2]
    return host.agent or by or _NO_NAME.sub("-", client.lower()).strip("-")[:_LONGEST_AGENT] or "mcp"


def cite(session: str, session_id: str, stream: str = "", ordinal: int | None = None) -> str:
    """Return what names a session, or a turn of it, in every tool: the whole name, if a line can hold it."""
    if session.startswith("note/"):
        return session[:_NOTE_CHARACTERS]
    name = session if _SAFE.fullmatch(session) else session_id[:_ID_DIGITS]
    return name if ordinal is None else f"{name}{cite_turn(stream, ordinal)}"


def cite_turn(stream: str, ordinal: int) -> str:
    """Return what names a turn behind its session's name; nothing, where a line cannot hold its stream's."""
    if not stream:
        return f"#{ordinal}"
    return f"#{stream}:{ordinal}" if _SAFE.fullmatch(stream) else ""


def plain(text: str) -> str:
    """Return a text of a memory's on its way to an agent: nothing acts on a terminal or looks like a tag."""
    return harmless(clean(text))


def short(text: str, most: int) -> str:
    """Return plain text on one line, cut with an ellipsis."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def called(name: str | None) -> str:
    """Return what somebody calls something: in quotes, unless it is one plain word; nothing of nothing."""
    line = short(name or "", _LONGEST_NAME)
    return line if not line or _SAFE.fullmatch(line) else named(line)


def who(*parts: str | None, trust: Trust = "known") -> str:
    """Return the facts about a quotation in a line, those that are none left out.

    They are words of ours; what others chose comes as `called` gives it, lest it is taken for one.
    """
    return ", ".join([*filter(None, parts), *(() if trust == "known" else (f"{trust} author",))])


def heading(name: str, facts: str, title: str = "") -> str:
    """Return a line of ours about what is quoted below it: a citation, facts, and what it is entitled."""
    return HEADING + " ".join(filter(None, (name, facts, named(title) if title else "")))


def framed(lines: Iterable[str]) -> str:
    """Return what is quoted between delimiters that nobody could know before."""
    around = delimiters(os.urandom(NONCE_BYTES))
    return "\n".join([around.begins, *lines, around.ends])


def behind(text: str) -> str:
    """Return the lines of a quotation."""
    return quoted(clean(text)) or "| "


def going_on(cursor: str | None, name: str = "more") -> list[str]:
    """Return the line that tells of the rest, if there is one."""
    return [] if cursor is None else [f"{HEADING}{name}: cursor {cursor}"]


def said_of(answer: Mapping[str, object]) -> list[str]:
    """Return what a search says beside its hits, each in a line of ours."""
    lines = []
    if answer.get("relaxed"):
        lines.append(f"{HEADING}no turn has what stands in quotes; searched for it as words")
    if answer.get("weak"):
        lines.append(f"{HEADING}nothing matches well: these turns have little of what was asked for")
    corrected = answer.get("corrected")
    for wrong, right in corrected.items() if isinstance(corrected, dict) else ():
        lines.append(f"{HEADING}nobody wrote {named(clean(wrong))}; searched for {named(clean(right))}")
    indexed = answer.get("indexed")
    if isinstance(indexed, dict) and indexed.get("behind"):
        lines.append(f"{HEADING}not indexed yet: {count(indexed['behind'], 'commit')} of the memory")
    return lines
