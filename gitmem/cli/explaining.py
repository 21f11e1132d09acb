"""How an explanation of lines is shown: to people in a terminal, and to programs as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.rendering import iso, local_time, short_name
from gitmem.cli.text import clean, fit, one_line
from gitmem.cli.trusting import mark
from gitmem.format.memory import Memory
from gitmem.model.ids import Oid
from gitmem.query.trusting import Trusting
from gitmem.why.accounts import Account, Told, session_name, tell, turn_name
from gitmem.why.explainer import Circumstances, Written
from gitmem.why.links import Evidence
from gitmem.why.targets import Target
from gitmem.why.touched import Toucher

_OID_DIGITS: Final = 9
_CHECKPOINT_DIGITS: Final = 12
_LONGEST_PROMPT: Final = 2_000
_LONGEST_LINE: Final = 400
_LONGEST_SAID: Final = 60
_PROMPT_LINES: Final = 4
_SHOWN_SPANS: Final = 8
_SPANS_OF_ROW: Final = 3
_SHOWN_UNDER_WAY: Final = 5
_PIPED_COLUMNS: Final = 200

_EVIDENCE: Final[dict[Evidence, str]] = {
    "commit": "the checkpoint of the commit",
    "rewrite": "the checkpoint of the commit that it was rewritten from",
    "message": "the checkpoint of the commit that its message names",
    "tree": "a checkpoint of the same tree",
    "patch": "a checkpoint of the same patch",
    "content": "what was written; no checkpoint led there",
}


class Explanation(NamedTuple):
    """What was asked, and what is known of it; `known` and `unknown` count lines, those left out too."""

    asked: str
    target: Target
    memory: Memory
    state_dir: Path | None
    accounts: Sequence[Account]
    left_out: int
    known: int
    unknown: int
    circumstances: Mapping[Oid, Circumstances]
    trusting: Trusting = Trusting()


def say(output: Output, explanation: Explanation) -> None:
    """Print an explanation for people: turn by turn for lines, summed up for a file or a commit."""
    target = explanation.target
    if target.commit is not None:
        _say_commit(output, explanation, target.commit)
    if not explanation.accounts:
        output.say("it added no lines of its own" if target.commit else "there are no lines in it")
    if target.span is None:
        rows = [_row(explanation, account) for account in explanation.accounts]
        output.table(rows, flexible=5, right=(0,))
        _say_sum(output, explanation)
        return
    for n, account in enumerate(explanation.accounts):
        if n:
            output.say("")
        _say_account(output, explanation, account)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as docs/why.md defines it."""
    target = explanation.target
    kind = "commit" if target.commit else "file" if target.span is None else "lines"
    return {
        "target": explanation.asked,
        "kind": kind,
        "known": explanation.known,
        "unknown": explanation.unknown,
        "left_out": explanation.left_out,
        "commit": _commit_as_json(explanation, target.commit),
        "places": [_account_as_json(explanation, account) for account in explanation.accounts],
    }


# --- for people ---------------------------------------------------------------------------------------


def _say_account(output: Output, explanation: Explanation, account: Account) -> None:
    columns = output.columns if output.is_terminal else _PIPED_COLUMNS
    first = account.lines[0]
    output.say(
        Styled(f"{one_line(account.path)}:{_spans(account)}", "name"),
        f"  {fit(one_line(first.text), max(20, columns - 30))}",
        Styled(f"  (and {len(account.lines) - 1:,} more)" if len(account.lines) > 1 else "", "dim"),
    )
    if account.commit is None:
        output.say(Styled("not committed yet", "strong"))
    else:
        _say_commit(output, explanation, account.commit)
    if account.written is None:
        for line in _nobody(explanation, account):
            output.say(line)
        return
    written = account.written
    session = written.match.session
    told = tell(explanation.memory, explanation.state_dir, written, _line_of(account))
    at = f", {local_time(written.match.edit.at_ms)}" if written.match.edit.at_ms is not None else ""
    output.say(
        Styled(_address(explanation, written), "strong"), at, f": {one_line(session.title) or '(no title)'}"
    )
    facts = [one_line(session.author.name), one_line(session.agent), one_line(session.model or "")]
    output.say(
        f"by {', '.join(fact for fact in facts if fact)}; known by {_evidence(written)}",
        *mark(explanation.trusting.of_all(session.captured_by), "; "),
    )
    if told is not None:
        _say_told(output, told, columns)


