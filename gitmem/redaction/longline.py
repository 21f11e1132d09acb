"""A line too long to be held: redacted in windows that overlap by more than the longest secret.

Invariant: what comes out depends on the line alone, not on how it was cut into pieces when it was fed.
"""

from __future__ import annotations

import re

from gitmem.redaction.cleaner import Cleaner
from gitmem.redaction.engine import Readings
from gitmem.redaction.finding import Finding, Findings
from gitmem.redaction.payloads import PayloadReader
from gitmem.redaction.placeholders import PAYLOADS

LONGEST_SHORT_LINE = 1 << 20
"""Bytes, without the line's end; up to here a line is redacted as a whole."""

LONGEST_SECRET = 64 << 10
_WINDOW = LONGEST_SHORT_LINE + LONGEST_SECRET
_CONTEXT = 4 << 10
"""What stands before a secret and tells that it is one, a name or a quote, is no further away than this."""

_FEED = 256 << 10

_IN_ESCAPE = frozenset(b"\\u0123456789abcdefABCDEF")
"""Behind any other byte an escape may begin but none goes on, at any depth of escaping."""

_GOES_ON = re.compile(rb"\A(?:[A-Za-z0-9+/=_.-]|\\+[nrt])*+")


class LongLine:
    """One long line under way. Holds a window and its context, whatever the line's length."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._before = b""
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._inside_secret = False
        self._payload: PayloadReader | None = None

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the line; return what has become certain."""
        out = []
        for position in range(0, len(piece), _FEED):
            self._put(piece[position : position + _FEED])
            while self._pending_bytes >= _WINDOW:
                out.append(self._advance(self._take(_WINDOW), more=True))
        return b"".join(out)

    def finish(self) -> bytes:
        """Return the rest; the line, without its end, has been fed."""
        return self._advance(self._take(self._pending_bytes), more=False)

    def _put(self, piece: bytes) -> None:
        self._pending.append(piece)
        self._pending_bytes += len(piece)

    def _put_back(self, piece: bytes) -> None:
        self._pending.insert(0, piece)
        self._pending_bytes += len(piece)

    def _take(self, count: int) -> bytes:
        joined = b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        if count < len(joined):
            self._put(joined[count:])
        return joined[:count]

    def _advance(self, window: bytes, *, more: bool) -> bytes:
        """Redact as much of the window as no later text can change, and keep the rest for the next."""
        if self._payload is not None:
            rest = self._payload.feed(window, more=more)
            if rest is None:
                return b""
            placeholder, self._payload = self._payload.placeholder(), None
            self._put_back(rest)
            self._before = _from_clean_start((self._before + placeholder)[-_CONTEXT:])
            return (
                placeholder
                if more
                else placeholder + self._advance(self._take(self._pending_bytes), more=False)
            )
        if self._inside_secret:
            rest = _GOES_ON.sub(b"", window, count=1)
            self._inside_secret = more and not rest
            if more:
                self._put_back(rest)
                return b""
            window = rest
        before = self._before
        readings = self._cleaner.readings(before + window)
        findings = self._cleaner.find(before + window, readings)
        if more and (going_on := _payload_going_on(findings, len(before) + len(window))):
            return self._begin_payload(before, window, findings, going_on, readings)
        cut = len(before) + len(window)
        if more:
            cut = self._cut(before + window, len(before), findings)
        done, rest = window[: cut - len(before)], window[cut - len(before) :]
        self._put_back(rest)
        seen = Findings(
            [part for part in findings.parts if part.start < cut],
            [place for place in findings.unreadable if place[0] < cut],
        )
        clean = self._cleaner.clean_after(before, done, seen, readings)
        self._before = _from_clean_start((before + clean)[-_CONTEXT:])
        return clean

    def _begin_payload(
        self, before: bytes, window: bytes, findings: Findings, payload: Finding, readings: Readings
    ) -> bytes:
        """Redact what stands in front of a payload, and read on in it."""
        start = payload.start - len(before)
        seen = Findings(
            [part for part in findings.parts if part.start < payload.start],
            [place for place in findings.unreadable if place[0] < payload.start],
        )
        clean = self._cleaner.clean_after(before, window[:start], seen, readings)
        self._before = _from_clean_start((before + clean)[-_CONTEXT:])
        self._payload = self._cleaner.payload_reader(payload.kind)
        self._put_back(window[start:])
        return clean

    def _cut(self, text: bytes, least: int, findings: Findings) -> int:
        """Choose where this window ends: in no secret, and in no escape if there is such a place."""
        cut = len(text) - LONGEST_SECRET
        floor = least
        for part in findings.parts:
            if part.start < cut < part.end:
                self._inside_secret = part.end == len(text)
                return part.end
            if part.end <= cut:
                floor = max(floor, part.end)
        for position in range(cut, max(floor, cut - _CONTEXT), -1):
            if text[position - 1] not in _IN_ESCAPE:
                return position
        return cut


def _payload_going_on(findings: Findings, end: int) -> Finding | None:
    """Return the payload that reaches so near the end that it may go on behind it."""
    last = findings.parts[-1] if findings.parts else None
    return last if last and last.kind in PAYLOADS and last.end > end - _CONTEXT else None


def _from_clean_start(context: bytes) -> bytes:
    for position, byte in enumerate(context):
        if byte not in _IN_ESCAPE:
            return context[position + 1 :]
    return context
