"""Noting what is done: the one way into a clone's audit. A search loads this, and nothing else of the room.

How much depends on an entry is told by its action. Reading is gathered, and never fails a command. What took
something in is told of afterwards, and never fails it either: the memory itself says what it got. What is
owed - who may see what, what leaves the machine, what is destroyed - is noted before it is done and reaches
the disk first; where it cannot be noted, it must not be done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem import disk
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import AuditUnwritten

if TYPE_CHECKING:
    from gitmem.auditing.entries import Deed, Detail, Handling
    from gitmem.auditing.identity import Identity
    from gitmem.model.settings import Audited

ACTIONS: Final[Mapping[str, Handling]] = {
    "search": "read",
    "show": "read",
    "why": "read",
    "recall": "read",
    "resume": "read",
    "capture": "told",
    "import": "told",
    "pull": "told",
    "rewind": "told",
    "level": "owed",
    "recipient": "owed",
    "share": "owed",
    "unshare": "owed",
    "push": "owed",
    "forget": "owed",
    "unforget": "owed",
    "erase": "owed",
    "export": "owed",
    "backup": "owed",
    "restore": "owed",
    "repair": "told",
    "set-back": "told",
    "succeed": "told",
}
"""What can be noted, and how. The last three are the audit's own: a torn or unreadable log; a log that had
been set back behind what was published; a chain that takes the place of another one."""

MOST_READ_BYTES: Final = 1 << 16
"""Of readings that wait until somebody folds them into the chain: some 600 searches."""

_NO_DETAIL: Final[Detail] = {}
_LOCK_WAIT_S: Final = 10.0
_READ_WAIT_S: Final = 0.25


class Log:
    """The audit of a clone, as one user's commands write it.

    `by` is `person` or `agent:<name>`. `now_ms` is the clock, in milliseconds since 1970. `warn` is told of
    what could not be noted and did not have to be.
    """

    def __init__(
        self,
        state_dir: Path,
        user_dir: Path,
        *,
        by: str,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        keeps: Audited = "all",
        warn: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.folder = state_dir / "audit"
        self.user_dir = user_dir
        self._by, self._now_ms, self.random_bytes = by, now_ms, random_bytes
        self._keeps, self._warn = keeps, warn

    def note(
        self,
        action: str,
        subject: str | Callable[[], str] = "memory",
        *,
        reason: str = "",
        detail: Detail = _NO_DETAIL,
    ) -> None:
        """Note that something is done: what is owed before it is, anything else afterwards.

        `subject` is `memory`, or what `session` and `remote` return; where that is a pseudonym, whose key may
        be out of reach, it is asked for here, so that this fails as the action does. `reason` is one word:
        `hook`, or a ticket's number. `detail` has counts and single words; of reading it may only have
        counts.

        Raises:
            AuditUnwritten: It is owed and cannot be noted.
        """
        handling = ACTIONS[action]
        if self._keeps == "nothing" or (self._keeps == "changes" and handling == "read"):
            return
        try:
            about = subject if isinstance(subject, str) else subject()
            if handling == "read":
                self._gather(action, about, {key: int(value) for key, value in detail.items()})
            else:
                self._append(action, about, reason, detail, durable=handling == "owed")
        except GitmemError as error:
            if handling == "owed":
                raise AuditUnwritten(action, str(error)) from error
            self._warn(f"{action} could not be noted in the audit: {error}")

    def session(self, session: str, level: str) -> str:
        """Return what the audit calls a session: its id, or a pseudonym where not even that may be known.

        Raises:
            AuditKeyDamaged, DiskRefused: The pseudonym's key cannot be read or made.
        """
        if level in ("public", "team"):
            return f"session:{session}"
        return self.identity().subject("sealed", session)

    def remote(self, url: str) -> str:
        """Return what the audit calls a remote: a pseudonym, since an address may name people and hosts.

        Raises:
            AuditKeyDamaged, DiskRefused: The pseudonym's key cannot be read or made.
        """
        return self.identity().subject("remote", url)

    def identity(self) -> Identity:
        """Return who writes here.

        Raises:
            AuditKeyDamaged, DiskRefused: A key cannot be read or made.
        """
        from gitmem.auditing.identity import load

        return load(self.user_dir, self.folder, self.random_bytes)

    def peek(self) -> Identity | None:
        """Return who writes here, or None where nobody has yet.

        Raises:
            AuditKeyDamaged, DiskRefused: A key cannot be read.
        """
        from gitmem.auditing.identity import peek

        return peek(self.user_dir, self.folder)

    def settle(self) -> None:
        """Bring everything that was gathered into the chain, so that the log has all there is.

        Raises:
            AuditKeyDamaged, DiskRefused, StoreBusy: It cannot be done now.
        """
        if self._keeps != "nothing" and self.folder.is_dir():
            with self.locked():
                self._write([], durable=False)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the audit's lock.

        Raises:
            StoreBusy: Another process held it for too long.
        """
        disk.make_private_folder(self.folder)
        return disk.locked(self.folder / "lock", _LOCK_WAIT_S)

    def _gather(self, action: str, subject: str, detail: Mapping[str, int]) -> None:
        disk.make_private_folder(self.folder)
        with disk.locked(self.folder / "lock", _READ_WAIT_S):
            # It begins with a line end, so that one that a kill cut short spoils no other.
            read = [action, self._by, subject, self._now_ms(), detail]
            path = self.folder / "reads"
            disk.append(path, b"\n" + json.dumps(read, separators=(",", ":")).encode(), mode=0o600)
            if path.stat().st_size > MOST_READ_BYTES:
                self._write([], durable=False)

    def _append(self, action: str, subject: str, reason: str, detail: Detail, *, durable: bool) -> None:
        from gitmem.auditing.entries import Deed

        with self.locked():
            self._write([Deed(action, self.now(), self._by, detail, reason, subject)], durable=durable)

    def _write(self, deeds: list[Deed], *, durable: bool) -> None:
        """Put what was gathered, and then deeds, behind the chain's end; the lock is held."""
        from gitmem.auditing import folding
        from gitmem.auditing.entries import Deed
        from gitmem.auditing.journal import Journal

        identity = self.identity()
        journal = Journal(self.folder, identity.device)
        repair = journal.repair()
        while (folded := folding.take(self.folder)) is not None:
            # A kill may have come between writing them and dropping them.
            have = journal.count_at_end(folded)
            journal.append(folded[have:], identity.actor, durable=False)
            folding.drop(self.folder)
        if repair is not None:
            detail: Detail = {"torn-bytes": repair.torn_bytes, "unreadable": int(repair.is_unreadable)}
            deeds = [Deed("repair", self.now(), self._by, detail, "", "audit"), *deeds]
        journal.append(deeds, identity.actor, durable=durable)

    def now(self) -> str:
        """Return this moment as entries have it."""
        from gitmem.model.times import to_text

        return to_text(self._now_ms())
