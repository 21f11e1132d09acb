"""Finding transcripts below the paths that a user names."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.model.errors import TranscriptMissing, UnknownTranscript
from gitmem.transcripts.places import transcript_files
from gitmem.verbs.collected import collection_in, source_of
from gitmem.verbs.intake import Source


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
                    sources = _sources_in(file, agent)
                except (OSError, UnknownTranscript):
                    sources = [Source(file, agent)]  # it is refused by name
                yield from sources
        else:
            try:
                yield from _sources_in(path, agent)
            except OSError as error:
                raise TranscriptMissing(str(path), error.strerror or str(error)) from None


def _sources_in(path: Path, agent: str | None) -> list[Source]:
    """Return a file itself, or the sessions of the collection that it is."""
    found = collection_in(path, agent)
    if found is None:
        return [Source(path, agent)]
    owner, collection = found
    return [
        source_of(path, owner.name, collection, listed) for listed in collection.sessions(path, None).sessions
    ]
