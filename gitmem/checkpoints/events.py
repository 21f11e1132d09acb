"""Events: what a hook left in the spool, as a value. docs/formats/spool.md says what stands in the file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple, get_args

from gitmem.agents.payloads import Payload, read_payload
from gitmem.model.errors.intake import EventRefused
from gitmem.model.ids import Oid
from gitmem.model.records import Rewrite, Trigger

VERSION: Final = b"gitmem-event 1"
MAX_EVENT_BYTES: Final = 4 << 20
MAX_REWRITES: Final = 5_000
"""Of one rebase; those beyond are not listed."""

AGENT_HOOKS: Final[frozenset[Trigger]] = frozenset({"session-start", "stop", "session-end"})
HOOKS: Final[frozenset[Trigger]] = frozenset(get_args(Trigger)) - {"manual", "rewind"}

_ONCE: Final = frozenset({"hook", "pid", "cwd", "git_dir"})
_AT_MOST_ONCE: Final = frozenset({"agent", "index", "branch", "head"})
_BRANCHES: Final = "refs/heads/"
_NO_BRANCH: Final = ".invalid"
"""What HEAD holds where refs stand in a reftable."""
_OID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_LONGEST_PID: Final = 10
_ORDER: Final[dict[Trigger, int]] = {"pre-commit": 0, "post-commit": 1, "post-rewrite": 2}


class Event(NamedTuple):
    """Something that happened in a working tree, at `at_ns` (nanoseconds since 1970).

    `pid` ran the stub. `git_dir` and `index_file` are absolute. `branch` is without `refs/heads/`; it and
    `head` are None where the stub could not tell. `rewrites` are what a post-rewrite hook was told, and
    `transcript` is the file that an agent named.
    """

    stem: str
    at_ns: int
    hook: Trigger
    pid: int
    cwd: Path
    git_dir: Path
    agent: str | None = None
    index_file: Path | None = None
    branch: str | None = None
    head: Oid | None = None
    args: tuple[str, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    transcript: Path | None = None

    @property
    def order(self) -> tuple[int, int, str]:
        """What events are sorted by: their moments, hooks as one commit runs them, names."""
        return self.at_ns, _ORDER.get(self.hook, len(_ORDER)), self.stem

    @property
    def is_of_agent(self) -> bool:
        """Whether an agent's hook left it."""
        return self.hook in AGENT_HOOKS


def parse(stem: str, at_ns: int, content: bytes) -> Event:
    """Read an event from its file's content.

    Raises:
        EventRefused: It is no event, or not a whole one.
    """
    top, has_end, given = content.partition(b"\n\n")
    lines = top.split(b"\n")
    if lines[0] != VERSION:
        raise EventRefused(stem, "it does not begin with gitmem-event 1")
    if not has_end:
        raise EventRefused(stem, "it is cut short")
    values = _values(stem, lines[1:])
    hook = _hook(stem, values["hook"][0])
    cwd = _path(stem, values["cwd"][0])
    if not cwd.is_absolute():
        raise EventRefused(stem, "its directory is not absolute")
    index, branch = values.get("index"), values.get("branch", [""])[0]
    agent = _text(values["agent"][0]) if "agent" in values else None
    return Event(
        stem=stem,
        at_ns=at_ns,
        hook=hook,
        pid=_pid(stem, values["pid"][0]),
        cwd=cwd,
        git_dir=cwd / _path(stem, values["git_dir"][0]),
        agent=agent,
        index_file=cwd / _path(stem, index[0]) if index else None,
        branch=_branch(branch),
        head=_oid(stem, values["head"][0]) if "head" in values else None,
        args=tuple(map(_text, values.get("arg", ()))),
        rewrites=_rewrites(stem, given) if hook == "post-rewrite" else (),
        transcript=_transcript(agent, given) if hook in AGENT_HOOKS else None,
    )


def is_oid(text: str) -> bool:
    """Whether a text is the name of an object: 40 or 64 hex digits, and not all of them zeros."""
    return _OID.match(text) is not None and text.strip("0") != ""


def _values(stem: str, lines: list[bytes]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = os.fsdecode(line).partition(" ")
        values.setdefault(key, []).append(value)
    for key in sorted(_ONCE | _AT_MOST_ONCE):
        count = len(values.get(key, ()))
        if count > 1 or (key in _ONCE and count == 0):
            raise EventRefused(stem, f"it says {key} {count} times")
    return values


def _hook(stem: str, text: str) -> Trigger:
    for hook in HOOKS:
        if text == hook:
            return hook
    raise EventRefused(stem, f"there is no hook {text[:80]!r}")


def _pid(stem: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_PID):
        raise EventRefused(stem, f"{text[:80]!r} is no process")
    return int(text)


def _path(stem: str, text: str) -> Path:
    if not text or "\0" in text:
        raise EventRefused(stem, f"{text[:80]!r} is no path")
    return Path(text)


def _oid(stem: str, text: str) -> Oid:
    if not is_oid(text):
        raise EventRefused(stem, f"{text[:80]!r} is no commit")
    return Oid(text)


def _branch(ref: str) -> str | None:
    name = ref.removeprefix(_BRANCHES)
    return _text(name) if name != ref and name != _NO_BRANCH and name else None


def _text(value: str) -> str:
    """Return a value as UTF-8 can say it; other bytes are written as escapes."""
    return os.fsencode(value).decode("utf-8", "backslashreplace")


def _rewrites(stem: str, given: bytes) -> tuple[Rewrite, ...]:
    found = []
    for line in given.splitlines()[:MAX_REWRITES]:
        words = line.decode("ascii", "replace").split(" ", 2)
        if len(words) < 2 or not (is_oid(words[0]) and is_oid(words[1])):
            raise EventRefused(stem, "what it says of rewritten commits cannot be read")
        found.append(Rewrite(words[0], words[1]))
    return tuple(found)


def _transcript(agent: str | None, given: bytes) -> Path | None:
    """Return the transcript that an agent's hook names; the event stands whatever it says."""
    payload = read_payload(agent or "", given)
    return payload.transcript if isinstance(payload, Payload) else None
