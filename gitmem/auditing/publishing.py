"""Publishing: what a clone's log has more than its device's ref goes onto the ref, in pieces that stay.

A log may have been set back: a backup of it was restored, or the clone's folder copied. Then what it has is
put behind what was published, and the chain says so; it never forks. Where something stands at a remote under
one's id that one did not write, or that contradicts what one has published elsewhere, one goes on under
another id, in a chain whose first entry names the one before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.auditing import identity as identities
from gitmem.auditing.chains import (
    FORMAT,
    MAX_CHAIN_ENTRIES,
    NO_SEAL,
    Chain,
    Piece,
    chain_at,
    cut,
    is_prefix,
    is_sealed,
    open_chain,
    read_entries,
    seal_of,
)
from gitmem.auditing.entries import BEGINNING, Deed, Entry, Head, chain, decode, follow, name_of
from gitmem.auditing.identity import Identity
from gitmem.auditing.journal import Journal
from gitmem.auditing.log import Log
from gitmem.format import codec
from gitmem.model import times
from gitmem.model.errors.store import AuditRefused, ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid
from gitmem.model.refs import TRACKING_NAMESPACE, audit_of, audit_ref, tracking_ref
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.storage import Storage

DEVICE: Final = re.compile(r"[0-9a-f]{32}")

_MESSAGE: Final = "Add to the audit [skip ci]\n"
_NOBODY: Final = "gitmem"
_LONG_CHAIN: Final = MAX_CHAIN_ENTRIES * 9 // 10


class Published(NamedTuple):
    """A device's ref, and the commit that it points at now: what a push has to send."""

    ref: str
    commit: Oid


def publish(storage: Storage, log: Log, remote: str) -> list[Published]:
    """Bring the clone's refs up to all that its log has; return those that a remote had otherwise last time.

    Again, it changes nothing. The commits name nobody, and their time is that of the last entry. The pack
    that holds them is left for the caller to tidy, who has something to send first.

    Raises:
        AuditKeyDamaged, DiskRefused, StoreBusy, RefMoved: It could not be done now; nothing is lost.
    """
    with storage.lock():
        _bring_up(storage, log)
    found = []
    for journal in _journals(log):
        ref = audit_ref(journal.device)
        commit, theirs = storage.read_ref(ref), storage.read_ref(tracking_ref(remote, ref))
        if commit is not None and commit != theirs and _may_follow(storage, journal.device, theirs, commit):
            found.append(Published(ref, commit))
    return found


def bring_up(storage: Storage, log: Log) -> None:
    """Bring the clone's refs up to all that its log has; raises as `publish` does."""
    with storage.lock():
        _bring_up(storage, log)
        storage.tidy()


def _bring_up(storage: Storage, log: Log) -> None:
    log.settle()
    with log.locked():
        for journal in _journals(log):
            _publish(storage, log, journal)


def _may_follow(storage: Storage, device: str, theirs: Oid | None, ours: Oid) -> bool:
    """Whether a chain goes on from another one; one that was given up does not where it was forged."""
    if theirs is None:
        return True
    try:
        return is_prefix(open_chain(storage, device, theirs), open_chain(storage, device, ours))
    except (AuditRefused, ObjectDamaged, ObjectMissing):
        return False


def _journals(log: Log) -> list[Journal]:
    """Return the clone's logs: one's own last, before it those of ids that were given up."""
    own = log.identity().device
    folders = {path.name for path in log.folder.iterdir() if DEVICE.fullmatch(path.name)}
    return [Journal(log.folder, device) for device in [*sorted(folders - {own}), own]]


def _publish(storage: Storage, log: Log, journal: Journal) -> None:
    identity = log.identity()
    is_own = journal.device == identity.device
    seal_key = identity.seal_key if is_own else None
    try:
        base = _base(storage, journal.device, seal_key)
    except (AuditRefused, ObjectDamaged, ObjectMissing):
        if is_own:
            successor = _succeed(storage, log, journal)
            _add(storage, successor, None, _unpublished(log, successor, None), log.identity().seal_key)
        elif journal.lines():
            journal.set_aside("succeeded")
        return  # What was given up stays as it is.
    _add(storage, journal, base, _unpublished(log, journal, base), seal_key)


def _base(storage: Storage, device: str, seal_key: bytes | None) -> Chain | None:
    """Return what to go on from: the longest of what stands here and at remotes under a device's id.

    Raises:
        AuditRefused, ObjectDamaged, ObjectMissing: They contradict each other, or one is none of ours.
    """
    best = chain_at(storage, device, audit_ref(device))
    for ref, commit in storage.list_refs(TRACKING_NAMESPACE).items():
        found = audit_of(ref)
        if found is None or found[1] != device:
            continue
        theirs = open_chain(storage, device, commit)
        if is_prefix(theirs, best):
            continue
        if not is_prefix(best, theirs):
            raise AuditRefused(ref, "it differs from what stands here")
        have = len(best.pieces) if best else 0
        if seal_key is None or not all(is_sealed(theirs, piece, seal_key) for piece in theirs.pieces[have:]):
            raise AuditRefused(ref, "it was not written here")
        for _ in read_entries(theirs, best.head if best else BEGINNING):
            pass
        best = theirs
    if best is not None and best.head.number > _LONG_CHAIN:
        raise AuditRefused(best.where, "it is as long as a chain may be")
    return best


