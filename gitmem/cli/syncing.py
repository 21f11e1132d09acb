"""Syncing a superproject and all of its submodules: each with the remotes that were chosen for it, at once.

Nothing is printed while they are at it, since several would speak at the same time; each is told in one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.levels_text import synced_as_json
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.recursing import members, names_in, superproject_of
from gitmem.cli.sharing import opened_sharing
from gitmem.cli.sharing_levels import Shared, Synced, sync_levels
from gitmem.cli.strangers import warn_of_strangers
from gitmem.cli.text import count, one_line
from gitmem.federation.beside import Done, each_beside
from gitmem.federation.registry import Outcome, note_synced
from gitmem.git.transport import find_remote
from gitmem.model.errors.sharing import RemoteUnreachable
from gitmem.sharing.pulling import Pulled, Sharing
from gitmem.sharing.pushing import Pushed
from gitmem.sharing.settled import is_settled
from gitmem.verbs.contact import note_reached, note_trouble

if TYPE_CHECKING:
    from gitmem.git.repository import Repository
    from gitmem.git.submodules import Submodule, Superproject


class Came(NamedTuple):
    """What came of syncing one repository of a superproject; `submodule` is None for itself.

    `said` is what would have been printed to standard error, and `remotes` what `gitmem sync --json` says of
    each remote. `came` and `sent` count sessions.
    """

    called: str
    submodule: Submodule | None
    outcome: Outcome
    why: str = ""
    came: int = 0
    sent: int = 0
    remotes: tuple[dict[str, Any], ...] = ()
    said: str = ""


def sync_all(context: Context, *, is_top_done: bool = False, signs: bool = True) -> tuple[Came, ...]:
    """Sync the superproject that the repository at hand is in, or is, and submodules that are checked out.

    Each only with the remotes that were chosen there: one that has none is told as such. Prints nothing, and
    remembers what came of each submodule (gitmem.federation.registry). What fails in one keeps no other from
    being synced. With `is_top_done` the superproject itself is left out, by whoever has synced it.
    """
    superproject = superproject_of(context)
    if superproject is None:
        return ()
    called = names_in(superproject)
    meant = [
        (repository, submodule)
        for repository, submodule in members(superproject)
        if (submodule.state == "here" if submodule else not is_top_done)
    ]
    came: dict[int, Came] = {}
    with context.output.progress("syncing", len(meant)) as progress:
        for done in each_beside(list(enumerate(meant)), partial(_sync_one, context, signs)):
            number, (repository, submodule) = done.what
            came[number] = _came(called[repository.common_dir], submodule, done)
            progress.advance(1)
    found = tuple(came[number] for number in sorted(came))
    _note(context, superproject, found)
    return found


def describe_all(context: Context, found: tuple[Came, ...]) -> None:
    """Print a line for each repository, and what went wrong in it to standard error."""
    rows: list[list[Part]] = [
        [Styled(_path(one), "name"), _styled(one.outcome), _in_words(one)] for one in found
    ]
    context.output.table(rows, flexible=2)
    for one in found:
        for line in one.said.splitlines():
            context.output.warn(Styled(f"{_path(one)}:", "name"), " ", one_line(line))


def all_as_json(found: tuple[Came, ...]) -> dict[str, Any]:
    """Return what came of it, for programs."""
    return {
        "repositories": [
            {
                "repo": one.called,
                "name": one.submodule.name if one.submodule else None,
                "path": one.submodule.path if one.submodule else None,
                "outcome": one.outcome,
                "why": one.why or None,
                "came": one.came,
                "sent": one.sent,
                "remotes": one.remotes,
            }
            for one in found
        ]
    }


class _Result(NamedTuple):
    """What syncing a repository with each of its remotes came to, and what was said meanwhile."""

    synced: tuple[Synced, ...]
    remotes: tuple[dict[str, Any], ...]
    said: str


_Item = tuple[int, tuple["Repository", "Submodule | None"]]


def _sync_one(context: Context, signs: bool, item: _Item) -> _Result:
    repository, said = item[1][0], BytesIO()
    quiet = context.at(repository, Output(BytesIO(), said, context.environ))
    if not quiet.settings.remotes:
        return _Result((), (), "")
    with opened_sharing(quiet, signs=signs) as sharing:
        synced = tuple(_with_each(quiet, sharing))
        remotes = tuple(synced_as_json(sharing, one) for one in synced)
        for one in synced:
            if one.pulled is not None and isinstance(one.pulled.team, Pulled):
                warn_of_strangers(quiet, sharing, one.pulled.team)
    return _Result(synced, remotes, said.getvalue().decode("utf-8", "replace"))


def _with_each(context: Context, sharing: Sharing) -> Iterator[Synced]:
    repository, now_ms = context.repository, context.now_ms()
    for chosen in context.settings.remotes:
        remote = find_remote(repository, context.git, chosen.name, silence_s=sharing.silence_s)
        try:
            is_done = is_settled(remote, sharing.storage, context.settings)
        except RemoteUnreachable as error:
            note_trouble(repository.state_dir, chosen.name, error, now_ms)
            yield Synced(chosen.name, error=error)
            continue
        if is_done:
            note_reached(repository.state_dir, chosen.name, now_ms)
            yield Synced(chosen.name)
        else:
            yield from sync_levels(context, sharing, chosen.name)


def _came(called: str, submodule: Submodule | None, done: Done[_Item, _Result]) -> Came:
    if done.error is not None or done.result is None:
        return Came(called, submodule, "failed", str(done.error))
    synced, remotes, said = done.result
    errors = [one for one in synced if one.error is not None]
    worst = next((one for one in errors if not one.is_offline), None) or next(iter(errors), None)
    pulled, pushed = ([part for one in synced if (part := each(one))] for each in (_pulled, _pushed))
    came, sent = sum(map(_sessions_in, pulled)), sum(map(_sessions_in, pushed))
    outcome: Outcome = "nothing to do"
    if worst is not None:
        outcome = "offline" if worst.is_offline else "failed"
    elif not synced:
        outcome = "not shared"
    elif pulled or pushed:
        outcome = "synced"
    return Came(called, submodule, outcome, str(worst.error) if worst else "", came, sent, remotes, said)


def _pulled(synced: Synced) -> Shared | None:
    return synced.pulled


def _pushed(synced: Synced) -> Shared | None:
    return synced.pushed


def _sessions_in(shared: Shared) -> int:
    """Return how many sessions of the team's and of the public memory came, or were sent."""
    number = 0
    for part in (shared.team, shared.public):
        if isinstance(part, Pulled):
            number += sum(outcome not in ("new here", "grown here") for outcome in part.sessions.values())
        elif isinstance(part, Pushed):
            number += len(part.sent)
    return number


def _note(context: Context, superproject: Superproject, found: tuple[Came, ...]) -> None:
    came = [(one.submodule, one.outcome, one.why) for one in found if one.submodule is not None]
    note_synced(superproject, came, context.now_ms())


def _path(one: Came) -> str:
    return one_line(one.submodule.path if one.submodule else one.called)


def _styled(outcome: Outcome) -> Part:
    return Styled(outcome, "bad" if outcome in ("failed", "offline") else "dim")


def _in_words(one: Came) -> str:
    if one.outcome == "not shared":
        return "gitmem init --share REMOTE there: chooses a remote"
    parts = [f"{count(one.came, 'session')} came"] if one.came else []
    parts += [f"{count(one.sent, 'session')} sent"] if one.sent else []
    return ", ".join([*parts, *([one_line(one.why)] if one.why else [])])
