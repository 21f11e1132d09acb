"""What became of agents' files since gitmem wrote them: for `doctor`, and for a session that begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from gitmem.agents.targets import AGENTS, Where, targets
from gitmem.cli.agent_entries import where_of
from gitmem.cli.context import Context
from gitmem.model.errors.worktrees import NoWorkingTree

if TYPE_CHECKING:
    from pathlib import Path

    from gitmem.checkpoints.examining import Finding

_SHOWN: Final = 160


def foreign_warning(context: Context, agent: str) -> str:
    """Return a line for whoever starts an agent, where something else goes by gitmem's name."""
    from gitmem.agents.drift import foreign

    where = _here(context)
    found = next(foreign(agent, where), None) if where is not None else None
    if where is None or found is None:
        return ""
    return (
        f"gitmem: {_short(found.path, where)} has a {found.what} by gitmem's name that is not gitmem's; "
        "gitmem doctor shows it"
    )


def examine_drift(context: Context, agents: Iterable[str]) -> Iterator[Finding]:
    """Look for what goes by gitmem's name and is not, for what it wrote and is gone, and for lost folders."""
    from gitmem.agents import ledger
    from gitmem.agents.drift import foreign, is_gone
    from gitmem.agents.settling import settle
    from gitmem.checkpoints.examining import Finding

    where = _here(context)
    if where is None:
        return
    for agent in AGENTS:
        for one in foreign(agent, where):
            path = _short(one.path, where)
            says = (
                f"{agent}: a {one.what} in {path} goes by gitmem's name and runs something else: {one.runs}"
            )
            yield Finding("agents", "amiss", says[:_SHOWN], f"git log -p -- {path}: shows who wrote it")
    held, gone = settle(ledger.read(context.repository.state_dir).files, where.tops)
    for agent in agents:
        for target in targets(agent, where):
            note = held.get(str(target.path.resolve()))
            if note is not None and note.top is not None and is_gone(target):
                path = _short(target.path, where)
                says = f"{agent}: what gitmem wrote into {path} is gone; a pull may do that"
                yield Finding("agents", "amiss", says, f"gitmem enable {agent}: writes it anew")
    tops = sorted({note.top for note in gone.values() if note.top is not None})
    if tops:
        left = f"notes are left of {', '.join(tops)}, no working tree any more"
        says = f"{left}; the next enable or disable of an agent drops them"
        yield Finding("agents", "note", says)


def _here(context: Context) -> Where | None:
    try:
        return where_of(context, "local")
    except NoWorkingTree:
        return None


def _short(path: Path, where: Where) -> str:
    return str(path.relative_to(where.top)) if where.top and path.is_relative_to(where.top) else str(path)