def _unpublished(log: Log, journal: Journal, base: Chain | None) -> list[bytes]:
    """Return the lines that the chain lacks, so that they follow from its head; the log then has those.

    Raises:
        DiskRefused: The disk does not let it.
    """
    lines = journal.lines()
    if not lines:
        return []
    head = base.head if base else BEGINNING
    try:
        entries = _followed(lines, journal)
    except AuditRefused:
        journal.set_aside("unreadable")
        identity = log.identity()
        repair = Deed("repair", log.now(), "person", {"unreadable": 1}, "", "audit")
        rest, _ = chain([repair], head, journal.device, identity.actor)
        return rest
    names = names_since(base, entries[0].number)
    have = 0
    while have < len(entries) and names.get(entries[have].number) == name_of(lines[have]):
        have += 1
    rest = lines[have:]
    if rest and (entries[have].number - 1, entries[have].previous) != head:
        first = entries[have]
        was: dict[str, int | str] = {"was": first.number, "now": head.number + 2}
        back = Deed("set-back", log.now(), first.by, was, "", "audit")
        deeds = [back, *(entry.deed for entry in entries[have:])]
        rest, _ = chain(deeds, head, journal.device, first.actor)
        journal.replace(rest)
    return rest


def _followed(lines: list[bytes], journal: Journal) -> list[Entry]:
    first = decode(lines[0], str(journal.path))
    head = Head(first.number - 1, first.previous)
    return follow(lines, head, journal.device, str(journal.path))[0]


def names_since(chain: Chain | None, number: int) -> dict[int, str]:
    """Return the names, by their numbers, of a chain's entries from one on, and perhaps of some before."""
    if chain is None or number > chain.head.number:
        return {}
    names = {chain.head.number: chain.head.name}
    before = [piece for piece in chain.pieces if piece.last < number]
    for entry in read_entries(chain, Head(before[-1].last, before[-1].head) if before else BEGINNING):
        names[entry.number - 1] = entry.previous
    return names


def _add(
    storage: Storage, journal: Journal, base: Chain | None, lines: Sequence[bytes], seal_key: bytes | None
) -> None:
    """Put lines on a device's ref as pieces, and then forget them in the log."""
    ref = audit_ref(journal.device)
    head = base.head if base else BEGINNING
    commit = base.commit if base else None
    if lines:
        last = decode(lines[-1], str(journal.path))
        with storage.begin() as batch:
            changes: dict[trees.Path, Oid | None] = {}
            if base is None:
                changes["FORMAT",] = batch.add("blob", FORMAT)
            for run in cut(lines):
                first = head.number + 1
                head = Head(head.number + len(run), name_of(run[-1]))
                blob = batch.add("blob", codec.compress(b"".join(line + b"\n" for line in run)))
                seal = seal_of(seal_key, journal.device, first, head) if seal_key else NO_SEAL
                changes[Piece(first, head.number, head.name, seal, blob).path] = blob
            tree = trees.edit(storage, batch, base.root if base else None, changes)
            assert tree is not None
            who = Signature(_NOBODY, _NOBODY, max(0, times.to_ms(last.at) // 1000))
            parents = (commit,) if commit else ()
            commit = batch.add("commit", encode_commit(Commit(tree, parents, who, who, _MESSAGE)))
            batch.publish()
    if commit is not None:
        here = storage.read_ref(ref)
        if here != commit:
            storage.move_ref(ref, commit, here, "gitmem: audit")
        if journal.published() != head:
            journal.note_published(head)
        if journal.lines():
            journal.replace([])


def _succeed(storage: Storage, log: Log, journal: Journal) -> Journal:
    """Go on under another id with what the log has and its ref has not; return the new log.

    The clone's number decides whose log counts: what is written before it is nobody's until then, and what is
    left to do after it is done by the next who writes or publishes.
    """
    identity = log.identity()
    detail: dict[str, int | str] = {}
    try:
        own = chain_at(storage, journal.device, audit_ref(journal.device))
        rest = [decode(line, str(journal.path)).deed for line in _unpublished(log, journal, own)]
        if own is not None:
            detail = {"last": own.head.number, "name": own.head.name}
    except (AuditRefused, ObjectDamaged, ObjectMissing):
        rest = []
    successor = Identity(identity.key, log.random_bytes(identities.NONCE_BYTES))
    subject = f"device:{journal.device}"
    deeds = [Deed("succeed", log.now(), "person", detail, "", subject), *rest]
    lines, _ = chain(deeds, BEGINNING, successor.device, successor.actor)
    new = Journal(log.folder, successor.device)
    new.prepare(lines)
    identities.adopt(log.folder, successor.nonce)
    new.begin()
    if journal.lines():
        journal.set_aside("succeeded")
    return new
