"""`gitmem sync`: pull and push in one, in a superproject for all of its submodules."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Final

from gitmem.cli.context import Context
from gitmem.cli.declared import AS_JSON, NO_SIGN, RECURSE, Declared, only_word
from gitmem.model.backports import load_msgspec
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.sharing import NoRemoteChosen

if TYPE_CHECKING:
    from gitmem.cli.syncing import Came


def sync(
    context: Context, words: tuple[str, ...], /, *, no_sign: bool, recurse: bool | None, as_json: bool
) -> int:
    """Bring in and send, with one remote or all; return 1 where one could not be synced with."""
    context.seek_repository()  # what follows takes some time to load
    load_msgspec()
    from gitmem.cli.levels_text import describe_synced, synced_as_json
    from gitmem.cli.recursing import recurses
    from gitmem.cli.sharing import opened_sharing
    from gitmem.cli.sharing_levels import sync_levels

    remote = only_word(words, "REMOTE")
    gc.freeze()
    gc.enable()  # there may be much to move
    if remote is not None and recurse:
        hint = "gitmem sync --recurse-submodules: syncs each with the remotes that were chosen there"
        raise UsageError("REMOTE is one of this repository's, and not of its submodules'", hint=hint)
    if remote is None and recurses(context, recurse) and _is_superproject(context):
        found = _sync_all(context, as_json=as_json, signs=not no_sign)
        return 1 if any(one.outcome == "failed" for one in found) else 0
    with opened_sharing(context, signs=not no_sign) as sharing:
        synced = sync_levels(context, sharing, remote)
        if as_json:
            context.output.json({"remotes": [synced_as_json(sharing, one) for one in synced]})
        else:
            for one in synced:
                describe_synced(context, sharing, one)
    return 1 if any(one.error is not None and not one.is_offline for one in synced) else 0


command: Final = Declared(
    name="sync",
    about="""\
Bring in what REMOTE has, and send it what it lacks; without REMOTE, of each that was chosen.

In a superproject, so it is with every submodule that is checked out, each with the remotes that were
chosen there and no others. A remote that does not answer is no failure: `gitmem status` says since when,
and the next sync goes on. Ends with 1 where anything else kept a remote from being synced with.
""",
    words="[REMOTE]",
    options=(NO_SIGN, RECURSE, AS_JSON),
    examples=("gitmem sync", "gitmem sync origin", "gitmem sync --no-recurse-submodules --json"),
    run=sync,
)


def _is_superproject(context: Context) -> bool:
    from gitmem.cli.recursing import superproject_of

    found = superproject_of(context)
    return found is not None and len(found.repositories) > 1


def _sync_all(context: Context, *, as_json: bool, signs: bool) -> tuple[Came, ...]:
    from gitmem.cli.syncing import all_as_json, describe_all, sync_all

    found = sync_all(context, signs=signs)
    if as_json:
        context.output.json(all_as_json(found))
    elif all(one.outcome == "not shared" for one in found):
        raise NoRemoteChosen
    else:
        describe_all(context, found)
    return found
