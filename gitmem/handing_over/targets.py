"""The agents that sessions can be handed to."""

from __future__ import annotations

from typing import Final

from gitmem.handing_over.claude_code import CLAUDE_CODE
from gitmem.handing_over.codex import CODEX
from gitmem.handing_over.gemini_cli import GEMINI_CLI
from gitmem.handing_over.opencode import OPENCODE
from gitmem.handing_over.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (CLAUDE_CODE, CODEX, GEMINI_CLI, OPENCODE)
}
