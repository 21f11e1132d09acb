"""`gitmem redact audit`: the whole memory looked through with today's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.context import Context
from gitmem.cli.levels import opened_shelf
from gitmem.cli.opening import redactor_of, target_of
from gitmem.cli.output import Styled
from gitmem.cli.text import count, one_line

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.format.memory import Memory
    from gitmem.model.ids import Oid
    from gitmem.model.settings import Level
    from gitmem.sharing.rechecking import Checked, Leak

_SHOWN: Final = 50
_HOW_TO_ERASE: Final = """\
Whatever it opens: revoke it first, for whoever has a copy keeps it.
What nobody else has yet: gitmem redact audit --fix redacts it again, and a push sends nothing of what was.
What was shared: gitmem redact audit --erase redacts it again and erases what stood there, and a push sends
that; a host may keep it for a while: gitmem forget --request REMOTE says what to ask for."""


def audit(context: Context, *, fix: bool, erase: bool, as_json: bool) -> int:
    """Look through every memory that can be opened; return 1 if the rules object to something.

    With `fix`, what was shared with nobody is redacted again; with `erase`, what was shared is, too, and what
    stood there is erased.
    """
    with opened_shelf(context) as shelf:
        checked = _check(context, shelf)
        fixed: dict[Level, int] = {}
        if fix:
            fixed = _fix(context, shelf, checked)
            with opened_shelf(context) as again:
                checked = _check(context, again)
        if erase and any(found.leaks for found in checked.values()):
            for level, number in _erase(context, checked).items():
                fixed[level] = fixed.get(level, 0) + number
            with opened_shelf(context) as again:
                checked = _check(context, again)
    if as_json:
        context.output.json(_as_json(checked, fixed))
    else:
        _say(context, checked, fixed)
    return int(any(found.leaks or found.unreadable for found in checked.values()))


def _check(context: Context, shelf: Shelf) -> dict[Level, Checked]:
    from gitmem.sharing.rechecking import recheck

    state_dir = context.repository.state_dir
    found: dict[Level, Checked] = {}
    for level, memory in shelf.memories.items():
        with context.output.progress(f"checking what is {level}", None) as progress:

            def tell(done: int, total: int) -> None:
                progress.total = total
                progress.advance(done - progress.done)

            found[level] = recheck(memory, redactor_of(context, level), state_dir=state_dir, tell=tell)
    return found


def _fix(context: Context, shelf: Shelf, checked: Mapping[Level, Checked]) -> dict[Level, int]:
    """Redact again what was shared with nobody, and count the sessions and records."""
    from gitmem.forgetting.rewriting import rewrite, rewrite_sealed
    from gitmem.sealed.storage import SealedStorage

    fixed: dict[Level, int] = {}
    for level, found in checked.items():
        memory = shelf.memories[level]
        if not found.leaks:
            continue
        target = target_of(context, memory.storage, level)
        if isinstance(memory.storage, SealedStorage):
            fixed[level] = rewrite_sealed(target, memory.storage, found.leaks, _remotes(context))
        else:
            done = rewrite(target, found.leaks, _shared(context, memory))
            fixed[level] = done.sessions + done.records
    return fixed


def _erase(context: Context, checked: Mapping[Level, Checked]) -> dict[Level, int]:
    """Write anew what leaks of what was shared, erase what stood there, and count the sessions and
    records."""
    from gitmem.cli.auditing import log_of
    from gitmem.cli.forgetting import erasing_at, follow
    from gitmem.forgetting.rewriting import rewrite_shared

    done: dict[Level, int] = {}
    with opened_shelf(context) as shelf:
        for level in ("team", "public"):
            if level not in checked or not checked[level].leaks:
                continue
            memory = shelf.memories[level]
            target = target_of(context, memory.storage, level)
            detail = {"level": level, "places": len(checked[level].leaks)}
            log_of(context).note("erase", detail=detail)
            erasing = erasing_at(context, memory.storage, memory.ref, level)
            erasure = rewrite_shared(target, erasing, checked[level].leaks)
            done[level] = len(erasure.targets) if erasure is not None else 0
        follow(context, shelf.storage)
    return done


def _remotes(context: Context) -> list[str]:
    """Return the names of the remotes that there are."""
    names = (name for name in context.repository.config if name.startswith("remote."))
    return [name.removeprefix("remote.").removesuffix(".url") for name in names if name.endswith(".url")]


def _shared(context: Context, memory: Memory) -> Oid | None:
    """Return the commit up to which somebody has a memory: the last one, of several remotes."""
    from gitmem.objects.history import is_ancestor
    from gitmem.verbs.unsharing import shared_tips

    storage = memory.storage
    shared: Oid | None = None
    for tip in shared_tips(storage, memory.ref):
        if shared is None or is_ancestor(storage, shared, tip):
            shared = tip
        elif not is_ancestor(storage, tip, shared):
            return tip  # two remotes that went apart: only a pull brings them together
    return shared


def _say(context: Context, checked: Mapping[Level, Checked], fixed: Mapping[Level, int]) -> None:
    output = context.output
    for level, number in fixed.items():
        output.say(f"redacted {count(number, 'part')} of the {level} memory again")
    for level, found in checked.items():
        for leak in found.leaks[:_SHOWN]:
            output.say(
                Styled(level, "dim"), f" {one_line(leak.name)}, {one_line(leak.place)}: {_kinds(leak)}"
            )
        if len(found.leaks) > _SHOWN:
            output.say(f"and {len(found.leaks) - _SHOWN:,} more; --json: names them all")
        for session, error in found.unreadable.items():
            output.warn(Styled("not checked:", "bad"), f" {session[:12]}: {one_line(str(error))}")
        if found.absent:
            output.warn(f"{count(found.absent, 'session')} not checked, as the text stays with a remote")
    if any(found.leaks for found in checked.values()):
        output.say(_HOW_TO_ERASE)
        return
    sessions = sum(found.sessions for found in checked.values())
    output.say(f"{count(sessions, 'session')}: today's rules find nothing in what was stored")


def _kinds(leak: Leak) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(leak.kinds.items()))


def _as_json(checked: Mapping[Level, Checked], fixed: Mapping[Level, int]) -> dict[str, Any]:
    return {
        level: {
            "sessions": found.sessions,
            "fixed": fixed.get(level, 0),
            "not_here": found.absent,
            "leaks": [
                {
                    "session": leak.name if leak.session else None,
                    "id": leak.session,
                    "place": leak.place,
                    "kinds": dict(sorted(leak.kinds.items())),
                }
                for leak in found.leaks
            ],
            "unreadable": [
                {"id": session, "error": str(error)} for session, error in found.unreadable.items()
            ],
        }
        for level, found in checked.items()
    }
