"""Tokens of the web's own standards."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    URLSAFE,
    one,
    spell,
)

SHAPES = [
    # PASETO
    one("paseto", "paseto", spell("v", ["1", "2", "3", "4"], ".", ["local", "public"], ".", (URLSAFE, 40))),
    one(
        "paserk-secret",
        "paseto-key",
        spell("k", ["1", "2", "3", "4"], ".", ["secret", "local", "seal"], ".", (URLSAFE, 40)),
    ),
    # Address that is a secret
    one("secret-token-address", "secret-token", spell("secret-token:", (ALNUM + "%-._~", 16))),
]
