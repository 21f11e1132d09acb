"""Google Antigravity: lines of JSON, appended to; the log of the steps of one conversation."""

from __future__ import annotations

import re
from pathlib import PurePath

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import part
from gitmem.transcripts.times import to_ms

NAME = "antigravity"

_SOURCE = re.compile(r"(?:USER|MODEL|SYSTEM|TOOL)(?:_[A-Z]{1,40})*\Z")
_STEP = re.compile(r"[A-Z][A-Z_]{1,60}\Z")
_ANSWERS = ("GENERATE_RESPONSE", "NOTIFY_USER", "PLANNER_RESPONSE")
_PREAMBLES = frozenset(
    ("CONVERSATION_HISTORY", "EPHEMERAL_MESSAGE", "KNOWLEDGE_ARTIFACTS", "SYSTEM_MESSAGE", "USER_RULES")
)
_NOTICES = frozenset(("CHECKPOINT", "ERROR_MESSAGE", "TASK_BOUNDARY"))
_PATHS = ("AbsolutePath", "DirectoryPath", "TargetFile")
_REQUEST = ("<USER_REQUEST>", "</USER_REQUEST>")


def identify(head: Head) -> Identity | None:
    """Recognise steps; the folder of the conversation names it, and where its first command ran is where it
    began: nothing else says so."""
    ours = [record for record in head.records if _is_step(record)]
    if not ours:
        return None
    calls = (call for record in ours for call in children(record, "tool_calls"))
    return Identity(
        agent=NAME,
        native_id=_conversation(head.path) or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="lines",
        cwd=next((cwd for call in calls if (cwd := string(child(call, "args"), "Cwd"))), None),
        forked_from=None,
    )


def _is_step(record: Object) -> bool:
    source = string(record, "source")
    has_place = "step_index" in record or ("created_at" in record and "content" in record)
    return source is not None and has_place and _SOURCE.match(source) is not None


def _conversation(path: PurePath) -> str | None:
    """Return the id in `brain/<id>/.system_generated/logs/transcript.jsonl`."""
    is_in_place = path.parent.name == "logs" and path.parent.parent.name == ".system_generated"
    return path.parent.parent.parent.name or None if is_in_place else None


class AntigravityReader(LineReader):
    """Reads the steps of a conversation."""

    def read(self, record: Object) -> None:
        """Read one step."""
        recorder, source = self._recorder, string(record, "source") or ""
        kind, text = string(record, "type") or "", string(record, "content") or ""
        details = Details(at_ms=to_ms(record.get("created_at")))
        recorder.tell(started_ms=details.at_ms)
        if not _is_step(record) or (kind and _STEP.match(kind) is None):
            recorder.count_unknown(kind or source or "(no type)")
        elif source.startswith("USER"):
            self._read_user(text, details)
        elif kind in _ANSWERS or (not kind and source == "MODEL"):
            self._read_answer(record, text, details)
        elif kind in _PREAMBLES or (not kind and source.startswith("SYSTEM")):
            recorder.add("system", "preamble", text, details)
        elif kind in _NOTICES:
            recorder.add("system", "notice", text, details)
        else:  # a step of a tool is named after it, and there is one for each tool
            result = ToolResult(None, string(record, "status") in ("ERROR", "CANCELED", "CANCELLED"))
            recorder.add("tool", "tool_result", text, details, result=result)

    def _read_user(self, text: str, details: Details) -> None:
        """Read what a user asked, which stands in an element; what is around it the host added."""
        before, _, rest = text.partition(_REQUEST[0])
        asked, closing, after = rest.partition(_REQUEST[1])
        added = [before, after] if closing else []
        words = part(asked.strip("\n") if closing else text)
        preamble = (piece.strip() for piece in (*added, words.preamble))
        self._recorder.add("user", "preamble", "\n".join(filter(None, preamble)), details)
        self._recorder.add("user", "message", words.message, details)

    def _read_answer(self, record: Object, text: str, details: Details) -> None:
        recorder = self._recorder
        recorder.add("assistant", "thinking", string(record, "thinking") or "", details)
        recorder.add("assistant", "message", text, details)
        for call in children(record, "tool_calls"):
            name = (string(call, "name") or "").removeprefix("default_api:")
            recorder.add_call(describe(string(call, "id"), name, call.get("args"), _PATHS), details)


AGENT = Agent(name=NAME, identify=identify, reader=AntigravityReader)
