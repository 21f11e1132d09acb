"""Signing what is about to be sent: a commit on top of it, of the same tree, that git signs.

Only on the way to a remote, and only where somebody asked for that: an agent of keys may want to be spoken
to, and nobody is there to do so in the background.
"""

from __future__ import annotations

from typing import Final

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.signing import is_signed, sign_commit
from gitmem.model.errors.sharing import SigningFailed, UnsignedNotSent
from gitmem.model.ids import Oid
from gitmem.model.settings import Level, Settings
from gitmem.objects.encoding import Commit
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage
from gitmem.verbs.committing import SKIP_CI, Writer

_MESSAGE: Final = f"Sign what is sent {SKIP_CI}\n"


def signs(settings: Settings, level: Level) -> bool:
    """Whether a memory of a level is signed as it is sent; what is private is sealed instead."""
    return settings.signed == "all" or (settings.signed == "team" and level == "team")


def sign_tip(storage: Storage, repository: Repository, git: Git, writer: Writer, ref: str, tip: Oid) -> Oid:
    """Return the commit to send in place of a tip: that one, or one on top of it that the user signs.

    It is that one where the user has signed it. The memory ref has moved to the commit that is returned. No
    lock is held while git signs: somebody may be typing a passphrase.

    Raises:
        SigningFailed: git does not sign; nothing has changed.
        RefMoved: Something was committed meanwhile.
    """
    if is_own(storage, tip, writer):
        return tip
    who = writer.sign()
    data = sign_commit(repository, git, Commit(read_commit(storage, tip).tree, (tip,), who, who, _MESSAGE))
    if not is_signed(data):
        raise SigningFailed("git made a commit without a signature")
    with storage.begin() as batch:
        signed = batch.add("commit", data)
        with storage.lock():
            batch.publish()
            storage.move_ref(ref, signed, tip, "gitmem: sign what is sent")
            storage.tidy()
    return signed


def is_own(storage: Storage, tip: Oid, writer: Writer) -> bool:
    """Whether a commit says that it is the writer's, and is signed; whose signature it is, git would say."""
    kind, data = storage.read(tip)
    if kind != "commit" or not is_signed(data):
        return False
    committer, who = read_commit(storage, tip).committer, writer.sign()
    return (committer.name, committer.email) == (who.name, who.email)


def require_signed(storage: Storage, ref: str, tip: Oid) -> None:
    """See that nothing is sent unsigned.

    Raises:
        UnsignedNotSent: The tip has no signature.
    """
    if not is_signed(storage.read(tip)[1]):
        raise UnsignedNotSent(ref)
