"""The numbers that states give to people: their check digits, and what is known never to be one.

The formulas are those of the issuing offices. A check is given the number as it was written, separators
included, and says whether its digits agree.
"""

from __future__ import annotations

import re
from typing import Final

_NEVER_ISSUED: Final = frozenset({b"078051120", b"219099999", b"457555462"})
"""Printed in advertisements and leaflets, and voided by the Social Security Administration."""

_VERHOEFF_TIMES: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
"""Multiplication in the dihedral group D5 (J. Verhoeff, "Error detecting decimal codes", 1969)."""
_VERHOEFF_MOVES: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)

_DNI_LETTERS: Final = b"TRWAGMYFPDXBNJZSQVHLCKE"
# fmt: off
_FISCALE_ODD: Final = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23
)
# fmt: on
"""What a letter in an odd place counts; a digit counts as the letter of its place in the alphabet."""


def is_ssn(value: bytes) -> bool:
    """Tell whether a US social security number may have been issued: SSA, "randomization" of 2011."""
    number = _digits(value)
    return (
        len(number) == 9
        and number[:3] not in (b"000", b"666")
        and number[:1] != b"9"
        and number[3:5] != b"00"
        and number[5:] != b"0000"
        and number not in _NEVER_ISSUED
        and not _is_one_digit(number)
    )


def is_german_tax_id(value: bytes) -> bool:
    """Tell whether a Steuer-Identifikationsnummer holds: ISO 7064, MOD 11,10."""
    number = _digits(value)
    if len(number) != 11 or number[:1] == b"0" or _is_one_digit(number):
        return False
    product = 10
    for digit in number[:10]:
        total = (digit - 48 + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == number[10] - 48


def is_french_nir(value: bytes) -> bool:
    """Tell whether a numéro de sécurité sociale holds: 97 less the number modulo 97, Corsica as 19 and 18."""
    text = re.sub(rb"[^0-9AB]", b"", value.upper())
    number = text.replace(b"2A", b"19", 1) if text[5:7] == b"2A" else text
    number = number.replace(b"2B", b"18", 1) if text[5:7] == b"2B" else number
    if len(number) != 15 or not number.isdigit():
        return False
    month = int(number[3:5])
    has_month = 1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99
    return has_month and 97 - int(number[:13]) % 97 == int(number[13:])


def is_spanish_dni(value: bytes) -> bool:
    """Tell whether a DNI or NIE holds: its letter is the number modulo 23."""
    text = re.sub(rb"[^0-9A-Z]", b"", value.upper())
    number = text[:-1].translate(bytes.maketrans(b"XYZ", b"012"))
    if len(number) != 8 or not number.isdigit() or _is_one_digit(number):
        return False
    return text[-1] == _DNI_LETTERS[int(number) % 23]


def is_codice_fiscale(value: bytes) -> bool:
    """Tell whether an Italian codice fiscale holds: decree of 23 December 1976."""
    text = value.decode("latin-1").upper()
    if len(text) != 16 or not text.isascii() or not text.isalnum():
        return False
    values = [int(letter, 36) - (0 if letter.isdigit() else 10) for letter in text[:15]]
    total = sum(value if place % 2 else _FISCALE_ODD[value] for place, value in enumerate(values))
    return chr(ord("A") + total % 26) == text[15]


def is_cpf(value: bytes) -> bool:
    """Tell whether a Brazilian CPF holds: two digits modulo 11."""
    number = [digit - 48 for digit in _digits(value)]
    if len(number) != 11 or len(set(number)) == 1:
        return False
    for length in (9, 10):
        total = sum(digit * (length + 1 - place) for place, digit in enumerate(number[:length]))
        if total * 10 % 11 % 10 != number[length]:
            return False
    return True


def is_aadhaar(value: bytes) -> bool:
    """Tell whether an Indian Aadhaar number holds: Verhoeff, and never 0 or 1 at its beginning."""
    number = _digits(value)
    if len(number) != 12 or number[0] in b"01" or _is_one_digit(number):
        return False
    check = 0
    for place, digit in enumerate(reversed(number)):
        moved = digit - 48
        for _ in range(place % 8):
            moved = _VERHOEFF_MOVES[moved]
        check = _VERHOEFF_TIMES[check][moved]
    return check == 0


def is_nino(value: bytes) -> bool:
    """Tell whether a British national insurance number may have been given out: it has no check digit."""
    return len(value) >= 9 and value[:2].upper() not in (b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ")


def is_ahv(value: bytes) -> bool:
    """Tell whether a Swiss AHV number holds: the check digit of EAN-13."""
    number = [digit - 48 for digit in _digits(value)]
    return len(number) == 13 and sum(d * (1 + 2 * (n % 2)) for n, d in enumerate(number)) % 10 == 0


def is_pesel(value: bytes) -> bool:
    """Tell whether a Polish PESEL holds: weights 1, 3, 7, 9."""
    number = [digit - 48 for digit in _digits(value)]
    if len(number) != 11 or len(set(number)) == 1:
        return False
    total = sum(digit * (1, 3, 7, 9)[place % 4] for place, digit in enumerate(number[:10]))
    return (10 - total % 10) % 10 == number[10]


def is_bsn(value: bytes) -> bool:
    """Tell whether a Dutch burgerservicenummer holds: the test of eleven, with -1 for the last digit."""
    number = [digit - 48 for digit in _digits(value)]
    if len(number) != 9 or len(set(number)) == 1:
        return False
    return sum(d * (9 - n) for n, d in enumerate(number[:8])) % 11 == number[8] % 11


def is_canadian_sin(value: bytes) -> bool:
    """Tell whether a Canadian social insurance number holds: Luhn; none begins with 0 or 8."""
    number = _digits(value)
    return len(number) == 9 and number[0] not in b"08" and holds_luhn(number) and not _is_one_digit(number)


def is_chinese_id(value: bytes) -> bool:
    """Tell whether a resident identity number holds: GB 11643, ISO 7064 MOD 11-2."""
    number = value.upper()
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum((digit - 48) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return b"10X98765432"[total % 11] == number[17]


def holds_luhn(digits: bytes) -> bool:
    """Tell whether digits agree with the last of them: ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _digits(value: bytes) -> bytes:
    return re.sub(rb"[^0-9]", b"", value)


def _is_one_digit(number: bytes) -> bool:
    return len(set(number)) == 1
