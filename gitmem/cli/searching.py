"""What searches have in common: the memories that are meant, and what turns are narrowed to.

A search loads this, so it loads nothing that reads a memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitmem.cli.catching_up import catch_up
from gitmem.cli.context import Context
from gitmem.cli.indexing import places_of
from gitmem.cli.trusting import trusted_filter
from gitmem.model.errors.arguments import BadMoment, UnknownMoment
from gitmem.model.errors.repositories import NotARepository
from gitmem.query.filters import Filters
from gitmem.sidecar.wire import Place

if TYPE_CHECKING:
    from gitmem.sharing.catching_up import Caught


def places_for(
    context: Context, narrowing: dict[str, Any], *, every: bool, recurse: bool | None
) -> tuple[Place, ...]:
    """Return the memories to search, caught up with what was fetched; from here `narrowing` calls them so.

    Raises:
        UsageError: All known ones are asked for, and none is known.
    """
    if not every:
        catch_up(context, _unite)
    named = narrowing["repos"]
    places = places_of(context, every=every, recurse=recurse, named=named)
    if not places:
        return places_of(context, recurse=False)  # where nothing is of a repository of that name
    if named and not every:
        narrowing["repos"] = (*named, *(place.name for place in places))  # named by where they are, too
    return places


def filters_of(context: Context, places: tuple[Place, ...], values: dict[str, Any]) -> Filters:
    """Return the filters that options stand for; takes out of `values` what is no filter by itself.

    Raises:
        BadMoment, UnknownMoment: A moment is none.
    """
    if values.pop("is_trusted"):
        values["trusted"] = trusted_filter(context, places)
    since, until, as_of = (values.pop(name) for name in ("since", "until", "as_of"))
    if since is None and until is None and as_of is None:
        return Filters(**values)
    from gitmem.query.moments import parse_since, parse_until  # with a library of dates

    now_ms = context.now_ms()
    return Filters(
        since_ms=None if since is None else parse_since(since, now_ms),
        until_ms=None if until is None else parse_until(until, now_ms),
        as_of_ms=None if as_of is None else _moment_of(context, as_of),
        **values,
    )


def _unite(context: Context) -> Caught:
    from gitmem.cli.opening import unite

    return unite(context)


def _moment_of(context: Context, text: str) -> int:
    """Return the moment that a date, a time ago or a commit stands for, in milliseconds since 1970."""
    from gitmem.query.moments import parse_until

    try:
        return parse_until(text, context.now_ms())
    except BadMoment:
        from gitmem.git.repository import moment_of_commit

        try:
            found = moment_of_commit(context.repository, text, context.git)
        except NotARepository:  # where every repository that is known is searched
            found = None
        if found is None:
            raise UnknownMoment(text) from None
        return found
