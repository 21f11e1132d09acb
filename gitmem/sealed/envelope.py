"""Envelopes: a session's secret, wrapped for every recipient as an age file.

Format: https://age-encryption.org/v1. What comes in is looked at line by line before the library gets it: a
stanza with a passphrase can ask for minutes of work, a plugin's would start a program, and the library's time
grows with the square of the head (70 ms for 10 KB, 7 s for 100).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from gitmem.model.errors.store import RecipientRefused, SealDamaged
from gitmem.sealed.box import SECRET_BYTES

if TYPE_CHECKING:
    from pyrage import ssh, x25519

    Identity: TypeAlias = x25519.Identity | ssh.Identity
    Recipient: TypeAlias = x25519.Recipient | ssh.Recipient

MAX_RECIPIENTS = 100
MAX_ENVELOPE_BYTES = 16 << 10
"""A hundred age keys, or twenty large ones of RSA."""

_VERSION_LINE = b"age-encryption.org/v1"
_STANZA = re.compile(
    rb"""
    -> \ (?: X25519 \ [A-Za-z0-9+/]{43} \n [A-Za-z0-9+/]{43} \n
        | ssh-ed25519 \ [A-Za-z0-9+/]{6} \ [A-Za-z0-9+/]{43} \n [A-Za-z0-9+/]{43} \n
        | ssh-rsa \ [A-Za-z0-9+/]{6} \n (?: [A-Za-z0-9+/]{64} \n ){2,21} [A-Za-z0-9+/]{0,63} \n
        | (?P<grease> [!-~]{1,20}-grease (?: \ [!-~]{1,20} ){0,9} \n
            (?: [A-Za-z0-9+/]{64} \n ){0,4} [A-Za-z0-9+/]{0,63} \n )
    )""",
    re.VERBOSE,
)
"""One recipient's, or one that says nothing: age's writers put such in so that readers pass over some."""
_END = re.compile(rb"--- [A-Za-z0-9+/]{43}\n")
_MAX_GREASE = 4


def wrap(secret: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return an envelope that any of the recipients can open.

    Raises:
        RecipientRefused: There are too many.
    """
    import pyrage

    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise RecipientRefused(f"{len(recipients)} keys", f"a session takes from 1 to {MAX_RECIPIENTS}")
    envelope = bytes(pyrage.encrypt(secret, list(recipients)))
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise RecipientRefused(
            f"{len(recipients)} keys", f"their envelope has over {MAX_ENVELOPE_BYTES} bytes"
        )
    return envelope


def unwrap(envelope: bytes, identities: Sequence[Identity], where: str) -> bytes | None:
    """Return the secret in an envelope, or None where it is for none of the identities.

    `where` says which envelope in an error.

    Raises:
        SealDamaged: It is no envelope as gitmem makes them, or was changed.
    """
    import pyrage

    check_stanzas(envelope, where)
    if not identities:
        return None
    try:
        secret = bytes(pyrage.decrypt(envelope, list(identities)))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            return None
        raise SealDamaged(where, f"the envelope does not open: {str(error).partition(chr(10))[0]}") from None
    if len(secret) != SECRET_BYTES:
        raise SealDamaged(where, f"the envelope holds {len(secret)} bytes, not {SECRET_BYTES}")
    return secret


def check_stanzas(envelope: bytes, where: str) -> int:
    """Read the head of an envelope, and return how many recipients it is for; nothing is decrypted.

    Raises:
        SealDamaged: It is larger, of another version, for more recipients or for other kinds of them than
            gitmem writes.
    """
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise SealDamaged(where, f"an envelope of {len(envelope)} bytes is none of gitmem's")
    start = len(_VERSION_LINE) + 1
    if envelope[:start] != _VERSION_LINE + b"\n":
        raise SealDamaged(where, "it is no age file of version 1")
    recipients = grease = 0
    while stanza := _STANZA.match(envelope, start):
        start = stanza.end()
        if stanza["grease"]:
            grease += 1
        else:
            recipients += 1
    if not _END.match(envelope, start):
        kind = envelope[start : start + 40].partition(b"\n")[0]
        raise SealDamaged(where, f"its head goes on with {kind!r}, which gitmem never writes")
    if not 1 <= recipients <= MAX_RECIPIENTS or grease > _MAX_GREASE:
        raise SealDamaged(where, f"it is for {recipients} recipients, where 1 to {MAX_RECIPIENTS} are taken")
    return recipients
