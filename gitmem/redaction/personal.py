r"""What personal data looks like: the rules of the group "personal", which go by level and by choice.

Each rule is a narrow form, and a check says whether what has the form is anybody's. Two things recur. What
stands before a value is written out, escapes included, since RE2 cannot look behind: in `\nada@…` the n is
no letter of hers. And what must not be taken, a version or a URL's userinfo, is an alternative without a
group, which eats the text so that nothing in it is found; the checks refuse the empty value that it leaves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from gitmem.redaction.personal_checks import IBAN_LENGTHS
from gitmem.redaction.rules import Rule

_ESCAPED = r"\\[bfnrt]|\\+u[0-9a-fA-F]{4}|%[0-9A-F]{2}|\\x[0-9a-f]{2}|\[[0-9;]{0,9}[mK]"
"""What ends in letters or digits and is no word: escapes of JSON, URLs and shells, and colours."""
_START = rf"(?:^|{_ESCAPED}|[^A-Za-z0-9])"
_DIGITS_START = rf"(?:^|{_ESCAPED}|[^A-Za-z0-9.])"
"""Digits behind a point are a fraction."""

_FILLED = (
    rf"(?i:{_ESCAPED}|[^A-Za-z0-9]"
    r"|number|num|nr|no|is|at|me|us|on|my|him|her|work|home|security|social|insured?)*"
)
"""Between a word that says what comes and the digits: anything but letters and digits, and a few words."""


def _near(words: str, value: str) -> str:
    return rf"(?i:{words}){_FILLED}[^A-Za-z0-9]({value})\b"


def _near_core(words: str, beginning: str) -> str:
    return rf"(?i:{words}){_FILLED}(?:{_ESCAPED}|[^A-Za-z0-9]){beginning}"


def _rule(kind: str, name: str, core: str, pattern: str, check: str) -> Rule:
    return Rule(kind, core, pattern, check=check, group="personal", name=name)


# --- e-mail, RFC 5321 as people use it; local parts and names of hosts in Latin script, accents included

_LATIN = r"[\xc3-\xc9][\x80-\xbf]"
_LOCAL = rf"(?:[A-Za-z0-9_+-]|{_LATIN})(?:[A-Za-z0-9._%+-]|{_LATIN}){{0,63}}"
_LABEL = rf"(?:[A-Za-z0-9]|{_LATIN})(?:[A-Za-z0-9-]|{_LATIN}){{0,62}}"

_EMAILS = (
    _rule(
        "email",
        "email",
        r"(?:[A-Za-z0-9_.+%-]|[\x80-\xbf])@(?:[A-Za-z0-9.-]|\\+u[0-9a-fA-F]{4}|[\x80-\xff])+\.[A-Za-z]{2}",
        rf":(?:\\*/){{2}}[^\s/@\"]{{0,256}}@|\\[bfnrt]@|{_START}({_LOCAL}@(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}})",
        "email",
    ),
)

# --- telephone numbers, ITU-T E.164 and E.123

_PHONE_WORDS = "phone|mobile?|cell|call|fax|tel(?:efono?)?|sms|handy|whatsapp"
_PHONE_GAP = r"(?:[ .()-]|\xc2\xa0){0,3}"

_PHONES = (
    _rule(
        "phone",
        "phone-international",
        r"\+[1-9](?:[ .()-]|\xc2\xa0|\\+u00a0)*[0-9](?:[ .()-]|\xc2\xa0|\\+u00a0)*[0-9]{2}",
        rf"(?:^|[^A-Za-z0-9+])(\+[1-9](?:{_PHONE_GAP}[0-9]){{7,14}})\b",
        "phone",
    ),
    _rule(
        "phone",
        "phone-north-america",
        r"[0-9]{3}[-.)] ?[0-9]{3}[-. ][0-9]{4}",
        rf"{_DIGITS_START}((?:1[-. ])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[-.])"
        r"[2-9][0-9]{2}[-. ][0-9]{4})(?:[^A-Za-z0-9-]|$)",
        "phone-north-america",
    ),
    _rule(
        "phone",
        "phone-named",
        _near_core(_PHONE_WORDS, r"[0-9](?:[ .()-]|\xc2\xa0|\\+u00a0)*[0-9]"),
        _near(_PHONE_WORDS, rf"\(?[0-9](?:{_PHONE_GAP}[0-9]){{6,14}}"),
        "phone",
    ),
)

# --- payment cards, ISO/IEC 7812: in one piece, in fours, and as American Express and Diners group them

_CARDS = (
    _rule(
        "card",
        "card",
        rf"{_DIGITS_START}[2-6][0-9]{{12}}",
        rf"{_DIGITS_START}([2-6][0-9]{{12,18}})\b",
        "card",
    ),
    _rule(
        "card",
        "card-grouped",
        rf"{_DIGITS_START}[2-6][0-9]{{3}}[ -][0-9]{{4}}"
        r"(?:[ -][0-9]{4}[ -][0-9]{2}|[0-9]{2}[ -][0-9]{4})",
        rf"{_DIGITS_START}([2-6][0-9]{{3}}"
        r"(?:(?:[ -][0-9]{4}){3}(?:[ -][0-9]{3})?|[ -][0-9]{6}[ -][0-9]{4,5}))\b",
        "card",
    ),
)

# --- IBAN, ISO 13616: an alternative for each length, so that no word behind one is taken for a part of it

_BY_LENGTH: Final = defaultdict[int, list[str]](list)
for _country, _length in IBAN_LENGTHS.items():
    _BY_LENGTH[_length].append(_country)
_ANY_IBAN = "|".join(
    rf"(?:{'|'.join(countries)})[0-9]{{2}}(?: ?[A-Z0-9]){{{length - 4}}}"
    for length, countries in sorted(_BY_LENGTH.items())
)

_IBANS = (
    _rule(
        "iban",
        "iban",
        rf"{_START}[A-Z]{{2}}[0-9]{{2}} ?[A-Z0-9]{{4}} ?[A-Z0-9]{{4}} ?[A-Z0-9]{{3}}",
        rf"{_START}({_ANY_IBAN})\b",
        "iban",
    ),
)

# --- numbers that states give: in a form that tells, or near a word that does

_SSN_WORDS = "ssn|social[ _-]?security|soc[ ._-]?sec"

_NUMBERS_OF_STATES = (
    _rule(
        "ssn",
        "ssn",
        "[0-9]{3}-[0-9]{2}-[0-9]{4}",
        rf"{_DIGITS_START}([0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}})(?:[^A-Za-z0-9-]|$)",
        "ssn",
    ),
    _rule(
        "ssn",
        "ssn-named",
        _near_core(_SSN_WORDS, "[0-9]{3}"),
        _near(_SSN_WORDS, "[0-9]{3}[ .]?[0-9]{2}[ .]?[0-9]{4}"),
        "ssn",
    ),
    _rule(
        "national-id",
        "uk-nino",
        r"[A-Z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-D]",
        rf"{_START}([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] [0-9]{{2}} [0-9]{{2}} [0-9]{{2}} [A-D])\b",
        "nino",
    ),
    _rule(
        "national-id",
        "uk-nino-named",
        _near_core("nino|national[ _-]?insurance|ni[ _-]?number", "[A-Z]{2}[0-9 ]"),
        _near(
            "nino|national[ _-]?insurance|ni[ _-]?number",
            "(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])(?: ?[0-9]{2}){3} ?[A-Da-d]",
        ),
        "nino",
    ),
    _rule(
        "national-id",
        "de-tax-id-named",
        _near_core("steuer-?id[a-z]*|identifikationsnummer|idnr|tax[ _-]?id", "[0-9]{2}"),
        _near("steuer-?id[a-z]*|identifikationsnummer|idnr|tax[ _-]?id", "[0-9]{2}(?: ?[0-9]{3}){3}"),
        "german-tax-id",
    ),
    _rule(
        "national-id",
        "fr-nir",
        rf"{_DIGITS_START}[12] ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9][0-9AB] ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}",
        rf"{_DIGITS_START}([12] ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9][0-9AB] ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}})\b",
        "french-nir",
    ),
    _rule(
        "national-id",
        "es-dni-named",
        _near_core(r"d\.?n\.?i|n\.?i\.?[ef]", "[0-9XYZ]"),
        _near(r"\bd\.?n\.?i\b|\bn\.?i\.?[ef]\b", "[0-9XYZxyz][0-9]{7}[- ]?[A-Za-z]"),
        "spanish-dni",
    ),
    _rule(
        "national-id",
        "it-codice-fiscale",
        r"[A-Z]{3}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",
        rf"{_START}([A-Z]{{6}}[0-9]{{2}}[ABCDEHLMPRST][0-9]{{2}}[A-Z][0-9]{{3}}[A-Z])\b",
        "codice-fiscale",
    ),
    _rule(
        "national-id",
        "br-cpf",
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        rf"{_DIGITS_START}([0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]{{2}})\b",
        "cpf",
    ),
    _rule(
        "national-id",
        "br-cpf-named",
        _near_core("cpf", "[0-9]{3}"),
        _near(r"\bcpf", "[0-9]{11}"),
        "cpf",
    ),
    _rule(
        "national-id",
        "in-aadhaar-named",
        _near_core("aadhaa?r|uidai", "[0-9]{4}"),
        _near("aadhaa?r|uidai", "[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}"),
        "aadhaar",
    ),
    _rule(
        "national-id",
        "ch-ahv",
        r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}",
        rf"{_DIGITS_START}(756\.[0-9]{{4}}\.[0-9]{{4}}\.[0-9]{{2}})\b",
        "ahv",
    ),
    _rule(
        "national-id",
        "pl-pesel-named",
        _near_core("pesel", "[0-9]{4}"),
        _near("pesel", "[0-9]{11}"),
        "pesel",
    ),
    _rule(
        "national-id",
        "nl-bsn-named",
        _near_core("bsn|burgerservicenummer", "[0-9]{3}"),
        _near(
            r"\bbsn|burgerservicenummer",
            "[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}|[0-9]{4}[ .][0-9]{2}[ .][0-9]{3}",
        ),
        "bsn",
    ),
    _rule(
        "national-id",
        "ca-sin-named",
        _near_core("social[ _-]?insurance|sin[ _-](?:number|no)", "[0-9]{3}"),
        _near(r"social[ _-]?insurance|\bsin[ _-](?:number|no)", "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}"),
        "canadian-sin",
    ),
    _rule(
        "national-id",
        "cn-resident-id",
        rf"{_DIGITS_START}[1-8][0-9]{{5}}(?:19|20)[0-9]{{2}}[01][0-9][0-3][0-9]",
        rf"{_DIGITS_START}([1-8][0-9]{{5}}(?:19|20)[0-9]{{2}}"
        r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])\b",
        "chinese-id",
    ),
)

# --- addresses of the internet, RFC 791 and RFC 4291; all that is routed of the latter begins with 2 or 3

_OCTETS = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_VERSIONISH = (
    r"(?i:version|release|revision|assembly|build|\brev|\bver)[^A-Za-z0-9]{0,8}[0-9]+(?:\.[0-9]+)+"
    r"|(?:[=<>~!^]=|~>|[A-Za-z0-9_]-) ?[0-9]+(?:\.[0-9]+)+"
    r"|(?:^|[\s\"'(])[A-Za-z][A-Za-z0-9_-]*/[0-9]+(?:\.[0-9]+)+"
    rf"|{_DIGITS_START}(?:[0-9]+(?:\.[0-9]+){{4,}}|[~^][0-9.]+|{_OCTETS}[-+_][A-Za-z])"
)

_IPS = (
    _rule(
        "ip",
        "ipv4",
        r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        rf"{_VERSIONISH}|{_DIGITS_START}({_OCTETS})\b",
        "public-ip",
    ),
    _rule(
        "ip",
        "ipv6",
        "[23][0-9a-fA-F]{3}:[0-9a-fA-F]{0,4}:[0-9a-fA-F:]",
        rf"{_START}([23][0-9a-fA-F]{{3}}:(?:[0-9a-fA-F]{{0,4}}:){{1,6}}[0-9a-fA-F]{{1,4}})\b",
        "public-ip",
    ),
)

# --- the user's name in a home directory, and in the names that Claude Code gives to projects' folders

_NAME = rf"(?:[A-Za-z0-9_]|{_LATIN})(?:(?:[A-Za-z0-9._-]|{_LATIN}){{0,30}}(?:[A-Za-z0-9_-]|{_LATIN}))?"
_SLASH = r"\\*/"
_NO_PATH_BEFORE = rf"(?:^|{_ESCAPED}|[^A-Za-z0-9._~@}})\]*$-])"
_PREFIX = rf"(?:{_SLASH}(?:var|export|private|mnt{_SLASH}[a-z]|[a-z]))?"
_WINDOWS = r"(?i:[a-z]:|\\)\\+(?i:users|documents and settings)\\+"

_HOMES = (
    _rule(
        "home",
        "home-posix",
        r"(?:home|Users)\\*/[A-Za-z0-9_\\\xc3-\xc9]",
        rf"{_NO_PATH_BEFORE}{_PREFIX}{_SLASH}(?:home|Users){_SLASH}({_NAME})",
        "home-name",
    ),
    _rule(
        "home",
        "home-windows",
        r"(?i:users|documents and settings)\\+[A-Za-z0-9_\xc3-\xc9]",
        rf"{_WINDOWS}({_NAME})",
        "home-name",
    ),
    _rule(
        "home",
        "home-windows-words",
        r"(?i:users|documents and settings)\\+[A-Za-z0-9_\xc3-\xc9]",
        rf"{_WINDOWS}({_NAME}(?: {_NAME}){{1,3}})\\",
        "home-name",
    ),
    _rule(
        "home",
        "home-project-folder",
        "-(?:Users|home)-[A-Za-z0-9_]",
        rf"(?:projects[\\/]+-(?:Users|home)|(?:^|\\[bfnrt]|[\s/\\\"'=(:])-Users)-((?:[A-Za-z0-9_.]|{_LATIN}){{1,32}})",
        "home-name",
    ),
)

BY_CHOICE: Final = {"email": _EMAILS, "phone": _PHONES, "ip": _IPS, "home": _HOMES}
"""What a team keeps unless it says otherwise, by kind."""

ALWAYS: Final = (*_CARDS, *_IBANS, *_NUMBERS_OF_STATES)
"""What is too sensitive to be shared at any level, whatever anybody chooses."""

PERSONAL: Final = (*ALWAYS, *(rule for rules in BY_CHOICE.values() for rule in rules))
