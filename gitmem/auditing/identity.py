"""Who writes: pseudonyms that only the holder of a key can tell from random numbers.

The key is the user's, in their own folder, and never published. A clone has a random number of its own. A
device's id is made of both, so two users of one clone have two chains, and whoever loses or shreds the key
begins a new chain by the next entry. Nothing published is made of a name or an address, so with the key gone
nothing leads from an entry to a person.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.model.errors.store import AuditKeyDamaged

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
PSEUDONYM_DIGITS: Final = 32

_KEY_FILE: Final = "audit-identity"
_LOCK_WAIT_S: Final = 10.0


class Identity(NamedTuple):
    """A user in a clone: the user's key, and the clone's random number."""

    key: bytes
    nonce: bytes

    @property
    def device(self) -> str:
        """The id of the chain."""
        return _pseudonym(self.key, "device", self.nonce)

    @property
    def actor(self) -> str:
        """What the user is called in the chain."""
        return actor_in(self.key, self.device)

    @property
    def seal_key(self) -> bytes:
        """What tells one's own pieces from those that somebody else put under one's id."""
        return hmac.digest(self.key, b"gitmem audit seal\0" + self.nonce, "sha256")

    def subject(self, kind: str, what: str) -> str:
        """Return what the chain calls something whose name is nobody else's business."""
        return f"{kind}:{_pseudonym(self.key, kind, self.nonce, what.encode('utf-8', 'surrogatepass'))}"


def load(user_dir: Path, audit_dir: Path, random_bytes: Callable[[int], bytes]) -> Identity:
    """Return who writes here, making key and number where missing.

    Raises:
        AuditKeyDamaged: A file is there and is not what gitmem wrote.
        DiskRefused: One cannot be read or written.
    """
    return Identity(
        _kept(user_dir / _KEY_FILE, KEY_BYTES, random_bytes),
        _kept(audit_dir / "clone", NONCE_BYTES, random_bytes),
    )


def peek(user_dir: Path, audit_dir: Path) -> Identity | None:
    """Return who writes here, or None where nobody has; makes nothing.

    Raises:
        AuditKeyDamaged, DiskRefused: As `load` does.
    """
    key, path = key_of(user_dir), audit_dir / "clone"
    return Identity(key, _read(path, NONCE_BYTES)) if key is not None and path.exists() else None


def key_of(user_dir: Path) -> bytes | None:
    """Return the user's key, or None where there is none (any more).

    Raises:
        AuditKeyDamaged, DiskRefused: As `load` does.
    """
    path = user_dir / _KEY_FILE
    return _read(path, KEY_BYTES) if path.exists() else None


def shred(user_dir: Path) -> None:
    """Destroy the user's key: from now on nobody can tell which entries are theirs.

    Raises:
        DiskRefused: The disk does not let it.
    """
    path = user_dir / _KEY_FILE
    with disk.locked(_lock_of(path), _LOCK_WAIT_S):
        disk.shred_file(path)


def adopt(audit_dir: Path, nonce: bytes) -> None:
    """Give the clone another number, and so a new chain to whoever writes next.

    Raises:
        DiskRefused: The disk does not let it.
    """
    disk.replace_file(audit_dir / "clone", nonce.hex().encode() + b"\n", mode=0o600)


def actor_in(key: bytes, device: str) -> str:
    """Return what a user is called in the chain of a device."""
    return _pseudonym(key, "actor", device.encode())


def _pseudonym(key: bytes, kind: str, *parts: bytes) -> str:
    text = b"\0".join([b"gitmem audit", kind.encode(), *parts])
    return hmac.digest(key, text, "sha256").hex()[:PSEUDONYM_DIGITS]


def _kept(path: Path, size: int, random_bytes: Callable[[int], bytes]) -> bytes:
    """Read a file of random bytes, in hex; make it under a lock, so that two processes agree on one."""
    if not path.exists():
        with disk.locked(_lock_of(path), _LOCK_WAIT_S):
            if not path.exists():
                disk.replace_file(path, random_bytes(size).hex().encode() + b"\n", mode=0o600)
    return _read(path, size)


def _read(path: Path, size: int) -> bytes:
    with disk.refusing("read", path):
        text = path.read_bytes().strip()
    try:
        value = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise AuditKeyDamaged(str(path), size)
    return value


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
