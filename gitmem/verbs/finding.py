"""Finding transcripts below the paths that a user names."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.model.errors.intake import TranscriptMissing, UnknownTranscript
from gitmem.transcripts.detect import HEAD_BYTES, detect
from gitmem.transcripts.places import transcript_files
from gitmem.verbs.collected import collection_in, source_of
from gitmem.verbs.intake import Source
from gitmem.verbs.looking import open_regular

_TOLD_BY_NAME = (".json", ".jsonl")


def named_sources(paths: Iterable[Path], agent: str | None) -> Iterator[Source]:
    """Yield the files that paths stand for: themselves, or the transcripts in a folder and below.

    Raises:
        TranscriptMissing: There is no such file or folder, or it cannot be read.
        UnknownTranscript: A file that was named is a collection that cannot be understood.
    """
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            raise TranscriptMissing(str(path), "there is no such file or folder") from None
        except OSError as error:
            raise TranscriptMissing(str(path), error.strerror or str(error)) from None
        if is_folder:
            for file in transcript_files(path):
                try:
                    sources = _sources_in(file, agent) if _may_be_one(file, agent) else []
                except (OSError, UnknownTranscript):
                    sources = [Source(file, agent)]  # it is refused by name
                yield from sources
        else:
            try:
                yield from _sources_in(path, agent)
            except OSError as error:
                raise TranscriptMissing(str(path), error.strerror or str(error)) from None


def _may_be_one(path: Path, agent: str | None) -> bool:
    """Whether a file that nobody named may hold sessions: most Markdown and most archives hold none.

    Raises:
        OSError: It cannot be read.
    """
    if path.name.endswith(_TOLD_BY_NAME) or collection_in(path, agent) is not None:
        return True
    with open_regular(path) as file:
        head = file.read(HEAD_BYTES)
    try:
        detect(head, path, agent)
    except UnknownTranscript:
        return False
    return True


def _sources_in(path: Path, agent: str | None) -> list[Source]:
    """Return a file itself, or the sessions of the collection that it is."""
    found = collection_in(path, agent)
    if found is None:
        return [Source(path, agent)]
    owner, collection = found
    return [
        source_of(path, owner.name, collection, listed) for listed in collection.sessions(path, None).sessions
    ]
