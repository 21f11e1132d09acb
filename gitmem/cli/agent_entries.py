"""Writing and taking out gitmem's entries for coding agents: for `enable`, `disable` and `init`."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gitmem.agents.targets import AGENTS, Scope
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of, user_data_dir
from gitmem.model.errors.serving import ServerLibraryMissing
from gitmem.model.errors.worktrees import NoWorkingTree

if TYPE_CHECKING:
    from gitmem.agents.placing import Outcome, Texts
    from gitmem.agents.targets import Target, Where


def where_of(context: Context, scope: Scope) -> Where:
    """Return for whom entries are.

    Raises:
        NoWorkingTree: They are for a working tree, and there is none here.
    """
    from gitmem.agents.targets import Where
    from gitmem.git.worktrees import working_trees

    home = home_of(context)
    if scope == "user":
        return Where(scope, None, home, context.environ, user_data_dir(context))
    repository = context.repository
    if repository.top is None:
        raise NoWorkingTree(str(context.start))
    known_as = repository.top.resolve()
    if repository.git_dir != repository.common_dir:  # Claude Code knows a linked one by what it is linked to
        common = repository.common_dir
        known_as = (common.parent if common.name == ".git" else common).resolve()
    tops = working_trees(repository)
    return Where(scope, repository.top, home, context.environ, repository.state_dir, known_as, tops)


def enable_agents(context: Context, agents: tuple[str, ...], scope: Scope) -> dict[str, list[Outcome]]:
    """Write the entries of some agents; all of them can be written, or none is.

    Raises:
        NoWorkingTree: They are for a working tree, and there is none here.
        ConfigUnreadable: A file is not what the agent could read either.
        ConfigRefused: A file may not be written to.
        DiskRefused: The disk does not let it.
    """
    from gitmem.agents import placing
    from gitmem.agents.targets import targets
    from gitmem.verbs.enabling import note_ref, opt_in, write_agent_stubs

    where = where_of(context, scope)
    if scope != "user":
        opt_in(context.repository.state_dir)
        note_ref(context.repository.state_dir, context.settings.memory_ref)
    write_agent_stubs(where.folder)
    wanted = {agent: targets(agent, where) for agent in agents}
    now_ns = context.now_ms() * 1_000_000
    book = ledger_dir(context, where)
    return placing.enable(wanted, where, texts_for(where), book, context.git, now_ns)


def disable_agents(context: Context, agents: tuple[str, ...], scope: Scope) -> dict[str, list[Outcome]]:
    """Take the entries of some agents out, and the stub with the last of them.

    Raises:
        NoWorkingTree: They are in a working tree, and there is none here.
        ConfigUnreadable: A file is not what the agent could read either.
        ConfigRefused: A file may not be written to.
        DiskRefused: The disk does not let it.
    """
    from gitmem.agents import placing
    from gitmem.agents.targets import targets
    from gitmem.git import hooks
    from gitmem.verbs.enabling import opt_out, remove_agent_stubs

    where = where_of(context, scope)
    left = [agent for agent in enabled(context, scope) if agent not in agents]
    shared = {target.path: agent for agent in left for target in targets(agent, where)}
    unwanted = {agent: targets(agent, where) for agent in agents}
    shared |= _shared_with_other_trees(context, where, unwanted)
    found = placing.disable(unwanted, where, shared, ledger_dir(context, where), context.git)
    if scope == "user":
        if not left:
            remove_agent_stubs(where.folder, with_python=True)
    elif not left and not _is_needed(context, scope):
        git_tells = hooks.find(context.repository, context.git)
        remove_agent_stubs(where.folder)
        if not git_tells.ours and not git_tells.snippets:
            opt_out(where.folder)
    return found


def enabled(context: Context, scope: Scope) -> dict[str, str]:
    """Return the agents with hooks in a scope's files, each with `current`, `other` or `unreadable`."""
    from gitmem.agents import placing
    from gitmem.agents.targets import targets

    try:
        where = where_of(context, scope)
    except NoWorkingTree:
        return {}
    found: dict[str, str] = {}
    for agent in AGENTS:
        all_of_it = targets(agent, where)
        first = placing.condition(all_of_it[0], texts_for(where, agent), where)
        if first != "none":
            rest = {placing.condition(target, texts_for(where, agent), where) for target in all_of_it[1:]}
            is_whole = first == "current" and rest <= {"current", "none"}
            found[agent] = first if first != "current" or is_whole else "other"
    return found


