"""Levels at the command line: which session goes where, and moving one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitmem.cli.absence import absent_of
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.leaving import leave, leave_sealed
from gitmem.cli.opening import (
    opened_intake,
    opened_storage,
    private_storage,
    redactor_of,
    shared_refs,
    target_of,
    writer_of,
)
from gitmem.model.errors.base import GitmemError
from gitmem.model.refs import PRIVATE_REF, PUBLIC_REF

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.model.ids import SessionKey
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage
    from gitmem.verbs.intake import Diverted, Report, Source
    from gitmem.verbs.levels import Levels
    from gitmem.verbs.moving import Target


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
        secrets.token_bytes,
        wish_at=lambda began_in: wish_of(belonging.top_of(began_in)),
        top_of=belonging.top_of,
        home=home_of(context),
    )


def take_sources(
    context: Context,
    storage: Storage,
    sources: Iterable[Source],
    *,
    whole: bool,
    wait_s: float,
    action: Literal["capture", "import"] = "capture",
    again: bool = False,
) -> Report:
    """Take transcripts into the memories that they belong into: the team's, or one's own private one.

    What was taken is noted in the audit.

    Raises:
        LevelNotKept: The settings ask for a level that no session gets by itself.
        StoreError: The memory cannot be read or written.
    """
    from gitmem.cli.intake import total_bytes
    from gitmem.sharing.vouching import note_captured
    from gitmem.verbs.importing import import_sources

    known = list(sources)
    total, levels = total_bytes(known), levels_of(context)
    levels.recall(lambda: _private_keys(context, storage))
    with opened_intake(context, storage, total, whole=whole, wait_s=wait_s, levels=levels) as intake:
        report = import_sources(intake._replace(again=again), known)
        if not whole:  # else a line that goes on later may have been redacted in two pieces
            note_captured(storage, intake.ref, intake.state_dir, intake.redactor, report.commits)
    if report.diverted:
        _take_diverted(context, storage, report, whole=whole, wait_s=wait_s)
    if report.commits:
        from gitmem.cli.auditing import log_of

        sessions = len(report.new_sessions | report.grown_sessions)
        log_of(context).note(action, detail={"sessions": sessions, "lines": report.lines})
    return report


def _take_diverted(context: Context, storage: Storage, report: Report, *, whole: bool, wait_s: float) -> None:
    """Take what is private into the private memory; of what is ephemeral nothing is kept."""
    from gitmem.cli.intake import total_bytes
    from gitmem.sealed.tips import read_tips
    from gitmem.verbs.importing import import_sources
    from gitmem.verbs.intake import Refused
    from gitmem.verbs.moving import mark
    from gitmem.verbs.starting import start

    private = [one for one in report.diverted if one.level == "private"]
    ephemeral = [one for one in report.diverted if one.level == "ephemeral"]
    try:
        for one in ephemeral:
            _withdraw(context, storage, one)
        if ephemeral and read_tips(storage):
            _withdraw_sealed(context, private_storage(context, storage), ephemeral)
        if not private:
            return
        sealed = private_storage(context, storage)
        start(sealed, PRIVATE_REF, writer_of(context))
        for one in private:
            _withdraw(context, storage, one, sealed)
        sources = [one.source for one in private]
        total = total_bytes(sources)
        with opened_intake(context, sealed, total, whole=whole, wait_s=wait_s, level="private") as intake:
            taken = import_sources(intake, sources)
        for session in taken.new_sessions:
            mark(sealed, PRIVATE_REF, writer_of(context), session, "private")
        report.include(taken)
    except GitmemError as error:
        # What the team gets has been taken; a private session that cannot be sealed is tried again.
        report.refused += [Refused(one.source.path, error) for one in report.diverted]


def _private_keys(context: Context, storage: Storage) -> Iterator[SessionKey]:
    from gitmem.format.memory import open_memory
    from gitmem.sealed.tips import read_tips

    if read_tips(storage):
        memory = open_memory(private_storage(context, storage), PRIVATE_REF)
        for folder in memory.folders():
            stored = memory.load(folder)
            if not stored.is_hidden:
                yield stored.key


def _withdraw(context: Context, storage: Storage, one: Diverted, sealed: Storage | None = None) -> None:
    """Take a session that others could see out of their sight; into the private memory first."""
    from gitmem.cli.auditing import log_of
    from gitmem.format.memory import open_memory
    from gitmem.verbs.moving import carry_over, withdraw

    log = log_of(context)
    for ref in shared_refs(context, storage):
        memory, is_public = open_memory(storage, ref), ref == PUBLIC_REF
        names = {one.key}
        if is_public:
            native_id = redactor_of(context, "public").text(one.key.native_id)
            names.add(one.key._replace(native_id=native_id))
        for name in names:
            for folder in memory.find_key(name):
                if memory.load(folder).is_hidden:
                    continue
                level: Level = "public" if is_public else "team"
                subject = log.session(folder.session, level)
                log.note("level", subject, detail={"from": level, "to": one.level})
                if sealed is not None and name == one.key:
                    carry_over(memory, folder, target_of(context, sealed, "private"))
                writer = writer_of(context, level)
                withdraw(storage, ref, writer, folder.session, one.level, partial(leave, context, storage))


def _withdraw_sealed(context: Context, sealed: Storage, those: Iterable[Diverted]) -> None:
    """Take sessions of which nothing is to be kept out of their owner's sight, too."""
    from gitmem.format.memory import open_memory
    from gitmem.verbs.moving import withdraw

    for one in those:
        for folder in open_memory(sealed, PRIVATE_REF).find_key(one.key):
            leave_sealed(context, sealed, folder.session)
            withdraw(sealed, PRIVATE_REF, writer_of(context), folder.session, one.level)


class Shelf:
    """A repository's memories, by level, and what moves a session between them."""

    def __init__(self, context: Context, storage: Storage, memories: dict[Level, Memory]) -> None:
        self.memories = memories
        self.levels = levels_of(context)
        self._context, self.storage = context, storage
        self._targets: dict[Level, Target] = {}

    def memory(self) -> Memory:
        """Return all of them as one."""
        from gitmem.format.view import as_one

        return as_one(list(self.memories.values()))

    def target_of(self, level: Level) -> Target:
        """Return the memory of a level to write into; it is begun where there is none."""
        from gitmem.verbs.starting import start

        if level not in self._targets:
            storage = self.storage
            if level == "private":
                storage = private_storage(self._context, storage)
            target = target_of(self._context, storage, level)
            start(target.storage, target.ref, target.writer)
            self._targets[level] = target
        return self._targets[level]


@contextmanager
def opened_shelf(context: Context) -> Iterator[Shelf]:
    """Open the repository's memories, to move sessions between them.

    Raises:
        NoMemory: There is none.
    """
    from gitmem.verbs.memories import open_memories

    with opened_storage(context) as storage:
        absent = absent_of(context, storage)
        memories = open_memories(storage, context.settings, lambda: private_storage(context, storage), absent)
        yield Shelf(context, storage, memories)
