"""The agents whose transcripts are read, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from gitmem.transcripts.agent import Agent
from gitmem.transcripts.aider import AIDER
from gitmem.transcripts.amp import AMP
from gitmem.transcripts.antigravity import ANTIGRAVITY
from gitmem.transcripts.atif import ATIF
from gitmem.transcripts.chatgpt import CHATGPT
from gitmem.transcripts.claude_ai import CLAUDE_AI
from gitmem.transcripts.claude_code import CLAUDE_CODE
from gitmem.transcripts.cline import CLINE
from gitmem.transcripts.codex import CODEX
from gitmem.transcripts.continue_dev import CONTINUE
from gitmem.transcripts.copilot_cli import COPILOT_CLI
from gitmem.transcripts.crush import CRUSH
from gitmem.transcripts.cursor import CURSOR
from gitmem.transcripts.droid import DROID
from gitmem.transcripts.gemini_cli import GEMINI_CLI
from gitmem.transcripts.generic import GENERIC
from gitmem.transcripts.goose import GOOSE
from gitmem.transcripts.opencode import OPENCODE
from gitmem.transcripts.pi import PI
from gitmem.transcripts.qwen import QWEN
from gitmem.transcripts.roo import ROO
from gitmem.transcripts.specstory import SPECSTORY
from gitmem.transcripts.vscode_copilot import VSCODE_COPILOT
from gitmem.transcripts.windsurf import WINDSURF

REGISTRY: dict[str, Agent] = {
    agent.name: agent
    for agent in (
        QWEN,  # its lines look like Claude Code's to who does not ask for more
        CLAUDE_CODE,
        CODEX,
        COPILOT_CLI,
        GEMINI_CLI,
        OPENCODE,
        WINDSURF,
        AIDER,
        CHATGPT,
        CLAUDE_AI,
        ATIF,
        SPECSTORY,
        PI,
        DROID,
        VSCODE_COPILOT,
        CLINE,
        ROO,
        CONTINUE,
        AMP,
        ANTIGRAVITY,
        CURSOR,
        GOOSE,
        CRUSH,
        GENERIC,
    )
}
