"""The catalogue's rule files: TOML to rules, as docs/formats/rules.md says. No capture comes here.

Invariant: what comes out can be used. A rule that is misspelt, weakened or empty is refused by its name,
since a rule that finds nothing, or everything, looks like one that works.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gitmem.model.errors.withholding import RedactionFailed, RuleRefused
from gitmem.redaction import forms
from gitmem.redaction.checks import CHECKS
from gitmem.redaction.expressions import compiled
from gitmem.redaction.kinds import KINDS
from gitmem.redaction.rules import LEFT, Rule

LONGEST_FILE: Final = 256 << 10
"""Characters of one rule file; the built-in ones have a tenth."""

MOST_RULES: Final = 500
LONGEST_EXPRESSION: Final = 8000

_NO_PROGRAM: Final = 1
"""Instructions that RE2 makes of an expression of which it knows that it matches nothing."""

_ORDINARY: Final = (
    b'{"type":"user","text":"The quick brown fox jumps over the lazy dog, and 1234567890 others follow it; '
    b'see README.md at https://example.com/docs?page=2 for more.","count":42,"done":true}\n'
)

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_FRAGMENT = re.compile(r"\{\{([a-z0-9_]+)\}\}")
_TEXTS = ("name", "kind", "title", "source", "form", "before", "core", "pattern", "skip", "joins", "check")
_LISTS = ("names",)

_GIVEN: Final = {
    **{name: f"[{characters}]" for name, characters in forms.ALPHABETS.items()},
    "gap": forms.GAP,
    "left": LEFT,
    "raw_gap": forms.RAW_GAP,
    "words": forms.WORDS,
}
"""What an explicit expression may refer to as `{{left}}`."""


class Entry(NamedTuple):
    """A rule as its file tells of it."""

    rule: Rule
    title: str
    source: str


def load_entries(text: str, origin: str) -> tuple[Entry, ...]:
    """Read a rule file with all that it says about its rules.

    Raises:
        RuleRefused: As for `load_rules`.
    """
    if len(text) > LONGEST_FILE:
        raise RuleRefused(origin, f"the file has {len(text)} characters, where {LONGEST_FILE} may be")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as failure:
        raise RuleRefused(origin, f"it is no TOML: {failure}") from failure
    entries: list[Entry] = []
    names: set[str] = set()
    fragments = _fragments(document, origin)
    for table in _tables(document, origin):
        entry = _Reader(table, origin, fragments).entry()
        if entry.rule.name in names:
            raise RuleRefused(f"{entry.rule.name} of {origin}", "another rule of the file has the same name")
        names.add(entry.rule.name)
        entries.append(entry)
    if len(entries) > MOST_RULES:
        raise RuleRefused(origin, f"there are {len(entries)} rules, where {MOST_RULES} may be")
    return tuple(entries)


class _Reader:
    """One rule's table."""

    def __init__(self, table: Mapping[str, object], origin: str, fragments: Mapping[str, str]) -> None:
        name = table.get("name")
        self._table, self._origin, self._fragments = table, origin, fragments
        self._name = name if isinstance(name, str) else ""

    def entry(self) -> Entry:
        """Return the rule, derived and compiled once to see that it can be."""
        unknown = sorted(self._table.keys() - {*_TEXTS, *_LISTS})
        if unknown:
            raise self._refused(f"{unknown[0]!r} is no field: there are {', '.join((*_TEXTS, *_LISTS))}")
        if not _NAME.match(self._text("name")):
            raise self._refused("its name is missing, or is not of small letters, digits and hyphens")
        kind = self._text("kind")
        if kind not in KINDS:
            raise self._refused(f"{kind!r} is no kind that a placeholder may have")
        check = self._text("check")
        if check and check not in CHECKS:
            raise self._refused(f"{check!r} is no check: there are {', '.join(CHECKS)}")
        if not (self._text("title") and self._text("source")):
            raise self._refused("it has no title or no source")
        parts = self._parts()
        for field, expression in zip(parts._fields, parts, strict=True):
            self._try(field, expression)
        joins = self._joins(parts)
        return Entry(
            Rule(kind, *parts, check, "secret", self._name, joins),
            self._text("title"),
            self._text("source"),
        )

    def _joins(self, parts: forms.Parts) -> str:
        """Return how the secret looks where a line end within it is taken away, at its shortest.

        One that its own beginning gives away needs nothing said; of one that says `no` there is no such form.
        """
        said = self._expanded(self._text("joins"))
        if said == "no" or (not said and parts.pattern.startswith(LEFT)):
            return ""
        joins = said or f"(?U){parts.pattern}"
        self._try("joins", joins)
        return joins

    def _parts(self) -> forms.Parts:
        core, pattern, skip = (self._expanded(self._text(field)) for field in forms.Parts._fields)
        form, names, before = self._text("form"), self._list("names"), self._text("before")
        if form and pattern:
            raise self._refused("it has a form and a pattern: expected one of them")
        if pattern:
            if not core or names or before:
                raise self._refused("a pattern needs a core, and neither names nor text before it")
            return forms.Parts(core, pattern, skip)
        if not form:
            raise self._refused("it has neither a form nor a pattern")
        if names and before:
            raise self._refused("it has names and text before it: expected one of them")
        try:
            derived = forms.from_names(names, form, skip) if names else forms.from_form(form, before, skip)
        except forms.FormError as failure:
            raise self._refused(str(failure)) from failure
        return derived._replace(core=core or derived.core)

    def _try(self, field: str, expression: str) -> None:
        if not expression:
            if field not in ("skip", "joins"):
                raise self._refused(f"its {field} is empty")
            return
        if len(expression) > LONGEST_EXPRESSION:
            raise self._refused(f"its {field} is longer than {LONGEST_EXPRESSION} characters")
        try:
            ready = compiled(expression)
        except RedactionFailed as failure:
            raise self._refused(f"its {field} is no RE2") from failure
        if field != "skip" and ready.search(b"") is not None:
            raise self._refused(f"its {field} matches where there is nothing")
        if ready.programsize <= _NO_PROGRAM:
            raise self._refused(f"its {field} finds nothing")
        if field in ("pattern", "joins") and ready.search(_ORDINARY) is not None:
            raise self._refused(f"its {field} finds what is no secret in ordinary text")
        if field in ("pattern", "joins") and ready.groups > 1:
            raise self._refused("its pattern has more than one group: expected (?:…) but for the secret")

    def _expanded(self, expression: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            if match[1] not in self._fragments:
                raise self._refused(f"{match[0]} is no fragment: there are {', '.join(self._fragments)}")
            return self._fragments[match[1]]

        return _FRAGMENT.sub(replaced, expression)

    def _text(self, field: str) -> str:
        value = self._table.get(field, "")
        if not isinstance(value, str):
            raise self._refused(f"its {field} is {type(value).__name__}: expected a text")
        return value

    def _list(self, field: str) -> tuple[str, ...]:
        value = self._table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self._refused(f"its {field} is no list of texts")
        return tuple(value)

    def _refused(self, why: str) -> RuleRefused:
        return RuleRefused(f"{self._name} of {self._origin}", why)


def _tables(document: Mapping[str, object], origin: str) -> Iterator[Mapping[str, object]]:
    """Yield each rule's table; a vendor's title and source are its rules'."""
    unknown = sorted(document.keys() - {"rule", "vendor", "fragments"})
    if unknown:
        raise RuleRefused(origin, f"{unknown[0]!r} is no table: there are rule, vendor and fragments")
    yield from _list_of_tables(document.get("rule", []), origin, "rule")
    for vendor in _list_of_tables(document.get("vendor", []), origin, "vendor"):
        about = {field: value for field, value in vendor.items() if field != "rules"}
        if about.keys() - {"title", "source"}:
            raise RuleRefused(origin, "a vendor has a field that is none of title, source and rules")
        for table in _list_of_tables(vendor.get("rules", []), origin, "rules"):
            yield {**about, **table}


def _list_of_tables(value: object, origin: str, what: str) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RuleRefused(origin, f"{what!r} is no list of tables")
    return value


def _fragments(document: Mapping[str, object], origin: str) -> dict[str, str]:
    """Return what expressions may refer to; the file's own may refer to those before them."""
    known = dict(_GIVEN)
    own = document.get("fragments", {})
    if not isinstance(own, dict):
        raise RuleRefused(origin, "'fragments' is no table")
    for name, value in own.items():
        if not isinstance(value, str):
            raise RuleRefused(origin, f"fragment {name!r} is no text")
        try:
            known[name] = _FRAGMENT.sub(lambda match: known[match[1]], value)
        except KeyError as missing:
            raise RuleRefused(origin, f"fragment {name!r} refers to {missing}, which is none") from missing
    return known
