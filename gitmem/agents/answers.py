"""What an agent is answered at the beginning of a session, in exactly the form that it takes context in.

Claude Code, Codex and Gemini CLI: code.claude.com/docs/en/hooks and those that follow it; Cursor:
cursor.com/docs/hooks; Copilot CLI: docs.github.com, "hooks reference"; opencode: the plugin that gitmem
writes.
"""

from __future__ import annotations

import json
from typing import Any, Final

_TELLS_ITS_USER: Final = ("claude-code", "codex", "gemini-cli")
"""Those that show a `systemMessage` to whoever sits before them; the others have no such thing."""


def answer(agent: str, digest: str, warning: str = "") -> bytes:
    """Return what a hook prints so that an agent takes a digest, and shows its user a warning, if it can.

    Nothing where there is nothing to say.
    """
    said = _digest(agent, digest) if digest else {}
    if warning and agent in _TELLS_ITS_USER:
        said["systemMessage"] = warning
    return json.dumps(said).encode() + b"\n" if said else b""


def _digest(agent: str, digest: str) -> dict[str, Any]:
    match agent:
        case "cursor":
            return {"additional_context": digest}
        case "copilot-cli":
            return {"additionalContext": digest}
        case "opencode":
            return {"context": digest}
        case _:
            return {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": digest}}
