"""`gitmem verify`: does everything that the memory is made of still hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage
from gitmem.cli.output import Output, Styled
from gitmem.cli.progress import size
from gitmem.cli.text import one_line

if TYPE_CHECKING:
    from gitmem.git.storage import GitStorage
    from gitmem.verbs.inspecting import Counts
    from gitmem.verbs.verifying import Finding, Ground

_SHOWN_SESSIONS: Final = 5


@click.command(
    "verify",
    cls=Command,
    examples=[
        "gitmem verify           # every object, record, reference and ref",
        "gitmem verify --full    # and the text of every segment",
    ],
)
@click.option("--full", is_flag=True, help="Decode the text of every segment too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(ctx: click.Context, full: bool, as_json: bool) -> None:
    """Check every object, hash, record and ref of the memory; exit 0 only if all hold."""
    from gitmem.verbs.inspecting import Counts
    from gitmem.verbs.verifying import verify

    context: Context = ctx.obj
    counts, found = Counts(), 0
    documents = []
    started_ms = context.now_ms()
    with opened_storage(context) as storage, context.output.progress("verifying", None, unit="bytes") as bar:

        def tell(counts: Counts) -> None:
            bar.advance(counts.bytes - bar.done)

        refs = _refs(context)
        for finding in verify(storage, refs, counts, full=full, ground=_ground(context, storage), tell=tell):
            found += 1
            if as_json:
                documents.append({**finding._asdict(), "sessions": list(finding.sessions)})
            else:
                _show(context.output, finding)
    if as_json:
        context.output.json(
            {
                "ok": not found,
                "full": full,
                "findings": documents,
                "checked": vars(counts),
                "took_ms": context.now_ms() - started_ms,
            }
        )
    else:
        _conclude(context.output, counts, found)
    if found:
        ctx.exit(1)


def _refs(context: Context) -> list[str]:
    """Return the memory ref and where every remote's memory was fetched to."""
    from gitmem.model.refs import tracking_ref

    ref = context.settings.memory_ref
    remotes = sorted(
        name.removeprefix("remote.").removesuffix(".url")
        for name in context.repository.config
        if name.startswith("remote.") and name.endswith(".url")
    )
    return [ref, *(tracking_ref(remote, ref) for remote in remotes)]


def _ground(context: Context, storage: GitStorage) -> Ground:
    from gitmem.git.integrity import broken_refs, pack_problems, shallow_commits
    from gitmem.git.storage import pack_folder
    from gitmem.model.refs import PRIVATE_NAMESPACE
    from gitmem.verbs.verifying import Ground

    repository = context.repository
    return Ground(
        shallow=shallow_commits(repository),
        broken_refs=broken_refs(repository, context.git, PRIVATE_NAMESPACE),
        packs=pack_problems(pack_folder(repository), storage.hash_name),
    )


def _show(output: Output, finding: Finding) -> None:
    # Paths, reasons and names are a stranger's: none may move the cursor.
    output.say(Styled(finding.kind, "bad"), ": ", one_line(f"{finding.where}: {finding.why}"))
    if finding.sessions:
        named = ", ".join(one_line(session) for session in finding.sessions[:_SHOWN_SESSIONS])
        more = len(finding.sessions) - _SHOWN_SESSIONS
        output.say("  affects ", Styled(named, "name"), f" and {more} more" if more > 0 else "")
    output.say("  ", Styled(one_line(finding.hint), "dim"))


def _conclude(output: Output, counts: Counts, found: int) -> None:
    looked_at = ", ".join(
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for noun, count in (
            ("session", counts.sessions),
            ("record", counts.records),
            ("segment", counts.segments),
            ("commit", counts.commits),
            ("ref", counts.refs),
        )
    )
    verdict = Styled(f"{found:,} found", "bad") if found else Styled("all holds", "good")
    output.say(verdict, f": {looked_at}; {size(counts.bytes)}")