def _say_told(output: Output, told: Told, columns: int) -> None:
    if told.prompt is not None:
        lines = [line for line in clean(told.prompt.text[:_LONGEST_PROMPT]).split("\n") if line.strip()]
        for line in lines[:_PROMPT_LINES]:
            output.say(Styled("  > ", "dim"), fit(line.expandtabs(4), max(20, columns - 4)))
        if len(lines) > _PROMPT_LINES:
            output.say(Styled("  > …", "dim"))
    if told.turn.call is not None:
        output.say(Styled(f"  → {one_line(told.turn.call.name)}", "dim"))
    for line in told.excerpt:
        shown = clean(line[:_LONGEST_LINE]).replace("\n", " ").expandtabs(4)
        output.say(Styled("  | ", "dim"), fit(shown, max(20, columns - 4)))


def _say_commit(output: Output, explanation: Explanation, oid: Oid) -> None:
    commit = explanation.circumstances[oid].commit
    if commit is None:
        output.say("commit ", Styled(oid[:_OID_DIGITS], "name"))
        return
    subject = one_line(commit.message.partition("\n")[0])
    output.say(
        "commit ",
        Styled(oid[:_OID_DIGITS], "name"),
        Styled(f"  {local_time(commit.author.time_s * 1000)}", "dim"),
        f"  {one_line(commit.author.name)}: {subject}",
    )


def _row(explanation: Explanation, account: Account) -> list[Part]:
    """Return how many lines, of which commit or file, which, by which turn, known by what, after what."""
    where = account.path
    if explanation.target.commit is None:
        where = account.commit[:_OID_DIGITS] if account.commit else "uncommitted"
    row: list[Part] = [
        Styled(f"{len(account.lines):,}", "dim"),
        Styled(where, "name"),
        Styled(_spans(account, _SPANS_OF_ROW), "dim"),
    ]
    written = account.written
    if written is None:
        return [*row, Styled("no session known", "dim")]
    many = f" and {len(account.turns) - 1} more" if len(account.turns) > 1 else ""
    told = tell(explanation.memory, explanation.state_dir, written, _line_of(account))
    said = one_line(told.prompt.text[:_LONGEST_PROMPT]) if told and told.prompt else ""
    return [
        *row,
        Styled(f"{_short_address(explanation, written)}{many}", "strong"),
        Styled(written.evidence, "dim"),
        fit(said or one_line(written.match.session.title), _LONGEST_SAID) or "(no title)",
    ]


def _say_sum(output: Output, explanation: Explanation) -> None:
    if explanation.left_out:
        output.say(Styled(f"and {explanation.left_out:,} places more; --limit shows more", "dim"))
    total = explanation.known + explanation.unknown
    if not total:
        return
    if explanation.known:
        output.say(f"{explanation.known:,} of {total:,} lines are from sessions that are known here")
    else:
        output.say("no session is known for any of these lines")
        if explanation.target.commit is not None:
            for line in _under_way(explanation, explanation.circumstances[explanation.target.commit]):
                output.say(line)


def _nobody(explanation: Explanation, account: Account) -> list[str]:
    if account.commit is None:
        return ["no session is known that wrote it"]
    lines = _under_way(explanation, explanation.circumstances[account.commit])
    return lines or ["no session is known: none was under way, and none wrote it"]


def _under_way(explanation: Explanation, circumstances: Circumstances) -> list[str]:
    sessions = circumstances.under_way
    if not sessions:
        return []
    lines = ["under way at the commit, but the lines are not in what they wrote:"]
    for session in sessions[:_SHOWN_UNDER_WAY]:
        lines.append(f"  {one_line(_name(explanation, session))}: {one_line(session.title) or '(no title)'}")
    if len(sessions) > _SHOWN_UNDER_WAY:
        lines.append(f"  and {len(sessions) - _SHOWN_UNDER_WAY:,} more")
    return lines


