"""Telling which agent wrote a file, and which session it is, from its first bytes."""

from __future__ import annotations

from pathlib import PurePath

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity, Shape
from gitmem.transcripts.head import read_head
from gitmem.transcripts.registry import REGISTRY

__all__ = ["AGENTS", "HEAD_BYTES", "Identity", "detect"]

HEAD_BYTES = 256 * 1024
"""How much of a file's beginning `detect` should be given; less may do, and more is not looked at."""

AGENTS: tuple[str, ...] = tuple(REGISTRY)


def detect(head: bytes, path: PurePath, agent: str | None = None) -> Identity:
    """Identify a file by its content; the path decides only what the content leaves open.

    `head` may be cut anywhere. With `agent` nobody else is asked, and a file that says nothing of itself is
    taken for that agent's, named after the file.

    Raises:
        UnknownTranscript: No reader recognises the file, or it is empty, or there is no such agent.
    """
    if agent is not None and agent not in REGISTRY:
        raise UnknownTranscript(str(path), f"no reader is named {agent!r}, only {', '.join(AGENTS)}")
    if not head.strip(b"\x00 \t\r\n"):
        raise UnknownTranscript(str(path), "the file is empty")
    found = read_head(head[:HEAD_BYTES], path)
    for candidate in REGISTRY.values() if agent is None else (REGISTRY[agent],):
        identity = candidate.load().identify(found)
        if identity is not None:
            return identity
    if agent is None or not found.records:
        why = "its content fits no agent" if found.records else "it does not begin with a JSON object"
        raise UnknownTranscript(str(path), why)
    shape: Shape = "document" if found.is_document and REGISTRY[agent].load().writes_documents else "lines"
    return Identity(agent, found.stem, MAIN_STREAM, None, shape, None, None)
