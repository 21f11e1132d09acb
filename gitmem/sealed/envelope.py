"""Envelopes: a session's secret, wrapped for every recipient as an age file.

Format: https://age-encryption.org/v1. What comes in is looked at line by line before the library gets it: a
stanza with a passphrase can ask for minutes of work, a plugin's would start a program, and the library's time
grows with the square of the stanzas (7 ms for 30, 70 for 100, 7 s for 1,000).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from gitmem.model.errors import RecipientRefused, SealDamaged
from gitmem.sealed.box import SECRET_BYTES

if TYPE_CHECKING:
    from pyrage import ssh, x25519

    Identity: TypeAlias = x25519.Identity | ssh.Identity
    Recipient: TypeAlias = x25519.Recipient | ssh.Recipient

MAX_RECIPIENTS = 100
MAX_ENVELOPE_BYTES = 128 << 10

_VERSION_LINE = b"age-encryption.org/v1"
_ARGUMENTS = {b"X25519": 1, b"ssh-ed25519": 2, b"ssh-rsa": 1}
_GREASE = re.compile(rb"[!-~]{1,20}-grease\Z")
"""A stanza that says nothing, which age's writers put in so that readers learn to pass over some."""
_MAX_GREASE = 4
_BODY_LINE = re.compile(rb"[A-Za-z0-9+/]{0,64}\Z")
_MAX_BODY_LINES = 24
"""A key of 8,192 bits is wrapped in 22."""


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
    version, *lines = envelope.split(b"\n")
    if version != _VERSION_LINE:
        raise SealDamaged(where, "it is no age file of version 1")
    recipients = grease = body = 0
    for line in lines:
        if line.startswith(b"-> "):
            kind, *arguments = line[3:].split(b" ")
            body = 0
            if _GREASE.match(kind):
                grease += 1
            elif _ARGUMENTS.get(kind) == len(arguments):
                recipients += 1
            else:
                raise SealDamaged(where, f"it has a stanza of kind {kind[:20]!r}, which gitmem never writes")
        elif line.startswith(b"---"):
            break
        else:
            body += 1
            if not (recipients or grease) or body > _MAX_BODY_LINES or not _BODY_LINE.match(line):
                raise SealDamaged(where, "its head is not as age writes it")
    else:
        raise SealDamaged(where, "its head does not end")
    if not 1 <= recipients <= MAX_RECIPIENTS or grease > _MAX_GREASE:
        raise SealDamaged(where, f"it is for {recipients} recipients, where 1 to {MAX_RECIPIENTS} are taken")
    return recipients
