"""`gitmem status`: how this repository's memory stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gitmem.cli.command import Command, recurse_option
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.opening import opened_storage
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.submodule_states import Beside, look, say_submodules, submodules_as_json
from gitmem.cli.text import one_line
from gitmem.model.errors.store import NoMemory

if TYPE_CHECKING:
    from gitmem.checkpoints.spool import State as SpoolState
    from gitmem.cli.strangers import Strangers
    from gitmem.format.memory import Memory
    from gitmem.git.hooks import Hooks
    from gitmem.objects.storage import Storage
    from gitmem.verbs.reporting import IndexState, MemoryState, RemoteState


class _Capture(NamedTuple):
    """How the code's side stands: git's hooks, what they left, and what became of it."""

    hooks: Hooks
    takes_part: bool
    spool: SpoolState
    checkpoints: int
    last_ms: int | None
    agents: Mapping[str, Sequence[str]]


@click.command("status", cls=Command, examples=["gitmem status", "gitmem status --json"])
@recurse_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(ctx: click.Context, /, recurse: bool | None, as_json: bool) -> None:
    """Say what is remembered here, what is shared with whom, and how far the search index is.

    In a superproject, say also which submodules remember, and how each was synced last. Ends with 1 where
    there is no memory yet. Nothing is fetched: what a remote has is as of the last push or pull.
    """
    from gitmem.cli.absence import absent_of
    from gitmem.cli.inbox import inbox_as_json, read_inbox, say_inbox
    from gitmem.cli.strangers import strangers_as_json, strangers_of
    from gitmem.format.memory import open_memory
    from gitmem.git.storage import pack_folder
    from gitmem.verbs.reporting import describe_memory
    from gitmem.verbs.tips import read_tip

    context: Context = ctx.obj
    repository, ref = context.repository, context.settings.memory_ref
    beside = look(context, recurse)
    with opened_storage(context) as storage:
        try:
            memory = open_memory(storage, ref)._replace(absent=absent_of(context)(ref))
        except NoMemory as error:
            _say_none(context, error, beside, as_json)
            ctx.exit(1)
        tip = read_tip(repository.common_dir, ref, context.git.environ)
        state = describe_memory(
            memory,
            repository.state_dir,
            pack_folder(repository),
            user_data_dir(context),
            context.settings,
            tip.name if tip else None,
        )
        capture = _capture(context, memory)
        others = {**_others(context, storage), **_going(context, memory)}
        strangers = strangers_of(context, memory)
        inbox = read_inbox(context, memory)
    if as_json:
        context.output.json(
            {
                "repo": repository.name,
                "ref": ref,
                "memory": _as_json(state),
                "capture": _capture_as_json(capture),
                **others,
                "strangers": strangers_as_json(strangers),
                "notes": inbox_as_json(inbox, memory, context.now_ms()),
                **submodules_as_json(beside),
            }
        )
    else:
        with context.paged() as output:
            _say(output, repository.name, ref, state, capture, others, strangers, context.now_ms())
            say_inbox(output, inbox, context.now_ms())
            say_submodules(output, beside, context.now_ms())


def _others(context: Context, storage: Storage) -> dict[str, Any]:
    """Count what is on other refs: public sessions, and private ones that can and cannot be opened here."""
    from gitmem.cli.opening import private_storage
    from gitmem.format.memory import open_memory
    from gitmem.model.refs import PUBLIC_REF, SEALED_NAMESPACE

    told: dict[str, Any] = {}
    if storage.read_ref(PUBLIC_REF) is not None:
        told["public"] = {"sessions": sum(1 for _ in open_memory(storage, PUBLIC_REF).folders())}
    if storage.list_refs(SEALED_NAMESPACE):
        sealed = private_storage(context, storage)
        opened = sum(each.session is not None for each in sealed.opened())
        told["private"] = {"opened": opened, "unopened": len(sealed.unopened())}
    return told


def _going(context: Context, memory: Memory) -> dict[str, Any]:
    """Tell what waits to be erased, and what holds in this clone what was erased."""
    from gitmem.cli.hidden import hiders
    from gitmem.forgetting.left import read_left
    from gitmem.forgetting.waiting import waiting
    from gitmem.model.times import to_text

    told: dict[str, Any] = {}
    state_dir = context.repository.state_dir
    rows = waiting(memory, state_dir, context.now_ms())
    if rows:
        first_ms = min(row.until_ms for row in rows.values())
        trust = hiders(context, {row.by for row in rows.values()})
        strange = sum(trust[row.by] != "known" for row in rows.values())
        told["forgotten"] = {"sessions": len(rows), "first": to_text(first_ms), "by_others": strange}
    left = [each for each in read_left(state_dir) if not each.cleared]
    if left:
        told["erased"] = {"held_by": sorted({name for each in left for name in each.held})}
    return told


def _capture(context: Context, memory: Memory) -> _Capture:
    from gitmem.checkpoints import spool
    from gitmem.checkpoints.table import rows
    from gitmem.cli.agent_findings import agents_here
    from gitmem.git.hooks import find
    from gitmem.verbs.enabling import takes_part

    state_dir = context.repository.state_dir
    made = rows(memory, state_dir)
    return _Capture(
        hooks=find(context.repository, context.git),
        takes_part=takes_part(state_dir),
        spool=spool.state(state_dir),
        checkpoints=len(made),
        last_ms=made[0].at_ms if made else None,
        agents=agents_here(context),
    )


def _say_none(context: Context, error: NoMemory, beside: Beside, as_json: bool) -> None:
    repository, ref = context.repository, context.settings.memory_ref
    if as_json:
        context.output.json(
            {"repo": repository.name, "ref": ref, "memory": None, **submodules_as_json(beside)}
        )
    else:
        context.output.say(Styled(repository.name, "strong"), " remembers nothing yet: there is no ", ref)
        context.output.say(Styled(error.hint, "dim"))
        say_submodules(context.output, beside, context.now_ms())


def _say(
    output: Output,
    repo: str,
    ref: str,
    state: MemoryState,
    capture: _Capture,
    others: dict[str, Any],
    strangers: Strangers,
    now_ms: int,
) -> None:
    from gitmem.cli.progress import size
    from gitmem.cli.rendering import ago
    from gitmem.cli.strangers import say_strangers
    from gitmem.cli.text import count
    from gitmem.model.refs import short_name

    total = sum(state.agents.values())
    agents = ", ".join(f"{number:,} {agent}" for agent, number in state.agents.items())
    captured = "not lately" if state.captured_s is None else ago(state.captured_s * 1000, now_ms)
    shared = [_describe_remote(remote) for remote in state.remotes] or ["with nobody"]
    rows: list[tuple[str, Part]] = [
        ("memory", f"{short_name(ref)} at {state.commit[:9]}, format {state.format}"),
        ("sessions", f"{total:,}" + (f" ({agents})" if agents else "")),
        *((level, text) for level, text in _describe_others(others)),
        *(("trust", Styled(line, "bad")) for line in say_strangers(strangers)),
        ("captured", captured),
        ("checkpoints", _describe_checkpoints(capture, now_ms)),
        ("hooks", _describe_hooks(capture)),
        ("agents", _describe_agents(capture.agents)),
        *(("waiting", part) for part in _describe_waiting(capture.spool, now_ms)),
        ("size", f"{size(state.packs_bytes)} in {count(state.packs, 'pack')}"),
        *(("shared", text) for text in shared),
        *(("", part) for remote in state.remotes for part in _describe_contact(remote, now_ms)),
        ("index", _describe_index(state.index_state)),
        ("redaction", "has its key" if state.has_key else "has no key yet; the first capture makes it"),
    ]
    if state.absent:
        rows.append(
            ("not here", f"the text of {count(state.absent, 'session')}; gitmem pull --whole fetches it")
        )
    if state.unreadable:
        damage = f"{count(state.unreadable, 'session')}: gitmem verify names them"
        rows.append(("damaged", Styled(damage, "bad")))
    output.say(Styled(repo, "strong"))
    output.table([[Styled(name, "dim"), text] for name, text in rows])


def _describe_others(others: dict[str, Any]) -> Iterator[tuple[str, Part]]:
    from gitmem.cli.text import count

    if "public" in others:
        yield "public", count(others["public"]["sessions"], "session")
    if "private" in others:
        opened, unopened = others["private"]["opened"], others["private"]["unopened"]
        cannot = f", and {unopened:,} that you cannot open" if unopened else ""
        yield "private", f"{count(opened, 'session')} of yours{cannot}"
    if "forgotten" in others:
        waiting, first = others["forgotten"]["sessions"], others["forgotten"]["first"][:10]
        yield "forgotten", f"{count(waiting, 'session')}, erased from {first} on: gitmem forget --list"
        if others["forgotten"]["by_others"]:
            strange = count(others["forgotten"]["by_others"], "session")
            says = f"{strange} of these by authors whom you do not know: gitmem forget --undo takes it back"
            yield "", Styled(says, "bad")
    if "erased" in others:
        held = ", ".join(others["erased"]["held_by"]) or "this clone until the next push or pull"
        yield "erased", Styled(f"what was erased is still held by {one_line(held)}", "bad")


def _describe_checkpoints(capture: _Capture, now_ms: int) -> str:
    from gitmem.cli.rendering import ago

    if capture.last_ms is None:
        return "none yet"
    return f"{capture.checkpoints:,}, the last {ago(capture.last_ms, now_ms)}"


def _describe_hooks(capture: _Capture) -> Part:
    from gitmem.git.hook_text import HOOKS

    told = len({*capture.hooks.ours, *capture.hooks.snippets}) if capture.takes_part else 0
    if told == len(HOOKS):
        return "all of git's tell gitmem"
    return Styled(f"{told} of git's {len(HOOKS)} tell gitmem: gitmem enable git", "bad")


def _describe_agents(agents: Mapping[str, Sequence[str]]) -> str:
    told = (f"{agent} ({', '.join(scopes)})" for agent, scopes in agents.items())
    return ", ".join(told) or "none has hooks here; gitmem enable AGENT writes them"


def _describe_waiting(spool: SpoolState, now_ms: int) -> Iterator[Part]:
    from gitmem.cli.rendering import ago
    from gitmem.cli.text import count

    if spool.oldest_ns is not None:
        events = count(spool.waiting, "event")
        yield f"{events} of hooks, the oldest {ago(spool.oldest_ns // 1_000_000, now_ms)}"
    if spool.failure:
        yield Styled(f"the last drain failed: {one_line(spool.failure)}", "bad")
    if spool.bad:
        yield f"{count(spool.bad, 'file')} without an event in it: gitmem doctor"


def _describe_remote(remote: RemoteState) -> str:
    text = f"with {remote.name} ({', '.join(remote.levels) or 'not chosen: only when it is named'})"
    if remote.levels == ("private",):
        return text  # sealed sessions have each a ref of their own, and none is ahead of another
    if remote.ahead is None or remote.behind is None:
        return f"{text}: nothing pushed or fetched yet"
    if not (remote.ahead or remote.behind):
        return f"{text}: the same"
    parts = [f"{remote.ahead:,} ahead"] if remote.ahead else []
    parts += [f"{remote.behind:,} behind"] if remote.behind else []
    return f"{text}: {', '.join(parts)}"


def _describe_contact(remote: RemoteState, now_ms: int) -> Iterator[Part]:
    from gitmem.cli.rendering import ago

    contact = remote.contact
    reached = "never reached" if contact.reached_ms is None else f"reached {ago(contact.reached_ms, now_ms)}"
    if contact.trouble is not None and contact.since_ms is not None:
        noticed = ago(contact.since_ms, now_ms)
        text = f"{remote.name}: {contact.trouble}, noticed {noticed}, {reached}: {one_line(contact.why)}"
        yield Styled(text, "bad")
    elif contact.reached_ms is not None:
        yield f"{remote.name}: {reached}"


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


def _capture_as_json(capture: _Capture) -> dict[str, Any]:
    from gitmem.cli.hooking import hooks_as_json
    from gitmem.cli.rendering import iso

    oldest_ns, last_ms = capture.spool.oldest_ns, capture.last_ms
    return {
        "hooks": hooks_as_json(capture.hooks),
        "agents": {agent: list(scopes) for agent, scopes in capture.agents.items()},
        "takes_part": capture.takes_part,
        "waiting": capture.spool.waiting,
        "oldest_at": None if oldest_ns is None else iso(oldest_ns // 1_000_000),
        "failure": capture.spool.failure,
        "bad": capture.spool.bad,
        "checkpoints": capture.checkpoints,
        "last_checkpoint_at": None if last_ms is None else iso(last_ms),
    }


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
        "not_here": state.absent,
        "packs": state.packs,
        "packs_bytes": state.packs_bytes,
        "remotes": [_remote_as_json(remote) for remote in state.remotes],
        "index": state.index_state._asdict(),
        "has_key": state.has_key,
    }


def _remote_as_json(remote: RemoteState) -> dict[str, Any]:
    from gitmem.cli.rendering import iso

    contact = remote.contact
    return {
        "name": remote.name,
        "levels": remote.levels,
        "ahead": remote.ahead,
        "behind": remote.behind,
        "reached_at": None if contact.reached_ms is None else iso(contact.reached_ms),
        "trouble": contact.trouble,
        "since": None if contact.since_ms is None else iso(contact.since_ms),
        "why": contact.why or None,
    }
