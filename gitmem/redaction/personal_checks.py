"""What tells personal data from what merely looks like it: checksums, ranges, and values that nobody has.

Each check is given one candidate, without escapes, and looks at each byte a bounded number of times. What a
standard keeps for examples is no person's; test numbers of payment cards are not kept for that, and are cards
like others. The empty candidate, which a pattern's alternatives without a group lead to, is never one.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.redaction.national_ids import holds_luhn

# RFC 2606 and RFC 6761
_RESERVED_ENDINGS: Final = ("example", "test", "invalid", "localhost", "localdomain")
_RESERVED_DOMAINS: Final = re.compile(r"(?:.*\.)?example\.(?:com|net|org|edu)")
_NOBODY: Final = re.compile(r"git|hg|(?:.*[._+-])?(?:no|do[._-]?not)[._-]?reply(?:[._+-].*)?")
# fmt: off
_NO_ENDINGS: Final = frozenset(
    {
        "js", "mjs", "cjs", "ts", "tsx", "jsx", "json", "yml", "yaml", "toml", "lock", "png", "jpg", "jpeg",
        "gif", "svg", "webp", "ico", "css", "scss", "html", "htm", "map", "txt", "xml", "log", "conf",
        "cfg", "ini", "tar", "gz", "whl", "jar", "class", "dll", "exe", "beta", "alpha", "rc", "dev0",
        "inv", "dot", "transpose", "conj", "reshape", "weight", "weights", "shape", "mean", "grad", "data",
        "value", "values",
    }
)
# fmt: on
"""Files, versions and attributes of matrices, none of which is a top-level domain."""
_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9x]")

_CARD_RANGES: Final = (
    # ISO/IEC 7812 issuer ranges as the networks publish them: first digits from, to, and lengths
    (b"34", b"34", (15,)),
    (b"37", b"37", (15,)),
    (b"4", b"4", (13, 16, 19)),
    (b"51", b"55", (16,)),
    (b"2221", b"2720", (16,)),
    (b"6011", b"6011", (16, 17, 18, 19)),
    (b"644", b"659", (16, 17, 18, 19)),
    (b"622126", b"622925", (16, 17, 18, 19)),
    (b"62", b"62", (16, 17, 18, 19)),
    (b"3528", b"3589", (16, 17, 18, 19)),
    (b"300", b"305", (14, 16, 19)),
    (b"3095", b"3095", (14, 16, 19)),
    (b"36", b"36", (14, 16, 19)),
    (b"38", b"39", (14, 16, 19)),
    (b"5018", b"5018", (16, 18, 19)),
    (b"5020", b"5020", (16, 18, 19)),
    (b"5038", b"5038", (16, 18, 19)),
    (b"5893", b"5893", (16, 18, 19)),
    (b"6304", b"6304", (16, 18, 19)),
    (b"6759", b"6763", (16, 18, 19)),
    (b"2200", b"2204", (16, 17, 18, 19)),
)

IBAN_LENGTHS: Final = {
    # SWIFT, "IBAN Registry", release 99
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27,
    "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25,
    "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18,
    "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33,
    "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip

_WITH_TRUNK_ZERO: Final = ("GB", "DE", "FR", "IT", "AU", "NL", "BE", "CH", "AT", "SE", "JP", "IN", "ZA", "IE")
_WITHOUT_TRUNK: Final = ("US", "ES", "PL", "PT", "IN", "CN", "BR", "DK", "NO", "MX", "SG")
_OF_FICTION: Final = re.compile(
    r"(?:1?[2-9][0-9]{2})?55501[0-9]{2}"  # NANPA: 555-0100 to 555-0199
    r"|(?:44|0)(?:7700900|1632960|2079460)[0-9]{3}"  # Ofcom, "Numbers for drama use"
)
_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{2}|\Z)")

# fmt: off
_HOME_OF_NOBODY: Final = frozenset(
    {
        "root", "runner", "runneradmin", "ubuntu", "debian", "fedora", "centos", "user", "users",
        "username", "user_name", "user-name", "youruser", "your", "yourname", "your-name", "yourusername",
        "your_username", "your-username", "vscode", "node", "me", "myname", "myuser", "my", "you", "name",
        "admin", "administrator", "containeradministrator", "vagrant", "ec2-user", "codespace", "coder",
        "git", "www-data", "linuxbrew", "circleci", "gitlab-runner", "jenkins", "travis", "build",
        "builder", "buildkite", "docker", "app", "appuser", "dev", "developer", "test", "tester",
        "testuser", "guest", "foo", "bar", "baz", "jovyan", "pi", "nobody", "default", "public", "shared",
        "container", "nonroot", "sandbox", "workspace", "deploy", "postgres", "mysql", "oracle", "hadoop",
        "spark", "airflow", "somebody", "someone", "dummy", "demo", "sample", "example", "all", "service",
        "ci", "agent", "agents", "claude", "copilot", "cursor", "codex", "opc", "azureuser", "gcpuser",
        "vsts", "vssadministrator", "_", "dir", "page", "index", "about", "directory", "folder", "path",
        "project", "projects", "lost+found",
    }
)
# fmt: on
_IS_FILE: Final = re.compile(r".*\.(?:html?|jsx?|tsx?|css|php|py|json|md|png|svg|jpe?g|vue|aspx?|txt)")


def is_email(value: bytes) -> bool:
    """Tell whether an address is somebody's: not one kept for examples, nor a robot's, nor `pkg@1.2.x`."""
    local, _, domain = value.decode("utf-8", "replace").lower().rpartition("@")
    ending = domain.rpartition(".")[2]
    return (
        bool(local)
        and "." in domain
        and ending not in _RESERVED_ENDINGS
        and ending not in _NO_ENDINGS
        and not _NOBODY.fullmatch(local)
        and not _RESERVED_DOMAINS.fullmatch(domain)
        and not _VERSION.match(domain)
    )


def is_card(value: bytes) -> bool:
    """Tell whether digits are a payment card's: issuer, length and Luhn."""
    number = value.replace(b" ", b"").replace(b"-", b"")
    if not number.isdigit() or len(set(number)) == 1:
        return False
    fits = any(
        first <= number[: len(first)] <= last and len(number) in lengths
        for first, last, lengths in _CARD_RANGES
    )
    return fits and holds_luhn(number)


