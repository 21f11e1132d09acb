"""How forgetting and erasing are told, to people and to programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.context import Context
from gitmem.cli.forgetting import Followed, Found
from gitmem.cli.hosts import host_of, request_text
from gitmem.cli.output import Part, Styled
from gitmem.cli.progress import size
from gitmem.cli.text import count, one_line
from gitmem.model.refs import PUBLIC_REF, remote_of, short_name
from gitmem.model.settings import Level
from gitmem.model.times import to_text

if TYPE_CHECKING:
    from gitmem.cli.selecting import Row
    from gitmem.erasing.erase import Erased
    from gitmem.forgetting.forget import Erasure
    from gitmem.model.ids import Oid

_SHOWN: Final = 50

Checkpoints = Mapping[Level, Sequence[str]]
"""Names of checkpoints that go, too, by the level of their memory."""

Notes = Mapping[Level, Sequence[str]]
"""Names of notes, likewise."""

_NO_NOTES: Final[Notes] = {}


def say_done(
    context: Context,
    found: Sequence[Found],
    checkpoints: Checkpoints,
    word: str,
    until_ms: int | None = None,
    *,
    as_json: bool,
    notes: Notes = _NO_NOTES,
) -> None:
    """Print what was done to which sessions; `until_ms` is from when on they may be erased."""
    until = None if until_ms is None else to_text(until_ms)
    if as_json:
        context.output.json({"done": word, "until": until, **_as_json(found, checkpoints, notes)})
        return
    output = context.output
    if not found and not checkpoints and not notes:
        output.warn("no session is like that")
        return
    rows: list[list[Part]] = [
        [Styled(word, "dim"), _name(each), ", ".join(each.ids)] for each in found[:_SHOWN]
    ]
    output.table(rows, flexible=1)
    if len(found) > _SHOWN:
        output.say(f"and {len(found) - _SHOWN} more; --json: names them all")
    for level, names in checkpoints.items():
        output.say(f"{word}: {len(names)} checkpoints at level {level}")
    for level, names in notes.items():
        output.say(f"{word}: {count(len(names), 'note')} at level {level}")
    if until is not None:
        output.say(f"erased for good from {until[:10]} on; until then gitmem forget --undo takes it back")


def say_erased(
    context: Context,
    found: Sequence[Found],
    checkpoints: Checkpoints,
    erasures: Sequence[Erasure],
    followed: Followed,
    *,
    as_json: bool,
    notes: Notes = _NO_NOTES,
) -> None:
    """Print what was erased, what of it went from where in this clone, and who may have it still."""
    remotes = _remotes(context, erasures)
    if as_json:
        memories = [
            {"ref": each.ref, "before": each.before, "commit": each.after, "erased": len(each.targets)}
            for each in erasures
        ]
        context.output.json(
            {
                "done": "erased",
                **_as_json(found, checkpoints, notes),
                "memories": memories,
                **followed_as_json(followed),
                "remotes": [{"remote": name, "host": host_of(url).name} for name, url in remotes.items()],
            }
        )
        return
    say_done(context, found, checkpoints, "erased", as_json=False, notes=notes)
    say_followed(context, followed)
    for name, url in remotes.items():
        host = host_of(url)
        context.output.say(f"{name} had it: gitmem push {name} sends the erasure. There, {host.keeps}")
        hint = f"gitmem forget --request {name}: prints what to ask {host.name} for"
        context.output.say(Styled(hint, "dim"))


def say_followed(context: Context, followed: Followed) -> None:
    """Print what went from where in this clone, and what could not."""
    output, cleared = context.output, followed.cleared
    files = sum(n for name, n in followed.derived.items() if name != "vectors_removed")
    if files:
        output.say(f"index and caches followed: {count(files, 'file')} written anew or removed")
    if cleared is None:
        return
    amounts = (cleared.own_packs, cleared.users_packs, cleared.loose)
    if cleared.objects or not cleared.held_by:
        freed = size(sum(each.size_bytes for each in amounts))
        output.say(f"cleared here: {count(cleared.objects, 'object')}, {freed}")
    for name in cleared.held_by[:_SHOWN]:
        output.warn(f"still held by {one_line(name)}{_way_out(context, name)}")
    for path in cleared.borrowed_from:
        output.warn(f"{cleared.elsewhere} objects are borrowed from {one_line(str(path))} and stay there")
    if cleared.in_use:
        output.warn(
            f"{cleared.in_use} objects were written again meanwhile: the next push or pull tries again"
        )


def followed_as_json(followed: Followed) -> dict[str, Any]:
    """Return what went from where in this clone, for programs."""
    cleared = followed.cleared
    return {"cleared": None if cleared is None else _as_amounts(cleared), "derived": dict(followed.derived)}


def _as_amounts(cleared: Erased) -> dict[str, Any]:
    return {
        "objects": cleared.objects,
        "loose": cleared.loose._asdict(),
        "own_packs": cleared.own_packs._asdict(),
        "users_packs": cleared.users_packs._asdict(),
        "reflog_entries": cleared.reflog_entries,
        "held": cleared.held,
        "held_by": list(cleared.held_by),
        "elsewhere": cleared.elsewhere,
        "borrowed_from": [str(path) for path in cleared.borrowed_from],
        "in_use": cleared.in_use,
    }


def say_listed(context: Context, rows: Sequence[Row], *, as_json: bool) -> None:
    """Print the sessions and notes that wait to be erased."""
    if as_json:
        told = [
            {
                "session": row.name,
                "level": row.level,
                "until": to_text(row.until_ms),
                "by": row.by,
                "trust": row.trust,
            }
            for row in rows
        ]
        context.output.json({"waiting": told})
    elif rows:
        with context.telling() as output:
            table: list[list[Part]] = [
                [
                    to_text(row.until_ms)[:10],
                    one_line(f"{row.name}  {row.title}"),
                    row.level,
                    Styled(one_line(row.by), "dim" if row.trust == "known" else "bad"),
                    Styled("" if row.trust == "known" else f"{row.trust} author", "bad"),
                ]
                for row in rows
            ]
            output.table(table, flexible=1)
    else:
        context.output.warn("nothing waits to be erased")


def say_request(context: Context, remote: str, *, as_json: bool) -> None:
    """Print what to ask the host of a remote for, about all that was erased since it had it."""
    from gitmem.forgetting.left import read_left
    from gitmem.git.transport import find_remote

    find_remote(context.repository, context.git, remote)
    url = context.repository.config[f"remote.{remote}.url"][0]
    commits: dict[str, list[Oid]] = {}
    for left in read_left(context.repository.state_dir):
        if remote in left.remotes:
            commits.setdefault(left.ref, []).append(left.remotes[remote])
    if as_json:
        context.output.json({"remote": remote, "host": host_of(url)._asdict(), "commits": commits})
    elif commits:
        for ref, oids in commits.items():
            context.output.raw(request_text(url, ref, dict.fromkeys(oids)).encode("utf-8", "replace"))
    else:
        context.output.note(f"{remote} had nothing that was erased here")


def _remotes(context: Context, erasures: Sequence[Erasure]) -> dict[str, str]:
    """Return the remotes that had what was erased, and their URLs."""
    from gitmem.forgetting.left import read_left

    tips = {each.before for each in erasures}
    known = [left for left in read_left(context.repository.state_dir) if left.tip in tips]
    names = dict.fromkeys(name for left in known for name in left.remotes)
    config = context.repository.config
    return {name: config[f"remote.{name}.url"][0] for name in names if f"remote.{name}.url" in config}


def _way_out(context: Context, name: str) -> str:
    refs = (context.settings.memory_ref, PUBLIC_REF)
    remote = next((found for ref in refs if (found := remote_of(name, ref)) is not None), None)
    if remote is not None:
        return f": gitmem push {remote} sends the erasure"
    if name in refs:
        return ": gitmem sync unites it with what others have"
    if name.startswith("refs/heads/"):
        return f": git branch -D {short_name(name)} removes it"
    return f": git tag -d {name.removeprefix('refs/tags/')} removes it" if "refs/tags/" in name else ""


def _name(found: Found) -> str:
    return one_line(f"{found.key}  {found.title}" if found.title else str(found.key))


def _as_json(found: Sequence[Found], checkpoints: Checkpoints, notes: Notes) -> dict[str, Any]:
    return {
        "sessions": [{"session": str(each.key), "ids": dict(each.ids)} for each in found],
        "checkpoints": {level: list(names) for level, names in checkpoints.items()},
        "notes": {level: list(names) for level, names in notes.items()},
    }
