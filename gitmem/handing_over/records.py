"""The records of a session as it is stored: its lines, decoded, or the messages of its document.

Every line is accounted for: what is no record, or none any more as it was written, is counted by kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

from gitmem.format.lines import lines_of
from gitmem.handing_over.steps import Lost
from gitmem.model.turns import Tally
from gitmem.transcripts import opencode
from gitmem.transcripts.agent import Shape
from gitmem.transcripts.document import Member
from gitmem.transcripts.fields import Object, child, mapping, string
from gitmem.transcripts.registry import REGISTRY
from gitmem.transcripts.salvage import salvage

NO_RECORDS: Final = "lines that are no records"
MENDED: Final = "lines that were mended, for they were no JSON"
_SHORTENED: Final = "shortened values"
_TYPE: Final = re.compile(r"[A-Za-z0-9_./-]{1,60}\Z")


def records_of(
    text: Iterable[bytes], agent: str, shape: Shape = "document", lost: Lost | None = None
) -> Iterator[Object]:
    """Yield the objects of a text, in order; what is none is counted as lost, and blank lines are nothing.

    Of a document what it has beside its messages is a record too; opencode's are those of its renditions.
    """
    counted: Lost = Counter() if lost is None else lost
    pieces = iter(text)
    begun = next(pieces, b"")
    if agent == opencode.NAME and not opencode.is_rendition(begun):
        for record in _of_document(chain([begun], pieces), agent, counted):
            is_message = "info" in record and "parts" in record
            yield {"message": record} if is_message else {"session": child(record, "info")}
    elif shape == "document" and agent != opencode.NAME:
        yield from _of_document(chain([begun], pieces), agent, counted)
    else:
        for line in lines_of(chain([begun], pieces)):
            yield from _of_line(line, counted)


def left_behind(record: Object) -> str:
    """Return what a record counts as that does not come along: its type, as far as that is a name."""
    kind = string(record, "type") or ""
    return f"lines of type {kind if _TYPE.match(kind) else '(other)'}"


def _of_line(line: bytes, lost: Lost) -> Iterator[Object]:
    try:
        record = mapping(msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if not line.strip():
            return
        records = [value for value in salvage(line).values if isinstance(value, dict) and value]
        lost[MENDED if records else NO_RECORDS] += 1
        yield from records
    else:
        if record:
            yield record
        else:
            lost[NO_RECORDS] += 1


def _of_document(text: Iterable[bytes], agent: str, lost: Lost) -> Iterator[Object]:
    tally = Tally()
    for item in REGISTRY[agent].load().records(text, tally):
        record = item.value if isinstance(item, Member) else mapping(item.value)
        if record:
            yield record
        elif not isinstance(item, Member):
            lost[NO_RECORDS] += 1
    lost[NO_RECORDS] += tally.not_json + tally.cut_short
    lost[_SHORTENED] += tally.long_lines + tally.too_deep


def encoded(record: Object) -> bytes:
    """Return a record as a line."""
    return msgspec.json.encode(record) + b"\n"
