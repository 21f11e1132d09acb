"""Rules of a user's own, in git's configuration: tested when they are loaded, and refused with a reason.

    [gitmem "redact.acme-key"]
        pattern = acme_([a-z0-9]{24})
        sample = acme_0123456789abcdef01234567
        counter = acme_documentation

They come from the user's and the repository's own configuration, never from a committed file. They only add
to what is found, and none can cost more than RE2 takes for any expression of its size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from gitmem.model.errors.withholding import RuleRefused
from gitmem.redaction.cores import NoCore, shape_of
from gitmem.redaction.engine import Engine
from gitmem.redaction.finding import Finder
from gitmem.redaction.placeholders import USER_RULE, placeholder
from gitmem.redaction.rules import Rule, RuleSet

MOST_RULES: Final = 64
_MOST_BYTES: Final = 500
_MEMORY_BYTES: Final = 256 << 10
"""For the compiled expression: repetitions of repetitions need more than this long before they are slow."""
_LEAST_SECRET_BYTES: Final = 4
_PREFIX: Final = "gitmem.redact."
_KEYS: Final = ("pattern", "sample", "counter")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

_ORDINARY: Final = (
    b"The quick brown fox jumps over the lazy dog, and 1234567890 others follow it; see README.md for more.",
    b'{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"Done."}]}}',
    b'{"parentUuid":null,"sessionId":"","timestamp":"2026-05-08T10:00:00Z","cwd":"/src","gitBranch":"main"}',
    b"def main() -> int:\n    return run(sys.argv[1:], context_of_process(), name=name)\n",
    placeholder(bytes(32), USER_RULE, b""),
)
"""What a rule must leave alone; a line of a transcript that lost its own words would be no transcript."""


class UserRule(NamedTuple):
    """A rule as it was written."""

    name: str
    pattern: str
    samples: tuple[str, ...]
    counters: tuple[str, ...]


def user_rules(config: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """Return the rules that a repository's configuration declares, each of them tested.

    Raises:
        RuleRefused: One of them cannot be used.
    """
    return tuple(proven(rule) for rule in declared(config))


def declared(config: Mapping[str, tuple[str, ...]]) -> list[UserRule]:
    """Return the rules of a configuration as they were written, by name.

    Raises:
        RuleRefused: There are too many, or one is called or made of what no rule is.
    """
    parts: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, values in config.items():
        if key.startswith(_PREFIX):
            name, _, part = key.removeprefix(_PREFIX).rpartition(".")
            if not _NAME.fullmatch(name):
                raise RuleRefused(name, "a name has up to 40 letters a-z, digits and hyphens")
            if part not in _KEYS:
                raise RuleRefused(name, f"{part} is none of {', '.join(_KEYS)}")
            parts.setdefault(name, {})[part] = values
            if len(parts) > MOST_RULES:
                raise RuleRefused(name, f"there are more than {MOST_RULES} rules")
    return [
        UserRule(name, of.get("pattern", ("",))[-1], of.get("sample", ()), of.get("counter", ()))
        for name, of in sorted(parts.items())
    ]


def proven(rule: UserRule) -> Rule:
    """Return a rule ready for use, after its expression and its samples have been tried.

    Raises:
        RuleRefused: It cannot be used; what its samples are, the error does not say.
    """
    made = _made(rule)
    engine = Engine(RuleSet((made,)))
    if not rule.samples:
        raise RuleRefused(rule.name, "it has no sample, a text in which it has to find something")
    for number, sample in enumerate(rule.samples, 1):
        text = sample.encode("utf-8", "surrogateescape")
        if not Finder(engine).find(text, engine.readings(text)).parts:
            raise RuleRefused(rule.name, f"it finds nothing in its sample {number}")
    for number, counter in enumerate(rule.counters, 1):
        if any(engine.matches(counter.encode("utf-8", "surrogateescape"))):
            raise RuleRefused(rule.name, f"it finds something in its counter-sample {number}")
    if any(match for text in _ORDINARY for match in engine.matches(text)):
        raise RuleRefused(rule.name, "it finds something in ordinary text")
    return made


def _made(rule: UserRule) -> Rule:
    if not rule.pattern:
        raise RuleRefused(rule.name, "it has no pattern")
    if len(rule.pattern.encode("utf-8", "surrogateescape")) > _MOST_BYTES or not rule.pattern.isascii():
        raise RuleRefused(rule.name, f"a pattern is ASCII of at most {_MOST_BYTES} bytes")
    _compile(rule)
    try:
        shape = shape_of(rule.pattern)
    except NoCore as error:
        raise RuleRefused(rule.name, str(error)) from error
    if shape.groups > 1:
        raise RuleRefused(rule.name, "it has several groups; one may say what is replaced, others are (?:…)")
    if shape.least_bytes < _LEAST_SECRET_BYTES:
        raise RuleRefused(rule.name, f"what it replaces may be shorter than {_LEAST_SECRET_BYTES} characters")
    return Rule(USER_RULE, shape.core, rule.pattern, group="user", name=f"user:{rule.name}")


def _compile(rule: UserRule) -> None:
    import re2  # Whoever has no rules of their own need not wait for it here.

    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    try:
        re2.compile(rule.pattern, options)
    except re2.error as error:
        raise RuleRefused(rule.name, f"RE2 does not take it: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
