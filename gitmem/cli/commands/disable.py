"""`gitmem disable`: have git, and coding agents, no longer tell gitmem what happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.commands.enable import check_names, chosen_scope
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.model.errors.arguments import BadSetting, SettingRefused

if TYPE_CHECKING:
    from gitmem.git.repository import Repository
    from gitmem.verbs.enabling import Disabled


@click.command(
    "disable",
    cls=Command,
    examples=[
        "gitmem disable git",
        "gitmem disable claude-code codex",
        "gitmem disable cursor --project",
        "gitmem disable git --recurse-submodules",
        "gitmem disable git --global",
    ],
)
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option("--project", is_flag=True, help="Agents: in the files that whoever clones gets.")
@click.option("--user", is_flag=True, help="Agents: in your own files, for all of your repositories.")
@click.option("--global", "is_global", is_flag=True, help="git: for repositories made or cloned from now on.")
@click.option("--recurse-submodules", is_flag=True, help="git: in the superproject and all submodules.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
@click.pass_obj
def command(
    context: Context,
    names: tuple[str, ...],
    project: bool,
    user: bool,
    is_global: bool,
    recurse_submodules: bool,
    as_json: bool,
) -> None:
    """Remove gitmem's own entries and nothing else: each file is again what it was, byte for byte.

    The memory stays, and so do events that nothing has taken yet. From a file that has changed since, only
    what gitmem wrote is taken out.
    """
    from gitmem.cli.agent_entries import describe_outcomes, disable_agents, outcomes_as_json

    agents, scope = check_names(names, "disable"), chosen_scope(project, user)
    told: dict[str, Any] = {}
    if agents:
        outcomes = disable_agents(context, agents, scope)
        told |= outcomes_as_json(outcomes)
        if not as_json:
            describe_outcomes(context, outcomes, scope)
    if "git" in names:
        told |= _disable_git(context, is_global, recurse_submodules, as_json)
    if as_json:
        context.output.json(told)


def _disable_git(
    context: Context, is_global: bool, recurse_submodules: bool, as_json: bool
) -> dict[str, Any]:
    from gitmem.git.submodules import with_submodules
    from gitmem.verbs.enabling import disable_new_clones

    if is_global:
        folder = disable_new_clones(context.git, user_data_dir(context))
        if not as_json:
            context.output.say("New repositories and clones will tell gitmem nothing")
        return {"template": str(folder) if folder else None}
    repositories = [context.repository]
    if recurse_submodules:
        repositories = with_submodules(context.repository, context.git)
    found = [(repository, _disable(context, repository)) for repository in repositories]
    for repository, disabled in () if as_json else found:
        context.output.say(
            f"git's hooks no longer tell gitmem of {repository.name}: {len(disabled.hooks.ours)} removed"
        )
        if disabled.hooks.snippets:
            listed = ", ".join(disabled.hooks.snippets)
            context.output.warn(f"lines of your own still call gitmem-hook, to no effect: {listed}")
        if disabled.waiting:
            context.output.warn(
                f"{disabled.waiting} events wait in {repository.state_dir / 'spool'}; "
                "gitmem capture: takes them"
            )
    return {
        "git": [
            {
                "repository": str(repository.common_dir),
                "hooks": list(disabled.hooks.ours),
                "snippets": list(disabled.hooks.snippets),
                "waiting": disabled.waiting,
            }
            for repository, disabled in found
        ]
    }


def _disable(context: Context, repository: Repository) -> Disabled:
    from gitmem.checkpoints import wishes
    from gitmem.git.refspecs import leave_behind
    from gitmem.git.settings import load
    from gitmem.verbs.enabling import disable_git

    wishes.remove_all(repository.state_dir)
    with suppress(BadSetting, SettingRefused):  # what cannot be read has added nothing
        leave_behind(repository, context.git, load(repository, context.environ).memory_ref)
    return disable_git(repository, context.git)
