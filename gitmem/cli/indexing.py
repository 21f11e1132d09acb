"""Asking the indexer on behalf of a command, and telling a person at a terminal what it is doing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from gitmem.cli.context import Context
from gitmem.model.errors import SidecarRefused
from gitmem.model.settings import Level, Settings
from gitmem.query.filters import Filters
from gitmem.sidecar.client import ask
from gitmem.sidecar.folders import meeting_folder
from gitmem.sidecar.meeting import Meeting
from gitmem.sidecar.wire import Grouping, Json, Mode, Place, Request, Verb

_NO_FILTERS: Final = Filters()
_IDLE_MINUTES: Final = Settings().sidecar_idle_minutes

_LEVEL_OF_REF: Final[Level] = "team"
"""A session is of the level of the ref that it is on, as gitmem.verbs.summaries has it, unless somebody gave
it another. The setting says which level sessions get from now on, and nothing of these."""


def ask_indexer(
    context: Context,
    verb: Verb,
    *,
    queries: tuple[str, ...] = (),
    filters: Filters = _NO_FILTERS,
    mode: Mode = "hybrid",
    group: Grouping = "turn",
    limit: int = 10,
) -> Iterator[Json]:
    """Yield the indexer's answers about the memory of the repository at hand; raises as `ask` does."""
    output, repository, settings = context.output, context.repository, context.settings
    meeting = None
    if settings.sidecar:
        with suppress(SidecarRefused):  # it cannot be met anywhere, so nobody could have started one
            meeting = meeting_of(context.environ, settings.sidecar_idle_minutes)
    place = Place(
        start=str(context.start),
        common_dir=str(repository.common_dir),
        ref=settings.memory_ref,
        name=repository.name,
        level=_LEVEL_OF_REF,
    )
    request = Request(
        verb=verb,
        places=(place,),
        queries=queries,
        filters=filters,
        mode=mode,
        group=group,
        limit=limit,
        has_progress=output.is_stderr_terminal,
    )
    with output.progress("indexing", None) as progress:

        def show_progress(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        def say(text: str) -> None:
            if context.environ.get("GITMEM_TRACEBACK"):
                output.warn(text)

        yield from ask(
            request,
            context.git.environ,
            meeting=meeting,
            on_notice=lambda text: output.note(f"gitmem {text}"),
            on_progress=show_progress,
            on_said=say,
        )


def meeting_of(environ: Mapping[str, str], idle_minutes: int = _IDLE_MINUTES) -> Meeting:
    """Return where the user's sidecar is met.

    Raises:
        SidecarRefused: There is no place for it.
    """
    uid = os.geteuid()
    return Meeting(meeting_folder(environ, uid), uid, idle_minutes)
