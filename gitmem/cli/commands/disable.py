"""`gitmem disable`: have git no longer tell gitmem what happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Command
from gitmem.cli.commands.enable import check_names
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.model.errors import BadSetting, SettingRefused

if TYPE_CHECKING:
    from gitmem.git.repository import Repository
    from gitmem.verbs.enabling import Disabled


@click.command(
    "disable",
    cls=Command,
    examples=[
        "gitmem disable git",
        "gitmem disable git --recurse-submodules",
        "gitmem disable git --global",
    ],
)
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option(
    "--global", "is_global", is_flag=True, help="For repositories that are made or cloned from now on."
)
@click.option("--recurse-submodules", is_flag=True, help="In the superproject and all submodules.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
@click.pass_obj
def command(
    context: Context, names: tuple[str, ...], is_global: bool, recurse_submodules: bool, as_json: bool
) -> None:
    """Remove gitmem's own entries and nothing else: each file is again what it was, byte for byte.

    The memory stays, and so do events that nothing has taken yet.
    """
    from gitmem.git.submodules import with_submodules
    from gitmem.verbs.enabling import disable_new_clones

    check_names(names, "disable")
    if is_global:
        folder = disable_new_clones(context.git, user_data_dir(context))
        if as_json:
            context.output.json({"template": str(folder) if folder else None})
        else:
            context.output.say("New repositories and clones will tell gitmem nothing")
        return
    repositories = [context.repository]
    if recurse_submodules:
        repositories = with_submodules(context.repository, context.git)
    found = [(repository, _disable(context, repository)) for repository in repositories]
    if as_json:
        each = [
            {
                "repository": str(repository.common_dir),
                "hooks": list(disabled.hooks.ours),
                "snippets": list(disabled.hooks.snippets),
                "waiting": disabled.waiting,
            }
            for repository, disabled in found
        ]
        context.output.json({"git": each})
        return
    for repository, disabled in found:
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


def _disable(context: Context, repository: Repository) -> Disabled:
    from gitmem.checkpoints import wishes
    from gitmem.git.refspecs import leave_behind
    from gitmem.git.settings import load
    from gitmem.verbs.enabling import disable_git

    wishes.remove_all(repository.state_dir)
    with suppress(BadSetting, SettingRefused):  # what cannot be read has added nothing
        leave_behind(repository, context.git, load(repository, context.environ).memory_ref)
    return disable_git(repository, context.git)