def _evidence(written: Written) -> str:
    text = _EVIDENCE[written.evidence]
    if written.checkpoint is not None:
        text += f" ({written.checkpoint[:_CHECKPOINT_DIGITS]}"
        text += f", of {written.via[:_OID_DIGITS]})" if written.via and written.evidence != "commit" else ")"
    if not written.match.has_path:
        text += "; by a command that does not say which file it writes"
    return text if written.is_sure else f"{text}; others write such a line too"


def _spans(account: Account, most: int = _SHOWN_SPANS) -> str:
    spans = account.spans
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in spans[:most]]
    return ", ".join(shown) + (", …" if len(spans) > most else "")


# --- for both -----------------------------------------------------------------------------------------


def _name(explanation: Explanation, session: Toucher) -> str:
    return session_name(explanation.memory, session.key, session.session)


def _address(explanation: Explanation, written: Written) -> str:
    match = written.match
    return one_line(f"{_name(explanation, match.session)}#{turn_name(match.stream, match.edit.ordinal)}")


def _short_address(explanation: Explanation, written: Written) -> str:
    """Return an address that fits into a table; should it fit two, `gitmem show` names them."""
    match = written.match
    name = _name(explanation, match.session)
    is_key = name == str(match.session.key)
    return (
        f"{short_name(match.session.key) if is_key else name}#{turn_name(match.stream, match.edit.ordinal)}"
    )


def _line_of(account: Account) -> str:
    """Return the line by which a turn is shown: the longest says most."""
    return max((line.text for line in account.lines), key=lambda text: len(text.strip()))


# --- for programs -------------------------------------------------------------------------------------


def _account_as_json(explanation: Explanation, account: Account) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": account.path,
        "commit": _commit_as_json(explanation, account.commit),
        "path_then": account.lines[0].path,
        "lines": len(account.lines),
        "spans": account.spans,
    }
    if explanation.target.span is not None:
        found["text"] = [line.text for line in account.lines]
    written = account.written
    if written is None:
        return found | {"session": None}
    match = written.match
    told = tell(explanation.memory, explanation.state_dir, written, _line_of(account))
    return found | {
        **_session_as_json(explanation, match.session),
        "turn": turn_name(match.stream, match.edit.ordinal),
        "address": f"{_name(explanation, match.session)}#{turn_name(match.stream, match.edit.ordinal)}",
        "ordinal": match.edit.ordinal,
        "stream": match.stream,
        "at": iso(match.edit.at_ms),
        "turns": [turn_name(stream, ordinal) for stream, ordinal in account.turns],
        "tool": told.turn.call.name if told and told.turn.call else None,
        "file": match.path,
        "excerpt": [line[:_LONGEST_LINE] for line in told.excerpt] if told else [],
        "prompt": told.prompt.text[:_LONGEST_PROMPT] if told and told.prompt else None,
        "prompt_turn": turn_name(match.stream, match.edit.prompt) if match.edit.prompt >= 0 else None,
        "evidence": written.evidence,
        "checkpoint": written.checkpoint,
        "via": written.via,
        "sure": written.is_sure,
    }


def _commit_as_json(explanation: Explanation, oid: Oid | None) -> dict[str, Any] | None:
    if oid is None:
        return None
    commit, checkpoint, under_way = explanation.circumstances[oid]
    return {
        "id": oid,
        "subject": commit.message.partition("\n")[0] if commit else None,
        "author": commit.author.name if commit else None,
        "author_email": commit.author.email if commit else None,
        "at": iso(commit.author.time_s * 1000) if commit else None,
        "checkpoint": checkpoint.name if checkpoint else None,
        "under_way": [_session_as_json(explanation, session) for session in under_way],
    }


def _session_as_json(explanation: Explanation, session: Toucher) -> dict[str, Any]:
    return {
        "session": str(session.key),
        "id": session.session,
        "title": session.title,
        "agent": session.agent,
        "author": session.author.name,
        "trust": explanation.trusting.of_all(session.captured_by),
        "model": session.model,
    }
