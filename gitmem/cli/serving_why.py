"""The tool `why`: which turns of which sessions led to a line, a file or a commit."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import Any, Final, cast

from gitmem.cli.commands.why import why as explain
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.recursing import reach
from gitmem.cli.serving import NOTICE, Host, behind, called, cite, framed, heading, plain, short, who
from gitmem.cli.serving_untold import untold
from gitmem.cli.text import count
from gitmem.model.errors.store import NoMemory
from gitmem.model.ids import SessionId
from gitmem.query.trusting import Trust
from gitmem.serving.forms import Place, WhyGiven, WhyTaken
from gitmem.serving.offer import Answered

_LONGEST_PROMPT: Final = 500
_LONGEST_TITLE: Final = 100
_COMMIT_DIGITS: Final = 10
_SPANS: Final = 5


def why(host: Host, asked: WhyTaken, client: str) -> Answered:
    """Explain lines, a file or a commit; what untrusted authors captured is not told unasked."""
    context = host.begin(untrusted=asked.untrusted)
    # The command says what it finds at most once; what others around know is in the same form.
    explain(context, (asked.target,), limit=asked.limit, recurse=None, as_json=True)
    said = cast(io.BytesIO, context.output.stdout).getvalue()
    found: dict[str, Any] = (
        json.loads(said) if said else {"known": 0, "unknown": 0, "left_out": 0, "places": []}
    )
    private = _private(host, context, {each["id"] for each in found["places"] if each["session"] is not None})
    places = tuple(_place(each, untrusted=asked.untrusted, private=private) for each in found["places"])
    lines = []
    for each in places:
        path, _, numbers = each.lines.rpartition(":")
        at = f"{called(path)}:{numbers}"
        if not each.id:
            lines.append(heading(at, who(each.by or "no session is known", each.commit)))
            continue
        lines.append(heading(at, who(each.commit, f"known by {each.evidence}")))
        lines.append(heading(each.id, each.by, each.title))
        if each.prompt:
            lines += [heading(each.prompt_id, "the prompt that led to it"), behind(each.prompt)]
    total = found["known"] + found["unknown"]
    left_out = sum(each.trust == "unknown" and not each.id for each in places)
    lines += untold(host, left_out, count(left_out, "place"))
    lines.append(f"# {found['known']} of {total} lines are from sessions that are known here")
    given = WhyGiven(
        notice=NOTICE,
        known=found["known"],
        unknown=found["unknown"],
        places=places,
        left_out=found["left_out"],
        untold=left_out,
    )
    return Answered(framed(lines), given)


def _private(host: Host, context: Context, sessions: set[str]) -> set[str]:
    """Return those of some sessions that may not be told, wherever around here they are."""
    from gitmem.verbs.levels import registered

    levels, private = host.levels(context), set(sessions)
    if not (levels and sessions):
        return set()
    for each in reach(context, None).contexts:
        with suppress(NoMemory), opened_memory(each) as memory:
            for session in sessions:
                folder = memory.find(SessionId(session))
                if folder is not None and registered(memory, folder, "team") in levels:
                    private.discard(session)
    return private


def _place(said: dict[str, Any], *, untrusted: bool, private: set[str]) -> Place:
    spans = [f"{first}" if first == last else f"{first}-{last}" for first, last in said["spans"][:_SPANS]]
    where = f"{short(said['path'], 200)}:{','.join(spans)}" + ("…" if len(said["spans"]) > _SPANS else "")
    commit = said["commit"]["id"][:_COMMIT_DIGITS] if said["commit"] else ""
    if said["session"] is None:
        return Place(lines=where, commit=commit)
    if said["id"] in private:
        return Place(lines=where, commit=commit, by="a private session")
    trust = cast(Trust, said["trust"])
    if trust != "known" and not untrusted:
        return Place(lines=where, commit=commit, by=f"a session of an {trust} author", trust=trust)
    name = cite(said["session"], said["id"], said["stream"], said["ordinal"])
    stream, _, ordinal = str(said["prompt_turn"] or "").rpartition(":")
    prompt_id = cite(said["session"], said["id"], stream, int(ordinal)) if ordinal else ""
    return Place(
        lines=where,
        commit=commit,
        id=name,
        by=who(
            called(said["author"]),
            called(said["agent"]),
            called(said["tool"]),
            (said["at"] or "")[:10],
            trust=trust,
        ),
        title=short(said["title"] or "", _LONGEST_TITLE),
        prompt=plain((said["prompt"] or "")[:_LONGEST_PROMPT]),
        prompt_id=prompt_id,
        evidence=said["evidence"],
        trust=trust,
    )
