"""Points in time, as agents write them, in milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FIRST_MS = -62_135_596_800_000
_LAST_MS = 253_402_300_799_999
"""The years 1 to 9999, which is what a date can be shown as."""

_SECONDS_BELOW = 100_000_000_000
"""A number below this is of seconds (1973 in milliseconds, the year 5138 in seconds)."""

_LONGEST_ISO = 40


def to_ms(value: object) -> int | None:
    """Read ISO 8601 text, seconds or milliseconds; a text without a zone is UTC.

    None stands for anything that is not a date of the years 1 to 9999. A date of 1970, of the future or
    before 1970 is somebody's clock, and is kept.
    """
    if isinstance(value, str):
        return _from_iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not _FIRST_MS <= value <= _LAST_MS:  # nan and infinities fail this too
        return None
    ms = value * 1000 if abs(value) < _SECONDS_BELOW else value
    return int(ms) if _FIRST_MS <= ms <= _LAST_MS else None


def _from_iso(text: str) -> int | None:
    if len(text) > _LONGEST_ISO:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        since = at - _EPOCH
    except (ValueError, OverflowError):
        return None
    ms = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return ms if _FIRST_MS <= ms <= _LAST_MS else None  # a zone may reach beyond the year 1
