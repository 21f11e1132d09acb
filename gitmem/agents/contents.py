"""What a file of an agent's would hold with gitmem's entries, and without them. Pure, of bytes.

A byte order mark and line ends stay what they are; a file that is no UTF-8 is none that these agents read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gitmem.agents import merging, own_files, tables
from gitmem.agents.jsonc import Path as Keys
from gitmem.agents.targets import Target
from gitmem.model.errors.enabling import ConfigUnreadable

MAX_BYTES: Final = 64 << 20


class Wanted(NamedTuple):
    """A file's content as it should be; `made` are the objects and arrays that were missing.

    `left` says why something stays as it is.
    """

    content: bytes
    made: tuple[Keys, ...] = ()
    left: str = ""


def with_entries(target: Target, content: bytes | None, whole: bytes) -> Wanted:
    """Return a file with gitmem's entries; the same bytes where it has them.

    `whole` is what a file of our own is to hold, None as content stands for a file that is not there.

    Raises:
        ConfigUnreadable: It is not what the agent could read either.
    """
    if target.whole:
        return _own_file(content, whole)
    mark, text = _decode(content if content is not None else b"")
    if target.server and not target.entries:
        command, *args = target.server
        return Wanted(mark + tables.merge(text, command, args).encode())
    if not text.strip():
        merged = merging.merge("{}", target.entries)
        return Wanted(mark + merged.text.encode() + b"\n", merged.made)
    merged = merging.merge(text, target.entries)
    left = f"it has a {merged.left[0]} of its own" if merged.left else ""
    return Wanted(mark + merged.text.encode(), merged.made, left)


def without_entries(target: Target, content: bytes, made: Iterable[Keys] | None) -> bytes | None:
    """Return a file without gitmem's entries; None where nothing but what agents want at its top is left.
    `made` are the objects and arrays that gitmem made there, None where that is not known.

    Raises:
        ConfigUnreadable: It is not what the agent could read either.
    """
    if target.whole:
        return None if own_files.state(content) == "ours" else content
    mark, text = _decode(content)
    if target.server and not target.entries:
        text = tables.strip(text)
        return mark + text.encode() if text.strip() else None
    if not text.strip():
        return content
    stripped = stripped_of_entries(target, content, made)
    return None if merging.is_bare(_decode(stripped)[1], target.entries) else stripped


def stripped_of_entries(target: Target, content: bytes, made: Iterable[Keys] | None) -> bytes:
    """Return a file of JSON without gitmem's entries, whatever is left; as `without_entries`.

    Raises:
        ConfigUnreadable: It is not what the agent could read either.
    """
    mark, text = _decode(content)
    if not text.strip():
        return content
    return mark + merging.strip(text, target.entries, made=made).encode()


def has_entries(target: Target, content: bytes) -> bool:
    """Tell whether anything of gitmem's, of whatever version, is in a file.

    Raises:
        ConfigUnreadable: It is not what the agent could read either.
    """
    if target.whole:
        return own_files.state(content) != "foreign"
    _, text = _decode(content)
    if target.server and not target.entries:
        return tables.has_table(text)
    return bool(text.strip()) and merging.has_entries(text, target.entries)


def is_current(target: Target, content: bytes, whole: bytes) -> bool:
    """Tell whether a file holds what this version writes."""
    return with_entries(target, content, whole).content == content


def _own_file(content: bytes | None, whole: bytes) -> Wanted:
    if content is None or own_files.state(content) == "ours":
        return Wanted(whole)
    changed = own_files.state(content) == "changed"
    return Wanted(content, left="somebody has changed it" if changed else "it is not gitmem's")


def _decode(content: bytes) -> tuple[bytes, str]:
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    try:
        return mark, content[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise ConfigUnreadable("", f"it is no UTF-8: {error.reason}") from None


def listed(made: Sequence[Keys]) -> list[list[str]]:
    """Return paths as JSON has them."""
    return [list(path) for path in made]
