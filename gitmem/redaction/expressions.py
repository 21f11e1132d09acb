"""Compiles expressions that take linear time on any input; the only module that knows RE2."""

from __future__ import annotations

from functools import cache, lru_cache

import re2

from gitmem.model.errors.withholding import RedactionFailed


def compiled(pattern: str | bytes, memory_bytes: int = 8 << 20) -> re2._Regexp:
    """Compile for bytes of any kind: as Latin-1, where each byte is one character.

    Raises:
        RedactionFailed: RE2 does not accept the expression.
    """
    try:
        return re2.compile(pattern.encode() if isinstance(pattern, str) else pattern, _options(memory_bytes))
    except re2.error:  # what it says quotes the expression, which may be made of a known value
        raise RedactionFailed("anything", "an expression does not compile") from None


@lru_cache(maxsize=32)
def compiled_set(patterns: tuple[str, ...], memory_bytes: int) -> re2.Set:
    """Compile what tells which of some expressions match somewhere in a text; twice is the same as once.

    Raises:
        RedactionFailed: RE2 does not accept one of them.
    """
    ready = re2.Set.SearchSet(_options(memory_bytes))
    try:
        for pattern in patterns:
            ready.Add(pattern.encode())
    except re2.error:  # what it says quotes the expression, which may be made of a known value
        raise RedactionFailed("anything", "an expression does not compile") from None
    ready.Compile()
    return ready


def _options(memory_bytes: int) -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = memory_bytes
    options.dot_nl = True
    options.log_errors = False
    return options


@cache
def expression(pattern: str) -> re2._Regexp:
    """Return the module's own expression, compiled when first needed."""
    return compiled(pattern, 16 << 20)
