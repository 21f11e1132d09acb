"""What of a piece of personal data may be shown to who has it before them: enough to know it again.

A mask is for display, where the value is at hand anyway; it is never stored, since whoever has the memory
would learn a domain or last digits from it. Secrets have no mask: of them nothing may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_LEAST_HIDDEN: Final = 3
_SHOWN_AT_END: Final = 4


def mask(kind: str, value: bytes) -> str | None:
    """Return `h***@example.com` for an address, `415-***-2671` for a number; None for what has no mask.

    Separators stay, and three characters at least are hidden; what is none of its kind is hidden whole.
    """
    masked = _MASKS.get(kind)
    return None if masked is None else masked(value.decode("utf-8", "replace"))


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    return f"{local[:1]}***@{domain}" if at and local else "***"


def _phone(text: str) -> str:
    groups = re.findall("[0-9]+", text)
    digits = sum(map(len, groups))
    first = len(groups[0]) if len(groups) > 1 else 3
    return _hidden(text, first if digits >= first + _SHOWN_AT_END + _LEAST_HIDDEN else 0, _SHOWN_AT_END)


def _card(text: str) -> str:
    return _hidden(text, 0, _SHOWN_AT_END)


def _iban(text: str) -> str:
    country = text[:2] if text[:2].isalpha() else ""
    return country + _hidden(text[len(country) :], 0, 2)


def _ip(text: str) -> str:
    separator = ":" if ":" in text else "."
    parts = text.split(separator)
    return separator.join([*parts[:2], *("*" for _ in parts[2:])]) if len(parts) > 2 else "***"


def _name(text: str) -> str:
    return f"{text[:1]}***"


def _nothing(text: str) -> str:
    return _hidden(text, 0, 0)


def _hidden(text: str, first: int, last: int) -> str:
    """Hide letters and digits but for some at either end; separators stay."""
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    if len(places) - first - last < _LEAST_HIDDEN:
        first = last = 0
    hidden = set(places[first : len(places) - last])
    return "".join("*" if place in hidden else letter for place, letter in enumerate(text))


_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "card": _card,
    "email": _email,
    "home": _name,
    "iban": _iban,
    "ip": _ip,
    "national-id": _nothing,
    "phone": _phone,
    "ssn": _nothing,
}
