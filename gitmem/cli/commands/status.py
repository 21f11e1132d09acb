"""`gitmem status`: how this repository's memory stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.opening import opened_storage
from gitmem.cli.output import Output, Part, Styled
from gitmem.model.errors import NoMemory

if TYPE_CHECKING:
    from gitmem.verbs.reporting import IndexState, MemoryState, RemoteState


@click.command("status", cls=Command, examples=["gitmem status", "gitmem status --json"])
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """Say what is remembered here, what is shared with whom, and how far the search index is.

    Ends with 1 where there is no memory yet. Nothing is fetched: what a remote has is as of the last push or
    pull.
    """
    from gitmem.format.memory import open_memory
    from gitmem.git.storage import pack_folder
    from gitmem.verbs.reporting import describe_memory

    context: Context = ctx.obj
    repository, ref = context.repository, context.settings.memory_ref
    with opened_storage(context) as storage:
        try:
            memory = open_memory(storage, ref)
        except NoMemory as error:
            _say_none(context, error, as_json)
            ctx.exit(1)
        state = describe_memory(
            memory, repository.state_dir, pack_folder(repository), user_data_dir(context), context.settings
        )
    if as_json:
        context.output.json({"repo": repository.name, "ref": ref, "memory": _as_json(state)})
    else:
        with context.paged() as output:
            _say(output, repository.name, ref, state, context.now_ms())


def _say_none(context: Context, error: NoMemory, as_json: bool) -> None:
    repository, ref = context.repository, context.settings.memory_ref
    if as_json:
        context.output.json({"repo": repository.name, "ref": ref, "memory": None})
    else:
        context.output.say(Styled(repository.name, "strong"), " remembers nothing yet: there is no ", ref)
        context.output.say(Styled(error.hint, "dim"))


def _say(output: Output, repo: str, ref: str, state: MemoryState, now_ms: int) -> None:
    from gitmem.cli.intake import count
    from gitmem.cli.progress import size
    from gitmem.cli.rendering import ago
    from gitmem.model.refs import short_name

    total = sum(state.agents.values())
    agents = ", ".join(f"{number:,} {agent}" for agent, number in state.agents.items())
    captured = "not lately" if state.captured_s is None else ago(state.captured_s * 1000, now_ms)
    shared = [_describe_remote(remote) for remote in state.remotes] or ["with nobody"]
    rows: list[tuple[str, Part]] = [
        ("memory", f"{short_name(ref)} at {state.commit[:9]}, format {state.format}"),
        ("sessions", f"{total:,}" + (f" ({agents})" if agents else "")),
        ("captured", captured),
        ("size", f"{size(state.packs_bytes)} in {count(state.packs, 'pack')}"),
        *(("shared", text) for text in shared),
        ("index", _describe_index(state.index_state)),
        ("redaction", "has its key" if state.has_key else "has no key yet; the first capture makes it"),
    ]
    if state.unreadable:
        damage = f"{count(state.unreadable, 'session')}: gitmem verify names them"
        rows.append(("damaged", Styled(damage, "bad")))
    output.say(Styled(repo, "strong"))
    output.table([[Styled(name, "dim"), text] for name, text in rows])


def _describe_remote(remote: RemoteState) -> str:
    text = f"with {remote.name} ({', '.join(remote.levels) or 'not chosen: only when it is named'})"
    if remote.ahead is None or remote.behind is None:
        return f"{text}: nothing pushed or fetched yet"
    if not (remote.ahead or remote.behind):
        return f"{text}: the same"
    parts = [f"{remote.ahead:,} ahead"] if remote.ahead else []
    parts += [f"{remote.behind:,} behind"] if remote.behind else []
    return f"{text}: {', '.join(parts)}"


def _describe_index(index: IndexState) -> str:
    match index.condition:
        case "missing":
            return "none yet; the first search makes it"
        case "unreadable":
            return "damaged; the next search makes it anew"
        case "current":
            return "current"
        case "behind" if index.behind:
            return f"{index.behind:,} commits behind; the next search brings it up"
        case "behind":
            return "of another history; the next search brings it up"


def _as_json(state: MemoryState) -> dict[str, Any]:
    from gitmem.cli.rendering import iso

    return {
        "commit": state.commit,
        "committed_at": iso(state.committed_s * 1000),
        "captured_at": None if state.captured_s is None else iso(state.captured_s * 1000),
        "format": state.format,
        "sessions": sum(state.agents.values()),
        "agents": state.agents,
        "unreadable": state.unreadable,
        "packs": state.packs,
        "packs_bytes": state.packs_bytes,
        "remotes": [remote._asdict() for remote in state.remotes],
        "index": state.index_state._asdict(),
        "has_key": state.has_key,
    }
