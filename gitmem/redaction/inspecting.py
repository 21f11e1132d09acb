"""Looking for what the redactor would replace, without replacing it: where, what kind, by which rule.

Invariant: no part of a secret is in what is returned, nor in any error. Of personal data there is a mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction.engine import Engine
from gitmem.redaction.finding import Finder, Finding, Findings
from gitmem.redaction.longline import LONGEST_SECRET
from gitmem.redaction.masks import mask
from gitmem.redaction.placeholders import UNREDACTABLE
from gitmem.redaction.rules import Group, Rule, RuleSet
from gitmem.redaction.views import innermost

_WINDOW = 1 << 20
_NEAR = 4 << 10


class Sighting(NamedTuple):
    """Something that the redactor would replace; `line` counts from 1, `mask` is for personal data alone."""

    line: int
    kind: str
    group: Group
    rule: str
    mask: str | None


class Inspector:
    """A rule set at work on texts of any length. Memory is bounded; values over several lines are found."""

    def __init__(self, rules: RuleSet, known: Sequence[bytes] = ()) -> None:
        self._engine = Engine(rules, known)
        self._rules = rules.rules
        self._alone: dict[Rule, Engine] = {}

    def inspect(self, chunks: Iterable[bytes]) -> Iterator[Sighting]:
        """Yield what is found in a text that was cut anywhere, in order.

        Raises:
            RedactionFailed: The engine failed, and nothing is known of the rest.
        """
        text, line, taken = b"", 1, 0
        for chunk in chain(_pieces(chunks), (None,)):
            if chunk is not None:
                text += chunk
                if len(text) < _WINDOW + LONGEST_SECRET:
                    continue
            # What begins in the last part is left for the window that has all of it.
            certain = len(text) if chunk is None else len(text) - LONGEST_SECRET
            for sighting, finding in self._sightings(text, line, taken, certain):
                yield sighting
                taken = finding.end
            cut = max(0, certain - _NEAR)
            line += text.count(b"\n", 0, cut)
            text, taken = text[cut:], max(taken, certain) - cut

    def _sightings(self, text: bytes, line: int, start: int, end: int) -> list[tuple[Sighting, Finding]]:
        """Return what begins between two places, none of it within another."""
        try:
            sightings = []
            for finding in self._find(text):
                if start <= finding.start < end:
                    place = line + text.count(b"\n", 0, finding.start)
                    sightings.append((self._sighting(text, finding, place), finding))
                    start = finding.end
        except Exception as failure:  # noqa: BLE001 (as in the redactor: even of a bug only its name may be told)
            refusal = RedactionFailed("a text", type(failure).__name__)
        else:
            return sightings
        raise refusal  # out here, so that the failure is no part of it: what it says may quote the text

    def _find(self, text: bytes) -> list[Finding]:
        found: Findings = Finder(self._engine).find(text, self._engine.readings(text))
        unreadable = [Finding(start, end, UNREDACTABLE) for start, end in found.unreadable]
        return sorted([*found.parts, *unreadable], key=lambda finding: finding.start)

    def _sighting(self, text: bytes, finding: Finding, line: int) -> Sighting:
        value = finding.value
        if value is None:
            value = innermost(text[finding.start : finding.end])
        rule = self._rule_of(text, finding)
        shown = mask(finding.kind, value) if finding.group == "personal" else None
        return Sighting(line, finding.kind, finding.group, rule, shown)

    def _rule_of(self, text: bytes, finding: Finding) -> str:
        """Return the name of the rule that finds this, or the kind where none has one."""
        candidates = [rule for rule in self._rules if rule.kind == finding.kind]
        if len(candidates) > 1:
            near = text[max(0, finding.start - _NEAR) : finding.end + _NEAR]
            candidates = [rule for rule in candidates if self._finds(rule, near)] or candidates
        return (candidates[0].name if candidates else "") or finding.kind

    def _finds(self, rule: Rule, text: bytes) -> bool:
        engine = self._alone.get(rule)
        if engine is None:
            engine = self._alone[rule] = Engine(RuleSet((rule,), takes_payloads=False))
        return bool(Finder(engine).find(text, engine.readings(text)).parts)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for position in range(0, len(chunk), _WINDOW):
            yield chunk[position : position + _WINDOW]
