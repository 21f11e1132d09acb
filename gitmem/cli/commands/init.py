"""`gitmem init`: make a repository remember."""

from __future__ import annotations

from typing import Any, NamedTuple

import click

from gitmem.cli.command import Command, recurse_option
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.intake import describe, report_as_json
from gitmem.cli.levels import take_sources
from gitmem.cli.sharing import describe_pull, opened_sharing
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.enabling import ConfigRefused, ConfigUnreadable, HookInTheWay, HooksElsewhere
from gitmem.model.refs import short_name


@click.command(
    "init",
    cls=Command,
    examples=[
        "gitmem init",
        "gitmem init --share origin",
        "gitmem init --share origin --share-submodule 'ships/*'",
        "gitmem init --no-import",
    ],
)
@click.option("--share", metavar="REMOTE", help="Choose the remote that push and pull share the memory with.")
@click.option("--dedicated", is_flag=True, help="It is for the memory alone, and may be empty.")
@click.option(
    "--share-submodule",
    "shared_too",
    metavar="PATH",
    multiple=True,
    help="Choose the remote of that name in this submodule too; * stands for any part of a path.",
)
@click.option("--no-hooks", is_flag=True, help="Write no hooks of git's, and none of agents'.")
@click.option(
    "--agents",
    default="auto",
    metavar="auto|none|LIST",
    help="Which agents get hooks in this clone, and whose sessions are imported: all that are found on "
    "this machine, none, or a list with commas.",
)
@click.option("--no-import", is_flag=True, help="Import no existing sessions.")
@recurse_option
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    share: str | None,
    dedicated: bool,
    shared_too: tuple[str, ...],
    no_hooks: bool,
    agents: str,
    no_import: bool,
    recurse: bool | None,
    as_json: bool,
) -> None:
    """Make this repository remember: start its memory, write hooks, take in the agents' sessions of it.

    In a clone whose remote has a memory already, that one is taken over. So it is with the submodules below
    that are checked out; with --recurse-submodules, with all of the superproject. None of
    them is shared that is not named. Running it again is harmless.
    """
    from gitmem.cli.indexing import wake_sidecar
    from gitmem.cli.submodule_inits import init_others, meant

    context: Context = ctx.obj
    if dedicated and share is None:
        raise UsageError(
            "could not tell which remote is dedicated to the memory: none was named",
            hint="gitmem init --share REMOTE --dedicated: names it",
        )
    how = _How(no_hooks, _agents(agents), no_import, as_json)
    others = meant(context, recurse, share, shared_too)
    answer = _remember(context, share, how._replace(is_dedicated=dedicated))
    answer["agents"] = None if no_hooks else _enable_agents(context, agents, as_json)
    came = init_others(context, others, lambda each, share: _remember(each, share, how), as_json=as_json)
    wake_sidecar(context)  # an agent that starts in a moment finds something
    if as_json:
        context.output.json({**answer, **({"submodules": came} if others else {})})
    if any("error" in one for one in came):
        ctx.exit(1)


class _How(NamedTuple):
    """How a repository is made to remember; `agents` is None where those of all agents are imported."""

    no_hooks: bool
    agents: frozenset[str] | None
    no_import: bool
    as_json: bool
    is_dedicated: bool = False


def _remember(context: Context, share: str | None, how: _How) -> dict[str, Any]:
    """Make one repository remember, tell people of it, and return what came of it for programs."""
    from gitmem.git.worktrees import working_trees
    from gitmem.sharing.choosing import share as choose_remote
    from gitmem.sharing.pulling import adopt
    from gitmem.verbs.scanning import scan
    from gitmem.verbs.setback import note_tip
    from gitmem.verbs.starting import start

    if share is not None:
        _note_share(context, share)
        choose_remote(context.repository, context.git, share, is_dedicated=how.is_dedicated)
        context = context.again()
    ref, tops = context.settings.memory_ref, working_trees(context.repository)
    with opened_sharing(context) as sharing:
        storage = sharing.storage
        adopted = adopt(sharing, _remotes(context)) if storage.read_ref(ref) is None else None
        started = start(storage, ref, sharing.writer)
        if not how.as_json:
            if adopted:
                describe_pull(context, sharing, adopted)
            else:
                done = "Started" if started.how == "made" else "Found"
                context.output.say(f"{done} the memory of {context.repository.name}: {short_name(ref)}")
            if share is not None:
                context.output.say(
                    f"Shared with {share}: gitmem push sends it, gitmem pull brings in the others'"
                )
        brought = _bring_along(context, how.as_json)
        hooks = None if how.no_hooks else _write_hooks(context, how.as_json)
        _make_known(context)
        report = None
        if not how.no_import and tops and how.agents != frozenset():
            state_dir, now_ns = context.repository.state_dir, context.now_ms() * 1_000_000
            home = home_of(context)
            found = scan(state_dir, tops, home, context.environ, now_ns, agents=how.agents, anew=True)
            report = take_sources(context, storage, found.grown, whole=False, wait_s=3600)
            found.settle([refused.path for refused in report.refused])
            if how.agents is None:
                note_tip(state_dir, storage, ref)
    if not how.as_json and report and report.files:
        describe(context, report)
    return {
        "ref": ref,
        "commit": started.commit,
        "how": "taken over" if adopted else started.how,
        "remote": adopted.remote if adopted else None,
        "refspecs": brought,
        "hooks": hooks,
        "imported": report_as_json(report) if report else None,
    }


