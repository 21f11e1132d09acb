"""A memory that cannot be read or written."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError


class StoreError(GitmemError):
    """The memory could not be read or written."""


class NoMemory(StoreError):
    """The repository has no memory yet."""

    hint = "gitmem init: starts a memory in this repository, or takes over a remote's"

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(f"could not find a memory in this repository: {ref} does not exist")


class NotAMemory(StoreError):
    """The memory ref holds something that gitmem did not write."""

    def __init__(self, ref: str, found: str) -> None:
        self.ref, self.found = ref, found
        super().__init__(
            f"could not use {ref} as a memory: {found}",
            hint="git config gitmem.ref refs/gitmem/team: keeps the memory under another name",
        )


class FormatUnreadable(StoreError):
    """FORMAT is there and says nothing that can be understood."""

    hint = "gitmem verify: says what else is damaged"

    def __init__(self, ref: str, content: bytes) -> None:
        self.ref, self.content = ref, content
        super().__init__(f"could not read the format version of {ref}: FORMAT holds {content[:40]!r}")


class FormatNewer(StoreError):
    """A newer gitmem wrote this memory; nothing of it was decoded."""

    hint = "upgrade gitmem, then try again"

    def __init__(self, ref: str, found: int, supported: int) -> None:
        self.ref, self.found, self.supported = ref, found, supported
        super().__init__(
            f"could not read {ref}: its format is {found}, and this gitmem reads up to {supported}"
        )


class ObjectMissing(StoreError):
    """An object that something refers to is not in the repository."""

    hint = "gitmem pull: may bring it; gitmem verify: says which sessions need it"

    def __init__(self, oid: str) -> None:
        self.oid = oid
        super().__init__(f"could not read object {oid}: it is not in this repository")


class TextNotHere(ObjectMissing):
    """The text of a session stayed with a remote, and could not be fetched, or is not to be."""

    hint = "gitmem show SESSION: fetches one session; gitmem pull --whole: fetches all of them"

    def __init__(self, session: str, why: str = "only the last months were pulled") -> None:
        self.oid, self.session, self.why = session, session, why
        StoreError.__init__(self, f"could not read session {session[:12]}: its text is not here: {why}")


class ObjectDamaged(StoreError):
    """An object is there and is not what its name says."""

    hint = "gitmem verify --full: names the sessions that need it"

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"could not read {name}: {why}")


class RecordRefused(StoreError):
    """A tree entry or record is none that gitmem writes; it is kept out."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"refused {path!r}: {why}")


class RefDamaged(StoreError):
    """A ref is there and says nothing that git can follow; a machine that lost power leaves such files."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref, self.why = ref, why
        super().__init__(
            f"could not read {ref}: {why}",
            hint=f"git update-ref {ref} COMMIT: mends it; git reflog show {ref}: names the commits it was at",
        )


class RefMoved(StoreError):
    """The ref is no longer where the caller last saw it: another process was faster."""

    hint = "try again: nothing was lost"

    def __init__(self, ref: str, expected: str | None, found: str | None) -> None:
        self.ref, self.expected, self.found = ref, expected, found
        super().__init__(
            f"could not move {ref}: expected it at {expected or 'nothing'}, found {found or 'nothing'}"
        )


class RefLocked(StoreError):
    """Another process, or one that died, holds the lock of a ref."""

    def __init__(self, ref: str, lock: str) -> None:
        self.ref, self.lock = ref, lock
        super().__init__(
            f"could not move {ref}: {lock} exists",
            hint=f"rm {lock}: if no git process is running, one that died left it behind",
        )


class StoreBusy(StoreError):
    """Another gitmem process holds the repository's lock."""

    hint = "try again when the other gitmem has finished"

    def __init__(self, path: str, waited_s: float) -> None:
        self.path, self.waited_s = path, waited_s
        super().__init__(f"could not lock {path} within {waited_s:g} s: another gitmem is writing")


class HousekeepingUnderWay(StoreError):
    """git is putting the repository's objects in order, and what it has just read must not go."""

    def __init__(self, lock: str, process: str, waited_s: float) -> None:
        self.lock, self.process, self.waited_s = lock, process, waited_s
        super().__init__(
            f"could not erase from the repository within {waited_s:g} s: git is at work in it ({process})",
            hint="run the same command again when git has finished: it goes on where it was; "
            f"rm {lock}: if no git is running, one that died left it behind",
        )


class DiskRefused(StoreError):
    """The disk is full, read-only or forbidden; what was committed before stands."""

    hint = "free some space or mend the permissions, then run the same command again: it goes on where it was"

    def __init__(self, doing: str, path: str, why: str) -> None:
        self.doing, self.path, self.why = doing, path, why
        super().__init__(f"could not {doing} {path}: {why}")


class IdentityMissing(StoreError):
    """The secret key that opens private sessions is not there, or cannot be used."""

    hint = "git config gitmem.identity PATH: names an age identity, or an ssh key without passphrase"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not use the identity {path}: {why}")


class RecipientRefused(UsageError):
    """Private sessions cannot be sealed to this."""

    hint = "gitmem recipients list: shows those that there are; age1…, ssh-ed25519 and ssh-rsa keys are taken"

    def __init__(self, recipient: str, why: str) -> None:
        self.recipient, self.why = recipient, why
        super().__init__(f"could not seal to {recipient[:100]!r}: {why}")


class SealDamaged(ObjectDamaged):
    """A sealed session, or a blob or key of one, is not what gitmem sealed; nothing of it was used.

    `name` is the ref, or the ref and a path below it.
    """

    hint = "gitmem pull: may bring it whole; git reflog show REF: names the commits that the ref was at"


class NotSealed(StoreError):
    """What is private was to be put where it would not be sealed; nothing was written."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref, self.why = ref, why
        super().__init__(f"could not write {ref}: {why}")


class AuditRefused(StoreError):
    """What claims to be a part of an audit's chain is not, or does not belong where it stands."""

    hint = "gitmem audit verify: checks every chain, and says which devices' are damaged"

    def __init__(self, where: str, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(f"could not read the audit at {where}: {why}")


class AuditKeyDamaged(StoreError):
    """The key behind one's pseudonyms, or a clone's number, is not what gitmem wrote."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        super().__init__(
            f"could not read {path}: it does not hold {size} bytes in hex",
            hint=f"rm {path}: begins a new chain by the next entry; what stands in the old one stays",
        )


class AuditUnwritten(StoreError):
    """What has to be noted before it may be done could not be noted, so it was not done."""

    hint = "gitmem audit verify: says what is wrong; git config gitmem.audit false: goes on without an audit"

    def __init__(self, action: str, why: str) -> None:
        self.action, self.why = action, why
        super().__init__(f"could not note {action} in the audit, so nothing was done: {why}")
