"""Values that are secret whatever they look like: found exactly, in memory alone.

They come from the environment and its files when text is taken in. Nothing of them is in any fingerprint.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from gitmem.redaction.expressions import compiled
from gitmem.redaction.matching import Judge, Match
from gitmem.redaction.scanning import Hit

if TYPE_CHECKING:
    import re2

KIND = "known-value"
_ESCAPED = 3
"""Layers of JSON behind which a value with quotes or backslashes is known again."""
_LEAST_BASE64 = 8
_RANK = -1


class KnownValues:
    """Some values, and the forms in which each is met. True if there is any."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = sorted({value for value in values if value}, key=lambda value: (-len(value), value))

    def __bool__(self) -> bool:
        return bool(self._values)

    def hits(self, text: bytes) -> Iterator[Hit]:
        """Yield where forms of values stand."""
        for match in self.pattern.finditer(text):
            yield Hit(match.start(), match.end(), -1)

    def matches(self, reading: bytes, _judge: Judge) -> Iterator[Match]:
        """Yield where values stand in one reading, in any form."""
        for match in self.pattern.finditer(reading):
            yield Match(match.start(), match.end(), _RANK, KIND, "secret", self._value_of(match[0]))

    @cached_property
    def _forms(self) -> dict[bytes, bytes]:
        forms: dict[bytes, bytes] = {}
        for value in self._values:
            for form in _written(value):
                forms.setdefault(form, value)
        return forms

    @cached_property
    def _wrapped(self) -> dict[bytes, bytes]:
        return {core: value for value in self._values for core, _ in _in_base64(value)}

    @cached_property
    def pattern(self) -> re2._Regexp:
        """All forms of all values."""
        forms = [re.escape(form) for form in sorted(self._forms, key=len, reverse=True)]
        wrapped = [pattern.encode() for value in self._values for _, pattern in _in_base64(value)]
        return compiled(b"|".join([*forms, *wrapped]), 64 << 20)

    def _value_of(self, form: bytes) -> bytes:
        value = self._forms.get(form)
        if value is not None:
            return value
        return next(value for core, value in self._wrapped.items() if core in form)


def _written(value: bytes) -> Iterator[bytes]:
    yield value
    yield from {quote(value, safe="").encode(), quote(value).encode(), quote_plus(value).encode()}
    text = value.decode("utf-8", "surrogateescape")
    for ascii_only in (True, False):
        escaped = text
        for _ in range(_ESCAPED):
            escaped = json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
            yield escaped.encode("utf-8", "surrogateescape")
            yield escaped.replace("/", "\\/").encode("utf-8", "surrogateescape")


def _in_base64(value: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield what of the value's base64 is the same wherever it stands, and an expression for all of it."""
    for before in range(3):
        coded = b64encode(b"\0" * before + value)
        first = 4 if before else 0
        last = (before + len(value)) // 3 * 4
        if last - first < _LEAST_BASE64:
            continue
        rest = (before + len(value)) % 3
        for core in {coded[first:last], coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))}:
            left = "[A-Za-z0-9+/_-]{4}" if before else ""
            right = "(?:[A-Za-z0-9+/_-]{2,4}={0,2})?" if rest else ""
            yield core, left + re.escape(core.decode()) + right