def _note_share(context: Context, remote: str) -> None:
    from gitmem.cli.auditing import log_of
    from gitmem.git.transport import find_remote

    find_remote(context.repository, context.git, remote)
    log = log_of(context)
    url = context.repository.config[f"remote.{remote}.url"][0]
    log.note("share", lambda: log.remote(url), detail={"levels": "team"})


def _bring_along(context: Context, as_json: bool) -> dict[str, str]:
    """See that a plain fetch brings along what a chosen remote has, and say what that took."""
    from gitmem.git.refspecs import bring_along

    added: dict[str, str] = {}
    for remote in context.settings.remotes:
        if "team" in remote.levels and f"remote.{remote.name}.url" in context.repository.config:
            ref = context.settings.memory_ref
            refspec = bring_along(context.repository, context.git, remote.name, ref)
            added |= {remote.name: refspec} if refspec else {}
    for name, refspec in added.items():
        if not as_json:
            context.output.say(f"git fetch {name} brings it along now: remote.{name}.fetch {refspec}")
    return added


def _make_known(context: Context) -> None:
    """Let the sidecar know of the repository: it captures there, and `search --all` goes there."""
    from gitmem.cli.indexing import places_of
    from gitmem.sidecar.folders import state_folder
    from gitmem.sidecar.known import remember

    remember(state_folder(context.environ), places_of(context)[0])


def _write_hooks(context: Context, as_json: bool) -> dict[str, object]:
    """Write the hooks and say so; hooks that are somebody else's are no reason for there to be no memory."""
    from gitmem.cli.hooking import describe_hooks, hooks_as_json
    from gitmem.verbs.enabling import enable_git, note_ref

    try:
        hooks = enable_git(context.repository, context.git)
        note_ref(context.repository.state_dir, context.settings.memory_ref)
    except (HooksElsewhere, HookInTheWay) as error:
        if not as_json:
            context.output.warn(str(error))
            context.output.warn(error.hint)
        return {"how": None, "refused": str(error), "hint": error.hint}
    if not as_json:
        describe_hooks(context, hooks)
    return hooks_as_json(hooks)


def _agents(text: str) -> frozenset[str] | None:
    from gitmem.agents import targets
    from gitmem.transcripts.detect import AGENTS

    if text == "auto":
        return None
    names = frozenset(name.strip() for name in text.split(",") if name.strip()) - {"none"}
    known = dict.fromkeys((*AGENTS, *targets.AGENTS))
    unknown = sorted(names - frozenset(known))
    if unknown:
        raise UsageError(
            f"could not import sessions of {unknown[0]!r}: there is no such agent",
            hint=f"gitmem init --agents LIST: knows {', '.join(known)}",
        )
    return names


def _enable_agents(context: Context, text: str, as_json: bool) -> dict[str, Any]:
    """Write entries for agents and say so; a file of theirs that is not fit keeps no memory from being."""
    from gitmem.agents.targets import AGENTS
    from gitmem.cli.agent_entries import describe_outcomes, enable_agents, outcomes_as_json
    from gitmem.cli.agent_findings import present

    if context.repository.top is None:
        return {}
    named = _agents(text)
    told: dict[str, Any] = {}
    for agent in present(context) if named is None else [name for name in AGENTS if name in named]:
        try:
            outcomes = enable_agents(context, (agent,), "local")
        except (ConfigUnreadable, ConfigRefused) as error:
            told[agent] = {"refused": str(error), "hint": error.hint}
            if not as_json:
                context.output.warn(f"{agent}: {error}")
                context.output.warn(error.hint)
        else:
            told |= outcomes_as_json(outcomes)
            if not as_json:
                describe_outcomes(context, outcomes, "local")
    return told


def _remotes(context: Context) -> tuple[str, ...]:
    """Return the names of the remotes, origin first."""
    names = {
        name.removeprefix("remote.").removesuffix(".url")
        for name in context.repository.config
        if name.startswith("remote.") and name.endswith(".url")
    }
    return tuple(sorted(names, key=lambda name: (name != "origin", name)))
