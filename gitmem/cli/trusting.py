"""Whom to trust, as commands use it: marks for people and programs, and what agents are given.

A search loads this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from gitmem.cli.context import Context
from gitmem.cli.output import Part, Styled
from gitmem.model.errors.repositories import ForeignOwner, NotARepository
from gitmem.query.trusting import Trust, Trusting, as_texts
from gitmem.verbs.authors import own_addresses, trusting_at

if TYPE_CHECKING:
    from gitmem.format.memory import StoredSession
    from gitmem.git.repository import Repository
    from gitmem.sidecar.wire import Json, Place

_MARKS: Final[Mapping[Trust, str]] = {
    "known": "",
    "unknown": "unknown author",
    "untrusted": "untrusted author",
}


def trusting_here(
    context: Context, asked: Iterable[str] | None = None, repository: Repository | None = None
) -> Trusting:
    """Return whom the user knows in the repository at hand, or in another one of its superproject.

    As far as it is `asked`, where that is said.
    """
    here, git = context.repository, context.git
    own = own_addresses(here, git)
    return trusting_at((repository or here).common_dir, git, context.settings, own, asked)


def trusting_in(
    context: Context, places: Iterable[Place], asked: Mapping[str, set[str]] | None = None
) -> dict[str, Trusting]:
    """Return whom the user knows in each of several repositories, by what these are called; so is `asked`.

    Whom they named in the repository at hand, and their own addresses there, count in all of them.
    """
    try:
        settings, own = context.settings, own_addresses(context.repository, context.git)
    except (NotARepository, ForeignOwner):
        from gitmem.git.settings import without_repository

        settings, own = without_repository(context.environ), frozenset()
    found: dict[str, Trusting] = {}
    for place in places:
        of_it = None if asked is None else asked.get(place.name, ())
        each = trusting_at(Path(place.common_dir), context.git, settings, own, of_it)
        # Of two of one name an answer does not tell which is meant.
        known = each.known & found.get(place.name, each).known
        found[place.name] = each._replace(known=known)
    return found


def trusted_filter(context: Context, places: Iterable[Place]) -> tuple[str, ...]:
    """Return the filter of a search that leaves out whom the user does not know: for agents, unasked."""
    everybody = Trusting()
    for each in trusting_in(context, places).values():
        everybody = each._replace(known=each.known | everybody.known)
    return as_texts(everybody)


def marked(
    context: Context, places: tuple[Place, ...], answers: Iterable[Json], *, only_known: bool
) -> Iterator[Json]:
    """Hand on a search's answers with `trust` in each hit; with `only_known` without those of others.

    The filter leaves these out before; but somebody known in one of several repositories may not be in all.
    """
    for answer in answers:
        hits = cast("list[Json]", answer["hits"])
        asked: dict[str, set[str]] = {}
        for hit in hits:
            titled_by = cast("list[str]", hit["titled_by"])
            asked.setdefault(str(hit["repo"]), set()).update([str(hit["captured_by"]), *titled_by])
        found = trusting_in(context, places, asked) if hits else {}
        for hit in hits:
            whose = found.get(str(hit["repo"]), Trusting())
            hit["trust"] = whose.of(str(hit["captured_by"]))
            if only_known and whose.of_all(cast("list[str]", hit["titled_by"])) != "known":
                hit["title"] = ""  # anybody can give a title to a session that somebody known captured
        if only_known:
            answer["hits"] = [hit for hit in hits if hit["trust"] == "known"]
        yield answer


def trust_of(trusting: Trusting, stored: StoredSession) -> Trust:
    """Return how far a session is trusted: as far as the least of those who captured any of it."""
    return trusting.of_all({capture.author.email for capture in stored.captures.values()})


def mark(trust: Trust, before: str = "  ") -> tuple[Part, ...]:
    """Return how people are told, behind some space; nothing where there is nothing to tell."""
    told = Styled(_MARKS[trust], "bad")
    return () if trust == "known" else (before, told) if before else (told,)
