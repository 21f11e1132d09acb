"""A session that cannot be written for another agent, or out of the memory."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


class NotResumable(GitmemError):
    """There is no way to hand a session to an agent."""

    def __init__(self, session: str, agent: str, known: tuple[str, ...]) -> None:
        self.session, self.agent, self.known = session, agent, known
        super().__init__(
            f"could not hand {session[:120]} to {agent[:60]}: sessions can be handed to {', '.join(known)}",
            hint=f"gitmem resume {session[:120]} --agent {known[0]}: hands it to that one",
        )


class NothingToHandOver(GitmemError):
    """Nothing of a session would come along: nobody says anything in it, or only several subagents do."""

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(
            f"could not hand {session[:120]} over: nothing of it would come along",
            hint=f"gitmem show {session[:120]}: shows all that there is of it",
        )


class SessionHidden(GitmemError):
    """A session was forgotten, or given a level that it is to be read under; nothing of it goes out."""

    hint = "gitmem forget --undo SESSION: brings back what was forgotten and not erased yet"

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(f"could not hand out {session[:120]}: it was forgotten, or given another level")


class TranscriptInTheWay(GitmemError):
    """An agent has something else where a session is to be written, and that stays."""

    def __init__(self, path: str, session: str) -> None:
        self.path, self.session = path, session
        super().__init__(
            f"could not write {session[:120]} to {path}: something else stands there, and stays",
            hint=f"gitmem resume --fresh {session[:120]}: writes it under another id",
        )


class ImportFailed(GitmemError):
    """An agent's own program did not take in what was written for it."""

    def __init__(self, command: tuple[str, ...], said: str) -> None:
        self.command, self.said = command, said
        super().__init__(
            f"could not have {command[0]} take the session in: {said or 'it does not say why'}",
            hint=f"{' '.join(command)}: tries again; the document is still there",
        )


class NotExported(GitmemError):
    """No line at HEAD is known to be written by sessions, so that there is no trace of them."""

    hint = "gitmem why FILE: says what is known of each of its lines"

    def __init__(self, sessions: str) -> None:
        self.sessions = sessions
        super().__init__(f"could not trace {sessions[:300]}: no line at HEAD is known to be theirs")
