"""The forms in which agents write sessions, as what cuts a stream's bytes into records; lines are the
plainest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from gitmem.model.turns import Tally
from gitmem.transcripts.agent import Records
from gitmem.transcripts.document import Member, read_document
from gitmem.transcripts.head import has_whole_records
from gitmem.transcripts.lines import Line, read_lines, split_lines

_ENOUGH_TO_TELL = 64 * 1024


def documents(messages_key: str) -> Records:
    """Return what reads one JSON object, whose messages are the list at `messages_key`."""

    def records(chunks: Iterable[bytes], tally: Tally) -> Iterator[Line | Member]:
        return read_document(chunks, messages_key, tally)

    return records


def lines_or_documents(messages_key: str, are_lines: Callable[[bytes], bool] = has_whole_records) -> Records:
    """Return what reads lines where the beginning of a stream says that it has some, and else a document."""

    def records(chunks: Iterable[bytes], tally: Tally) -> Iterator[Line | Member]:
        rest = iter(chunks)
        begun: list[bytes] = []
        size = 0
        while size < _ENOUGH_TO_TELL and (chunk := next(rest, None)) is not None:
            begun.append(chunk)
            size += len(chunk)
        everything = chain(begun, rest)
        if are_lines(b"".join(begun)[:_ENOUGH_TO_TELL]):
            return read_lines(everything, tally)
        return read_document(everything, messages_key, tally)

    return records


def plain_text(chunks: Iterable[bytes], tally: Tally) -> Iterator[Line | Member]:
    """Read lines that are no JSON: each is an object with the `line`, without its end."""
    for raw in split_lines(chunks):
        tally.lines += 1
        tally.long_lines += raw.shortened
        try:
            text = raw.data.decode()
        except UnicodeDecodeError:
            tally.bad_utf8 += 1
            text = raw.data.decode(errors="replace")
        yield Line(raw.number, {"line": text.removesuffix("\r").replace("\x00", "")}, raw.shortened)
