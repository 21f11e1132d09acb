"""What of sealed sessions others have: as far as a remote had them, and writing anew what none has yet.

Sealed sessions are each on refs of their own, so each is looked at by itself. What was sent stays what a
session's history leads to; what is written anew comes on top of that, and nothing leads to what stood there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitmem.format import layout
from gitmem.model.errors.store import ObjectMissing, SealDamaged
from gitmem.model.ids import Oid, SessionId
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE
from gitmem.sealed.sessions import Opened, open_session
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips
from gitmem.sealed.writing import Writing, move_all


def root_of(storage: SealedStorage, sent: Mapping[str, Tips]) -> Oid | None:
    """Return the root of a memory that holds what was sent of the sessions that can be opened; None: nothing.

    What cannot be read of it counts as not sent, and so is looked at once more.
    """
    folders: dict[trees.Path, Oid | None] = {}
    for name, tips in sent.items():
        opened = _open(storage, name, tips)
        if opened is not None and opened.session is not None:
            storage.hold(opened.session)
            folders[layout.session_folder(opened.session.session)] = opened.session.folder
    with storage.begin() as batch:
        root = trees.edit(storage, batch, None, folders, mode=TREE_MODE)
        batch.publish()
    return root


def write_anew(
    storage: SealedStorage, folders: Mapping[SessionId, Oid], sent: Iterable[Mapping[str, Tips]]
) -> int:
    """Seal other folders in the place of sessions' own, each on top of what was sent of it.

    Only where a session is sealed under one name, by this user and for those who are recipients now: another
    is left as it is.

    Returns:
        How many were written.

    Raises:
        RefMoved: git moved one of the refs meanwhile; those before it stand.
    """
    remotes = list(sent)
    with storage.lock():
        held: dict[SessionId, list[Opened]] = {}
        for each in storage.opened():
            if each.session is not None and each.session.session in folders:
                held.setdefault(each.session.session, []).append(each)
        with storage.base.begin() as batch:
            writing = Writing(storage.base, storage.ring, storage, batch)
            written = 0
            for session, some in held.items():
                tips = {remote[some[0].name] for remote in remotes if some[0].name in remote}
                tips = {at for at in tips if at.content is not None}
                if len(some) > 1 or not some[0].is_writable or len(tips) > 1:
                    continue
                base = some[0]._replace(session=None)
                for at in tips:
                    was = _open(storage, some[0].name, at)
                    if was is None or was.secret != some[0].secret:
                        break
                    base = base._replace(session=was.session)
                else:
                    writing.put(session, folders[session], base)
                    written += 1
            batch.publish()
        move_all(storage.base, writing.moves, "gitmem: redact again what was not shared yet")
        storage.tidy()
    return written


def _open(storage: SealedStorage, name: str, tips: Tips) -> Opened | None:
    try:
        return open_session(storage.base, storage.ring, name, tips)
    except (SealDamaged, ObjectMissing):
        return None
