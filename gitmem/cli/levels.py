"""Levels at the command line: which session goes where, and the memories that there are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.opening import key_of, opened_intake, opened_private, shared_refs, target_of, writer_of
from gitmem.model.errors import GitmemError
from gitmem.model.refs import PRIVATE_REF

if TYPE_CHECKING:
    from gitmem.objects.storage import Storage
    from gitmem.verbs.intake import Diverted, Report, Source
    from gitmem.verbs.levels import Levels


def levels_of(context: Context) -> Levels:
    """Return what decides on the levels of this repository's sessions."""
    from gitmem.git.settings import load
    from gitmem.git.worktrees import working_trees
    from gitmem.verbs.belonging import Belonging
    from gitmem.verbs.levels import Levels, Wish

    repository = context.repository
    belonging = Belonging(working_trees(repository))

    @cache
    def wish_of(top: Path | None) -> Wish:
        at = repository if top is None else repository._replace(top=top)
        settings = load(at, context.environ)
        return Wish(settings.level, settings.level_rules)

    return Levels(
        repository.state_dir,
        key_of(context),
        wish_at=lambda began_in: wish_of(belonging.top_of(began_in)),
        top_of=belonging.top_of,
        home=home_of(context),
    )


def take_sources(
    context: Context, storage: Storage, sources: Iterable[Source], *, whole: bool, wait_s: float
) -> Report:
    """Take transcripts into the memories that they belong into: the team's, or one's own private one.

    Raises:
        LevelNotKept: The settings ask for a level that no session gets by itself.
        StoreError: The memory cannot be read or written.
    """
    from gitmem.cli.intake import total_bytes
    from gitmem.verbs.importing import import_sources

    known = list(sources)
    total, levels = total_bytes(known), levels_of(context)
    with opened_intake(context, storage, total, whole=whole, wait_s=wait_s, levels=levels) as intake:
        report = import_sources(intake, known)
    if report.diverted:
        _take_diverted(context, storage, report, whole=whole, wait_s=wait_s)
    return report


def _take_diverted(context: Context, storage: Storage, report: Report, *, whole: bool, wait_s: float) -> None:
    """Take what is private into the private memory; of what is ephemeral nothing is kept."""
    from gitmem.cli.intake import total_bytes
    from gitmem.verbs.importing import import_sources
    from gitmem.verbs.intake import Refused
    from gitmem.verbs.starting import start

    private = [one for one in report.diverted if one.level == "private"]
    for one in report.diverted:
        if one.level == "ephemeral":
            _withdraw(context, storage, one)
    if not private:
        return
    try:
        with opened_private(context, storage) as sealed:
            start(sealed, PRIVATE_REF, writer_of(context))
            for one in private:
                _withdraw(context, storage, one, sealed)
            sources = [one.source for one in private]
            total = total_bytes(sources)
            with opened_intake(context, sealed, total, whole=whole, wait_s=wait_s, level="private") as intake:
                report.include(import_sources(intake, sources))
    except GitmemError as error:
        # What the team gets has been taken; a private session that cannot be sealed is tried again.
        report.refused += [Refused(one.source.path, error) for one in private]


def _withdraw(context: Context, storage: Storage, one: Diverted, sealed: Storage | None = None) -> None:
    """Take a session that others could see out of their sight; into the private memory first."""
    from gitmem.format.memory import open_memory
    from gitmem.verbs.moving import carry_over, withdraw

    for ref in shared_refs(context, storage):
        memory = open_memory(storage, ref)
        for folder in memory.find_key(one.key):
            if memory.load(folder).value("hidden") is True:
                continue
            if sealed is not None and open_memory(sealed, PRIVATE_REF).find(folder.session) is None:
                carry_over(memory, folder, target_of(context, sealed, "private"))
            withdraw(storage, ref, writer_of(context), folder.session, one.level)
