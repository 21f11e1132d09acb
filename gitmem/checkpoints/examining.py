"""Examining how a repository's memory works here: what is well, what is amiss, and the command that mends it.

Nothing here changes anything, and no session's text is read that was not summed up before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.checkpoints import spool
from gitmem.git import hook_config, hooks
from gitmem.git.hook_text import HOOKS, STUB
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.verbs.enabling import PYTHON, stub, takes_part
from gitmem.verbs.reporting import MemoryState
from gitmem.verbs.unread import Unread

_PATIENCE_NS: Final = 300_000_000_000
"""A drain begins a second after git has gone; an event that waits for so long waits for somebody to look."""
_NAMED: Final = 5

Condition = Literal["well", "note", "amiss"]
Subject = Literal[
    "memory",
    "sessions",
    "hooks",
    "python",
    "spool",
    "snapshots",
    "index",
    "redaction",
    "lines",
    "levels",
    "private",
    "audit",
    "agents",
    "runs",
]


class Finding(NamedTuple):
    """One thing that was looked at. `remedy` begins with a command, where there is one."""

    subject: Subject
    condition: Condition
    says: str
    remedy: str = ""


def examine_capture(repository: Repository, git: Git, now_ns: int) -> Iterator[Finding]:
    """Look at whether git tells gitmem what happens here, and whether that is taken in."""
    yield _hooks(repository, git)
    yield _python(repository.state_dir)
    yield from _spool(repository.state_dir, now_ns)
    yield _snapshots(repository.state_dir)


def examine_memory(state: MemoryState, unread: Sequence[Unread]) -> Iterator[Finding]:
    """Look at the memory and what is derived from it; `unread` is what readers could not use."""
    sessions = sum(state.agents.values())
    yield Finding("memory", "well", f"format {state.format}, at {state.commit[:9]}")
    if state.unreadable:
        says = f"{state.unreadable:,} of {sessions + state.unreadable:,} cannot be read"
        yield Finding("sessions", "amiss", says, "gitmem verify: names them")
    else:
        yield Finding("sessions", "well", f"{sessions:,}")
    match state.index_state.condition:
        case "unreadable":
            yield Finding("index", "amiss", "it is damaged", "gitmem index rebuild: makes it anew")
        case "missing":
            yield Finding("index", "note", "there is none yet; the first search makes it")
        case "behind":
            yield Finding("index", "note", "it is behind; the next search brings it up")
        case "current":
            yield Finding("index", "well", "current")
    says = "it has its key" if state.has_key else "it has no key yet; the first capture makes it"
    yield Finding("redaction", "well" if state.has_key else "note", says)
    yield from _lines(unread)


def _hooks(repository: Repository, git: Git) -> Finding:
    obstacle = hooks.obstacle(repository, git)
    remedy = obstacle.hint if obstacle else "gitmem enable git: writes what is missing"
    found = hooks.find(repository, git)
    present = {*found.ours, *found.snippets} if takes_part(repository.state_dir) else ()
    if not present:
        return Finding("hooks", "amiss", "none of git's hooks tells gitmem", remedy)
    missing = [hook for hook in HOOKS if hook not in present]
    if missing:
        return Finding("hooks", "amiss", f"no entry for {', '.join(missing)}", remedy)
    stub_at = hook_config.stub_path(repository) if found.how == "config" else found.folder / STUB
    if found.ours and not _is_current(stub_at):
        renew = f"gitmem enable git{' --force' if obstacle else ''}: renews them"
        return Finding("hooks", "amiss", "they are of another version", renew)
    how = "in git's configuration" if found.how == "config" else "in files"
    told = [f"{len(found.ours)} {how}"] if found.ours else []
    told += [f"{len(found.snippets)} by lines in your own hooks"] if found.snippets else []
    return Finding("hooks", "well", ", ".join(told))


def _is_current(stub_at: Path) -> bool:
    try:
        return stub_at.read_bytes() == stub()
    except OSError:
        return False


def _python(state_dir: Path) -> Finding:
    remedy = "gitmem enable git: notes the Python that it is run by"
    try:
        python, home = (os.fsdecode(line) for line in (state_dir / PYTHON).read_bytes().split(b"\n")[:2])
    except (FileNotFoundError, ValueError):
        return Finding("python", "amiss", "it is not noted which one takes in what hooks leave", remedy)
    if not os.access(python, os.X_OK):
        return Finding("python", "amiss", f"{python} is gone, which takes in what hooks leave", remedy)
    if not Path(home, "gitmem").is_dir():
        return Finding("python", "amiss", f"gitmem is no longer in {home}", remedy)
    return Finding("python", "well", python)


def _spool(state_dir: Path, now_ns: int) -> Iterator[Finding]:
    state = spool.state(state_dir)
    if state.failure:
        why = state.failure.replace("\n", "; ")
        yield Finding("spool", "amiss", f"the last drain failed: {why}", "gitmem capture: tries again")
    elif state.oldest_ns is not None and now_ns - state.oldest_ns > _PATIENCE_NS:
        waits = f"{state.waiting:,} events wait, the oldest for {(now_ns - state.oldest_ns) // 10**9:,} s"
        yield Finding("spool", "amiss", waits, "gitmem capture: takes them in")
    else:
        says = f"{state.waiting:,} events wait" if state.waiting else "nothing waits"
        yield Finding("spool", "well", says)
    if state.bad:
        says = f"{state.bad:,} files are no events"
        yield Finding("spool", "note", says, "gitmem doctor --fix: removes them")


def _snapshots(state_dir: Path) -> Finding:
    size = sum(
        (Path(at) / name).lstat().st_size
        for at, _, names in os.walk(state_dir / "snapshots")
        for name in names
    )
    return Finding("snapshots", "well", f"{size:,} bytes" if size else "none")


def _lines(unread: Sequence[Unread]) -> Iterator[Finding]:
    """Tell of what readers could not use: it is kept, and a newer gitmem may understand it."""
    if not unread:
        yield Finding("lines", "well", "all were understood")
    for group in unread[:_NAMED]:
        named = [f"{number:,} {what}" for what, number in group.counts.most_common(_NAMED)]
        more = len(group.counts) - len(named)
        told = "; ".join([*named, *([f"{more:,} more kinds"] if more > 0 else [])])
        agent = f"{group.agent} {group.version}" if group.version else f"{group.agent} of no known version"
        where = f"in {group.affected:,} of {group.sessions:,} sessions"
        yield Finding("lines", "note", f"{agent}, {where}, kept but not understood: {told}")
    if len(unread) > _NAMED:
        says = f"the same of {len(unread) - _NAMED:,} more agents or versions; gitmem doctor --json names all"
        yield Finding("lines", "note", says)
