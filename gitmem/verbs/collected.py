"""The sessions of a collection as sources to take in, each known by a name below the collection's own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Agent, Collection, Identity, Listed
from gitmem.transcripts.detect import HEAD_BYTES
from gitmem.transcripts.registry import REGISTRY
from gitmem.verbs.intake import Rendition, Source
from gitmem.verbs.looking import open_regular


def collection_in(path: Path, agent: str | None) -> tuple[Agent, Collection] | None:
    """Return whose collection a file is; None where it is none. With `agent` nobody else is asked.

    Raises:
        OSError: It cannot be read.
    """
    asked = [
        entry
        for name, entry in REGISTRY.items()
        if agent in (None, name) and path.name.endswith(entry.collected)
    ]
    if not asked:
        return None
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
    for entry in asked:
        one = entry.load()
        if one.collection is not None and one.collection.holds(path, head):
            return one, one.collection
    return None


def source_of(path: Path, agent: str, collection: Collection, listed: Listed) -> Source:
    """Return one session of a collection as a source."""
    identity = listed.identity
    return Source(
        name_of(path, identity),
        agent,
        rendition=Rendition(identity, lambda: collection.rendition(path, identity), listed.size_bytes),
    )


def name_of(path: Path, identity: Identity) -> Path:
    """Return what a session of a collection is known by: below a file, there is no other."""
    stream = "" if identity.stream == MAIN_STREAM else f"#{quote(identity.stream, safe='')}"
    return path / f"{quote(identity.native_id, safe='')}{stream}"
