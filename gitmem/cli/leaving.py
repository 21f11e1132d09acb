"""Leaving a history: it is put down first, so that what only it holds can be cleared away afterwards."""

from __future__ import annotations

from gitmem.cli.context import Context
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import PRIVATE_REF, key_ref, remote_of, sealed_ref, tracking_prefix
from gitmem.objects.storage import Storage


def leave(context: Context, storage: Storage, ref: str, tip: Oid) -> None:
    """Note that a memory is about to leave the history of a tip, and where remotes stand in that.

    What is private has no history of its own in git; `leave_sealed` is about that.
    """
    if ref == PRIVATE_REF:
        return
    from gitmem.erasing.erase import announce
    from gitmem.forgetting.left import Left, note_left
    from gitmem.objects.history import is_ancestor

    found = storage.list_refs(tracking_prefix(ref))
    remotes = {
        name: oid
        for tracking, oid in found.items()
        if (name := remote_of(tracking, ref)) is not None and is_ancestor(storage, oid, tip)
    }
    state_dir = context.repository.state_dir
    note_left(state_dir, Left(ref, tip, context.now_ms(), remotes))
    announce(state_dir, (tip, *remotes.values()))


def leave_sealed(context: Context, sealed: Storage, session: SessionId) -> None:
    """Note that what a session is sealed under, and its keys, are about to be left."""
    from gitmem.sealed.storage import SealedStorage

    assert isinstance(sealed, SealedStorage), "what is private is opened by nothing else"
    names = [each.name for each in sealed.opened() if each.session and each.session.session == session]
    for ref in [ref for name in names for ref in (sealed_ref(name), key_ref(name))]:
        tip = sealed.base.read_ref(ref)
        if tip is not None:
            leave(context, sealed.base, ref, tip)
