"""Sealing bytes with a session's secret: padded, encrypted, and bound to where they stand.

AES-256-GCM under keys that HKDF-SHA-256 derives from the secret and the session's name, so that a key that
was put with another session opens nothing. Format: docs/formats/store.md, "Sealed blobs".
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from gitmem.model.errors.store import SealDamaged

SECRET_BYTES = 32
MAX_SEALED_BYTES = 32 << 20
"""A record has at most 16 MiB, a segment's blob far less: what is larger was not sealed by gitmem."""

_VERSION = b"\1"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LENGTH_BYTES = 4
_NAME_BYTES = 16
"""Of a keyed digest half is enough, and makes an append to a session of 20,000 segments 8 KB smaller."""
_LEAST_BYTES = len(_VERSION) + _NONCE_BYTES + _LENGTH_BYTES + _TAG_BYTES

RandomBytes = Callable[[int], bytes]


class Box:
    """The keys of one sealed session, made from its secret."""

    def __init__(self, secret: bytes, name: str, random_bytes: RandomBytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._name = bytes.fromhex(name)
        self._random_bytes = random_bytes
        self._naming = _derive(secret, b"names", self._name)
        self._cipher = AESGCM(_derive(secret, b"content", self._name))

    def name_of(self, path: str) -> str:
        """Return what a path is called in the sealed tree: 32 hex digits that say nothing of it."""
        return hmac.digest(self._naming, path.encode(), "sha256")[:_NAME_BYTES].hex()

    def seal(self, plain: bytes, keyed_name: str) -> bytes:
        """Seal bytes for the place of that name; never twice the same."""
        nonce = self._random_bytes(_NONCE_BYTES)
        body = len(plain).to_bytes(_LENGTH_BYTES, "big") + plain
        body += bytes(padded(len(body)) - len(body))
        return _VERSION + nonce + self._cipher.encrypt(nonce, body, self._bound_to(keyed_name))

    def open(self, sealed: bytes, keyed_name: str, where: str) -> bytes:
        """Return what was sealed for the place of that name; `where` says which in an error.

        Raises:
            SealDamaged: It was not sealed with this secret, for this session and this place, or was changed.
        """
        from cryptography.exceptions import InvalidTag

        if not _LEAST_BYTES <= len(sealed) <= MAX_SEALED_BYTES:
            raise SealDamaged(where, f"a sealed blob of {len(sealed)} bytes is none of gitmem's")
        if sealed[:1] != _VERSION:
            raise SealDamaged(
                where, f"it is sealed in version {sealed[0]}, and this gitmem reads {_VERSION[0]}"
            )
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        try:
            body = self._cipher.decrypt(nonce, sealed[1 + _NONCE_BYTES :], self._bound_to(keyed_name))
        except InvalidTag:
            raise SealDamaged(where, "it was changed, or sealed for another place") from None
        size = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "big")
        if size > len(body) or padded(size) != len(body) or any(body[size:]):
            raise SealDamaged(where, "it is not padded as gitmem does")
        return body[_LENGTH_BYTES:size]

    def _bound_to(self, keyed_name: str) -> bytes:
        return _VERSION + self._name + bytes.fromhex(keyed_name)


def padded(size: int) -> int:
    """Return the size that bytes are padded to, which tells only about log log of it.

    Padmé, at most 12 % more: Nikitin and others, Reducing Metadata Leakage from Encrypted Files and
    Communication with PURBs (2019), algorithm 1.
    """
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (size + mask) & ~mask


def _derive(secret: bytes, purpose: bytes, name: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=None, info=b"gitmem sealed 1 " + purpose + b"\0" + name).derive(secret)
