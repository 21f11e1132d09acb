"""`gitmem audit`: who did what to the memory, and whether the chains of that hold."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from gitmem.cli.auditing import log_of
from gitmem.cli.command import Group
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.opening import opened_storage
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.text import one_line
from gitmem.model.errors.store import DiskRefused, StoreBusy

if TYPE_CHECKING:
    from gitmem.auditing.entries import Entry
    from gitmem.auditing.listing import Row, Wanted
    from gitmem.auditing.log import Log
    from gitmem.auditing.peers import Finding
    from gitmem.model.errors.store import AuditRefused

_SHOWN: Final = 50
_DIGITS: Final = 12


@click.group(
    "audit",
    cls=Group,
    invoke_without_command=True,
    examples=[
        "gitmem audit",
        "gitmem audit --action push --action level --since 30d",
        "gitmem audit --who me --json",
        "gitmem audit verify",
    ],
)
@click.option("--action", "actions", metavar="NAME", multiple=True, help="Only this: push, level, show, …")
@click.option("--since", metavar="WHEN", help="Only after a date, or within 7d, 12h, …")
@click.option("--until", metavar="WHEN", help="Only up to then.")
@click.option("--device", "devices", metavar="ID", multiple=True, help="Only by clones whose id begins so.")
@click.option("--who", metavar="WHO", help="Only by me, by a name, or by a pseudonym that begins so.")
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=_SHOWN,
    help=f"At most so many, the newest first; {_SHOWN} by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    actions: tuple[str, ...],
    since: str | None,
    until: str | None,
    devices: tuple[str, ...],
    who: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show who did what to the memory, when and why, the newest first.

    People stand there by pseudonyms; only they themselves can tell which are theirs. No title, path, query or
    address is kept. Ends with 1 if there is no such entry.
    """
    if ctx.invoked_subcommand is not None:
        return
    from gitmem.auditing.listing import newest
    from gitmem.auditing.names import read_names

    context: Context = ctx.obj
    log, names = log_of(context), read_names(user_data_dir(context))
    wanted = _wanted(context, names, actions, since, until, devices, who)
    refused: list[AuditRefused] = []
    with opened_storage(context) as storage:
        try:
            log.settle()
        except (DiskRefused, StoreBusy) as error:  # What is there can be read all the same.
            context.output.warn(f"what was read last is not listed: {error}")
        rows = list(islice(newest(storage, log, wanted, refused.append), limit))
    if as_json:
        context.output.json(
            {
                "entries": [_as_json(row, names) for row in rows],
                "refused": [{"where": one.where, "why": one.why} for one in refused],
            }
        )
    elif rows:
        with context.paged() as output:
            _say(context, output, log, rows, names)
    else:
        context.output.warn("the audit has no such entry")
    for one in refused:
        context.output.warn(Styled("left out:", "bad"), " ", one_line(f"{one.where}: {one.why}"))
    if not rows:
        ctx.exit(1)


@command.command("verify", examples=["gitmem audit verify", "gitmem audit verify --json"])
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def _verify(ctx: click.Context, as_json: bool) -> None:
    """Check every chain, and whether remotes still have what was seen there; end with 0 only if all holds."""
    from gitmem.auditing.checking import Checked, check

    context: Context = ctx.obj
    checked = Checked()
    with opened_storage(context) as storage:
        found = list(check(storage, log_of(context), checked))
    if as_json:
        context.output.json(
            {
                "ok": not found,
                "findings": [finding._asdict() for finding in found],
                "chains": checked.chains,
                "entries": checked.entries,
            }
        )
    else:
        for finding in found:
            _show(context.output, finding)
        verdict = Styled(f"{len(found):,} found", "bad") if found else Styled("all holds", "good")
        context.output.say(verdict, f": {checked.chains:,} published chains, {checked.entries:,} entries")
    if found:
        ctx.exit(1)


@command.command("me", examples=["gitmem audit me", "gitmem audit me --json"])
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _me(context: Context, as_json: bool) -> None:
    """Say what you and this clone are called in the audit, for you to tell those who should know."""
    identity = log_of(context).identity()
    if as_json:
        context.output.json({"actor": identity.actor, "device": identity.device})
    else:
        context.output.table([("you", identity.actor), ("this clone", identity.device)])


