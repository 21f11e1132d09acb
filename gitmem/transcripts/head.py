"""Decoding the beginning of a file, cut anywhere, far enough to tell what it is."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from gitmem.transcripts.agent import Head
from gitmem.transcripts.fields import Object
from gitmem.transcripts.salvage import salvage
from gitmem.transcripts.shrink import Shrinker

_DECODE = msgspec.json.Decoder().decode
_MOST_RECORDS = 200


def read_head(data: bytes, path: PurePath) -> Head:
    """Decode what is whole in `data`; never raises."""
    first, *others = [line for line in data.split(b"\n") if line.strip()][:_MOST_RECORDS] or [b""]
    record = _object(first)
    if record is None and first.lstrip().startswith(b"{") and not has_whole_records(data):
        document = _completed(data)
        if document is not None:
            return Head(path, (document,), is_document=True, data=data)
    candidates = [record or _rescued(first), *(_object(line) for line in others)]
    records = tuple(found for found in candidates if found is not None)
    return Head(path, records, is_document=False, data=data)


def has_whole_records(data: bytes) -> bool:
    """Tell whether any line that begins with a brace is an object by itself: a document's lines are not."""
    return any(line.startswith(b"{") and _object(line) is not None for line in data.split(b"\n"))


def _object(data: bytes) -> Object | None:
    try:
        value = _DECODE(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _rescued(data: bytes) -> Object | None:
    return next((value for value in salvage(data).values if isinstance(value, dict)), None)


def _completed(data: bytes) -> Object | None:
    """Decode one object that begins `data`, without what is incomplete at its end."""
    shrinker = Shrinker()
    shrinker.feed(data)
    return _object(shrinker.finish() if not shrinker.is_open() else shrinker.finish_cut_short())
