"""Whose tombstones count here, as the settings say."""

from __future__ import annotations

from gitmem.cli.context import Context
from gitmem.format.outcomes import Accept, accept_all


def erasures_of(context: Context) -> Accept:
    """Return what says whose tombstones count here."""
    if not context.settings.erasers:
        return accept_all
    from gitmem.sharing.erasers import accepted_by

    return accepted_by(
        context.repository, context.git, context.settings, clock=lambda: context.now_ms() / 1000
    )
