"""Whether a value was drawn, and the checksums: what is told apart, against the standards' own examples."""

from __future__ import annotations

import base64
import hashlib
from random import Random

import pytest

from gitmem.redaction import drawn
from gitmem.redaction.checks import CHECKS
from gitmem.redaction.rules import BUILT_IN
from tests.redaction.generators import making
from tests.redaction.generators.making import ALNUM, HEX, LOWER, UPPER, pick

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def test_entropy_is_that_of_the_characters_themselves() -> None:
    assert drawn.entropy(b"") == 0
    assert drawn.entropy(b"aaaa") == 0
    assert drawn.entropy(b"abab") == 1
    assert drawn.entropy(bytes(range(256))) == 8


def test_what_is_drawn_looks_drawn(seed: int) -> None:
    rng = Random(seed)
    values = [
        pick(rng, alphabet, length).encode()
        for alphabet in (ALNUM, HEX, LOWER, UPPER)
        for length in (24, 32, 40, 64)
    ] * 20
    for check in (drawn.is_random, drawn.is_random_with_digit):
        assert sum(map(check, values)) >= 0.97 * len(values), check
    assert sum(map(drawn.is_value, values)) >= 0.97 * len(values)


@pytest.mark.parametrize(
    "value",
    [
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        b"0123456789abcdef0123456789abcdef",
        b"abcdefghijklmnopqrstuvwxyz123456",
        b"your-api-key-goes-here-2024",
        b"EXAMPLEKEY1234567890EXAMPLE",
        b"changeme-changeme-changeme",
        b"abc123abc123abc123abc123",
        b"00000000000000000000000000000001",
        b"",
    ],
)
def test_what_is_typed_instead_of_a_secret_is_not_drawn(value: bytes) -> None:
    assert not drawn.is_random(value)
    assert not drawn.is_value(value)


@pytest.mark.parametrize(
    "value",
    [
        b"process.env.API_TOKEN_2",
        b"settings.SECRET_KEY_FALLBACKS",
        b"arn:aws:kms:us-east-1:123456789012:key/1",
        b"accessTokenExpiresIn3600Seconds",
        b"user_reset_password_token_v2",
        b"TOKEN_ENDPOINT_AUTH_METHOD_2",
        b"com.example.auth.TokenFilter2",
        b"/etc/ssl/private/key1.pem",
    ],
)
def test_names_and_places_are_no_values(value: bytes) -> None:
    assert not drawn.is_value(value)
    assert not drawn.is_bare_value(value)


def test_base58check_holds_for_the_standards_own_keys_and_for_no_other() -> None:
    payload = b"\x80" + bytes(range(1, 33))
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    assert drawn.base58check(text.encode())
    assert not drawn.base58check(text[:-1].encode() + (b"2" if text[-1] != "2" else b"3"))
    assert not drawn.base58check(b"0OIl")
    assert not drawn.base58check(b"")


def test_crc16_holds_in_base32_for_what_was_made_so_and_for_no_other(seed: int) -> None:
    for _ in range(50):
        text = making.base32_crc16(b"\x90", 32)(Random(seed))
        assert drawn.base32_crc16(text.encode())
        assert not drawn.base32_crc16(
            text[:20].encode() + (b"A" if text[20] != "A" else b"B") + text[21:].encode()
        )
    assert not drawn.base32_crc16(b"S1")


def test_bech32_holds_for_bip_173_s_own_vectors_and_for_no_other() -> None:
    for good in (b"A12UEL5L", b"a12uel5l", b"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"):
        assert drawn.bech32(good)
    for wrong in (
        b"a12uel5m",
        b"1nwldj5",
        b"x1b4n0q5v",
        b"",
        b"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxv",
    ):
        assert not drawn.bech32(wrong)


def test_discord_s_first_part_is_a_number() -> None:
    head = base64.urlsafe_b64encode(b"123456789012345678").rstrip(b"=")
    assert drawn.discord(head + b".a.b")
    assert not drawn.discord(b"bm90IGEgbnVtYmVy.a.b")
    assert not drawn.discord(b"A.a.b")


class Counted(bytes):
    """Bytes that count how often they are walked through from Python."""

    walks = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        type(self).walks += 1
        return super().__iter__()


@pytest.mark.parametrize(
    "check", ["random", "random-with-digit", "password", "value", "bare-value", "bech32"]
)
def test_checks_walk_through_a_value_a_bounded_number_of_times(check: str, seed: int) -> None:
    walks = []
    for length in (100, 200, 400):
        Counted.walks = 0
        CHECKS[check](Counted(pick(Random(seed), ALNUM, length).encode()))
        walks.append(Counted.walks)
    assert max(walks) <= 12
    assert walks[1] <= walks[0] + 2
    assert walks[2] <= walks[0] + 2


def test_checks_that_rules_need_are_there() -> None:
    used = {rule.check for rule in BUILT_IN.rules if rule.check}
    assert used <= CHECKS.keys()
