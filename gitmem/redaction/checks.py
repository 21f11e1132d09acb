"""What no expression can tell of a value: checksums, entropy, ranges. Rules name these functions.

A check is asked about the secret alone, with all escapes taken away, and says whether it is one. It looks at
each byte a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gitmem.redaction import drawn, national_ids, personal_checks

Check = Callable[[bytes], bool]

CHECKS: Final[Mapping[str, Check]] = {
    "aadhaar": national_ids.is_aadhaar,
    "ahv": national_ids.is_ahv,
    "bare-value": drawn.is_bare_value,
    "base32-crc16": drawn.base32_crc16,
    "base58check": drawn.base58check,
    "bech32": drawn.bech32,
    "bsn": national_ids.is_bsn,
    "canadian-sin": national_ids.is_canadian_sin,
    "card": personal_checks.is_card,
    "chinese-id": national_ids.is_chinese_id,
    "codice-fiscale": national_ids.is_codice_fiscale,
    "cpf": national_ids.is_cpf,
    "discord": drawn.discord,
    "email": personal_checks.is_email,
    "french-nir": national_ids.is_french_nir,
    "german-tax-id": national_ids.is_german_tax_id,
    "home-name": personal_checks.is_home_name,
    "iban": personal_checks.is_iban,
    "nino": national_ids.is_nino,
    "password": drawn.is_password,
    "pesel": national_ids.is_pesel,
    "phone": personal_checks.is_phone,
    "phone-north-america": personal_checks.is_north_american_phone,
    "public-ip": personal_checks.is_public_ip,
    "random": drawn.is_random,
    "random-with-digit": drawn.is_random_with_digit,
    "spanish-dni": national_ids.is_spanish_dni,
    "ssn": national_ids.is_ssn,
    "value": drawn.is_value,
}
