"""What `doctor` and `status` say of coding agents: whose entries are where, and whether hooks run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem.agents.targets import AGENTS, Scope, home_of, targets
from gitmem.cli import folders
from gitmem.cli.agent_drift import examine_drift
from gitmem.cli.agent_entries import LACKS_LIBRARY, enabled, lacks_server_library, ledger_dir, where_of
from gitmem.cli.context import Context
from gitmem.model.errors.serving import ServerLibraryMissing

if TYPE_CHECKING:
    from gitmem.checkpoints.examining import Finding

SCOPES: Final[tuple[Scope, ...]] = ("local", "project", "user")
_PATIENCE_NS: Final = 600_000_000_000
"""A hook runs when an agent has done, which may be a while after its transcript has grown."""
_DAY_NS: Final = 86_400_000_000_000
_TRUST: Final = {"codex": "gitmem enable codex: writes what is missing; /hooks in codex then trusts it"}


def agents_here(context: Context) -> dict[str, list[Scope]]:
    """Return the agents that tell gitmem of this clone, each with where its entries are."""
    found: dict[str, list[Scope]] = {}
    for scope in SCOPES:
        for agent, condition in enabled(context, scope).items():
            if condition != "unreadable":
                found.setdefault(agent, []).append(scope)
    return {agent: found[agent] for agent in AGENTS if agent in found}


def present(context: Context) -> tuple[str, ...]:
    """Return the agents that have been used on this machine: they have a folder of the user's."""
    from gitmem.transcripts.places import places

    home = folders.home_of(context)
    used = {agent for agent, folder in places(home, context.environ) if folder.is_dir()}
    return tuple(agent for agent in AGENTS if agent in used or home_of(agent, home, context.environ).is_dir())


def examine_agents(context: Context) -> Iterator[Finding]:
    """Look at the entries of agents, at what they run, and at whether it has run."""
    from gitmem.checkpoints.examining import Finding

    well: dict[str, list[Scope]] = {}
    for scope in SCOPES:
        states = enabled(context, scope)
        told = {agent for agent, condition in states.items() if condition != "unreadable"}
        option = "" if scope == "local" else f" --{scope}"
        if told:
            yield from _stub(context, scope, sorted(told), option)
        for agent, condition in states.items():
            if condition == "current":
                well.setdefault(agent, []).append(scope)
            elif condition == "other":
                says = f"{agent}: its {_WHERE[scope]} do not hold what this version writes, or not all of it"
                yield Finding("agents", "amiss", says, f"gitmem enable {agent}{option}: renews it")
            else:
                path = targets(agent, where_of(context, scope))[0].path
                yield Finding("agents", "note", f"{agent}: {path} is nothing that it could read")
    yield from examine_drift(context, _written(context))
    if well:
        says = "; ".join(f"{agent} ({', '.join(scopes)})" for agent, scopes in well.items())
        yield Finding("agents", "well", says)
        if lacks_server_library() and any(scopes != ["project"] for scopes in well.values()):
            yield Finding("agents", "note", LACKS_LIBRARY, ServerLibraryMissing.hint)
        yield from _trust(context, well)
        yield from _runs(context, well)
    else:
        yield Finding("agents", "note", "none has hooks here: gitmem enable AGENT writes them")


def _written(context: Context) -> list[str]:
    """Return the agents whose files of this working tree the ledger knows, whatever is in them now."""
    from gitmem.agents import ledger
    from gitmem.model.errors.worktrees import NoWorkingTree

    try:
        where = where_of(context, "local")
    except NoWorkingTree:
        return []
    files = ledger.read(ledger_dir(context, where)).files
    return [agent for agent in AGENTS if str(targets(agent, where)[0].path.resolve()) in files]


_WHERE: Final[dict[Scope, str]] = {
    "local": "local files",
    "project": "project's files",
    "user": "user's files",
}


def _stub(context: Context, scope: Scope, agents: list[str], option: str) -> Iterator[Finding]:
    """Look at what the entries run: a project's have it in the clone or on the PATH."""
    from gitmem.checkpoints.examining import Finding
    from gitmem.verbs.enabling import PYTHON, STUB, are_agent_stubs_current

    folder = where_of(context, scope).folder
    again = f"gitmem enable {' '.join(agents)}{option}: writes it anew"
    if scope == "project" and not (folder / STUB).exists():
        if shutil.which("gitmem-hook", path=context.environ.get("PATH")) is None:
            says = "what the project's entries run is neither in this clone nor on the PATH"
            yield Finding("agents", "amiss", says, again)
    elif not are_agent_stubs_current(folder):
        yield Finding(
            "agents", "amiss", f"what their entries run is not in {folder}, or of another version", again
        )
    elif scope == "user":
        try:
            python = os.fsdecode((folder / PYTHON).read_bytes().split(b"\n")[0])
        except OSError:
            python = "the Python that is noted"
        if not os.access(python, os.X_OK):
            yield Finding("agents", "amiss", f"{python} is gone, which answers them", again)


def _trust(context: Context, agents: dict[str, list[Scope]]) -> Iterator[Finding]:
    """Look at whether Codex may run its hooks at all."""
    from gitmem.agents.trust import is_trusted
    from gitmem.checkpoints.examining import Finding

    config = home_of("codex", folders.home_of(context), context.environ) / "config.toml"
    files = [targets("codex", where_of(context, scope))[0].path for scope in agents.get("codex", ())]
    if files and not any(is_trusted(config, path) for path in files):
        says = "codex: it runs no hook before you have looked at it; /hooks in codex shows and trusts them"
        yield Finding("runs", "note", says)


def _runs(context: Context, agents: dict[str, list[Scope]]) -> Iterator[Finding]:
    """Compare when each agent's hook last ran with when its sessions here last grew."""
    from gitmem.checkpoints.examining import Finding
    from gitmem.git.worktrees import working_trees
    from gitmem.verbs.scanning import scan

    repository, now_ns = context.repository, context.now_ms() * 1_000_000
    tops = working_trees(repository)
    found = scan(
        repository.state_dir,
        tops,
        folders.home_of(context),
        context.environ,
        now_ns,
        agents=frozenset(agents),
    )
    silent = []
    for agent, scopes in agents.items():
        grew_ns = max((one.mtime_ns for one in found.ours if one.agent == agent), default=0)
        ran_ns = _mtime_ns(repository.state_dir / f"ran-{agent}")
        since_ns = max(ran_ns, min(_enabled_ns(context, agent, scope) for scope in SCOPES if scope in scopes))
        if grew_ns - since_ns > (_DAY_NS if ran_ns else _PATIENCE_NS):
            silent.append(agent)
            says = f"{agent}: its sessions went on, and its hooks {'run no more' if ran_ns else 'never ran'}"
            yield Finding(
                "runs", "amiss", says, _TRUST.get(agent, f"gitmem enable {agent}: writes what is missing")
            )
    if not silent:
        last = {agent: _mtime_ns(repository.state_dir / f"ran-{agent}") for agent in agents}
        ran = [agent for agent, at_ns in last.items() if at_ns]
        yield Finding("runs", "well", f"hooks have run of {', '.join(ran)}" if ran else "no hook was due yet")


def _enabled_ns(context: Context, agent: str, scope: Scope) -> int:
    """Return when entries were written; of a project's, when what they run was."""
    from gitmem.agents import ledger

    where = where_of(context, scope)
    note = ledger.read(ledger_dir(context, where)).files.get(str(targets(agent, where)[0].path.resolve()))
    return note.at_ns if note is not None else _mtime_ns(where.folder / "agent-hook")


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
