"""Asking the indexer on behalf of a command, and telling a person at a terminal what it is doing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gitmem.cli.context import Context
from gitmem.cli.folders import model_dir_of
from gitmem.cli.recursing import Reach, reach, recurses
from gitmem.cli.text import one_line
from gitmem.model.errors.arguments import BadSetting
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.repositories import ForeignOwner, NotARepository
from gitmem.model.errors.searching import SidecarRefused
from gitmem.model.settings import Level, Settings
from gitmem.query.filters import Filters
from gitmem.sidecar.client import ask
from gitmem.sidecar.folders import config_folder, meeting_folder, state_folder
from gitmem.sidecar.meeting import Meeting
from gitmem.sidecar.starting import start_detached
from gitmem.sidecar.wire import Facet, Grouping, Json, Mode, Place, Request, Verb

if TYPE_CHECKING:
    from gitmem.git.repository import Repository

_NO_FILTERS: Final = Filters()
_IDLE_MINUTES: Final = Settings().sidecar_idle_minutes

_LEVEL_OF_REF: Final[Level] = "team"
"""A session is of the level of the ref that it is on, as gitmem.verbs.summaries has it, unless somebody gave
it another. The setting says which level sessions get from now on, and nothing of these."""


def ask_indexer(
    context: Context,
    verb: Verb,
    *,
    places: tuple[Place, ...] | None = None,
    queries: tuple[str, ...] = (),
    filters: Filters = _NO_FILTERS,
    mode: Mode = "hybrid",
    group: Grouping = "turn",
    limit: int = 10,
    facets: tuple[Facet, ...] = (),
    is_recent: bool = False,
    passage: int = 0,
) -> Iterator[Json]:
    """Yield the indexer's answers about memories, or that of the repository at hand; raises as `ask` does."""
    output, settings = context.output, _settings(context)
    meeting = None
    if settings.sidecar:
        with suppress(SidecarRefused):  # it cannot be met anywhere, so nobody could have started one
            meeting = meeting_of(context.environ, settings.sidecar_idle_minutes)
    request = Request(
        verb=verb,
        places=places or places_of(context),
        queries=queries,
        filters=filters,
        mode=mode,
        group=group,
        limit=limit,
        facets=facets,
        is_recent=is_recent,
        passage=passage,
        model_dir=str(model_dir_of(context)),
        synonyms=str(config_folder(context.environ) / "synonyms.txt"),
        now_ms=context.now_ms(),
        catch_up_ms=settings.catch_up_ms,
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
            _environ_for(context, request.places),
            meeting=meeting,
            on_notice=lambda text: output.note(f"gitmem {text}"),
            on_progress=show_progress,
            on_said=say,
        )


def _environ_for(context: Context, places: tuple[Place, ...]) -> Mapping[str, str]:
    """Return the environment in which git finds each place: a hook's is about the one at hand alone."""
    is_at_hand = all(place.start != place.common_dir for place in places)
    return (context.git if is_at_hand else context.git.elsewhere()).environ


def _settings(context: Context) -> Settings:
    try:
        return context.settings
    except (NotARepository, ForeignOwner):
        from gitmem.git.settings import without_repository

        return without_repository(context.environ)  # every known one may be searched from anywhere


def places_of(
    context: Context, *, every: bool = False, recurse: bool | None = False, named: Sequence[str] = ()
) -> tuple[Place, ...]:
    """Return the memories to search: that of the repository at hand, and more where they are asked for.

    Of a superproject's repositories only those that are `named`, if any are; there may be none of these.

    Raises:
        UsageError: All known ones are asked for, and none is known.
    """
    if every:
        from gitmem.sidecar.known import known

        found = known(state_folder(context.environ))
        if not found:
            hint = "gitmem search QUERY: in a repository with a memory, makes that one known"
            raise UsageError("could not search every repository: none is known yet", hint=hint)
        return tuple(found)
    if recurses(context, recurse):
        reached = reach(context, True, named)
        if reached.superproject is not None:
            return tuple(_places_in(context, reached))
    if named and context.repository.name not in named:
        return ()
    return (_place(str(context.start), context.repository, context.settings.memory_ref),)


def _places_in(context: Context, reached: Reach) -> Iterator[Place]:
    from gitmem.git.settings import chosen_remotes, memory_ref_of

    for each in reached.contexts:
        repository = each.repository
        try:
            ref = memory_ref_of(repository, context.environ)
            chosen = Settings(memory_ref=ref, remotes=chosen_remotes(repository.config))
            if each is not context:
                _catch_up(each, chosen, reached.name_of(each))
        except BadSetting as error:
            context.output.warn(f"searched without {reached.name_of(each)}: {error}")
            continue
        place = _place(str(repository.common_dir), repository, ref)
        yield place._replace(name=reached.name_of(each))


def _catch_up(context: Context, chosen: Settings, called: str) -> None:
    """Have what a submodule's chosen remotes had when they were last fetched be part of its memory."""
    from gitmem.sharing.catching_up import Caught, catch_up

    def unite_there() -> Caught:
        from gitmem.cli.opening import unite  # with what reads a memory, and it is seldom needed

        return unite(context)

    for failure in catch_up(context.repository, chosen, unite_there):
        context.output.warn(f"not all of {called} is searched: {one_line(failure)}")


def _place(start: str, repository: Repository, ref: str) -> Place:
    return Place(
        start=start,
        common_dir=str(repository.common_dir),
        ref=ref,
        name=repository.name,
        level=_LEVEL_OF_REF,
    )


def wake_sidecar(context: Context) -> None:
    """Have a sidecar run, which makes the indexes of all known repositories before anybody asks."""
    if context.settings.sidecar:
        with suppress(SidecarRefused):
            meeting = meeting_of(context.environ, context.settings.sidecar_idle_minutes)
            start_detached(context.environ, meeting.idle_minutes)


def meeting_of(environ: Mapping[str, str], idle_minutes: int = _IDLE_MINUTES) -> Meeting:
    """Return where the user's sidecar is met.

    Raises:
        SidecarRefused: There is no place for it.
    """
    uid = os.geteuid()
    return Meeting(meeting_folder(environ, uid), uid, idle_minutes)
