"""What `gitmem redact explain` says: of a kind, of a rule, of a placeholder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.cli.redacting import rules_of
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.withholding import KindUnknown
from gitmem.redaction.placeholders import KINDS, PAYLOADS, UNREDACTABLE, USER_RULE, is_placeholder

if TYPE_CHECKING:
    from gitmem.cli.context import Context
    from gitmem.redaction.rules import Rule

_KNOWN_VALUE: Final = "known-value"
_MEANINGS: Final[Mapping[str, str]] = {
    "card": "the number of a payment card",
    "email": "an e-mail address",
    "home": "the user's name in the path of a home directory",
    "iban": "the number of a bank account",
    "ip": "an address on the internet",
    "national-id": "a number that a state gave to a person",
    "phone": "a telephone number",
    "ssn": "a US social security number",
    UNREDACTABLE: "text that could not be read to its end, and was dropped whole",
    USER_RULE: "what a rule of the user's own found",
    _KNOWN_VALUE: "a value that stood in the environment or in a .env file when the session was taken in",
}
_REVOKE: Final = (
    "If it is in use, revoke it first, where it was given out: it stood in a session, and what an agent reads"
    " goes to its provider. Then put a new one where only the program that needs it can read it."
)
_OF_PERSONS: Final = (
    "It is somebody's: whoever has the memory does not learn it, nor see it again in another session."
)
_NOTHING: Final = "There is nothing to do."


class Explanation(NamedTuple):
    """What is known of a kind; `token` is empty unless a placeholder was asked about."""

    kind: str
    meaning: str
    group: str
    rules: tuple[Rule, ...]
    advice: str
    token: str


def explain(context: Context, asked: str) -> list[Explanation]:
    """Explain a placeholder, a kind, a rule or, as in `gm:aws`, a family of kinds.

    Raises:
        KindUnknown: It is none of these.
    """
    rules = rules_of(context, "public").rules
    if is_placeholder(asked.encode("utf-8", "replace")):
        parts = asked.strip("[]").split(":")
        return [_of_kind(parts[1], rules, parts[-1])]
    name = asked.removeprefix("gm:")
    named = [rule for rule in rules if rule.name in (name, f"user:{name}")]
    if named:
        return [_of_kind(named[0].kind, tuple(named))]
    if name in KINDS | PAYLOADS:
        return [_of_kind(name, rules)]
    from gitmem.redaction.placeholders import kinds_in

    family = kinds_in(name)
    if not family:
        raise KindUnknown(asked)
    return [_of_kind(kind, rules) for kind in family]


def compare(context: Context, asked: str, value: bytes) -> bool:
    """Tell whether a placeholder stands for a value, here: another repository has another key.

    Raises:
        UsageError: It is no placeholder, or of a kind whose tokens cannot be compared.
    """
    from gitmem.cli.opening import key_of
    from gitmem.redaction.placeholders import placeholder

    written = asked.encode("utf-8", "replace")
    if not is_placeholder(written):
        raise UsageError("could not compare a value: a whole placeholder is needed, as [gm:jwt:…]")
    (explained,) = explain(context, asked)
    if explained.group not in ("secret", "user") or explained.kind in PAYLOADS | {UNREDACTABLE}:
        why = f"the tokens of {explained.kind} are others in each session, or of whole texts"
        raise UsageError(f"could not compare a value with {asked}: {why}")
    return placeholder(key_of(context), explained.kind, value) == written


def _of_kind(kind: str, rules: tuple[Rule, ...], token: str = "") -> Explanation:
    own = tuple(rule for rule in rules if rule.kind == kind)
    group: str = own[0].group if own else "secret"
    if kind in PAYLOADS:
        meaning, advice = f"binary content ({kind.partition('-')[2]}), with its size in bytes", _NOTHING
    else:
        meaning = _MEANINGS.get(kind) or re.sub("-", " ", kind)
        advice = _NOTHING if kind == UNREDACTABLE else _OF_PERSONS if group == "personal" else _REVOKE
    return Explanation(kind, meaning, "user" if kind == USER_RULE else group, own, advice, token)
