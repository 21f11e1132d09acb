"""The records of a session as it is stored: its lines, decoded, or the messages of its document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from gitmem.format.lines import lines_of
from gitmem.model.turns import Tally
from gitmem.transcripts import opencode
from gitmem.transcripts.agent import Shape
from gitmem.transcripts.document import Member
from gitmem.transcripts.fields import Object, mapping
from gitmem.transcripts.registry import REGISTRY


def records_of(text: Iterable[bytes], agent: str, shape: Shape = "document") -> Iterator[Object]:
    """Yield the objects of a text, in order; what is none is left out.

    Of a document what it has beside its messages is a record too; opencode's are those of its renditions.
    """
    pieces = iter(text)
    begun = next(pieces, b"")
    if agent == opencode.NAME and not opencode.is_rendition(begun):
        for record in _of_document(chain([begun], pieces), agent):
            yield (
                {"message": record} if "info" in record and "parts" in record else {"session": record["info"]}
            )
    elif shape == "document" and agent != opencode.NAME:
        yield from _of_document(chain([begun], pieces), agent)
    else:
        for line in lines_of(chain([begun], pieces)):
            try:
                record = mapping(msgspec.json.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if record:
                yield record


def _of_document(text: Iterable[bytes], agent: str) -> Iterator[Object]:
    for item in REGISTRY[agent].load().records(text, Tally()):
        record = item.value if isinstance(item, Member) else mapping(item.value)
        if record:
            yield record


def encoded(record: Object) -> bytes:
    """Return a record as a line."""
    return msgspec.json.encode(record) + b"\n"