def is_iban(value: bytes) -> bool:
    """Tell whether an account number holds: ISO 13616, the country's length and modulo 97."""
    text = value.replace(b" ", b"").decode("ascii", "replace")
    if len(text) != IBAN_LENGTHS.get(text[:2]) or not text.isalnum():
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def is_phone(value: bytes) -> bool:
    """Tell whether a number can be called: in international form, or in one of the larger countries."""
    text = value.decode("ascii", "replace")
    digits = re.sub("[^0-9]", "", text)
    if text.startswith("+") or digits.startswith("00"):
        return _can_be_called(f"+{digits.removeprefix('00')}", (None,))
    return _can_be_called(digits, _WITH_TRUNK_ZERO if digits.startswith("0") else _WITHOUT_TRUNK)


def is_north_american_phone(value: bytes) -> bool:
    """Tell whether a number can be called in the United States, Canada and the countries beside them."""
    return _can_be_called(value.decode("ascii", "replace"), ("US",))


def _can_be_called(text: str, regions: tuple[str | None, ...]) -> bool:
    digits = re.sub("[^0-9]", "", text)
    if not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return False
    if _OF_FICTION.fullmatch(digits) or (not text.startswith("+") and _DATE.match(digits)):
        return False
    import phonenumbers  # Takes longer to load than all else here, and is needed for candidates alone.

    for region in regions:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def is_public_ip(value: bytes) -> bool:
    """Tell whether an address is one of the internet's: none of RFC 1918, 5737, 3849 and the like."""
    import ipaddress

    try:
        address = ipaddress.ip_address(value.decode("ascii"))
    except ValueError:  # which UnicodeDecodeError is too
        return False
    if value.endswith(b".0.0"):
        return False  # A network, or a version with zeros at its end.
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_home_name(value: bytes) -> bool:
    """Tell whether a home directory is named after somebody."""
    name = value.decode("utf-8", "replace").lower()
    return (
        bool(name)
        and name not in _HOME_OF_NOBODY
        and not _IS_FILE.fullmatch(name)
        and name.strip(".x-_") != ""
    )
