"""What an agent is answered at the beginning of a session, in exactly the form that it takes context in.

Claude Code, Codex and Gemini CLI: code.claude.com/docs/en/hooks and those that follow it; Cursor:
cursor.com/docs/hooks; Copilot CLI: docs.github.com, "hooks reference"; opencode: the plugin that gitmem
writes.
"""

from __future__ import annotations

import json
from typing import Any


def answer(agent: str, digest: str) -> bytes:
    """Return what a hook prints so that an agent takes a digest; nothing where there is nothing to say."""
    if not digest:
        return b""
    said: dict[str, Any]
    match agent:
        case "cursor":
            said = {"additional_context": digest}
        case "copilot-cli":
            said = {"additionalContext": digest}
        case "opencode":
            said = {"context": digest}
        case _:
            said = {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": digest}}
    return json.dumps(said).encode() + b"\n"
