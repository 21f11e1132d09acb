"""Finding transcripts below the paths that a user names."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.model.errors import TranscriptMissing
from gitmem.transcripts.places import transcript_files
from gitmem.verbs.intake import Source


def named_sources(paths: Iterable[Path], agent: str | None) -> Iterator[Source]:
    """Yield the files that paths stand for: themselves, or the transcripts in a folder and below.

    Raises:
        UnknownTranscript: There is no such file or folder.
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
                yield Source(file, agent)
        else:
            yield Source(path, agent)
