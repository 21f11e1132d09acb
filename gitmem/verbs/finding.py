"""Finding transcripts: those below the paths that a user names, and those that belong to a repository."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gitmem.model.errors import TranscriptMissing
from gitmem.transcripts.detect import Identity
from gitmem.transcripts.places import places, transcript_files
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


def sources_of_repository(
    top: Path, home: Path, environ: Mapping[str, str], agents: frozenset[str] | None
) -> Iterator[Source]:
    """Yield the agents' own transcripts of sessions that began in a working tree.

    `agents` limits whose; None means everybody's. Innermost repository wins: a session that began in a
    submodule or a nested clone is not the outer repository's.
    """
    for agent, folder in places(home, environ):
        if (agents is None or agent in agents) and folder.is_dir():
            for file in transcript_files(folder):
                yield Source(file, agent, lambda identity: belongs(identity, top))


def belongs(identity: Identity, top: Path) -> bool:
    """Whether a session began in a working tree, and in no other repository inside of it."""
    if identity.cwd is None:
        return False
    at = Path(identity.cwd)
    if not at.is_absolute() or ".." in at.parts:
        return False
    while at != top:
        if at == at.parent or (at / ".git").exists():
            return False
        at = at.parent
    return True
