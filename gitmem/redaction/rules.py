"""What a secret looks like: the types, and the rules that are built in.

The rules are data, catalogue/*.toml, written from what each vendor says of its own tokens. To read several
hundred of them takes longer than a capture may, so `catalogue/compiled.json` holds them as they come out of
gitmem.redaction.loading; `python -m tests.redaction.compiling` writes it, and a test holds it to the TOML.

A rule's parts are RE2, matched against bytes:
  core     what of the secret and its surroundings survives any number of escapes, so that one search for all
           cores in the raw line rules out every reading of it: it may require no quote, slash or line end;
  pattern  the secret is its group, if it has one, and otherwise the whole match;
  skip     what may not be all of the secret: templates, and values of the same shape that are none;
  check    the name of a function in gitmem.redaction.checks that must agree too, where there is one;
  name     what people call the form: unique, and what `gitmem redact explain` is asked about;
  joins    how such a secret looks where line ends and colour codes within it are taken away, at its shortest,
           and with nothing asked of what stands before it; such a rule's core needs no blank and no quote.
           Empty, it is derived from the pattern, unless the kind is one of passwords and the like.

Lengths are lower bounds where a vendor may lengthen its tokens: too much replaced is a nuisance, too little a
leak. Nothing is exempt for the name of the key that it stands under.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Final, Literal, NamedTuple

ENGINE_VERSION = 2
"""Raised whenever the same rules may give other output: caches of redacted text are keyed by it."""


Group = Literal["secret", "personal", "user"]
"""Secrets go at every level, personal data by level and choice; what users' own rules find goes with them."""


class Rule(NamedTuple):
    """One form of one kind of secret; the module says what the fields mean."""

    kind: str
    core: str
    pattern: str
    skip: str = ""
    check: str = ""
    group: Group = "secret"
    name: str = ""
    joins: str = ""


class RuleSet(NamedTuple):
    """Rules in order of precedence: of two that match the same text, the first names it.

    With `takes_payloads`, images and other binary payloads are replaced too.
    """

    rules: tuple[Rule, ...]
    takes_payloads: bool = True

    @property
    def fingerprint(self) -> str:
        """Hex; another for other rules, and for another engine."""
        parts = [
            str(ENGINE_VERSION),
            str(self.takes_payloads),
            *(part for rule in self.rules for part in rule),
        ]
        return sha256("\x00".join(parts).encode()).hexdigest()[:32]


def mark_of(key: bytes, fingerprint: str, known: Iterable[bytes]) -> str:
    """Return a mark of all that decides over what is redacted: hex, another wherever any of it is another.

    Who has not got the key is told nothing by it of the values that are known.
    """
    digest = blake2b(fingerprint.encode(), key=key, digest_size=16)
    for value in sorted(set(known)):
        digest.update(len(value).to_bytes(8, "big") + value)
    return digest.hexdigest()


LEFT = r"(?:^|[^A-Za-z0-9]|\[[0-9;]{0,9}[mK]|%[0-9A-F]{2}|\\x[0-9a-f]{2})"
"""A secret begins here, not inside a longer word: `sk-` does not begin in "task-force". A colour code, and a
character in a URL's or a shell's escape, end in letters and digits but are no word."""

COMPILED: Final = Path(__file__).with_name("catalogue") / "compiled.json"

_GUESSED: Final = frozenset({"assigned-password", "assigned-secret"})
"""Kinds whose rules go by the name before a value and by how the value looks."""


def _built_in() -> RuleSet:
    return RuleSet(tuple(Rule(*fields) for fields in json.loads(COMPILED.read_text("utf-8"))))


BUILT_IN: Final = _built_in()


def floor() -> tuple[Rule, ...]:
    """Return the rules that no configuration can weaken: all that know their secret and do not guess it.

    A user's rules come on top of them. Nothing takes one away.
    """
    return tuple(rule for rule in BUILT_IN.rules if rule.kind not in _GUESSED)
