"""Whether a value was drawn at random, as secrets are, or is a word, a name or a placeholder; and checksums.

A checksum decides only where the shape alone says little: a token whose prefix is unmistakable goes even if
its checksum is wrong, since it may have been mistyped in one place and be alive in another.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from hashlib import sha256
from itertools import pairwise

_PLACEHOLDER = re.compile(
    rb"(?i)example|sample|dummy|placeholder|changeme|change[-_]me|change[-_]this|replace|redacted|your[-_ ]|"
    rb"insert|xxxx|\*{3}|\.{3}|00000|11111|12345678|abcdef(?!\d{2}[a-z])|qwerty"
)
"""What documentation and tests write where a secret would stand."""

_VOCABULARY = re.compile(
    rb"(?i)(?:access|account|admin|allow|app|array|async|auth|base|bearer|bool|bucket|bytes|call|char|class|client|"
    rb"code|config|const|content|context|cookie|count|create|current|custom|data|date|default|delete|disabled|"
    rb"enabled|encode|engine|entry|env|error|event|field|file|filter|first|flag|form|function|get|grant|group|"
    rb"handler|hash|header|http|index|info|init|input|integer|invalid|item|json|key|last|length|level|line|list|"
    rb"local|lock|login|manager|map|message|method|model|module|name|node|none|null|number|object|option|output|"
    rb"page|param|parse|pass|passwd|password|path|pattern|policy|print|private|process|prompt|provider|public|"
    rb"query|read|record|refresh|regex|request|required|reset|response|result|return|role|root|rule|schema|scope|"
    rb"secret|section|select|self|server|service|session|set|setting|sign|size|sources?|start|state|status|store|"
    rb"str|stream|string|system|table|tag|task|team|test|text|thread|time|title|token|tokens|tools?|type|undefined|"
    rb"update|upload|url|user|utils?|valid|value|var|variable|version|view|void|window|with|word|worker|write)"
)
"""Words that names in code are made of; a value that is mostly these is a name."""

_PIECE = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+")
_JOINT = re.compile(rb"[_.:/\\-]")
_PIECE_OF_NAME = 3.0
"""Characters: pieces of names are longer than this on average, those of what was drawn are shorter."""

_CODE = re.compile(rb"[a-z]\.[a-z]|::|->|\(\)|\[|^[./~]|^https?:|^\d+(?:\.\d+)+|^[A-Z][A-Z0-9_]*$|^arn:")
"""An attribute, a path, a version, a constant."""

_IDENTIFIER = re.compile(rb"[A-Za-z_]++\d{0,3}+(?:[_.-][A-Za-z]++\d{0,3}+)*+")

_BASE58 = {
    character: n for n, character in enumerate(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}
_BECH32 = {character: n for n, character in enumerate(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l")}


def entropy(value: bytes) -> float:
    """Return Shannon's entropy of the value's own characters, in bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts) if value else 0.0


def is_random(value: bytes) -> bool:
    """Tell whether the characters look drawn: many different ones, no run, no placeholder."""
    if len(value) < 8 or _PLACEHOLDER.search(value) or _is_run(value):
        return False
    # Sixteen different digits have four bits; so few characters never show all that they were drawn from.
    return entropy(value) >= 0.6 * min(math.log2(len(value)), 3.9)


def is_random_with_digit(value: bytes) -> bool:
    """Tell whether the value looks drawn and is no word: it has digits, or changes case all the time."""
    has_digit = any(48 <= byte <= 57 for byte in value)
    has_letter = any(byte > 64 for byte in value)
    return has_letter and (has_digit or _changes(value) >= 0.3) and is_random(value)


def is_password(value: bytes) -> bool:
    """Tell whether the value of a name such as `password` may be one, and no code that says where it is."""
    if not 6 <= len(value) <= 200 or _PLACEHOLDER.search(value) or _is_run(value) or len(set(value)) < 5:
        return False
    rest = _VOCABULARY.sub(b"", value)
    if len(rest) < 5 or _is_name(value):
        return False
    digits = sum(48 <= byte <= 57 for byte in rest)
    letters = sum(65 <= byte <= 90 or 97 <= byte <= 122 for byte in rest)
    marks = sum(byte in b"!@#$%^&*+=~?" for byte in rest)
    return letters > 0 and (digits > 0 or marks > 0 or _changes(value) >= 0.35)


def is_value(value: bytes) -> bool:
    """Tell whether the value of a name such as `token` was drawn: letters and digits, no words, no name."""
    return (
        is_password(value)
        and not _CODE.search(value)
        and sum(48 <= byte <= 57 for byte in value) >= 2
        and is_random_with_digit(value)
        and entropy(value) >= 3.0
        and len(_VOCABULARY.sub(b"", value)) * 3 >= len(value) * 2
    )


def is_bare_value(value: bytes) -> bool:
    """Tell as `is_value` does, of a value without quotes, which may as well be an expression."""
    return is_value(value) and not _IDENTIFIER.fullmatch(value)


def base58check(value: bytes) -> bool:
    """Tell whether the last four bytes are the double SHA-256 of the others, as BIP-32 and WIF say."""
    number = 0
    for character in value:
        if character not in _BASE58:
            return False
        number = number * 58 + _BASE58[character]
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return len(data) > 4 and sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def base32_crc16(value: bytes) -> bool:
    """Tell whether the last two bytes are the CRC-16/XMODEM of the others, as SEP-23 and NATS nkeys say."""
    try:
        data = base64.b32decode(value + b"=" * (-len(value) % 8))
    except binascii.Error:
        return False
    return len(data) > 2 and binascii.crc_hqx(data[:-2], 0) == int.from_bytes(data[-2:], "little")


def bech32(value: bytes) -> bool:
    """Tell whether the polynomial of BIP-173 agrees; age and Nostr write secret keys so, in either case."""
    prefix, _, data = value.lower().rpartition(b"1")
    if not prefix or any(character not in _BECH32 for character in data):
        return False
    checksum = 1
    words = [*(c >> 5 for c in prefix), 0, *(c & 31 for c in prefix), *(_BECH32[c] for c in data)]
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum == 1


def discord(value: bytes) -> bool:
    """Tell whether the first part is the base64 of a number: the id that a bot's token begins with."""
    head = value.partition(b".")[0]
    try:
        return base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)).isdigit()
    except binascii.Error:
        return False


def _is_name(value: bytes) -> bool:
    """Tell whether it is made of words and numbers, joined by what joins them in names and paths."""
    bare = _JOINT.sub(b"", value)
    pieces = _PIECE.findall(bare)
    return sum(map(len, pieces)) == len(bare) and len(bare) >= _PIECE_OF_NAME * len(pieces)


def _changes(value: bytes) -> float:
    """Return how often neighbours are of different classes or far apart, from 0 to 1: words change seldom."""
    classes = [
        0 if 48 <= byte <= 57 else 1 if 97 <= byte <= 122 else 2 if 65 <= byte <= 90 else 3 for byte in value
    ]
    return sum(a != b for a, b in pairwise(classes)) / max(1, len(value) - 1)


def _is_run(value: bytes) -> bool:
    """Tell whether it repeats itself, or counts up or down, as what is typed instead of a secret does."""
    steps = Counter(b - a for a, b in pairwise(value))
    if any(steps[step] * 2 > len(value) for step in (-1, 0, 1)):
        return True
    return len(value) >= 8 and value in (value + value)[1:-1]