@command.command("name", examples=["gitmem audit name 5e12c0ff Grace", "gitmem audit name 5e12c0ff ''"])
@click.argument("actor", metavar="PSEUDONYM")
@click.argument("name")
@click.pass_obj
def _name(context: Context, actor: str, name: str) -> None:
    """Call somebody NAME in what you see of the audit; an empty NAME forgets it.

    PSEUDONYM is one that `gitmem audit --json` shows, or its beginning. The list is yours, and goes nowhere.
    """
    from gitmem.auditing.listing import Wanted, newest
    from gitmem.auditing.names import set_name

    log = log_of(context)
    with opened_storage(context) as storage:
        rows = newest(storage, log, Wanted(actors=(actor,)), lambda _: None)
        found = sorted({row.entry.actor for row in rows})
    if len(found) != 1:
        those = f"{len(found)} pseudonyms begin" if found else "no pseudonym begins"
        raise click.UsageError(f"could not name {one_line(actor)[:40]}: {those} so")
    set_name(user_data_dir(context), found[0], name.strip() or None)


@command.command("shred", examples=["gitmem audit shred --yes"])
@click.option("--yes", is_flag=True, help="Do it; it cannot be taken back.")
@click.pass_obj
def _shred(context: Context, yes: bool) -> None:
    """Destroy the key behind your pseudonyms, so that nothing leads from the audit's entries to you.

    The entries stay, and stay provable; nobody, you included, can tell any more that they are yours. What you
    do from now on stands in new chains under new pseudonyms, in every clone. Others who gave your pseudonym a
    name have to take that back themselves.
    """
    from gitmem.auditing.identity import shred
    from gitmem.auditing.publishing import bring_up

    if not yes:
        raise click.UsageError("shredding cannot be taken back: say --yes")
    log = log_of(context)
    log.note("erase", f"device:{log.identity().device}", reason="shred")
    with opened_storage(context) as storage:
        bring_up(storage, log)
    shred(user_data_dir(context))
    context.output.note("gitmem push: sends what the old chain has")


def _wanted(
    context: Context,
    names: dict[str, str],
    actions: tuple[str, ...],
    since: str | None,
    until: str | None,
    devices: tuple[str, ...],
    who: str | None,
) -> Wanted:
    from gitmem.auditing.listing import Wanted
    from gitmem.auditing.log import ACTIONS
    from gitmem.query.moments import parse_since, parse_until

    for action in actions:
        if action not in ACTIONS:
            raise click.UsageError(f"there is no action {action!r}; there are {', '.join(ACTIONS)}")
    actors: tuple[str, ...] = ()
    if who is not None and who != "me":
        actors = tuple(actor for actor, name in names.items() if name == who) or (who.lower(),)
    now_ms = context.now_ms()
    return Wanted(
        actions=actions,
        devices=devices,
        actors=actors,
        is_mine=who == "me",
        since_ms=None if since is None else parse_since(since, now_ms),
        until_ms=None if until is None else parse_until(until, now_ms),
    )


def _as_json(row: Row, names: dict[str, str]) -> dict[str, Any]:
    entry = row.entry
    name = names.get(entry.actor)
    return {**entry._asdict(), "is_me": row.is_mine, "name": name, "published": row.is_published}


def _say(context: Context, output: Output, log: Log, rows: list[Row], names: dict[str, str]) -> None:
    from gitmem.cli.rendering import local_time
    from gitmem.model.times import to_ms

    remotes = _remotes(context, log)
    cells: list[list[Part]] = []
    for row in rows:
        entry = row.entry
        who = "you" if row.is_mine else names.get(entry.actor, entry.actor[:_DIGITS])
        said = [f"{key} {value}" for key, value in entry.detail.items()]
        if entry.reason:
            said.append(f"({entry.reason})")
        cells.append(
            [
                Styled(local_time(to_ms(entry.at)), "dim"),
                who,
                Styled(entry.by.removeprefix("agent:"), "dim"),
                Styled(entry.action, "name"),
                _subject(entry, remotes),
                Styled(", ".join(said), "dim"),
            ]
        )
    output.table(cells, header=["when", "who", "by", "what", "to", "more"], flexible=5)


def _remotes(context: Context, log: Log) -> dict[str, str]:
    """Return what the remotes of this repository are called in one's own chain."""
    identity = log.peek()
    if identity is None:
        return {}
    return {
        identity.subject("remote", url): name.removeprefix("remote.").removesuffix(".url")
        for name, urls in context.repository.config.items()
        if name.startswith("remote.") and name.endswith(".url")
        for url in urls
    }


def _subject(entry: Entry, remotes: dict[str, str]) -> str:
    kind, _, name = entry.subject.partition(":")
    if entry.subject in remotes:
        return f"remote {remotes[entry.subject]}"
    return f"{kind} {name[:_DIGITS]}".strip()


def _show(output: Output, finding: Finding) -> None:
    # What a ref is called is a stranger's text: it may not move the cursor.
    output.say(Styled(finding.kind, "bad"), ": ", one_line(f"{finding.where}: {finding.why}"))
    output.say("  ", Styled(one_line(finding.hint), "dim"))
