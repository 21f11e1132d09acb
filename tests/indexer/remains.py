"""What is left of a text in an index: in its files' bytes, and in the terms and documents that tantivy finds there.

tantivy compresses both, so each of its pieces is opened by itself, as if nothing had been deleted from it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tantivy

from indexer.lexical import LexicalIndex

TEXT_FIELDS = (
    *("body", "exact", "output", "session", "part", "card", "key", "tag", "agent", "role", "branch", "tool"),
    *("level", "name", "month", "author", "file"),
)


def pieces(folder: Path) -> dict[str, int]:
    """Return the ids of an index's pieces as files are named by them, each with how many documents it has."""
    meta = json.loads((folder / "meta.json").read_text())
    found = {each["segment_id"].replace("-", ""): each["max_doc"] for each in meta["segments"]}
    others = [path.name for path in folder.iterdir() if not path.name.startswith((*found, "meta.json", "."))]
    assert not others, f"files of no piece that counts: {others}"
    return found


def texts(folder: Path) -> Iterator[str]:
    """Yield every term and all that is stored, of every piece of an index, deleted or not."""
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    pieces(folder)
    for segment in meta["segments"]:
        # tantivy looks at an index from a thread of its own, and may put a lock there as it is removed
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as beside:
            alone = Path(beside)
            for path in folder.glob(f"{segment['segment_id'].replace('-', '')}.*"):
                shutil.copy(path, alone)
            only = {**meta, "segments": [{**segment, "deletes": None}]}
            (alone / "meta.json").write_text(json.dumps(only))
            index = LexicalIndex(alone)
            assert index.size == segment["max_doc"]
            for field in TEXT_FIELDS:
                yield from index.names_beginning(field, "")
            found = index.searcher.search(tantivy.Query.all_query(), limit=index.size, count=False)
            yield from (json.dumps(index.stored(address)) for _, address in found.hits)


def places_of(text: str, folder: Path) -> list[str]:
    """Return the files below a folder that have a text in their bytes or names, in any case."""
    wanted = text.lower().encode()
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if wanted in str(path.relative_to(folder)).lower().encode()
        or (path.is_file() and wanted in path.read_bytes().lower())
    ]
