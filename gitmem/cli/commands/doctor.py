"""`gitmem doctor`: what is wrong here, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from gitmem.cli.agent_findings import SCOPES, examine_agents
from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.opening import opened_storage
from gitmem.cli.output import Style, Styled
from gitmem.cli.text import one_line
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import StoreError

if TYPE_CHECKING:
    from gitmem.checkpoints.examining import Finding, Subject
    from gitmem.format.memory import Memory
    from gitmem.objects.storage import Storage
    from gitmem.sealed.storage import SealedStorage
    from gitmem.verbs.unread import Unread

_STYLES: dict[str, Style] = {"well": "good", "note": "dim", "amiss": "bad"}


@click.command(
    "doctor", cls=Command, examples=["gitmem doctor", "gitmem doctor --fix", "gitmem doctor --json"]
)
@click.option("--fix", "is_fixed", is_flag=True, help="Mend what can be mended without asking anybody.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def command(ctx: click.Context, /, is_fixed: bool, as_json: bool) -> None:
    """Look at whether everything works here: hooks, agents, the memory and its index, levels, audit.

    Ends with 1 where something is amiss. `gitmem verify --full` reads every object besides.
    """
    context: Context = ctx.obj
    mended: list[str] = []
    found, unread = _examine(context)
    if is_fixed:
        mended = _mend(context, found)
        found, unread = _examine(context)
    if as_json:
        findings = [finding._asdict() for finding in found]
        not_understood = [asdict(group) for group in unread]
        context.output.json({"findings": findings, "mended": mended, "not_understood": not_understood})
    else:
        for text in mended:
            context.output.say(Styled("mended", "good"), f" {text}")
        context.output.table(
            [
                [
                    Styled(finding.condition, _STYLES[finding.condition]),
                    finding.subject,
                    one_line(finding.says),
                ]
                for finding in found
            ]
        )
        for hint in _hints(found):
            context.output.say(Styled("hint:", "dim"), f" {hint}")
    ctx.exit(any(finding.condition == "amiss" for finding in found))


def _examine(context: Context) -> tuple[list[Finding], list[Unread]]:
    """Look at everything; what readers could not use is told by agent and version, too."""
    from gitmem.checkpoints.examining import Finding, examine_capture, examine_memory
    from gitmem.cli.hidden import examine_hidden
    from gitmem.cli.strangers import find_strangers, say_strangers
    from gitmem.format.memory import open_memory
    from gitmem.git.storage import pack_folder
    from gitmem.notes.listing import list_notes
    from gitmem.verbs.listing import Summaries
    from gitmem.verbs.reporting import describe_memory
    from gitmem.verbs.tips import read_tip
    from gitmem.verbs.unread import unread

    repository, settings = context.repository, context.settings
    found: list[Finding] = []
    not_understood: list[Unread] = []
    with opened_storage(context) as storage:
        try:
            memory = open_memory(storage, settings.memory_ref)
            user_dir = user_data_dir(context)
            tip = read_tip(repository.common_dir, settings.memory_ref, context.git.environ)
            state = describe_memory(
                memory,
                repository.state_dir,
                pack_folder(repository),
                user_dir,
                settings,
                tip.name if tip else None,
            )
            with context.output.progress("reading", None) as progress:

                def tell(done: int, total: int) -> None:
                    progress.total = total
                    progress.advance(done - progress.done)

                listing = Summaries(memory, repository.state_dir, repository.name).all(tell)
        except StoreError as error:
            found.append(Finding("memory", "amiss", str(error), error.hint))
        else:
            not_understood = unread(listing.summaries)
            found += examine_memory(state, not_understood)
            notes = list_notes(memory, repository.state_dir, closed=True)
            found += examine_hidden(context, listing.summaries, notes)
            strangers = find_strangers(context, listing.summaries)
            found += [Finding("sessions", "note", line) for line in say_strangers(strangers)]
            found += _rules(context, memory)
        found += _examine_levels(context, storage)
    found += examine_capture(repository, context.git, context.now_ms() * 1_000_000)
    found += examine_agents(context)
    return found, not_understood


def _rules(context: Context, memory: Memory) -> list[Finding]:
    """Look at whether redaction can be relied on: its rules, and whether they saw what is stored."""
    from gitmem.checkpoints.examining import Finding
    from gitmem.cli.opening import redactor_of
    from gitmem.sharing import rechecking, vouching

    try:
        redactor = redactor_of(context)
    except GitmemError as error:  # a rule that is refused, or a key that is no key
        return [Finding("redaction", "amiss", str(error), error.hint)]
    at = memory, context.repository.state_dir, redactor.fingerprint
    if rechecking.was_by_other_rules(*at) or vouching.was_by_other_rules(*at):
        says = "its rules have changed since the memory was looked through; gitmem redact audit does it again"
        return [Finding("redaction", "note", says)]
    return []


def _examine_levels(context: Context, storage: Storage) -> Iterator[Finding]:
    """Look at whether levels are remembered, private sessions can be opened, and the audit can be written."""
    from gitmem.checkpoints.examining import Finding
    from gitmem.cli.auditing import log_of
    from gitmem.cli.levels import levels_of
    from gitmem.cli.opening import private_storage
    from gitmem.model.refs import SEALED_NAMESPACE

    try:
        levels_of(context)
    except GitmemError as error:
        yield Finding("levels", "amiss", str(error), error.hint)
    else:
        yield Finding("levels", "well", "those that sessions were given can be read")
    if storage.list_refs(SEALED_NAMESPACE):
        yield from _examine_private(private_storage(context, storage))
    try:
        log_of(context).peek()
    except GitmemError as error:
        yield Finding("audit", "amiss", str(error), error.hint)


def _examine_private(sealed: SealedStorage) -> Iterator[Finding]:
    from gitmem.checkpoints.examining import Finding

    try:
        opened = sum(each.session is not None for each in sealed.opened())
        unopened, damaged = len(sealed.unopened()), list(sealed.damaged().values())
    except GitmemError as error:  # an identity that cannot be used
        yield Finding("private", "amiss", str(error), error.hint)
        return
    if damaged:
        yield Finding("private", "amiss", str(damaged[0]), damaged[0].hint)
    says = f"{opened:,} that you can open" + (f", and {unopened:,} that you cannot" if unopened else "")
    yield Finding("private", "note" if unopened else "well", says)


def _hints(found: list[Finding]) -> list[str]:
    """Return what mends what is amiss, each command once with all that it does."""
    does: dict[str, list[str]] = {}
    for finding in found:
        if finding.condition == "amiss" and finding.remedy:
            command, _, what = finding.remedy.partition(": ")
            does.setdefault(command, []).append(what)
    return [f"{command}: {', '.join(dict.fromkeys(what))}" for command, what in does.items()]


def _mend(context: Context, found: list[Finding]) -> list[str]:
    """Mend what is amiss, and return what was done; what cannot be mended is found again."""
    mended = []
    todo: dict[Subject, tuple[str, Callable[[Context], None]]] = {
        "hooks": ("hooks: written anew", _enable),
        "python": ("python: noted the one that this is run by", _enable),
        "agents": ("agents: entries written anew", _enable_agents),
        "spool": ("spool: took in what waited, and removed what is no event", _drain),
    }
    amiss = {finding.subject for finding in found if finding.condition != "well"}
    amiss -= {"agents"} - {finding.subject for finding in found if finding.condition == "amiss"}
    for subject, (text, act) in todo.items():
        if subject not in amiss:
            continue
        try:
            act(context)
        except GitmemError as error:
            context.output.warn(Styled("not mended:", "bad"), f" {subject}: {one_line(str(error))}")
        else:
            mended.append(text)
    return mended


def _enable(context: Context) -> None:
    from gitmem.verbs.enabling import enable_git

    enable_git(context.repository, context.git)


def _enable_agents(context: Context) -> None:
    """Write the entries anew of the agents that have some."""
    from gitmem.cli.agent_entries import enable_agents, enabled

    for scope in SCOPES:
        agents = tuple(agent for agent, state in enabled(context, scope).items() if state != "unreadable")
        if agents:
            enable_agents(context, agents, scope)


def _drain(context: Context) -> None:
    from gitmem.checkpoints import spool
    from gitmem.cli.checkpointing import drained

    spool.remove_bad(context.repository.state_dir)
    drained(context)
