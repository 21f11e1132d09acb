"""Transcripts and events that cannot be taken in."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError


class TranscriptError(GitmemError):
    """A transcript could not be taken in."""


class TranscriptMissing(TranscriptError):
    """A file or folder that was named is not there, or cannot be looked at."""

    hint = "gitmem import PATH…: takes files and folders that exist"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not import {path}: {why}")


class UnknownTranscript(TranscriptError):
    """No reader recognises the file."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"could not tell which agent wrote {path}: {why}",
            hint="gitmem import --agent NAME PATH: says it; docs/agents.md lists what is recognised",
        )


class EventRefused(GitmemError):
    """A file in the spool is no event that a hook left."""

    hint = "gitmem doctor: says what else is wrong"

    def __init__(self, stem: str, why: str) -> None:
        self.stem, self.why = stem, why
        super().__init__(f"could not read event {stem[:80]!r}: {why}")


class ReaderMissing(TranscriptError):
    """A session is there, and this gitmem has no reader for its agent; a newer one may have written it."""

    hint = "upgrade gitmem, then try again; gitmem show --raw SESSION: shows the lines as they are stored"

    def __init__(self, agent: str) -> None:
        self.agent = agent
        super().__init__(f"could not read a session of {agent[:80]!r}: no reader has that name")


class PathUnreadable(UsageError):
    """There is nothing to be read at a path that was named."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not read {path}: {why}")


class WorkerDied(GitmemError):
    """A process that sealed transcripts for this one was killed, as systems do that run out of memory."""

    hint = (
        "run the same command again: it goes on where it was; git config gitmem.workers 1: uses less memory"
    )

    def __init__(self) -> None:
        super().__init__("could not go on: a worker process was killed; what was committed before stands")
