"""`gitmem hook`: what the stub has answered when an agent's session begins."""

from __future__ import annotations

import click

from gitmem.agents.targets import AGENTS
from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.model.errors import GitmemError

_SECONDS = "GITMEM_ANSWER_S"


@click.command("hook", cls=Command, examples=["gitmem hook claude-code session-start <payload.json"])
@click.argument("agent", metavar="AGENT", type=click.Choice(AGENTS))
@click.argument("event", metavar="EVENT", type=click.Choice(["session-start", "stop", "session-end"]))
@click.pass_obj
def command(context: Context, agent: str, event: str) -> None:
    """Answer a coding agent's hook: print what its session should begin with, in the form that it takes.

    What the agent says comes on standard input. Nothing is printed where there is nothing to say, at other
    events, for subagents, and for sessions that go on; it always ends with 0, after a second at the latest.
    `gitmem enable` has agents run a stub that runs this; the stub alone notes what happened.
    """
    if event != "session-start":
        return
    _limit(context.environ.get(_SECONDS, ""))
    try:
        answer = _answer(context, agent)
    except GitmemError:
        return  # whatever is wrong, the agent's session is not where to say so: gitmem doctor does
    finally:
        _lift()
    context.output.raw(answer)


def _answer(context: Context, agent: str) -> bytes:
    from gitmem.agents.answers import answer
    from gitmem.agents.payloads import MAX_BYTES, Payload, read_payload
    from gitmem.agents.telling import is_first
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
    return answer(agent, digest(context, SessionKey(agent, session) if session else None))


def _limit(seconds: str) -> None:
    """End this process, with nothing said, in time; the stub may have begun to count."""
    import os
    import signal

    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.setitimer(signal.ITIMER_REAL, int(seconds) if seconds.isdecimal() and len(seconds) < 3 else 1)


def _lift() -> None:
    import signal

    signal.setitimer(signal.ITIMER_REAL, 0)
