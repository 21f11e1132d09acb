"""`gitmem rewind`: files as they were at a checkpoint, and back again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage, redactor_of, writer_of
from gitmem.cli.output import Styled
from gitmem.cli.text import count
from gitmem.model.errors.worktrees import NoWorkingTree, PathOutside

if TYPE_CHECKING:
    from pathlib import Path

    from gitmem.rewinding.rewind import Outcome

_SHOWN = 20
_SOURCES = {
    "snapshot": "",
    "tree": "There is no snapshot of it here: these are the files of its commit; others were left alone.",
    "head": "There is no snapshot of it here: these are the files of the commit that HEAD was at.",
}
_REASONS = {
    "ignored": "ignored, now or then",
    "in the way": "what stays has its place",
    "left out": "too large or unreadable when it was taken",
    "submodule": "a repository of its own",
}


@click.command(
    "rewind",
    cls=Command,
    examples=[
        "gitmem rewind --dry-run 3fa29c41",
        "gitmem rewind 3fa29c41 src/tides.py tests",
        "gitmem rewind --force 3fa29c41",
        "gitmem rewind --undo",
    ],
)
@click.argument("checkpoint", metavar="CHECKPOINT", required=False)
@click.argument("paths", metavar="[PATH]…", nargs=-1)
@click.option("--staged", "is_staged", is_flag=True, help="Take what was staged then.")
@click.option("--force", "is_forced", is_flag=True, help="Go on where no commit has what is replaced.")
@click.option("-n", "--dry-run", "is_dry", is_flag=True, help="Only say what would change.")
@click.option("--undo", "is_undo", is_flag=True, help="Put back what the last rewind has changed here.")
@click.option("--json", "as_json", is_flag=True, help="Print what has changed as JSON.")
@click.pass_obj
def command(
    context: Context,
    checkpoint: str | None,
    paths: tuple[str, ...],
    is_staged: bool,
    is_forced: bool,
    is_dry: bool,
    is_undo: bool,
    as_json: bool,
) -> None:
    """Restore files as they were at a checkpoint: all of them, or only PATHs.

    Files that were not there then go. HEAD, branch and index stay, and files that git ignores are never
    touched. Work that no commit has is not replaced without --force. What is replaced becomes a checkpoint
    first, so that --undo brings it back.
    """
    from gitmem.rewinding.rewind import Asked, Rewinder, rewind, undo

    if is_undo and (checkpoint or paths or is_staged):
        raise click.UsageError("--undo takes no CHECKPOINT, no PATH and no --staged")
    if not (is_undo or checkpoint):
        raise click.UsageError("name a CHECKPOINT (gitmem log --checkpoints lists them), or say --undo")
    repository = context.repository
    if repository.top is None:
        raise NoWorkingTree(str(context.start))
    stands = _from_top(context.start, repository.top, ".")
    asked = Asked(
        tuple(_from_top(context.start, repository.top, path) for path in paths), is_staged, is_forced, is_dry
    )
    with opened_storage(context) as storage:
        rewinder = Rewinder(
            repository,
            context.git,
            storage,
            context.settings.memory_ref,
            writer_of(context),
            lambda text: redactor_of(context).text(text),
            stands,
        )
        outcome = undo(rewinder, asked) if is_undo else rewind(rewinder, checkpoint or "", asked)
    if as_json:
        context.output.json(_as_json(outcome))
    else:
        _describe(context, outcome, is_dry=is_dry)


def _from_top(start: Path, top: Path, path: str) -> bytes:
    """Return a path as git has it, from the root of the working tree; links in it are not followed."""
    root = os.fsencode(os.path.realpath(top))
    full = os.path.normpath(os.path.join(os.path.realpath(start), path))  # noqa: PTH118 (lexically)
    whole = os.fsencode(full)
    if whole == root:
        return b""
    if not whole.startswith(root.rstrip(b"/") + b"/"):
        raise PathOutside(path, str(top))
    return whole[len(root.rstrip(b"/")) + 1 :]


def _describe(context: Context, outcome: Outcome, *, is_dry: bool) -> None:
    output, plan, source = context.output, outcome.plan, outcome.source
    if _SOURCES[source.kind]:
        output.warn(_SOURCES[source.kind])
    if is_dry:
        uncommitted = frozenset(outcome.uncommitted)
        for verb, changes in (("write", plan.writes), ("remove", plan.removals)):
            for change in changes:
                mark = "  (not committed)" if change.path in uncommitted else ""
                output.say(f"{verb:<6}  {os.fsdecode(change.path)}", Styled(mark, "bad"))
    for path, reason in plan.kept[:_SHOWN]:
        output.warn("left alone: ", os.fsdecode(path), Styled(f"  ({_REASONS[reason]})", "dim"))
    if len(plan.kept) > _SHOWN:
        output.warn(f"and {len(plan.kept) - _SHOWN} more; --json: names them all")
    if outcome.during:
        output.warn(f"In the middle of a {outcome.during}, which goes on: HEAD and the index stay.")
    if not (plan.writes or plan.removals):
        output.say(f"Nothing differs from checkpoint {source.checkpoint[:12]}.")
    elif is_dry:
        output.say(f"{count(len(plan.writes), 'file')} to write, {len(plan.removals)} to remove")
    else:
        output.say(
            f"{count(len(plan.writes), 'file')} written, {len(plan.removals)} removed, "
            f"as of checkpoint {source.checkpoint[:12]}"
        )
    if outcome.before:
        output.say(f"gitmem rewind --undo: brings back what was there, checkpoint {outcome.before[:12]}")


def _as_json(outcome: Outcome) -> dict[str, Any]:
    plan, source = outcome.plan, outcome.source
    return {
        "checkpoint": source.checkpoint,
        "source": source.kind,
        "written": [os.fsdecode(change.path) for change in plan.writes],
        "removed": [os.fsdecode(change.path) for change in plan.removals],
        "kept": [{"path": os.fsdecode(path), "reason": reason} for path, reason in plan.kept],
        "uncommitted": [os.fsdecode(path) for path in outcome.uncommitted],
        "before": outcome.before,
        "during": outcome.during,
    }
