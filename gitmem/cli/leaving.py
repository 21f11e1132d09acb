"""Leaving a history: it is put down first, so that what only it holds can be cleared away afterwards."""

from __future__ import annotations

from gitmem.cli.context import Context
from gitmem.model.ids import Oid
from gitmem.model.refs import remote_of, tracking_prefix
from gitmem.objects.storage import Storage


def leave(context: Context, storage: Storage, ref: str, tip: Oid) -> None:
    """Note that a memory is about to leave the history of a tip, and where remotes stand in that."""
    from gitmem.git.erasing import announce
    from gitmem.objects.history import is_ancestor
    from gitmem.verbs.erasures import Left, note_left

    found = storage.list_refs(tracking_prefix(ref))
    remotes = {
        name: oid
        for tracking, oid in found.items()
        if (name := remote_of(tracking, ref)) is not None and is_ancestor(storage, oid, tip)
    }
    state_dir = context.repository.state_dir
    note_left(state_dir, Left(ref, tip, context.now_ms(), remotes))
    announce(state_dir, (tip, *remotes.values()))
