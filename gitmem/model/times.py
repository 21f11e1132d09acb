"""Moments as the memory writes them: RFC 3339 text in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(at_ms: int) -> str:
    """Return a moment, in milliseconds since 1970, as a record and a person read it.

    Raises:
        ValueError: It is outside the years 1 to 9999.
    """
    try:
        moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{at_ms} ms is no moment that has a date") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z".rjust(24, "0")


def to_ms(text: str) -> int:
    """Return milliseconds since 1970 of an RFC 3339 moment; one without a zone is taken as UTC.

    Raises:
        ValueError: It is no such text.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
