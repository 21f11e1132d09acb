"""`gitmem enable`: have git, and coding agents, tell gitmem what happens."""

from __future__ import annotations

from typing import Any

import click

from gitmem.agents.targets import AGENTS, Scope
from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.hooking import describe_hooks, hooks_as_json
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.enabling import NothingToEnable

NAMES = ("git", *AGENTS)


@click.command(
    "enable",
    cls=Command,
    examples=[
        "gitmem enable git",
        "gitmem enable claude-code codex",
        "gitmem enable cursor --project",
        "gitmem enable opencode --user",
        "gitmem enable git --recurse-submodules",
        "gitmem enable git --global",
    ],
)
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option(
    "--project", is_flag=True, help="Agents: in the files that whoever clones gets, to be committed."
)
@click.option("--user", is_flag=True, help="Agents: in your own files, for all of your repositories.")
@click.option(
    "--global", "is_global", is_flag=True, help="git: for every repository made or cloned from now on."
)
@click.option("--recurse-submodules", is_flag=True, help="git: in the superproject and all submodules.")
@click.option("--force", is_flag=True, help="git: also in a folder of hooks that is not this clone's own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_obj
def command(
    context: Context,
    names: tuple[str, ...],
    project: bool,
    user: bool,
    is_global: bool,
    recurse_submodules: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write gitmem's own entries, so that git or a coding agent tells it what happens.

    git tells of commits, checkouts, merges, rebases and pushes. An agent gets hooks, which also tell each new
    session what went before it, the MCP server, and a skill: in this clone alone, unless --project or --user
    says otherwise. Hooks and settings of yours stay what they are. Running it again mends what is missing;
    `gitmem disable` takes it back.
    """
    from gitmem.cli.agent_entries import describe_outcomes, enable_agents, outcomes_as_json

    agents, scope = check_names(names, "enable"), chosen_scope(project, user)
    told: dict[str, Any] = {}
    if "git" in names:
        told |= _enable_git(context, is_global, recurse_submodules, force, as_json)
    if agents:
        outcomes = enable_agents(context, agents, scope)
        if as_json:
            told |= outcomes_as_json(outcomes)
        else:
            describe_outcomes(context, outcomes, scope)
            if "codex" in agents:
                context.output.say("codex runs hooks once you have looked at them: /hooks in it trusts them")
    if as_json:
        context.output.json(told)


def _enable_git(
    context: Context, is_global: bool, recurse_submodules: bool, force: bool, as_json: bool
) -> dict[str, Any]:
    from gitmem.git.submodules import with_submodules
    from gitmem.verbs.enabling import enable_git, enable_new_clones

    if is_global:
        folder = enable_new_clones(context.git, user_data_dir(context))
        if not as_json:
            context.output.say(f"New repositories and clones will tell gitmem: hooks in {folder}")
        return {"template": str(folder)}
    repositories = [context.repository]
    if recurse_submodules:
        repositories = with_submodules(context.repository, context.git)
    found = [(repository, enable_git(repository, context.git, force=force)) for repository in repositories]
    if not as_json:
        for repository, hooks in found:
            if len(found) > 1:
                context.output.say(f"{repository.name}:")
            describe_hooks(context, hooks)
    return {"git": [{"repository": str(each.common_dir), **hooks_as_json(hooks)} for each, hooks in found]}


def check_names(names: tuple[str, ...], doing: str) -> tuple[str, ...]:
    """Refuse a name that gitmem has no entries for, before anything is written; return those of agents."""
    for name in names:
        if name not in NAMES:
            raise NothingToEnable(name, NAMES, doing)
    return tuple(dict.fromkeys(name for name in names if name != "git"))


def chosen_scope(project: bool, user: bool) -> Scope:
    """Return for whom an agent's entries are.

    Raises:
        UsageError: They were to be for two.
    """
    if project and user:
        raise UsageError(
            "could not tell for whom entries are: --project and --user were both given",
            hint="gitmem enable AGENT --project: writes what is committed; run it once more with --user",
        )
    return "project" if project else "user" if user else "local"
