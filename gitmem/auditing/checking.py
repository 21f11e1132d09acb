"""Checking every chain that is known here: those on refs, what remotes have of them, and one's own log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitmem.auditing.chains import Chain, has, is_sealed, open_chain, read_entries
from gitmem.auditing.entries import BEGINNING, Entry, Head, decode, follow, name_of
from gitmem.auditing.journal import Journal
from gitmem.auditing.log import Log
from gitmem.auditing.peers import Finding, compare, read_seen
from gitmem.auditing.publishing import DEVICE, names_since
from gitmem.model.errors.store import AuditRefused, ObjectDamaged, ObjectMissing
from gitmem.model.refs import AUDIT_NAMESPACE, TRACKING_NAMESPACE, audit_of, audit_ref
from gitmem.objects.storage import Storage

_OWN_HINT = "gitmem push: goes on from what was published, and says so in the chain"
_READ_HINT = "git log {where}: shows when it was written; what can be read, gitmem audit lists"


@dataclass
class Checked:
    """What was looked at."""

    chains: int = 0
    entries: int = 0


def check(storage: Storage, log: Log, checked: Checked) -> Iterator[Finding]:
    """Yield what does not hold; nothing where all does. Counts in `checked`, and changes nothing.

    Raises:
        AuditKeyDamaged, DiskRefused: What is local cannot be read.
    """
    identity = log.peek()
    whole: dict[str, Chain] = {}
    for ref, commit in sorted(storage.list_refs(AUDIT_NAMESPACE).items()):
        device = ref.removeprefix(AUDIT_NAMESPACE)
        if not DEVICE.fullmatch(device):
            yield Finding("misnamed", device, ref, "no device has such a name", _READ_HINT.format(where=ref))
            continue
        checked.chains += 1
        try:
            chain = open_chain(storage, device, commit)
            for _ in read_entries(chain):
                checked.entries += 1
        except AuditRefused as error:
            yield Finding("unreadable", device, error.where, error.why, _READ_HINT.format(where=ref))
            continue
        except (ObjectDamaged, ObjectMissing) as error:
            yield Finding("damaged", device, ref, str(error), "git fsck: says what else is damaged")
            continue
        whole[device] = chain
        if identity is not None and device == identity.device:
            for piece in chain.pieces:
                if not is_sealed(chain, piece, identity.seal_key):
                    why = f"entries {piece.first} to {piece.last} were not written here"
                    yield Finding("impostor", device, ref, why, _READ_HINT.format(where=ref))
    if identity is not None:
        yield from _check_journal(Journal(log.folder, identity.device), whole, storage, checked)
    seen = read_seen(log.folder)
    remotes = {found[0] for ref in storage.list_refs(TRACKING_NAMESPACE) if (found := audit_of(ref))}
    for remote in sorted(remotes | seen.keys()):
        for compared in compare(storage, identity, remote, seen.get(remote, {})):
            if isinstance(compared, Finding):
                yield compared


def _check_journal(
    journal: Journal, whole: dict[str, Chain], storage: Storage, checked: Checked
) -> Iterator[Finding]:
    """Check that one's own log is whole, and goes on from what was published."""
    where, lines, published = str(journal.path), journal.lines(), journal.published()
    entries: list[Entry] = []
    if lines:
        try:
            first = decode(lines[0], where)
            entries, _ = follow(lines, Head(first.number - 1, first.previous), journal.device, where)
        except AuditRefused as error:
            hint = "gitmem push: puts it aside, and says so in the chain"
            yield Finding("unreadable", journal.device, where, error.why, hint)
            return
        checked.entries += len(lines)
    ref = audit_ref(journal.device)
    chain = whole.get(journal.device)
    if chain is None and storage.read_ref(ref) is not None:
        return  # What is wrong with it has been said.
    if published != BEGINNING and (chain is None or not has(chain, published)):
        why = f"entries up to {published.number} were published, and {ref} does not have them"
        yield Finding("set back", journal.device, ref, why, _OWN_HINT)
    elif entries and not _goes_on(entries, lines, chain):
        why = f"entry {entries[0].number} does not go on from what was published"
        yield Finding("set back", journal.device, where, why, _OWN_HINT)


def _goes_on(entries: list[Entry], lines: list[bytes], chain: Chain | None) -> bool:
    """Whether a log is what a chain ends with, as a kill may leave it, or what follows it, or both."""
    head = chain.head if chain else BEGINNING
    names = names_since(chain, entries[0].number)
    for entry, line in zip(entries, lines, strict=True):
        if entry.number > head.number:
            return (entry.number - 1, entry.previous) == head
        if names.get(entry.number) != name_of(line):
            return False
    return True
