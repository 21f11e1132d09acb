"""Values that are secret for where they stand: in the environment, or in a file such as `.env`.

What is found here is handed to the redactor and stays in memory; it is never written, logged or shown. A name
that says so makes a value secret, and so does a value that looks drawn by lot; but never one that also stands
in ordinary text, since it would be replaced there too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote

MOST_VALUES: Final = 512
LEAST_BYTES: Final = 8
MOST_BYTES: Final = 8192

# fmt: off
_WORDS_OF_SECRETS: Final = frozenset(
    {"KEY", "PASS", "PASSPHRASE", "PW", "CREDENTIAL", "CREDENTIALS", "CREDS", "DSN", "PAT", "AUTH"}
)
# fmt: on
_ENDINGS: Final = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY")
"""What also ends a longer word, as in PGPASSWORD."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OF_THE_SYSTEM: Final = re.compile(
    r"(?:GIT|GITMEM|LC|XDG|TERM|LS|SSH|DBUS|SYSTEMD|ITERM|WT|VSCODE|NIX|CONDA)_.*|LANG(?:UAGE)?|.*PATH|.*DIR|HOME"
    r"|SHELL|USER|LOGNAME|O?L?D?PWD|TERM|DISPLAY|EDITOR|VISUAL|PAGER|PS[0-9]|HOSTNAME|TMUX|_|INVOCATION_ID|.*_SHA"
)
"""Variables of git, shells, locales and terminals: whatever their values look like, they are no secrets."""

_USERINFO: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^\s/@:]*:([^\s/]+)@")
_NO_SECRET: Final = re.compile(
    r"(?:[~.]{0,2}/|[A-Za-z]:[\\/]).*"  # a path
    r"|[A-Za-z][A-Za-z0-9+.-]*://.*"  # an address; a password in it was taken before
    r"|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?::[0-9]+)?/?"  # a host
    r"|[^\s@]+@[^\s@]+\.[a-zA-Z]{2,}"  # an e-mail address
    r"|[v=~^<>]*[0-9]+(?:[.,:_ -][0-9]+)*(?:[.+-][A-Za-z]+[0-9.]*)?"  # a number, a date, a version
    r"|[A-Za-z]{1,11}|[a-z]+(?:[ _-][a-z]+)*"  # words
    r"|.*(?:\$\{|\$\(|\{\{|<[^<>]*>|%\().*|\$[A-Za-z_]\w*"  # a template
    r"|(?i:.*(?:change[-_ ]?me|your[-_ ]|example|placeholder|replace[-_ ]?me|dummy).*)|(.)\1*",
    re.DOTALL,
)
_LOOKS_DRAWN: Final = re.compile(r"[A-Za-z0-9+/=_~!@#$%^&*-]{20,}")
_LEAST_ENTROPY: Final = 3.8
"""Bits a character: of twenty that were drawn, nearly all reach it; identifiers of that length do not."""

_LONG_LINE: Final = 20

_ASSIGNMENT: Final = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:=|:(?=[ \t]))[ \t]*"
    r"(?:'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|`([^`]*)`|([^\n]*))",
    re.MULTILINE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t"}


def known_values(environ: Mapping[str, str], env_files: Iterable[str]) -> tuple[bytes, ...]:
    """Return what of an environment, and of the texts of `.env` files, is secret: the longest first.

    At most MOST_VALUES are returned, each of LEAST_BYTES and more.
    """
    found: dict[bytes, None] = {}
    for assignments in (environ.items(), *map(assignments_of, env_files)):
        for name, value in assignments:
            for secret in _secrets(name, value) if len(value) <= MOST_BYTES else ():
                encoded = secret.encode("utf-8", "surrogateescape")
                if LEAST_BYTES <= len(encoded) <= MOST_BYTES:
                    found[encoded] = None
    return tuple(sorted(found, key=len, reverse=True)[:MOST_VALUES])


def assignments_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of a `.env` or `.envrc` file: with `export`, quotes, comments, several lines."""
    for match in _ASSIGNMENT.finditer(text.replace("\r\n", "\n")):
        name, single, double, back, bare = match.groups()
        if double is not None:
            yield name, _ESCAPE.sub(lambda escape: _CONTROLS.get(escape[1], escape[1]), double)
        elif bare is not None:
            yield name, _COMMENT.sub("", bare).strip()
        else:
            yield name, single if single is not None else back


def _secrets(name: str, value: str) -> Iterator[str]:
    """Yield the secret parts of one value."""
    for password in _USERINFO.findall(value):
        if not _NO_SECRET.fullmatch(password):
            yield password
            yield unquote(password)
    if _OF_THE_SYSTEM.fullmatch(name) or _NO_SECRET.fullmatch(value):
        return
    if not (_says_secret(name) or _looks_drawn(value)):
        return
    if "\n" in value:
        yield from (line for line in value.split("\n") if len(line) >= _LONG_LINE and "-----" not in line)
    yield value


def _says_secret(name: str) -> bool:
    words = {word.upper() for word in _WORD.findall(name)}
    says = not words.isdisjoint(_WORDS_OF_SECRETS) or any(word.endswith(_ENDINGS) for word in words)
    return says and "PUBLIC" not in words


def _looks_drawn(value: str) -> bool:
    if not _LOOKS_DRAWN.fullmatch(value):
        return False
    classes = (str.islower, str.isupper, str.isdigit)
    if not all(any(of_class(letter) for letter in value) for of_class in classes):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) >= _LEAST_ENTROPY
