"""What a document says of its session, beside the turns."""

from __future__ import annotations

from typing import NamedTuple

from gitmem.handing_over.target import at_text
from gitmem.model.ids import SessionKey
from gitmem.model.turns import Header
from gitmem.transcripts.fields import Object


class About(NamedTuple):
    """A session's name, what it says of itself, who captured it, and how far they are trusted here."""

    key: SessionKey
    title: str
    header: Header
    authors: tuple[str, ...]
    trust: str

    @property
    def fields(self) -> Object:
        """What is known, by the names that the neutral form has."""
        header = self.header
        known: Object = {
            "title": self.title or header.title,
            "started_at": None if header.started_ms is None else at_text(header.started_ms, 0),
            "cwd": header.cwd,
            "branch": header.branch,
            "commit": header.commit,
            "model": header.model,
            "captured_by": list(self.authors),
            "trust": self.trust,
        }
        return {key: value for key, value in known.items() if value is not None}
