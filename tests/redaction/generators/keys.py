"""Keys of standards, and the hashes of passwords."""

from __future__ import annotations

from tests.redaction.generators.making import ALNUM, ANYHEX, BASE64, DIGITS, HEX, one, spell

SHAPES = [
    # Private key
    # JSON web key
    # PuTTY private key file
    # age
    one(
        "age-secret-key",
        "age-secret-key",
        spell("AGE-SECRET-KEY-1", ("023456789ACDEFGHJKLMNPQRSTUVWXYZ", 58)),
    ),
    one(
        "age-secret-key-hybrid",
        "age-secret-key",
        spell("AGE-SECRET-KEY-PQ-1", ("023456789ACDEFGHJKLMNPQRSTUVWXYZ", 58)),
    ),
    # WireGuard
    one(
        "wireguard-private-key",
        "wireguard-key",
        spell((BASE64, 42), ("048AEIMQUYcgkosw", 1), "="),
        "WIREGUARD_PRIVATE_KEY=",
    ),
    # minisign and signify
    one("minisign-secret-key", "minisign-key", spell("RWRTY0Iy", (BASE64, 200))),
    one("signify-secret-key", "minisign-key", spell("RWRCSwAA", (BASE64, 100))),
    # Tink, Google's keysets
    # PGP, symmetric
    # SSH host or user key of dropbear and XML
    # Bitcoin and what descends from it
    # Ethereum
    one("ethereum-private-key", "ethereum-key", spell("0x", (ANYHEX, 64)), "PRIVATE_KEY="),
    # Stellar
    # NATS
    # Nostr
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
    # Ansible
]
