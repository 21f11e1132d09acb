"""Keys of standards, and the hashes of passwords."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    DIGITS,
    HEX,
    bech32,
    one,
    spell,
)

SHAPES = [
    # age
    one("age-secret-key", "age-secret-key", bech32(["AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-"], 52)),
    # minisign and signify
    one("minisign-secret-key", "minisign-key", spell(["RWRTY0Iy", "RWRCSwAA"], (BASE64, 136))),
    # Ethereum
    one("ethereum-private-key", "ethereum-key", spell("0x", (HEX, 64)), "new ethers.Wallet('", "')"),
    # Password hashes of crypt(3)
    one(
        "crypt-bcrypt",
        "password-hash",
        spell("$2", ["a", "b", "x", "y"], "$", (DIGITS, 2), "$", (ALNUM + "./", 53)),
    ),
    one(
        "crypt-yescrypt",
        "password-hash",
        spell("$y$j9T$", (ALNUM + "./", 22), "$", (ALNUM + "./", 43)),
    ),
    one(
        "argon2",
        "password-hash",
        spell(
            "$argon2",
            ["id", "i", "d"],
            "$v=",
            (DIGITS, 2),
            "$m=",
            (DIGITS, 2),
            ",t=",
            (DIGITS, 1),
            ",p=",
            (DIGITS, 1),
            "$",
            (BASE64, 11),
            "$",
            (BASE64, 16),
        ),
    ),
    one(
        "django-pbkdf2",
        "password-hash",
        spell("pbkdf2_sha", ["256", "1"], "$", (DIGITS, 4), "$", (ALNUM, 8), "$", (BASE64, 27), "="),
    ),
    one(
        "werkzeug-scrypt",
        "password-hash",
        spell("scrypt:", (DIGITS, 4), ":8:1$", (ALNUM, 8), "$", (HEX, 128)),
    ),
]
