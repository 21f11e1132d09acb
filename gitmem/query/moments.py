"""Moments as people write them: ISO 8601, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from gitmem.model.errors.arguments import BadMoment

_RELATIVE: Final = re.compile(r"([0-9]{1,6})\s*(min|h|d|w|mo|y)\Z")
_DATE_ONLY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z|[0-9]{8}\Z|[0-9]{4}-?W[0-9]{2}(-?[0-9])?\Z")
_DAY_MS: Final = 86_400_000
_UNIT_MS: Final = {
    "min": 60_000,
    "h": 3_600_000,
    "d": _DAY_MS,
    "w": 7 * _DAY_MS,
    "mo": 30 * _DAY_MS,
    "y": 365 * _DAY_MS,
}


def parse_since(text: str, now_ms: int) -> int:
    """Return the first moment that is meant, in milliseconds since 1970; a date means where it begins.

    What has no zone is in UTC, as the memory writes it.

    Raises:
        BadMoment: It is neither a date, nor a moment, nor a time span.
    """
    moment, _ = _parse(text, now_ms)
    return moment


def parse_until(text: str, now_ms: int) -> int:
    """Return the last moment that is meant, in milliseconds since 1970; a date means where it ends.

    Raises:
        BadMoment: As `parse_since`.
    """
    moment, size_ms = _parse(text, now_ms)
    return moment + size_ms - 1


def parse_ahead(text: str, now_ms: int) -> int:
    """Return the moment that is meant by a date, where it begins, or by a time from now on, such as `7d`.

    Raises:
        BadMoment: As `parse_since`.
    """
    moment, _ = _parse(text, now_ms)
    return 2 * now_ms - moment if _RELATIVE.match(text.strip().lower()) else moment


def _parse(text: str, now_ms: int) -> tuple[int, int]:
    """Return a moment, and how many milliseconds the words for it cover."""
    stripped = text.strip()
    relative = _RELATIVE.match(stripped.lower())
    if relative:
        return now_ms - int(relative[1]) * _UNIT_MS[relative[2]], 1
    try:
        moment = datetime.fromisoformat(stripped)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadMoment(text) from None
    at_ms = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return at_ms, _DAY_MS if _DATE_ONLY.match(stripped) else 1
