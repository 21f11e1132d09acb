"""`gitmem verify`: does everything that the memory is made of still hold?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    from gitmem.objects.storage import Storage
    from gitmem.verbs.inspecting import Counts
    from gitmem.verbs.verifying import Finding, Ground

_SHOWN_SESSIONS: Final = 5


@click.command(
    "verify",
    cls=Command,
    examples=[
        "gitmem verify           # every object, record, reference and ref",
        "gitmem verify --full    # and the text of every segment",
        "gitmem verify --signatures",
    ],
)
@click.option("--full", is_flag=True, help="Decode the text of every segment too.")
@click.option("--signatures", is_flag=True, help="Look at who signed what, and at nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(ctx: click.Context, full: bool, signatures: bool, as_json: bool) -> None:
    """Check every object, hash, record and ref of the memory; exit 0 only if all hold.

    With --signatures, ask git about those of commits and tombstones instead; ends with 1 if one is bad, or if
    gitmem.requireSigned is set and something is covered by none that is good.
    """
    from gitmem.verbs.inspecting import Counts

    context: Context = ctx.obj
    if signatures:
        if full:
            raise click.UsageError("--full and --signatures exclude each other")
        from gitmem.cli.signatures import verify_signatures

        ctx.exit(0 if verify_signatures(context, as_json=as_json) else 1)
    counts, found = Counts(), 0
    documents = []
    started_ms = context.now_ms()
    with opened_storage(context) as storage, context.output.progress("verifying", None, unit="bytes") as bar:

        def tell(counts: Counts) -> None:
            bar.advance(counts.bytes - bar.done)

        for finding in _findings(context, storage, counts, full=full, tell=tell):
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


def _findings(
    context: Context, storage: GitStorage, counts: Counts, *, full: bool, tell: Callable[[Counts], None]
) -> Iterator[Finding]:
    """Verify the memory of every level; what is private as far as one's keys open it."""
    from gitmem.cli.absence import absent_of
    from gitmem.cli.opening import private_storage
    from gitmem.format.memory import open_memory
    from gitmem.format.view import under_git_names
    from gitmem.model.refs import PRIVATE_REF, PUBLIC_REF
    from gitmem.verbs.verifying import Finding, verify

    ground = _ground(context, storage)
    has_team = storage.read_ref(context.settings.memory_ref) is not None
    sealed = private_storage(context, storage)
    others: list[tuple[Storage, list[str]]] = []
    if storage.read_ref(PUBLIC_REF) is not None:
        others.append((storage, _refs(context, PUBLIC_REF)))
    if sealed.read_ref(PRIVATE_REF) is not None:
        others.append((under_git_names(open_memory(sealed, PRIVATE_REF)), [PRIVATE_REF]))
    if has_team or not others:
        refs = _refs(context, context.settings.memory_ref)
        absent = absent_of(context)(context.settings.memory_ref)
        yield from verify(storage, refs, counts, full=full, absent=absent, ground=ground, tell=tell)
    for at, refs in others:
        rest = ground._replace(broken_refs=(), packs=())
        absent = absent_of(context)(refs[0])
        yield from verify(at, refs, counts, full=full, absent=absent, ground=rest, tell=tell)
    for name, error in sealed.damaged().items() if others else ():
        yield Finding("object", PRIVATE_REF, f"refs/gitmem/private/{name}", str(error), (), error.hint)


def _refs(context: Context, ref: str) -> list[str]:
    """Return a memory ref and where every remote's memory was fetched to."""
    from gitmem.model.refs import tracking_ref

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
        is_lean=repository.is_lean,
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
    if counts.promised:
        output.say(f"{counts.promised:,} objects stayed with a remote, and were not looked at")
