"""The digest that a session begins with."""

from __future__ import annotations

from gitmem.cli.context import Context
from gitmem.model.ids import SessionKey

_MOST = 3


def digest(context: Context, current: SessionKey | None) -> str:
    """Return what happened last here, in a few cited lines; nothing where there is nothing to say."""
    from gitmem.cli.opening import opened_memory
    from gitmem.cli.text import one_line
    from gitmem.query.filters import Filters
    from gitmem.verbs.listing import Summaries, select

    with opened_memory(context) as memory:
        found = Summaries(memory, context.repository.state_dir, context.repository.name).all().summaries
    told = [each for each in select(found, Filters()) if each.key != current and each.title][:_MOST]
    if not told:
        return ""
    lines = [f"- {each.key}: {one_line(each.title or '')[:120]}" for each in told]
    return "\n".join(["Sessions here before (gitmem show SESSION shows one):", *lines])
