"""Which lines at HEAD sessions wrote: the files that they edited, line by line, as `gitmem why` finds it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.cli.context import Context
from gitmem.model.errors.code import TargetUnknown
from gitmem.model.errors.worktrees import NoWorkingTree

if TYPE_CHECKING:
    from gitmem.format.memory import Folder, Memory
    from gitmem.model.ids import Oid
    from gitmem.model.turns import Turn
    from gitmem.why.touched import Toucher


def lines_by_session(
    context: Context, memory: Memory, folders: Sequence[Folder]
) -> tuple[Oid, list[tuple[str, int, Toucher]]]:
    """Return HEAD, and each line there that one of the sessions is known to have written: path and number.

    Raises:
        NoWorkingTree: There is none, so that no path of a session is one of the repository.
        TargetUnknown: Nothing is committed yet.
    """
    from gitmem.git.blame import Questions, Refusal, blame, resolve_commit
    from gitmem.verbs.reading import turns
    from gitmem.why.explainer import Explainer
    from gitmem.why.lines import count_lines

    repository, git = context.repository, context.git
    top = repository.top
    if top is None:
        raise NoWorkingTree(str(context.start))
    head = resolve_commit(git, top, "HEAD")
    if head is None:
        raise TargetUnknown("HEAD", "commit")
    wanted = {folder.session for folder in folders}
    paths = dict.fromkeys(path for folder in folders for path in _edited(turns(memory, folder), top))
    explainer = Explainer(memory, repository.state_dir, Questions(repository, git))
    found = []
    for path in paths:
        lines = blame(git, top, path, None, head)
        if isinstance(lines, Refusal) or not lines:
            continue  # it is there no more, or never was committed
        counts = count_lines((line.text for line in lines), path)
        explained = explainer.explain(lines, frozenset(line.number for line in lines), counts, path, head)
        for each in explained:
            if each.written is not None and each.written.match.session.session in wanted:
                found.append((path, each.line.number, each.written.match.session))
    return head, found


def _edited(turns: Iterable[Turn], top: Path) -> Iterator[str]:
    """Yield the paths below a working tree that calls wrote to, as they count from its top."""
    from gitmem.transcripts.edits import edits_of

    for turn in turns:
        for edit in edits_of(turn.call) if turn.call else ():
            if edit.path is None or "\0" in edit.path:
                continue
            path = os.path.normpath(os.path.join(turn.cwd or top, edit.path))  # noqa: PTH118 (lexically)
            if path.startswith(f"{top}/"):
                yield path[len(str(top)) + 1 :]
