"""What this clone has captured itself, so that a push need not look at it once more.

All text passes the redactor before it is stored. So in a capture that was made here nothing is to be found
by the same rules that know the same values; its records are looked at when it is made. Kept are steps: from
the folder that a session had to the one that a capture here made of it. Where such steps lead from what a
remote has to what is here, nobody else had a hand in it. What others say of themselves, as a record of
theirs that names the rules, is never taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gitmem.format import codec, layout
from gitmem.format.memory import Memory, changed_sessions
from gitmem.format.records import MAX_RECORD_BYTES
from gitmem.model.ids import Oid, SessionId
from gitmem.objects import trees
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage
from gitmem.verbs import caching

if TYPE_CHECKING:
    from gitmem.redaction.redactor import Redactor

_KIND: Final = "captured here 1"
_TABLE: Final = "captured"
_MOST_STEPS: Final = 1000
"""More than anybody captures without a push in between; all else is looked at as if others had made it."""
_CAPTURED: Final = frozenset({"session", "capture", "segment"})


class _Captured(msgspec.Struct, frozen=True, array_like=True):
    """Steps by the folder that each led to, the oldest first; from an empty name where the session was new.

    They were made with the rules of a fingerprint; `mark` also tells other known values, and another key.
    """

    fingerprint: str
    mark: str
    steps: dict[Oid, Oid]


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Captured] = msgspec.msgpack.Decoder(_Captured)


def note_captured(
    storage: Storage, ref: str, state_dir: Path, redactor: Redactor, commits: Iterable[Oid]
) -> None:
    """Note what commits have added that were made here, of text that this redactor let through.

    Each line was redacted as a whole. Nothing is noted of a commit that did more than to capture, that is
    of very many sessions, or in whose records the redactor finds something.

    Raises:
        StoreError: They cannot be read.
        RedactionFailed: The redactor cannot do its work.
    """
    steps: dict[Oid, Oid] = {}
    for commit in commits:
        steps |= _steps_of(storage, ref, commit, redactor) or {}
    if not steps:
        return
    path = caching.table_path(state_dir, _TABLE, Memory(storage, ref, commit, Oid("")))
    known = caching.load(path, _KIND, _decoder)
    before = known.steps if known is not None and known.mark == redactor.mark else {}
    rows = [*(before | steps).items()][-_MOST_STEPS:]
    now = _Captured(redactor.fingerprint, redactor.mark, dict(rows))
    caching.write_derived(path, _KIND, _encoder.encode(now))


def is_captured_here(memory: Memory, since: Oid | None, state_dir: Path, mark: str) -> bool:
    """Whether all that a memory has more than the tree `since` was captured here, with what has this mark."""
    known = caching.load(caching.table_path(state_dir, _TABLE, memory), _KIND, _decoder)
    if known is None or known.mark != mark:
        return False
    storage = memory.storage
    before, now = (dict(trees.read_tree(storage, root)) for root in (since, memory.root))
    before.pop("sessions", None)
    now.pop("sessions", None)
    if before != now:
        return False
    for session, folder in changed_sessions(memory, since):
        if folder is not None and not _leads(known.steps, _folder_in(storage, since, session), folder.tree):
            return False
    return True


def was_by_other_rules(memory: Memory, state_dir: Path, fingerprint: str) -> bool:
    """Whether what was captured here last was so with other rules than today's; False where nothing was."""
    known = caching.load(caching.table_path(state_dir, _TABLE, memory), _KIND, _decoder)
    return known is not None and known.fingerprint != fingerprint


def _steps_of(storage: Storage, ref: str, commit: Oid, redactor: Redactor) -> dict[Oid, Oid] | None:
    """Return the steps of one commit, by the folder that each leads to; None where it is no mere capture."""
    from gitmem.sharing.rechecking import kinds_in

    read = read_commit(storage, commit)
    if len(read.parents) != 1:
        return None
    memory = Memory(storage, ref, commit, read.tree)
    since = read_commit(storage, read.parents[0]).tree
    changed = list(changed_sessions(memory, since))
    if len(changed) > _MOST_STEPS:
        return None
    steps = {}
    for session, folder in changed:
        if folder is None:
            return None
        before = _folder_in(storage, since, session)
        for change in trees.diff(storage, before or None, folder.tree, layout.session_folder(session)):
            if change.old is not None or change.new is None:
                return None
            kind = layout.check_entry(change.path, change.new).kind
            if kind not in _CAPTURED:
                return None
            if kind == "segment":
                continue
            blob = trees.read_blob(storage, change.new.oid)
            plain = codec.decompress(blob, "/".join(change.path), MAX_RECORD_BYTES)
            if kinds_in(redactor, [plain], folder):
                return None
        steps[folder.tree] = before
    return steps


def _folder_in(storage: Storage, root: Oid | None, session: SessionId) -> Oid:
    entry = trees.find(storage, root, layout.session_folder(session))
    return entry.oid if entry else Oid("")


def _leads(steps: dict[Oid, Oid], start: Oid, end: Oid) -> bool:
    """Whether steps lead from one folder to another: each adds something, so that they come to an end."""
    at: Oid | None = end
    while at is not None and at != start:
        at = steps.get(at)
    return at == start
