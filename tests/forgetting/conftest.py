"""A repository that remembers, its remote, and transcripts for it."""

from __future__ import annotations

from tests.levels.conftest import hub, remembering, say
from tests.sharing.conftest import ada, team

__all__ = ["ada", "hub", "remembering", "say", "team"]
