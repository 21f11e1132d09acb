"""The audit as commands use it: noting what they read. A search loads this."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gitmem.auditing.log import Log
from gitmem.cli.acting import acting
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.model.errors.repositories import NotARepository

if TYPE_CHECKING:
    from gitmem.format.memory import Folder, Memory
    from gitmem.model.settings import Audited
    from gitmem.sidecar.wire import Json, Place


def log_of(context: Context) -> Log:
    """Return the audit of the repository at hand."""
    return _log(context, context.repository.state_dir, context.settings.audit)


def note_session(context: Context, action: str, memory: Memory, folder: Folder) -> None:
    """Note that a session was read."""
    from gitmem.verbs.levels import registered

    level = registered(memory, folder, "team")
    log = log_of(context)
    log.note(action, lambda: log.session(folder.session, level))


def noted(context: Context, places: Iterable[Place], answers: Iterable[Json]) -> Iterator[Json]:
    """Hand on a search's answers, and note in the end that they were read, in each of the repositories.

    In another repository than the one at hand only where it keeps an audit already, and something of it was
    read.
    """
    queries, sessions, repos = 0, set(), set()
    try:
        for answer in answers:
            queries += 1
            hits = cast("list[Json]", answer["hits"])
            sessions |= {hit["session"] for hit in hits}
            repos |= {hit["repo"] for hit in hits}
            yield answer
    finally:
        if queries:
            for log in _logs(context, places, repos):
                log.note("search", detail={"queries": queries, "sessions": len(sessions)})


def _logs(context: Context, places: Iterable[Place], read: Container[object]) -> Iterator[Log]:
    here: Path | None = None
    try:
        here, keeps = context.repository.state_dir, context.settings.audit
    except NotARepository:
        keeps = "all"
    for place in places:
        state_dir = Path(place.common_dir) / "gitmem"
        if state_dir == here or (place.name in read and (state_dir / "audit").is_dir()):
            yield _log(context, state_dir, keeps)


def _log(context: Context, state_dir: Path, keeps: Audited) -> Log:
    return Log(
        state_dir,
        user_data_dir(context),
        by=acting(context.environ),
        now_ms=context.now_ms,
        random_bytes=os.urandom,
        keeps=keeps,
        warn=context.output.warn,
    )
