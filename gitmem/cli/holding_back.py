"""What `gitmem recall` holds back from an agent that did not ask for it: private sessions.

What a command prints stands in the transcript of the agent that ran it, and goes where that goes. A person at
a terminal is told of whatever their keys open.
"""

from __future__ import annotations

from typing import NamedTuple

from gitmem.cli.acting import acting
from gitmem.cli.context import Context
from gitmem.cli.digest_sessions import levels_told
from gitmem.model.errors.repositories import NotARepository
from gitmem.model.refs import SEALED_NAMESPACE
from gitmem.query.filters import Filters
from gitmem.query.text import parse


class HeldBack(NamedTuple):
    """What is still asked for, and how many private sessions the repository has that are not."""

    filters: Filters
    private: int = 0


def hold_back(context: Context, query: str, filters: Filters) -> HeldBack:
    """Narrow what an agent asks for to what may stand in its transcript, unless it names a level.

    All sealed sessions of the repository count, whatever they are about and whoever can open them: how many
    of them answer a question would tell something about them.
    """
    names_one = bool(filters.levels) or any(each.field == "level" for each in parse(query).narrowings)
    if names_one or acting(context.environ) == "person":
        return HeldBack(filters)
    try:
        levels = levels_told(context)
        return HeldBack(filters._replace(levels=levels), _sealed(context) if levels else 0)
    except NotARepository:  # where every repository that is known is searched
        return HeldBack(filters._replace(levels=("team", "public")))


def _sealed(context: Context) -> int:
    from gitmem.cli.opening import opened_storage

    with opened_storage(context) as storage:
        return len(storage.list_refs(SEALED_NAMESPACE))
