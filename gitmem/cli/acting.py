"""Whose hand runs a command: a person's, or an agent's. A search loads this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AGENTS: Final[Mapping[str, str]] = {
    "CLAUDECODE": "claude-code",
    "CLAUDE_CODE_SESSION_ID": "claude-code",
    "CODEX_SANDBOX": "codex",
    "CODEX_SANDBOX_NETWORK_DISABLED": "codex",
    "CODEX_THREAD_ID": "codex",
    "CODEX_CI": "codex",
    "GEMINI_CLI": "gemini-cli",
    "CURSOR_AGENT": "cursor",
    "OPENCODE": "opencode",
    "OPENCODE_CLIENT": "opencode",
    "COPILOT_CLI": "copilot-cli",
    "COPILOT_AGENT": "copilot-cli",
    "AUGMENT_AGENT": "augment",
    "CLINE_ACTIVE": "cline",
    "GOOSE_TERMINAL": "goose",
}
"""What agents set in the environment of the commands that they run."""

ANY_AGENT: Final = ("AI_AGENT", "AGENT")
"""Set to an agent's name by several; it is anybody's text, so the name is not kept."""


def acting(environ: Mapping[str, str]) -> str:
    """Return whose hand runs this: `person`, or `agent:<name>`; `agent` alone where it does not say which."""
    for variable, name in AGENTS.items():
        if environ.get(variable) not in (None, "", "0", "false"):
            return f"agent:{name}"
    return "agent" if any(environ.get(variable) for variable in ANY_AGENT) else "person"
