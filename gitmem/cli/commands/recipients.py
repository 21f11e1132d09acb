"""`gitmem recipients`: whom private sessions are sealed to."""

from __future__ import annotations

import click

from gitmem.cli.command import Group
from gitmem.cli.context import Context


@click.group(
    "recipients",
    cls=Group,
    examples=[
        "gitmem recipients list",
        "gitmem recipients add age1…",
        "gitmem recipients add ~/.ssh/id_ed25519.pub",
        "gitmem recipients remove age1…",
    ],
)
def command() -> None:
    """Whom private sessions are sealed to: your own keys, and those that you add.

    KEY is an age1…, ssh-ed25519 or ssh-rsa public key, or the path of a file of such. They are kept as
    gitmem.recipient in this repository's configuration; nothing that comes with a clone can name one.
    """


@command.command("list", examples=["gitmem recipients list --json"])
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _list(context: Context, as_json: bool) -> None:
    """Say who can open what is captured from now on, and how many sessions you can; change nothing."""
    from gitmem.cli.opening import opened_storage, ring_of
    from gitmem.sealed.identities import plain_recipient
    from gitmem.sealed.storage import SealedStorage

    ring = ring_of(context)
    own = ring.own()
    others = [key for key in map(plain_recipient, context.settings.recipients) if key not in own]
    with opened_storage(context) as storage:
        sealed = SealedStorage(storage, ring)
        opened = sum(each.session is not None for each in sealed.opened())
        unopened, damaged = len(sealed.unopened()), sealed.damaged()
    if as_json:
        rows = [{"key": key, "own": True} for key in own] + [{"key": key, "own": False} for key in others]
        context.output.json(
            {
                "recipients": rows,
                "identities": [str(path) for path in ring.paths],
                "opened": opened,
                "unopened": unopened,
                "damaged": [{"name": name, "why": str(error)} for name, error in damaged.items()],
            }
        )
        return
    for key in own:
        context.output.say(f"{key}  (yours: {', '.join(map(str, ring.paths))})")
    for key in others:
        context.output.say(key)
    if not own:
        context.output.say(f"no key of yours yet: the first private session makes {ring.paths[0]}")
    sessions = f"{opened:,} private {'session' if opened == 1 else 'sessions'} can be opened"
    context.output.say(sessions + (f", and {unopened:,} cannot" if unopened else ""))
    if opened:
        context.output.note("Keep a copy of your identity: whoever loses it loses the private sessions.")
    for error in damaged.values():
        context.output.warn(str(error))


@command.command("add", examples=["gitmem recipients add age1…", "gitmem recipients add laptop.pub"])
@click.argument("keys", metavar="KEY…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def _add(context: Context, keys: tuple[str, ...], as_json: bool) -> None:
    """Let further keys open your private sessions, those that there are and those to come."""
    _change(context, keys, as_json, is_removal=False)


@command.command("remove", examples=["gitmem recipients remove age1…"])
@click.argument("keys", metavar="KEY…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def _remove(context: Context, keys: tuple[str, ...], as_json: bool) -> None:
    """Seal your private sessions anew, so that some keys open nothing that comes after.

    What they could open before, whoever has them may have kept.
    """
    _change(context, keys, as_json, is_removal=True)


def _change(context: Context, words: tuple[str, ...], as_json: bool, *, is_removal: bool) -> None:
    from gitmem.cli.auditing import log_of
    from gitmem.cli.opening import opened_storage, ring_of
    from gitmem.verbs.recipients import Sealing, add_recipients, read_keys, remove_recipients

    keys = read_keys(words, context.start)
    log = log_of(context)
    with opened_storage(context) as storage:
        sealing = Sealing(context.repository, context.git, storage, lambda named: ring_of(context, named))
        unknown = [key for key in keys if key not in sealing.named]
        # How many, and not whose: that is the configuration's business.
        log.note("recipient", detail={"change": "remove" if is_removal else "add", "keys": len(keys)})
        changed = (remove_recipients if is_removal else add_recipients)(sealing, keys)
    if as_json:
        context.output.json(
            {
                "recipients": changed.recipients,
                "changed": changed.sessions.changed,
                "others": changed.sessions.others,
                "unopened": changed.sessions.unopened,
            }
        )
        return
    count = changed.sessions.changed
    sessions = f"{count:,} private {'session' if count == 1 else 'sessions'}"
    if not is_removal:
        context.output.say(f"{sessions} can be opened by {_keys(changed.recipients)}")
    else:
        context.output.say(f"{sessions} sealed anew, for {_keys(changed.recipients)}")
        context.output.say(
            "Whoever had a key may have kept what it opened. A remote has the former sessions until"
        )
        context.output.say("the next push, and its host may keep them longer.")
        for key in unknown:
            context.output.warn(f"{key} was no recipient")
    others = changed.sessions.others + changed.sessions.unopened
    if others:
        context.output.warn(f"{others:,} were sealed with another key than yours here, and are as they were")


def _keys(keys: tuple[str, ...]) -> str:
    return f"{len(keys)} {'key' if len(keys) == 1 else 'keys'}"
