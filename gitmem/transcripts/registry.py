"""The agents whose transcripts are read, in the order in which they are asked whether a file is theirs.

Here stands what scans ask of every agent; an agent's own module is loaded when a file of its is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.transcripts import folders

if TYPE_CHECKING:
    from gitmem.transcripts.agent import Agent


class Entry(NamedTuple):
    """Where an agent's module and its sessions are; the module names its agent `AGENT`.

    `folders` is one of `gitmem.transcripts.folders`; `in_tree` are files or folders below the top of a
    working tree, whose sessions began in it where they say nothing else. Of folders, files that end in one
    of `suffixes` count; those that end in one of `collected` may be collections.
    """

    module: str
    folders: Callable[[Path, Mapping[str, str]], list[Path]] = folders.nowhere
    suffixes: tuple[str, ...] = (".json", ".jsonl")
    in_tree: tuple[str, ...] = ()
    collected: tuple[str, ...] = ()

    def load(self) -> Agent:
        """Return how the agent's files are recognised and read."""
        agent: Agent = import_module(f"gitmem.transcripts.{self.module}").AGENT
        return agent


_WHOLE: Final = (".json",)
_EXPORTS: Final = (".json", ".zip")

REGISTRY: Final[dict[str, Entry]] = {
    "qwen": Entry("qwen", folders.qwen),  # its lines look like Claude Code's to who does not ask for more
    "claude-code": Entry("claude_code", folders.claude_code),
    "codex": Entry("codex", folders.codex),
    "copilot-cli": Entry("copilot_cli", folders.copilot_cli),
    "gemini-cli": Entry("gemini_cli", folders.gemini_cli),
    "opencode": Entry("opencode", folders.opencode, (".json", ".jsonl", ".db"), collected=(".json", ".db")),
    "windsurf": Entry("windsurf", folders.windsurf, (".jsonl", ".vscdb"), collected=(".vscdb",)),
    "aider": Entry("aider", suffixes=(".md",), in_tree=(".aider.chat.history.md",), collected=(".md",)),
    "chatgpt": Entry("chatgpt", suffixes=_EXPORTS, collected=_EXPORTS),
    "claude-ai": Entry("claude_ai", suffixes=_EXPORTS, collected=_EXPORTS),
    # No trajectory says where its session began, so it is imported by name.
    "atif": Entry("atif", suffixes=_WHOLE, collected=_WHOLE),
    # What is in `.specstory/history` would be there twice.
    "specstory": Entry("specstory", suffixes=(".md",)),
    "pi": Entry("pi", folders.pi),
    "droid": Entry("droid", folders.droid),
    "vscode-copilot": Entry("vscode_copilot", folders.vscode_copilot, collected=(".json", ".jsonl")),
    "cline": Entry("cline", folders.cline, _WHOLE, collected=_WHOLE),
    "roo": Entry("roo", folders.roo, _WHOLE, collected=_WHOLE),
    "continue": Entry("continue_dev", folders.continue_dev, _WHOLE),
    "amp": Entry("amp", folders.amp, _WHOLE, collected=_WHOLE),
    "antigravity": Entry("antigravity", folders.antigravity, (".jsonl",)),
    "cursor": Entry(
        "cursor",
        folders.cursor,
        (".vscdb", ".db", ".jsonl", ".txt"),
        collected=(".vscdb", ".db", ".jsonl", ".txt"),
    ),
    "goose": Entry("goose", folders.goose, (".db", ".jsonl"), collected=(".db", ".jsonl")),
    "crush": Entry("crush", suffixes=(".db",), in_tree=(".crush/crush.db",), collected=(".db",)),
    "generic": Entry("generic"),
}
