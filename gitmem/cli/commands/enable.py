"""`gitmem enable`: have git tell gitmem what happens."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.hooking import describe_hooks, hooks_as_json
from gitmem.model.errors import NothingToEnable

NAMES = ("git",)


@click.command(
    "enable",
    cls=Command,
    examples=[
        "gitmem enable git",
        "gitmem enable git --recurse-submodules",
        "gitmem enable git --global",
    ],
)
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option(
    "--global", "is_global", is_flag=True, help="For every repository that is made or cloned from now on."
)
@click.option("--recurse-submodules", is_flag=True, help="In the superproject and all submodules.")
@click.option("--force", is_flag=True, help="Also in a folder of hooks that is not this clone's own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_obj
def command(
    context: Context,
    names: tuple[str, ...],
    is_global: bool,
    recurse_submodules: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write gitmem's own entries, so that git tells it of commits, checkouts, merges, rebases and pushes.

    A hook of yours stays what it is. Running it again mends what is missing; `gitmem disable` takes it back.
    """
    from gitmem.git.submodules import with_submodules
    from gitmem.verbs.enabling import enable_git, enable_new_clones

    check_names(names, "enable")
    if is_global:
        folder = enable_new_clones(context.git, user_data_dir(context))
        if as_json:
            context.output.json({"template": str(folder)})
        else:
            context.output.say(f"New repositories and clones will tell gitmem: hooks in {folder}")
        return
    repositories = [context.repository]
    if recurse_submodules:
        repositories = with_submodules(context.repository, context.git)
    found = [(repository, enable_git(repository, context.git, force=force)) for repository in repositories]
    if as_json:
        each = [{"repository": str(repository.common_dir), **hooks_as_json(h)} for repository, h in found]
        context.output.json({"git": each})
        return
    for repository, hooks in found:
        if len(found) > 1:
            context.output.say(f"{repository.name}:")
        describe_hooks(context, hooks)


def check_names(names: tuple[str, ...], doing: str) -> None:
    """Refuse a name that gitmem has no entries for, before anything is written."""
    for name in names:
        if name not in NAMES:
            raise NothingToEnable(name, NAMES, doing)