def texts_for(where: Where, agent: str = "opencode") -> Texts:
    """Return what the files that are gitmem's own are to hold."""
    import json

    from gitmem.agents.own_files import certified
    from gitmem.agents.placing import Texts
    from gitmem.agents.targets import hook_command
    from gitmem.verbs.enabling import agent_text

    commands = {event: hook_command(agent, event, where) for event in ("session-start", "stop")}
    plugin = agent_text("opencode.js").replace("GITMEM_COMMANDS", json.dumps(commands, indent=2))
    return Texts(certified(agent_text("SKILL.md")), certified(plugin))


def ledger_dir(context: Context, where: Where) -> Path:
    """Return where it stands what was written: in the clone, or in the user's own folder."""
    return where.folder if where.top is None else context.repository.state_dir


def outcomes_as_json(found: dict[str, list[Outcome]]) -> dict[str, Any]:
    """Return outcomes as `--json` prints them."""
    return {
        agent: [
            {"path": str(one.path), "what": one.what, **({"why": one.why} if one.why else {})}
            for one in outcomes
        ]
        for agent, outcomes in found.items()
    }


def describe_outcomes(context: Context, found: dict[str, list[Outcome]], scope: Scope) -> None:
    """Say in a line for each agent what was written, and in others what was not."""
    base = None if scope == "user" else context.repository.top
    for agent, outcomes in found.items():
        parts = []
        for what, says in _SAYS.items():
            paths = [_short(one.path, base) for one in outcomes if one.what == what]
            parts += [f"{says} {', '.join(paths)}"] if paths else []
        context.output.say(f"{agent}: {'; '.join(parts) or 'nothing was there'}")
        for one in outcomes:
            if one.why:
                context.output.warn(f"{_short(one.path, base)}: {one.why}")
    is_written = any(one.what == "written" for outcomes in found.values() for one in outcomes)
    if is_written and scope != "project" and lacks_server_library():
        context.output.warn(f"{LACKS_LIBRARY}; {ServerLibraryMissing.hint}")


LACKS_LIBRARY: Final = "gitmem mcp, which agents start, has no library to serve with"


def lacks_server_library() -> bool:
    """Tell whether the server that the agents' entries start would end at once."""
    return find_spec("mcp") is None


_SAYS = {
    "written": "wrote",
    "unchanged": "nothing to change in",
    "left": "left",
    "restored": "took ours out of",
    "removed": "removed",
}


def _short(path: Path, base: Path | None) -> str:
    return str(path.relative_to(base)) if base is not None and path.is_relative_to(base) else str(path)


def _shared_with_other_trees(
    context: Context, where: Where, unwanted: dict[str, tuple[Target, ...]]
) -> dict[Path, str]:
    """Return the files in which one entry stands for all working trees, if another of them needs it still."""
    from gitmem.agents import ledger

    if where.scope != "local" or where.top is None:
        return {}
    tops = {top for top in where.tops if top.resolve() != where.top.resolve()}
    files = ledger.read(context.repository.state_dir).files
    shared: dict[Path, str] = {}
    for agent, each in unwanted.items():
        hooks = os.path.relpath(each[0].path, where.top)
        others = [
            top for top in sorted(tops) if str((top / hooks).resolve()) in files and (top / hooks).exists()
        ]
        shared |= {target.path: f"{agent} in {others[0]}" for target in each if target.is_busy and others}
    return shared


def _is_needed(context: Context, scope: Scope) -> bool:
    """Tell whether entries of the other scope, or of another working tree, run the clone's stub."""
    from gitmem.agents import ledger

    other: Scope = "project" if scope == "local" else "local"
    return bool(enabled(context, other) or ledger.read(context.repository.state_dir).files)
