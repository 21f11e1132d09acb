"""From the fields in a query to filters; a value that a field cannot have makes words of it again."""

from __future__ import annotations

from typing import Final, NamedTuple

from gitmem.model.errors.arguments import BadMoment
from gitmem.query.filters import KINDS, Filters
from gitmem.query.text import Narrowing, Query, as_words

_LISTS: Final = {
    "agent": "agents",
    "author": "authors",
    "branch": "branches",
    "file": "files",
    "kind": "kinds",
    "level": "levels",
    "repo": "repos",
    "role": "roles",
    "session": "sessions",
    "tag": "tags",
    "tool": "tools",
}
_KNOWN: Final = {
    "role": frozenset({"user", "assistant", "tool", "system"}),
    "level": frozenset({"public", "team", "private", "ephemeral"}),
    "is": frozenset({"error"}),
    "kind": frozenset(KINDS),
}


class Narrowed(NamedTuple):
    """A query without its fields, and filters instead: all of `holding` hold, none of `excluding` does."""

    query: Query
    holding: tuple[Filters, ...]
    excluding: tuple[Filters, ...]


def narrow(query: Query, now_ms: int) -> Narrowed:
    """Turn a query's fields into filters; several values of one field are alternatives, as options' are.

    `now_ms` is what times such as `7d` count back from.
    """
    refused: list[Narrowing] = []
    holding = Filters()
    excluding: list[Filters] = []
    for each in query.narrowings:
        filters = _filters(each, now_ms)
        if filters is None:
            refused.append(each)
        elif each.is_left_out:
            excluding.append(filters)
        else:
            holding = _both(holding, filters)
    rest = as_words(query, tuple(refused))._replace(narrowings=())
    return Narrowed(rest, (holding,) if holding != Filters() else (), tuple(excluding))


def _filters(each: Narrowing, now_ms: int) -> Filters | None:
    if not each.value or each.value not in _KNOWN.get(each.field, (each.value,)):
        return None
    match each.field:
        case "is":
            return Filters(errors=True)
        case "since" | "until":
            from gitmem.query.moments import parse_since, parse_until  # with a library of dates

            try:
                if each.field == "since":
                    return Filters(since_ms=parse_since(each.value, now_ms))
                return Filters(until_ms=parse_until(each.value, now_ms))
            except BadMoment:
                return None
        case _:
            return Filters(**{_LISTS[each.field]: (each.value,)})  # type: ignore[arg-type]


def _both(one: Filters, other: Filters) -> Filters:
    lists = {name: (*getattr(one, name), *getattr(other, name)) for name in _LISTS.values()}
    since = [moment for moment in (one.since_ms, other.since_ms) if moment is not None]
    until = [moment for moment in (one.until_ms, other.until_ms) if moment is not None]
    return Filters(
        **lists,  # type: ignore[arg-type]  # by names
        errors=one.errors or other.errors,
        since_ms=max(since, default=None),
        until_ms=min(until, default=None),
    )
