"""Public and secret keys as people have them: lines of age or ssh, files of identities, and gitmem's own."""

from __future__ import annotations

import hmac
import os
import re
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem import disk
from gitmem.model.errors.store import IdentityMissing, RecipientRefused

if TYPE_CHECKING:
    from gitmem.sealed.envelope import Identity, Recipient

_LOCK_WAIT_S = 10.0
_MAX_FILE_BYTES = 65536
_AGE_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}\Z")
_AGE_SECRET = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{58}\Z")
_SSH_KINDS = ("ssh-ed25519", "ssh-rsa")


class Keypair(NamedTuple):
    """A secret key, ready for use; its public key as people write it; what its owner marks keys with."""

    identity: Identity
    public: str
    mark: bytes

    def __repr__(self) -> str:
        """Leave out what is secret, wherever this may be printed."""
        return f"Keypair({self.public!r})"


def plain_recipient(text: str) -> str:
    """Return a public key as it is compared: of an ssh key, its comment and options' spaces are left out.

    Raises:
        RecipientRefused: It is none that private sessions can be sealed to.
    """
    words = text.split()
    if len(words) == 1 and _AGE_KEY.match(words[0]):
        return words[0]
    if len(words) >= 2 and words[0] in _SSH_KINDS:
        return f"{words[0]} {words[1]}"
    if text.strip().startswith(("AGE-SECRET-KEY-", "AGE-PLUGIN-", "-----BEGIN")):
        raise RecipientRefused("a secret key", "that is what opens; its public key is wanted here")
    raise RecipientRefused(text.strip(), "it is no age1…, ssh-ed25519 or ssh-rsa public key")


def as_recipient(text: str) -> Recipient:
    """Read a public key.

    Raises:
        RecipientRefused: It is none that private sessions can be sealed to.
    """
    import pyrage
    from pyrage import ssh, x25519

    plain = plain_recipient(text)
    kind = ssh.Recipient if plain.startswith("ssh-") else x25519.Recipient
    try:
        return kind.from_str(plain)
    except pyrage.RecipientError as error:
        raise RecipientRefused(plain, str(error)) from None


def read_identities(path: Path) -> list[Keypair]:
    """Read a file of age identities, or one ssh secret key without passphrase.

    Raises:
        IdentityMissing: There is no such file, or nothing in it can be used.
    """
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode) or status.st_size > _MAX_FILE_BYTES:
            raise IdentityMissing(str(path), f"it is no ordinary file of at most {_MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise IdentityMissing(str(path), error.strerror or str(error)) from None
    if content.lstrip().startswith(b"-----BEGIN"):
        return [_ssh_keypair(content, path)]
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    found = [_age_keypair(line, path) for line in lines if line and not line.startswith("#")]
    if not found:
        raise IdentityMissing(str(path), "no AGE-SECRET-KEY-1… stands in it")
    return found


def own_identity_path(user_dir: Path) -> Path:
    """Return where gitmem's own age identity is, for those who name none."""
    return user_dir / "identity"


def make_own_identity(user_dir: Path) -> bool:
    """Make gitmem's own age identity, once, whoever asks first; only its user may read it.

    Returns:
        Whether it was made now.

    Raises:
        DiskRefused: It cannot be written.
    """
    from pyrage import x25519

    path = own_identity_path(user_dir)
    if path.exists():
        return False
    disk.make_private_folder(user_dir)
    with disk.locked(path.with_name(path.name + ".lock"), _LOCK_WAIT_S):
        if path.exists():
            return False
        identity = x25519.Identity.generate()
        lines = ("# opens private sessions", f"# public key: {identity.to_public()}", str(identity))
        content = "\n".join(lines) + "\n"
        disk.replace_file(path, content.encode(), mode=0o600)
    return True


def _age_keypair(line: str, path: Path) -> Keypair:
    import pyrage
    from pyrage import x25519

    if line.startswith("AGE-PLUGIN-"):
        raise IdentityMissing(str(path), "it is a plugin's, and gitmem starts no programs for keys")
    if not _AGE_SECRET.match(line):
        raise IdentityMissing(str(path), "a line of it is no AGE-SECRET-KEY-1…")
    try:
        identity = x25519.Identity.from_str(line)
    except pyrage.IdentityError as error:
        raise IdentityMissing(str(path), str(error)) from None
    return Keypair(identity, str(identity.to_public()), _mark(line.encode()))


def _ssh_keypair(content: bytes, path: Path) -> Keypair:
    import pyrage
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from pyrage import ssh

    read = (
        serialization.load_ssh_private_key
        if b"BEGIN OPENSSH" in content
        else serialization.load_pem_private_key
    )
    try:
        private = read(content, None)
        public, secret = private.public_key(), _secret_of(private)
        text = public.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        ).decode()
        identity = ssh.Identity.from_buffer(content)
    except TypeError:
        raise IdentityMissing(str(path), "it has a passphrase, and nobody may be asked for it") from None
    except (ValueError, AttributeError, UnsupportedAlgorithm, pyrage.IdentityError) as error:
        raise IdentityMissing(str(path), os.fsencode(str(error)).decode("ascii", "replace")) from None
    if not text.startswith(_SSH_KINDS):
        raise IdentityMissing(
            str(path), f"it is of kind {text.split()[0]}, and ssh-ed25519 and ssh-rsa are taken"
        )
    return Keypair(identity, text, _mark(secret))


def _secret_of(private: Any) -> bytes:
    """Return an ssh secret key in one form, however its file has it."""
    from cryptography.hazmat.primitives import serialization

    form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return bytes(private.private_bytes(*form))


def _mark(secret: bytes) -> bytes:
    return hmac.digest(secret, b"gitmem sealed 1 mark", "sha256")
