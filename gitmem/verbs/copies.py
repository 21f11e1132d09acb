"""Copies that `gitmem resume` wrote: whether anything was said since in what an agent has of one.

Until then a copy says nothing that its origin does not, and is no session that anybody has to see.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import msgspec

from gitmem.format.lines import lines_of
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.fields import mapping
from gitmem.transcripts.handed import IN_BYTES, is_last
from gitmem.transcripts.read import iterate
from gitmem.verbs.sources import chunks_of

_LONGEST_CLOSING: Final = 1000
_UNSAID: Final = ("preamble", "notice")
"""What an agent may write by itself, when it takes a session up."""


def is_untouched(identity: Identity, file: BinaryIO, stop: int) -> bool:
    """Tell whether the first `stop` bytes of a file are a copy in which nothing was said.

    Raises:
        OSError: The file cannot be read.
    """
    end = _end_of_copy(file, stop)
    if end is None:
        return False
    copied = iterate(identity.agent, [(identity.stream, chunks_of(file, 0, end))])
    for _ in copied:
        pass
    # Some agents write what they take up anew, under the ids that it has.
    since = iterate(identity.agent, [(identity.stream, chunks_of(file, end, stop))], inherited=copied.ids)
    return all(turn.kind in _UNSAID for turn in since)


def is_closing(file: BinaryIO, start: int, stop: int) -> bool:
    """Tell whether a part of a file is but what `gitmem resume` writes behind a session.

    Raises:
        OSError: The file cannot be read.
    """
    if not 0 < stop - start <= _LONGEST_CLOSING:
        return False
    return all(_is_last(line) for line in lines_of(chunks_of(file, start, stop)))


def _end_of_copy(file: BinaryIO, stop: int) -> int | None:
    at = 0
    for line in lines_of(chunks_of(file, 0, stop)):
        at += len(line)
        if _is_last(line):
            return at
    return None


def _is_last(line: bytes) -> bool:
    if IN_BYTES not in line:
        return False
    try:
        return is_last(mapping(msgspec.json.decode(line)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
