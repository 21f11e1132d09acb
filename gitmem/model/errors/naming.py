"""Names of sessions, checkpoints, notes and turns that lead to none, or to several."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError


class SessionUnknown(GitmemError):
    """No session of that name is in the memory."""

    hint = "gitmem sessions: lists those that are"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not find session {name} in this memory")


class SessionAmbiguous(GitmemError):
    """A shortened or shared name fits more than one session."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which session {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class CheckpointUnknown(GitmemError):
    """No checkpoint, and no session, of that name is in the memory."""

    def __init__(self, name: str, candidates: tuple[str, ...] = ()) -> None:
        self.name, self.candidates = name, candidates
        listed = ", ".join(candidates[:5])
        super().__init__(
            f"could not find checkpoint {name[:80]} in this memory",
            hint="gitmem log --checkpoints: lists them" + (f"; the newest are {listed}" if listed else ""),
        )


class CheckpointAmbiguous(GitmemError):
    """A shortened name fits more than one checkpoint."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which checkpoint {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class NoteUnknown(GitmemError):
    """No note of that name is in the memory."""

    hint = "gitmem note list --all: lists those that are"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"could not find {name[:80]} in this memory")


class NoteAmbiguous(GitmemError):
    """A shortened name fits more than one note."""

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        self.name, self.candidates = name, candidates
        super().__init__(
            f"could not tell which note {name} is: {len(candidates)} fit",
            hint="name one of them: " + ", ".join(candidates[:5]),
        )


class NoteSuperseded(GitmemError):
    """A note was to be changed in whose place another one stands."""

    def __init__(self, name: str, verb: str, heads: tuple[str, ...]) -> None:
        self.name, self.verb, self.heads = name, verb, heads
        super().__init__(
            f"could not change {name}: another note took its place",
            hint=f"gitmem note {verb} {heads[0]}: is about that one"
            + (f"; so is {', '.join(heads[1:5])}" if heads[1:] else ""),
        )


class NoteNotKept(GitmemError):
    """A note was to have another level than the team's, which alone has notes."""

    hint = "gitmem note add --level team TEXT: writes it where all who share the memory see it"

    def __init__(self, level: str) -> None:
        self.level = level
        super().__init__(f"could not write the note down at level {level}: notes are the team's")


class NoteNotDue(UsageError):
    """A note was given a date that is no reminder: nobody would be told what to do about it then."""

    hint = "gitmem note add --kind reminder --due 2w TEXT: reminds of it, beside the note that holds"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"could not write the note down: a {kind} is not due at any time, a reminder is")


class NoteNotWritten(UsageError):
    """Nobody said what the note says, and there is no terminal to ask at."""

    hint = "gitmem note add TEXT: says it; gitmem note add -: takes it from standard input"

    def __init__(self) -> None:
        super().__init__("could not write a note down: expected TEXT")


class TurnUnknown(GitmemError):
    """The session has no such turn."""

    def __init__(self, session: str, turn: str, count: int) -> None:
        self.session, self.turn, self.count = session, turn, count
        super().__init__(
            f"could not find turn {turn} in {session}: it has {count} turns",
            hint=f"gitmem show {session}: shows them with their numbers",
        )


class StreamUnknown(GitmemError):
    """The session has no such stream."""

    def __init__(self, session: str, stream: str, streams: tuple[str, ...]) -> None:
        self.session, self.stream, self.streams = session, stream, streams
        named = [name for name in streams if name]
        missing = f"stream {stream}" if stream else "its own transcript"
        super().__init__(
            f"could not find {missing} in {session}: it has {len(named)} of subagents",
            hint="gitmem show --stream NAME: knows " + ", ".join(named[:5])
            if named
            else "leave --stream out",
        )
