"""Others' chains: what a remote has of them now, beside what was seen there before.

A chain only grows. One that got shorter, differs from what was seen, or is gone, is kept out and told of;
what was taken in stays. What was seen is remembered for each remote, apart from git's refs: whoever sets
those back does not set that back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem import disk
from gitmem.auditing.chains import Chain, chain_at, has, is_prefix, is_sealed, open_chain, read_entries
from gitmem.auditing.entries import BEGINNING, Head
from gitmem.auditing.identity import Identity
from gitmem.auditing.log import Log
from gitmem.auditing.publishing import DEVICE
from gitmem.model.errors.store import AuditRefused, ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid
from gitmem.model.refs import AUDIT_NAMESPACE, audit_ref, audit_tracking
from gitmem.objects.storage import Storage

Kind = Literal[
    "crowded", "damaged", "forked", "impostor", "misnamed", "set back", "truncated", "unreadable", "vanished"
]
Seen = dict[str, dict[str, Head]]
"""By a remote's name and a device's id, the last entry that was seen there."""

MAX_DEVICES: Final = 4096


class Finding(NamedTuple):
    """What is wrong with a chain: `device` as somebody named it, `where` the ref or file, `why` in words."""

    kind: Kind
    device: str
    where: str
    why: str
    hint: str


class _Grown(NamedTuple):
    """A chain at a remote that holds; `is_longer` than what is here."""

    chain: Chain
    is_longer: bool


def accept(storage: Storage, log: Log, remote: str) -> list[Finding]:
    """Take in what a fetch brought of a remote's audits; return what was kept out, or is missing.

    Raises:
        AuditKeyDamaged, DiskRefused, StoreBusy, RefMoved: It could not be done now; nothing is lost.
    """
    findings: list[Finding] = []
    identity = log.peek()
    with storage.lock():
        seen = read_seen(log.folder)
        here = seen.setdefault(remote, {})
        before = dict(here)
        for found in compare(storage, identity, remote, here):
            if isinstance(found, Finding):
                findings.append(found)
                continue
            chain = found.chain
            here[chain.device] = chain.head
            is_own = identity is not None and chain.device == identity.device
            if found.is_longer and not is_own:  # one's own is brought along when one publishes
                ref = audit_ref(chain.device)
                storage.move_ref(ref, chain.commit, storage.read_ref(ref), f"gitmem: audit from {remote}")
        if here != before:
            _write_seen(log.folder, seen)
    return findings


def note_sent(storage: Storage, log: Log, remote: str, ref: str) -> None:
    """Remember what a push brought to a remote, so that its loss there is noticed at once.

    Raises:
        AuditRefused, ObjectDamaged, ObjectMissing: The ref has no chain any more.
        DiskRefused: The disk does not let it.
    """
    device = ref.removeprefix(AUDIT_NAMESPACE)
    with storage.lock():
        chain = chain_at(storage, device, ref)
        if chain is not None:
            seen = read_seen(log.folder)
            seen.setdefault(remote, {})[device] = chain.head
            _write_seen(log.folder, seen)


def compare(
    storage: Storage, identity: Identity | None, remote: str, seen: dict[str, Head]
) -> Iterator[Finding | _Grown]:
    """Yield what each of a remote's chains has come to since it was seen; changes nothing."""
    tracked = storage.list_refs(audit_tracking(remote))
    prefix = audit_tracking(remote)
    for n, (ref, commit) in enumerate(sorted(tracked.items())):
        device = ref.removeprefix(prefix)
        if n == MAX_DEVICES:
            why = f"{remote} has more than {MAX_DEVICES} chains; the rest was not looked at"
            yield Finding(
                "crowded", "", prefix, why, f"git ls-remote {remote} '{audit_ref('*')}': lists them"
            )
            break
        if not DEVICE.fullmatch(device):
            yield _finding("misnamed", device, ref, "no device has such a name", remote)
            continue
        try:
            yield _compared(storage, identity, ref, device, commit, seen.get(device, BEGINNING), remote)
        except AuditRefused as error:
            yield _finding("unreadable", device, error.where, error.why, remote)
        except (ObjectDamaged, ObjectMissing) as error:
            yield _finding("damaged", device, ref, str(error), remote)
    for device in sorted(seen.keys() - {ref.removeprefix(prefix) for ref in tracked}):
        why = f"{remote} had entries up to {seen[device].number}, and has none now"
        yield _finding("vanished", device, prefix + device, why, remote)


def _compared(
    storage: Storage,
    identity: Identity | None,
    ref: str,
    device: str,
    commit: Oid,
    last: Head,
    remote: str,
) -> Finding | _Grown:
    theirs = open_chain(storage, device, commit)
    if theirs.head.number < last.number:
        why = f"it ends with entry {theirs.head.number}; {remote} had entries up to {last.number}"
        return _finding("truncated", device, ref, why, remote)
    if not has(theirs, last):
        return _finding("forked", device, ref, f"entry {last.number} is not the one that was seen", remote)
    ours = chain_at(storage, device, audit_ref(device))
    if is_prefix(theirs, ours):
        return _Grown(theirs, is_longer=False)
    if not is_prefix(ours, theirs):
        return _finding("forked", device, ref, f"it differs from what stands at {audit_ref(device)}", remote)
    if identity is not None and device == identity.device:
        have = len(ours.pieces) if ours else 0
        if not all(is_sealed(theirs, piece, identity.seal_key) for piece in theirs.pieces[have:]):
            return _finding("impostor", device, ref, "it has entries that were not written here", remote)
    for _ in read_entries(theirs, ours.head if ours else BEGINNING):
        pass
    return _Grown(theirs, is_longer=True)


def read_seen(audit_dir: Path) -> Seen:
    """Return what was seen at each remote; what makes no sense counts as never seen.

    Raises:
        DiskRefused: The disk does not let it be read.
    """
    path = audit_dir / "seen"
    try:
        with disk.refusing("read", path):
            found = json.loads(path.read_bytes() if path.exists() else b"{}")
        return {
            remote: {device: Head(int(number), str(name)) for device, (number, name) in devices.items()}
            for remote, devices in found.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def _write_seen(audit_dir: Path, seen: Seen) -> None:
    disk.make_private_folder(audit_dir)
    disk.replace_file(audit_dir / "seen", json.dumps(seen).encode(), mode=0o600)


def _finding(kind: Kind, device: str, where: str, why: str, remote: str) -> Finding:
    return Finding(kind, device, where, why, f"git log {where}: what {remote} has; ask who writes it")
