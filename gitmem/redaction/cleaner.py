"""Takes the secrets out of one text, and checks that they are gone.

Invariants: no reading of what is returned holds anything that the rules find; a replacement covers whole
escapes and no quote, so that JSON stays JSON; what is no secret stays byte for byte as it was. Where the
exact way does not lead there, the string around is dropped, and then the text: never passed on.
"""

from __future__ import annotations

import re
from collections import Counter

from gitmem.redaction.engine import PLAIN, Engine, Readings, SuspectLine
from gitmem.redaction.finding import NOTHING, Finder, Finding, Findings
from gitmem.redaction.payloads import PayloadReader, replacement
from gitmem.redaction.placeholders import PAYLOADS, UNREDACTABLE, placeholder, session_key
from gitmem.redaction.views import innermost

_ROUNDS = 4
"""Taking one secret away may uncover another that shared its surroundings; more than this is not natural."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class Cleaner:
    """One key, one rule set and one session at work; counts what it replaces, by kind."""

    def __init__(self, key: bytes, engine: Engine, counts: Counter[str], session: bytes) -> None:
        self.key = key
        self._keys = {"secret": key, "user": key, "personal": session_key(key, session)}
        self._engine = engine
        self._counts = counts

    def readings(self, raw: bytes) -> Readings:
        """Return how the text has to be read; it is clean as it is where it has not to be."""
        return self._engine.readings(raw)

    def suspect_lines(self, block: bytes) -> list[SuspectLine]:
        """Return the lines that have to be read."""
        return self._engine.suspect_lines(block)

    def find(self, raw: bytes, readings: Readings) -> Findings:
        """Return what is to be replaced, over these readings of the text."""
        return Finder(self._engine).find(raw, readings)

    def clean(self, raw: bytes, readings: Readings) -> bytes:
        """Return the text without its secrets; `readings` are the text's own."""
        return self.clean_after(b"", raw, self.find(raw, readings), readings)

    def clean_after(self, before: bytes, raw: bytes, findings: Findings, readings: Readings) -> bytes:
        """Return `raw` without its secrets; `before` stands in front of it, is clean, and is not returned.

        `findings` are those of `before + raw`, and may have been made with more text behind it in sight.
        Where a secret went that spanned what parts text, what is around may have to be read in further ways.
        """
        text, kept = before + raw, len(before)
        findings = _from(kept, findings)
        for _ in range(_ROUNDS):
            if findings == NOTHING:
                return text[kept:]
            if findings.unreadable:
                text = self._drop(text, kept, findings.unreadable)
            else:
                text = self._replace(text, findings.parts)
            if readings != PLAIN:
                readings |= self._engine.readings(text)
            findings = _from(kept, self.find(text, readings))
        text = self._drop(text, kept, [part[:2] for part in findings.parts] + findings.unreadable)
        if _from(kept, self.find(text, readings)) != NOTHING:
            return self._dropped(text[kept:])
        return text[kept:]

    def payload_reader(self, kind: str) -> PayloadReader:
        """Return what reads a payload that is too long to be held."""
        self._counts[kind] += 1
        return PayloadReader(self.key, kind)

    def _replace(self, text: bytes, parts: list[Finding]) -> bytes:
        pieces: list[bytes] = []
        position = 0
        for part in parts:
            start, end = _whole_characters(text, max(part.start, position), part.end)
            pieces += (text[position:start], self._placeholder(part, text[start:end]))
            position = end
        pieces.append(text[position:])
        return b"".join(pieces)

    def _drop(self, text: bytes, kept: int, places: list[tuple[int, int]]) -> bytes:
        """Drop the JSON strings that hold these places; or all of the text, where one is in no string."""
        strings = [string.span() for string in _STRING.finditer(text)] if not kept else []
        dropped: list[tuple[int, int]] = []
        current = 0
        for start, end in sorted(places):
            while current < len(strings) and strings[current][1] <= start:
                current += 1
            if current == len(strings) or strings[current][0] > start or strings[current][1] < end:
                return text[:kept] + self._dropped(text[kept:])
            if not dropped or dropped[-1] != strings[current]:
                dropped.append(strings[current])
        pieces: list[bytes] = []
        position = 0
        for start, end in dropped:
            pieces += (text[position:start], b'"', self._dropped(text[start:end]), b'"')
            position = end
        pieces.append(text[position:])
        return b"".join(pieces)

    def _placeholder(self, part: Finding, raw: bytes) -> bytes:
        self._counts[part.kind] += 1
        if part.kind in PAYLOADS:
            return replacement(self.key, part.kind, raw)
        value = innermost(raw) if part.value is None else part.value
        return placeholder(self._keys[part.group], part.kind, value)

    def _dropped(self, raw: bytes) -> bytes:
        self._counts[UNREDACTABLE] += 1
        return placeholder(self.key, UNREDACTABLE, innermost(raw))


def _from(kept: int, findings: Findings) -> Findings:
    """Leave out what lies in the text that is already clean."""
    if not kept:
        return findings
    return Findings(
        [part._replace(start=max(part.start, kept)) for part in findings.parts if part.end > kept],
        [place for place in findings.unreadable if place[1] > kept],
    )


def _whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """Widen a part so that it does not end inside of a character's UTF-8."""
    limit = min(end + 3, len(text))
    while end < limit and text[end - 1] >= 0x80 and text[end] & 0xC0 == 0x80:
        end += 1
    return start, end
