"""`gitmem hook`: what the stub has answered when an agent's session begins."""

from __future__ import annotations

from typing import Final

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared
from gitmem.model.errors.base import GitmemError, UsageError

_SECONDS: Final = "GITMEM_ANSWER_S"
_EVENTS: Final = ("session-start", "stop", "session-end")


def hook(context: Context, words: tuple[str, ...], /) -> int:
    """Answer an agent; whatever is wrong, its session is not where to say so: `gitmem doctor` does."""
    agent, event = _check(words)
    if event != "session-start":
        return 0
    _limit(context.environ.get(_SECONDS, ""))
    try:
        answer = _answer(context, agent)
    except GitmemError:
        return 0
    finally:
        _lift()
    context.output.raw(answer)
    return 0


def _check(words: tuple[str, ...]) -> tuple[str, str]:
    from gitmem.agents.targets import AGENTS

    if len(words) != 2 or words[0] not in AGENTS or words[1] not in _EVENTS:
        raise UsageError(
            f"could not tell whose hook it is: {' '.join(words)[:80]!r}",
            hint=f"gitmem hook AGENT EVENT: knows {', '.join(AGENTS)}; {', '.join(_EVENTS)}",
        )
    return words[0], words[1]


def _answer(context: Context, agent: str) -> bytes:
    from gitmem.agents.answers import answer
    from gitmem.agents.payloads import MAX_BYTES, Payload, read_payload
    from gitmem.agents.telling import is_first
    from gitmem.cli.agent_drift import foreign_warning
    from gitmem.cli.digesting import digest
    from gitmem.model.ids import SessionKey
    from gitmem.verbs.enabling import takes_part

    said = b"" if context.is_interactive else context.stdin.read(MAX_BYTES + 1)
    payload = read_payload(agent, said)
    if not isinstance(payload, Payload):
        payload = Payload()
    state_dir = context.repository.state_dir
    if not payload.wants_digest or not takes_part(state_dir):
        return b""
    session = payload.session_id
    if session is not None and not is_first(state_dir, session, context.now_ms()):
        return b""
    told = digest(context, SessionKey(agent, session) if session else None)
    return answer(agent, told, foreign_warning(context, agent))


def _limit(seconds: str) -> None:
    """End this process, with nothing said, in time; the stub may have begun to count."""
    import os
    import signal

    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        wait_s = int(seconds) if seconds.isdecimal() and len(seconds) < 3 else 1
        signal.setitimer(signal.ITIMER_REAL, wait_s)


def _lift() -> None:
    import signal

    signal.setitimer(signal.ITIMER_REAL, 0)


command: Final = Declared(
    name="hook",
    about="""\
Answer a coding agent's hook: print what its session should begin with, in the form that it takes.

What the agent says comes on standard input, a JSON object. Of its fields `session_id` (or sessionId,
conversation_id, sessionID) names the session, which is told once and not of itself; `source` says how it
begins: startup, clear, compact, resume or fork, the last two of which are told nothing; `agent_id` (agentId,
parent_thread_id, parentID) makes it a subagent's, which neither is. None of them is needed: without any, it
is a session that starts.

Nothing is printed where there is nothing to say, and at other events; it ends with 0, after a second at the
latest. `gitmem enable` has agents run a stub that runs this; the stub alone notes what happened.
""",
    words="AGENT EVENT",
    options=(),
    examples=(
        "gitmem hook claude-code session-start <payload.json",
        """echo '{"session_id": "0b2c", "source": "startup"}' | gitmem hook claude-code session-start""",
    ),
    run=hook,
)
