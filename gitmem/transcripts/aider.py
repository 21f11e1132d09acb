"""Aider: a Markdown log in the working tree, appended to; each run of the program in it is a session.

Lines that begin with `#### ` are the user's, with `> ` what the program said; all else is the model's answer,
with the edits that it asks for as blocks of text to search and to replace. There are no ids, and no times but
that of the run. Source: aider's `io.py` and `split_chat_history_markdown`, which knows no more either.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitmem.model.turns import Tally
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.aider_log import (
    NAME,
    AiderLog,
    first_name,
    heading_name,
    identity_of,
    started_ms,
)
from gitmem.transcripts.calls import describe
from gitmem.transcripts.document import Member
from gitmem.transcripts.fields import Object, string
from gitmem.transcripts.lines import LINE_LIMIT, Line, split_lines
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import part

_VERSION = re.compile(r"^Aider (v\S{1,60})", re.MULTILINE)
_MODEL = re.compile(r"^(?:Main m|M)odel: (\S{1,200})", re.MULTILINE)
_SEARCH = re.compile(r"^<{5,9} SEARCH>?\s*$")
_DIVIDER = re.compile(r"^={5,9}\s*$")
_REPLACE = re.compile(r"^>{5,9} REPLACE\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~|<source>)")
_END_OF_FENCE = re.compile(r"^\s*(?:```|~~~|</source>)`*\s*$")
_LONGEST_PATH = 1000


def identify(head: Head) -> Identity | None:
    """Recognise a run by its heading."""
    name = first_name(head.data)
    return identity_of(name) if name is not None else None


def blocks(chunks: Iterable[bytes], tally: Tally) -> Iterator[Line | Member]:
    """Put lines together that one side said: an object has its text as `user`, `told` or `said`.

    A heading becomes one with the name of the run that `began`. A blank line ends a block but within an
    answer; a block is not held beyond LINE_LIMIT.
    """
    whose, first, held = "said", 0, 0
    lines: list[bytes] = []
    for raw in split_lines(chunks):
        tally.lines += 1
        tally.long_lines += raw.shortened
        begun = heading_name(raw.data)
        now, data = _whose(raw.data)
        if lines and (begun is not None or now != whose or held > LINE_LIMIT):
            yield from _block(whose, lines, first, tally)
            lines, held = [], 0
        if begun is not None:
            yield Line(raw.number, {"began": begun})
        elif lines or data.strip():
            if not lines:
                whose, first = now, raw.number
            lines.append(data)
            held += len(data) + 1
    if lines:
        yield from _block(whose, lines, first, tally)


def _whose(data: bytes) -> tuple[str, bytes]:
    if data.startswith(b"#### ") or data == b"####":
        return "user", data[5:].rstrip()
    if data.startswith(b"> ") or data == b">":
        return "told", data[2:].rstrip()
    return "said", data.removesuffix(b"\r")


def _block(whose: str, lines: list[bytes], first: int, tally: Tally) -> Iterator[Line]:
    data = b"\n".join(lines)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        tally.bad_utf8 += 1
        text = data.decode(errors="replace")
    yield Line(first, {whose: text.strip("\n") if whose == "said" else text})


class AiderReader(LineReader):
    """Reads the blocks of a run."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._details = Details()

    def read(self, record: Object) -> None:
        """Read what one side said in one go."""
        recorder = self._recorder
        user, said, told = string(record, "user"), string(record, "said"), string(record, "told")
        if user is not None:
            recorder.add_words(part(user))
        elif said is not None:
            self._read_answer(said)
        elif told is not None:
            version, model = _VERSION.search(told), _MODEL.search(told)
            recorder.tell(agent_version=version[1] if version else None)
            if model is not None:
                recorder.tell(model=model[1])
                self._details = Details(model=model[1])
            recorder.add("system", "notice", told)
        else:
            recorder.tell(started_ms=started_ms(string(record, "began") or ""))

    def _read_answer(self, text: str) -> None:
        recorder = self._recorder
        for piece in _pieces(text):
            if isinstance(piece, str):
                recorder.add("assistant", "message", piece, self._details)
            else:
                asked = {"path": piece.path, "old_string": piece.old, "new_string": piece.new}
                recorder.add_call(describe(None, "edit", asked), self._details)


class _Edit(NamedTuple):
    path: str | None
    old: str
    new: str


def _pieces(text: str) -> Iterator[str | _Edit]:
    """Yield an answer's words and its edits, in order; an edit's path stands above it, outside its fence."""
    if "SEARCH" not in text:
        yield text
        return
    words: list[str] = []
    lines = text.split("\n")
    dividers, ends = _places(lines, _DIVIDER), _places(lines, _REPLACE)
    path: str | None = None
    at = 0
    while at < len(lines):
        divider = _next(dividers, at) if _SEARCH.match(lines[at]) else None
        stop = _next(ends, divider) if divider is not None else None
        if divider is None or stop is None:  # an edit that breaks off is words, too
            words.append(lines[at])
            at += 1
            continue
        old, new = "\n".join(lines[at + 1 : divider]), "\n".join(lines[divider + 1 : stop])
        at = stop + 1
        path = _take_path(words) or path
        if any(words):
            yield "\n".join(words).strip("\n")
        words = []
        yield _Edit(path, old, new)
        if at < len(lines) and _END_OF_FENCE.match(lines[at]):
            at += 1
    if any(words):
        yield "\n".join(words).strip("\n")


def _places(lines: list[str], mark: re.Pattern[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if mark.match(line)]


def _next(places: list[int], after: int) -> int | None:
    """Return the first of some lines behind one."""
    index = bisect_right(places, after)
    return places[index] if index < len(places) else None


def _take_path(words: list[str]) -> str | None:
    """Take the fence and the path above an edit off the words before it, where they are there."""
    kept = len(words)
    if kept and _FENCE.match(words[kept - 1]):
        kept -= 1
    elif not kept or not words[kept - 1].strip():
        return None
    line = words[kept - 1] if kept else ""
    path = line.strip().lstrip("#*` ").rstrip("*`: ") if len(line) <= _LONGEST_PATH else ""
    is_path = ("." in path or "/" in path) and " " not in path
    del words[kept - is_path :]
    return path if is_path else None


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=AiderReader,
    records=blocks,
    collection=AiderLog(),
)
