"""How pull and push are told, to people and to programs, and what they begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage, sharing_of
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.strangers import warn_of_strangers
from gitmem.cli.text import count, fit, one_line
from gitmem.format.outcomes import Outcome
from gitmem.model.errors.sharing import SecretsFound
from gitmem.model.ids import Oid, SessionId
from gitmem.sharing.pulling import Loss, Pulled, Sharing, keys_of
from gitmem.sharing.pushing import Pushed

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.model.settings import Level

_SHOWN_SESSIONS: Final = 50
_SHOWN_REFUSALS: Final = 20
_SHOWN_PLACES: Final = 3
_TARGET_ENDS: Final = 4
"""How many folders down a tombstone's path its target is named whole."""
_LOSSES: Final[dict[Loss, str]] = {
    "gone": "had lost its memory",
    "rewound": "had been set back",
    "replaced": "had got another history",
}
_UNSENT: Final[frozenset[Outcome]] = frozenset({"new here", "grown here"})


@contextmanager
def opened_sharing(context: Context, *, signs: bool = False) -> Iterator[Sharing]:
    """Open the repository's memory for pull and push, with git's own progress on a terminal.

    What is pushed is signed only where somebody waits for that, and says so by `signs`.
    """
    from gitmem.cli.signing import signer_of

    with opened_storage(context) as storage, _git_progress(context.output) as tell:
        yield sharing_of(context, storage)._replace(
            tell=tell,
            # Somebody at a terminal may be typing a passphrase.
            silence_s=None if context.is_interactive else context.settings.timeout_s or None,
            check=lambda remote, memory, root: check(context, "team", remote, memory, root),
            sign=signer_of(context, storage, signs=signs),
            is_attended=signs,
        )


def check(context: Context, level: Level, remote: str, memory: Memory, root: Oid | None) -> None:
    """Look once more at what a remote lacks, with today's rules for its level.

    Raises:
        SecretsFound: They would replace something of it.
        StoreError: Something of it cannot be read, and so cannot be vouched for.
    """
    from gitmem.cli.opening import mark_of, redactor_of
    from gitmem.sharing.vouching import is_captured_here

    state_dir = context.repository.state_dir
    if is_captured_here(memory, root, state_dir, mark_of(context, level)):
        return  # it has passed these very rules
    from gitmem.sharing.rechecking import recheck

    checked = recheck(memory, redactor_of(context, level), since=root, state_dir=state_dir)
    for error in checked.unreadable.values():
        raise error
    if checked.leaks:
        places = dict.fromkeys(one_line(leak.name) for leak in checked.leaks)
        raise SecretsFound(remote, level, tuple(places)[:_SHOWN_PLACES], len(checked.leaks))


def describe_pull(context: Context, sharing: Sharing, pulled: Pulled, *, is_dry: bool = False) -> None:
    """Print what came of a pull, or of a dry one would, for people; forks with what tells more of them."""
    output, remote = context.output, pulled.remote
    if pulled.loss is not None:
        output.say(Styled(f"{remote} {_LOSSES[pulled.loss]}; nothing is lost here", "bad"))
    match pulled.how:
        case "no memory there":
            if pulled.loss is None:
                output.say(f"{remote} has no memory yet")
        case "up to date":
            output.say(f"Nothing new from {remote}")
        case "taken over":
            number = count(len(pulled.sessions), "session")
            output.say(f"{'Would take' if is_dry else 'Took'} over the memory of {remote}: {number}")
        case "fast-forward" | "merged" | "begun anew":
            there = [outcome for outcome in pulled.sessions.values() if outcome not in _UNSENT]
            number = count(len(there), "session")
            verb, change = ("Would pull", "would change") if is_dry else ("Pulled", "changed")
            output.say(f"{verb} from {remote}: {number} {change}")
            _list_sessions(context, sharing, pulled)
    others = {kind: n for kind, n in pulled.arrived.items() if kind in ("note", "checkpoint", "tombstone")}
    if others:
        output.say("also: " + ", ".join(count(n, kind) for kind, n in sorted(others.items())))
    if pulled.note:
        output.warn(pulled.note)
    if not is_dry:
        warn_of_strangers(context, sharing, pulled)
    if "forked" in pulled.sessions.values():
        output.note("what went on in two places is kept twice: gitmem conflicts")
    for refusal in pulled.refused[:_SHOWN_REFUSALS]:
        what = _called(sharing, pulled, refusal.path)
        output.warn(Styled("kept out:", "bad"), " ", one_line(f"{what}: {refusal.why}"))
    rest = len(pulled.refused) + pulled.unlisted - _SHOWN_REFUSALS
    if rest > 0:
        output.warn(
            f"and {rest} more; --json: names {'the first thousand' if pulled.unlisted else 'them all'}"
        )


