"""A line's text as it is compared: without its white space, as `git blame -w` has it, and as a hash.

Light to import, so that git can be asked before anything else is loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from gitmem.git.blame import Line

HASH_BYTES = 8
NO_PATH = b"\0" * HASH_BYTES
"""Stands for the name of a file where a command wrote without saying where."""

REDACTED = "[gm:"
"""How a placeholder begins."""


def squeezed(text: str) -> str:
    """Return a text without its white space."""
    return "".join(text.split())


def line_hash(text: str) -> bytes:
    """Return what stands for a line, whatever its white space; nothing for an empty one."""
    text = squeezed(text)
    return blake2b(text.encode("utf-8", "replace"), digest_size=HASH_BYTES).digest() if text else b""


def name_hash(path: str) -> bytes:
    """Return what stands for the last part of a path."""
    name = path.rstrip("/").rpartition("/")[2]
    return blake2b(name.encode("utf-8", "replace"), digest_size=HASH_BYTES, person=b"name").digest()


def has_hash(hashes: bytes, wanted: bytes) -> bool:
    """Whether a hash is among joined ones."""
    at = hashes.find(wanted)
    while at >= 0 and at % HASH_BYTES:
        at = hashes.find(wanted, at + 1)
    return at >= 0


def count_lines(texts: Iterable[str], path: str) -> Counter[bytes]:
    """Count how often each line stands in a file."""
    return Counter(line_hash(said(text, path)) for text in texts)


def said(text: str, path: str) -> str:
    """Return what somebody wrote of a line; a notebook has each as a JSON text."""
    text = text.strip()
    if path.endswith(".ipynb") and text.startswith('"'):
        import json

        try:
            value = json.loads(text.removesuffix(","))
        except ValueError:
            return text
        return value if isinstance(value, str) else text
    return text


def count_letters(text: str) -> int:
    """Count letters and digits."""
    return sum(map(str.isalnum, text))


def belong_together(line: Line, other: Line) -> bool:
    """Whether two lines of a file came into it with the same commit."""
    return line.commit == other.commit and line.path == other.path
