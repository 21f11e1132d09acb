"""The keys of one user: whom sessions are sealed to, what opens them, and what has been opened.

Nothing is read before it is needed, and no secret of a session ever stands on a disk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gitmem.model.errors.store import IdentityMissing
from gitmem.sealed.box import SECRET_BYTES, RandomBytes
from gitmem.sealed.envelope import unwrap, wrap
from gitmem.sealed.identities import (
    Keypair,
    as_recipient,
    make_own_identity,
    own_identity_path,
    plain_recipient,
    read_identities,
)


class Known(NamedTuple):
    """What a user recognises in a key: that they made it, and that its recipients are those of now."""

    is_own: bool
    is_current: bool


class Ring:
    """Public keys to seal to, secret keys to open with; made by `open_ring`.

    What an envelope holds is remembered while the ring lives: to unwrap one takes about a millisecond.
    """

    def __init__(
        self,
        recipients: Sequence[str],
        identities: Sequence[Path],
        user_dir: Path,
        random_bytes: RandomBytes,
        tell: Callable[[Path], None] = lambda _: None,
    ) -> None:
        self.random_bytes = random_bytes
        self._recipients = tuple(recipients)
        self._paths = tuple(identities)
        self._user_dir = user_dir
        self._tell = tell
        self._keypairs: tuple[Keypair, ...] | None = None
        self._secrets: dict[bytes, bytes | None] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of secret keys: those that the settings name, or gitmem's own."""
        return self._paths or (own_identity_path(self._user_dir),)

    def own(self) -> tuple[str, ...]:
        """Return the public keys of this user's identities; none where gitmem's own has not been made yet.

        Raises:
            IdentityMissing: A file that the settings name cannot be used.
        """
        return tuple(dict.fromkeys(pair.public for pair in self._own_pairs()))

    def recipients(self) -> tuple[str, ...]:
        """Return whom new sessions are sealed to: the user's own keys, and those of the settings.

        The user's own are always among them, so that what is captured can be captured on. gitmem's own
        identity is made where the user names none and it is not there.

        Raises:
            IdentityMissing: A file that the settings name cannot be used.
            RecipientRefused: A key of the settings is none.
        """
        if not self._paths and make_own_identity(self._user_dir):
            self._keypairs = None
            self._tell(own_identity_path(self._user_dir))
        own = self.own()
        if not own:
            raise IdentityMissing(str(self.paths[0]), "nothing stands in it")
        return tuple(dict.fromkeys((*own, *map(plain_recipient, self._recipients))))

    def new_secret(self) -> bytes:
        """Return a secret for a session."""
        return self.random_bytes(SECRET_BYTES)

    def wrap(self, secret: bytes) -> bytes:
        """Return an envelope of a session's secret, for all recipients.

        Raises:
            IdentityMissing, RecipientRefused: As `recipients` does.
        """
        envelope = wrap(secret, [as_recipient(text) for text in self.recipients()])
        self._secrets[_digest(envelope)] = secret
        return envelope

    def mark(self, name: str, number: int, envelope: bytes) -> bytes:
        """Return what tells this user alone that they made a session's key, and for whom: lines of hex."""
        what = self._marked(name, number, envelope)
        pairs = self._own_pairs()
        return b"".join(sorted(row for pair in pairs for row in _marks(pair, what, self._listed())))

    def knows(self, name: str, number: int, envelope: bytes, made: bytes) -> Known:
        """Tell whether this user made a session's key, and whether it is for those who are recipients now."""
        what, rows = self._marked(name, number, envelope), set(made.splitlines(keepends=True))
        is_own = is_current = False
        for pair in self._own_pairs():
            own, current = _marks(pair, what, self._listed())
            is_own = is_own or own in rows
            is_current = is_current or {own, current} <= rows
        return Known(is_own, is_current)

    def _marked(self, name: str, number: int, envelope: bytes) -> bytes:
        return f"{name} {number} ".encode() + _digest(envelope)

    def _listed(self) -> bytes:
        """Return the recipients as they are now, in one order."""
        return "\n".join(sorted({*self.own(), *map(plain_recipient, self._recipients)})).encode()

    def unwrap(self, envelope: bytes, where: str) -> bytes | None:
        """Return the secret in an envelope, or None where it is for somebody else.

        Raises:
            SealDamaged: It is no envelope as gitmem makes them; `where` says which.
            IdentityMissing: A file that the settings name cannot be used.
        """
        digest = _digest(envelope)
        if digest not in self._secrets:
            identities = [pair.identity for pair in self._own_pairs()]
            secret = unwrap(envelope, identities, where)
            if not identities:
                return None  # and an identity may yet be made
            self._secrets[digest] = secret
        return self._secrets[digest]

    def _own_pairs(self) -> tuple[Keypair, ...]:
        if self._keypairs is None:
            if not self._paths and not self.paths[0].exists():
                return ()
            self._keypairs = tuple(pair for path in self.paths for pair in read_identities(path))
        return self._keypairs


def open_ring(
    recipients: Sequence[str],
    identities: Sequence[Path],
    user_dir: Path,
    random_bytes: RandomBytes,
    tell: Callable[[Path], None] = lambda _: None,
) -> Ring:
    """Make a ring out of the settings; reads and makes nothing yet.

    Args:
        recipients: `Settings.recipients`.
        identities: `Settings.identities`.
        user_dir: The user's own folder for gitmem's data, where gitmem's own identity is made when needed.
        random_bytes: Where secrets, names and nonces come from, such as `secrets.token_bytes`.
        tell: Is told of gitmem's own identity when it has just been made.
    """
    return Ring(recipients, identities, user_dir, random_bytes, tell)


def _marks(pair: Keypair, what: bytes, recipients: bytes) -> tuple[bytes, bytes]:
    own = hmac.digest(pair.mark, b"made " + what, "sha256")
    current = hmac.digest(pair.mark, b"for " + what + recipients, "sha256")
    return own.hex().encode() + b"\n", current.hex().encode() + b"\n"


def _digest(envelope: bytes) -> bytes:
    return hashlib.sha256(envelope).digest()