def describe_push(context: Context, sharing: Sharing, pushed: Pushed) -> None:
    """Print what came of a push, for people."""
    for pulled in pushed.pulled:
        describe_pull(context, sharing, pulled)
    output = context.output
    if pushed.loss is not None and not any(pulled.loss for pulled in pushed.pulled):
        output.say(f"{pushed.remote} {_LOSSES[pushed.loss]}; it was sent again")
    if pushed.is_up_to_date:
        output.say(f"{pushed.remote} has all of this memory")
        return
    sent = count(len(pushed.sent), "session") if pushed.sent else "no session, only what is new beside them"
    output.say(f"Pushed to {pushed.remote}: {sent}")
    shown = pushed.sent[:_SHOWN_SESSIONS]
    output.table([("sent", name) for name in _names(sharing, pushed, shown)])
    _say_rest(output, len(pushed.sent) - len(shown))


def pull_as_json(sharing: Sharing, pulled: Pulled) -> dict[str, Any]:
    """Return what came of a pull, for programs."""
    names = _names(sharing, pulled, pulled.sessions)
    return {
        "remote": pulled.remote,
        "how": pulled.how,
        "before": pulled.before,
        "commit": pulled.after,
        "sessions": [
            {"session": name, "id": session, "outcome": outcome}
            for name, (session, outcome) in zip(names, pulled.sessions.items(), strict=True)
        ],
        "arrived": dict(sorted(pulled.arrived.items())),
        "loss": pulled.loss,
        "refused": [refusal._asdict() for refusal in pulled.refused],
        "refused_unlisted": pulled.unlisted,
    }


def push_as_json(sharing: Sharing, pushed: Pushed) -> dict[str, Any]:
    """Return what came of a push, for programs."""
    names = _names(sharing, pushed, pushed.sent)
    return {
        "remote": pushed.remote,
        "commit": pushed.commit,
        "up_to_date": pushed.is_up_to_date,
        "loss": pushed.loss,
        "sent": [{"session": name, "id": session} for name, session in zip(names, pushed.sent, strict=True)],
        "pulled": [pull_as_json(sharing, pulled) for pulled in pushed.pulled],
    }


def _list_sessions(context: Context, sharing: Sharing, pulled: Pulled) -> None:
    rows = [(session, outcome) for session, outcome in pulled.sessions.items() if outcome not in _UNSENT]
    names = _names(sharing, pulled, [session for session, _ in rows[:_SHOWN_SESSIONS]])
    shown: list[tuple[Part, Part]] = [
        (Styled(outcome, "bad" if outcome == "refused" else "dim"), name)
        for name, (_, outcome) in zip(names, rows, strict=False)
    ]
    context.output.table(shown, flexible=1)
    _say_rest(context.output, len(rows) - len(shown))


def _called(sharing: Sharing, pulled: Pulled, path: str) -> str:
    """Return what people call something that was kept out: its path, of an erasure with what it names."""
    folders = path.split("/")
    if folders[0] != "tombstones" or len(folders) < _TARGET_ENDS:
        return path or "its tree"
    session = SessionId("".join(folders[1:_TARGET_ENDS]))
    [name] = _names(sharing, pulled, [session])
    return f"{path} (an erasure of {name})" if name != session else path


def _say_rest(output: Output, number: int) -> None:
    if number > 0:
        output.say(f"and {number} more; --json: names them all")


def _names(sharing: Sharing, part: Pulled | Pushed, sessions: Iterable[SessionId]) -> list[str]:
    """Return what people call sessions, or what was erased once; the id of one that is nowhere."""
    commits = [part.after, part.before] if isinstance(part, Pulled) else [part.commit]
    gone = part.gone if isinstance(part, Pulled) else {}
    keys = keys_of(sharing.storage, sharing.ref, commits, sessions)
    return [str(key or gone.get(session) or session) for session, key in keys.items()]


@contextmanager
def _git_progress(output: Output) -> Iterator[Any]:
    """Show the last line that git wrote, rewritten in place; None where no terminal can."""
    if not output.is_stderr_terminal:
        yield None
        return

    def tell(chunk: bytes) -> None:
        lines = chunk.decode("utf-8", "replace").replace("\r", "\n").split("\n")
        # A line that git has ended is done with; what is printed next must not run into it.
        line = "" if chunk.endswith(b"\n") else next((one for one in reversed(lines) if one.strip()), "")
        output.stderr.write(b"\r\x1b[K" + fit(one_line(line), output.columns - 1).encode("utf-8", "replace"))
        output.stderr.flush()

    try:
        yield tell
    finally:
        output.stderr.write(b"\r\x1b[K")
        output.stderr.flush()
