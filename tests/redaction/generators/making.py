"""What secrets are made of: alphabets, checksums, and the shape that says where one stands."""

from __future__ import annotations

import base64
import binascii
import hashlib
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

LETTERS = string.ascii_letters
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE32 = string.ascii_uppercase + "234567"
DIGITS = string.digits
HEX = "0123456789abcdef"
UPPERHEX = HEX.upper()
ANYHEX = "0123456789abcdefABCDEF"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

UUID = ((HEX, 8), "-", (HEX, 4), "-4", (HEX, 3), "-", ["8", "9", "a", "b"], (HEX, 3), "-", (HEX, 12))
"""Version 4, as RFC 9562 draws it: parts for `spell`."""

Maker = Callable[[Random], str]


@dataclass(frozen=True)
class Shape:
    """One form of secret: text before it, the secret, text behind it; only the secret may go.

    `name` is that of the rule that is to find it; empty where several may.
    """

    kind: str
    secret: Maker
    before: str = ""
    behind: str = ""
    name: str = ""


def one(name: str, kind: str, secret: Maker, before: str = "", behind: str = "") -> Shape:
    """Return the shape that the rule of that name is to find."""
    return Shape(kind, secret, before, behind, name)


def pick(rng: Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def token(prefix: str, alphabet: str, count: int) -> Maker:
    return lambda rng: prefix + pick(rng, alphabet, count)


def spell(*parts: str | tuple[str, int] | list[str]) -> Maker:
    """Make text as it stands, characters of an alphabet, or one word of a list, one after the other."""

    def make(rng: Random) -> str:
        return "".join(
            part
            if isinstance(part, str)
            else rng.choice(part)
            if isinstance(part, list)
            else pick(rng, *part)
            for part in parts
        )

    return make


def base64_of(*parts: str | tuple[str, int] | list[str]) -> Maker:
    """Make the base64 of text, without padding, as tokens that are JSON underneath come."""
    text = spell(*parts)
    return lambda rng: base64.b64encode(text(rng).encode()).decode().rstrip("=")


def crc_base62(prefixes: list[str], count: int) -> Maker:
    """Make what GitHub and npm say of theirs: characters, and their CRC-32 in six digits of base 62."""

    def make(rng: Random) -> str:
        body = pick(rng, BASE62, count)
        number, digits = binascii.crc32(body.encode()), ""
        for _ in range(6):
            number, digit = divmod(number, 62)
            digits = BASE62[digit] + digits
        return rng.choice(prefixes) + body + digits

    return make


def base58check(version: bytes, count: int, end: bytes = b"") -> Maker:
    """Make what Bitcoin writes: version, payload, and four bytes of a double SHA-256, in base 58."""

    def make(rng: Random) -> str:
        data = version + rng.randbytes(count) + end
        data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
        number, text = int.from_bytes(data, "big"), ""
        while number:
            number, digit = divmod(number, 58)
            text = BASE58[digit] + text
        return text

    return make


def base32_crc16(version: bytes, count: int) -> Maker:
    """Make what Stellar and NATS write: version, payload, and CRC-16, in base 32 without padding."""

    def make(rng: Random) -> str:
        data = version + rng.randbytes(count)
        data += binascii.crc_hqx(data, 0).to_bytes(2, "little")
        return base64.b32encode(data).decode().rstrip("=")

    return make


def bech32(prefixes: str | list[str], words: int) -> Maker:
    """Make what BIP-173 says: prefix, words of five bits, and six words of checksum, in the prefix's case."""

    def polymod(values: list[int]) -> int:
        checksum = 1
        for value in values:
            top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ value
            for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                checksum ^= generator * (top >> bit & 1)
        return checksum

    def make(rng: Random) -> str:
        written = prefixes if isinstance(prefixes, str) else rng.choice(prefixes)
        prefix = written.lower()
        data = [rng.randrange(32) for _ in range(words)]
        expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
        checksum = polymod([*expanded, *data, 0, 0, 0, 0, 0, 0]) ^ 1
        data += [checksum >> 5 * (5 - n) & 31 for n in range(6)]
        text = "1" + "".join(BECH32[word] for word in data)
        return written + (text.upper() if written.isupper() else text)

    return make


def jwt(rng: Random) -> str:
    parts = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{pick(rng, ALNUM, 12)}","admin":true}}')
    head, body = (base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.{pick(rng, URLSAFE, 43)}"


def pem(label: str, *, lines: int = 6, width: int = 64) -> Maker:
    def make(rng: Random) -> str:
        body = [pick(rng, BASE64, width) for _ in range(lines)]
        body.append(pick(rng, BASE64, 10) + "==")
        return "\n".join(["-----" + f"BEGIN {label}-----", *body, f"-----END {label}-----"])

    return make


def naked_key(rng: Random) -> str:
    """Return the base64 of PKCS#1's DER, as a variable holds it: a sequence, version 0, a 256-byte modulus."""
    der = bytes.fromhex("308204a40201000282010100") + rng.randbytes(300)
    return base64.b64encode(der).decode()


def wrapped_key(rng: Random) -> str:
    return base64.b64encode(pem("PRIVATE KEY")(rng).encode()).decode()


def basic(rng: Random) -> str:
    return base64.b64encode(f"{pick(rng, ALNUM, 9)}:{pick(rng, ALNUM, 15)}".encode()).decode()


def slack(letter: str) -> Maker:
    return lambda rng: f"xox{letter}" + f"-{pick(rng, '123456789', 12)}-{pick(rng, ALNUM, 24)}"


def discord(rng: Random) -> str:
    """Return a bot's token: its numeric id in base64, a time stamp, and a signature."""
    head = base64.b64encode(str(rng.randrange(10**17, 10**18)).encode()).decode()
    return f"{head}.{pick(rng, URLSAFE, 6)}.{pick(rng, URLSAFE, 38)}"
