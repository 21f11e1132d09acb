"""What commands that read or write a memory begin with, each part made from the run's context."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import gitmem
from gitmem.cli.absence import absent_of
from gitmem.cli.accepting import erasures_of
from gitmem.cli.catching_up import catch_up
from gitmem.cli.context import Context
from gitmem.cli.folders import user_data_dir
from gitmem.cli.leaving import leave
from gitmem.model.errors.withholding import LevelNotKept
from gitmem.model.records import Author
from gitmem.model.refs import PRIVATE_REF, PUBLIC_REF
from gitmem.model.settings import Level
from gitmem.sidecar.folders import cache_folder
from gitmem.verbs.committing import Writer
from gitmem.verbs.keys import redaction_key

if TYPE_CHECKING:
    from pathlib import Path

    from gitmem.format.memory import Memory
    from gitmem.git.storage import GitStorage
    from gitmem.objects.storage import Storage
    from gitmem.redaction.redactor import Redactor
    from gitmem.redaction.rules import Rule, RuleSet
    from gitmem.sealed.ring import Ring
    from gitmem.sealed.storage import SealedStorage
    from gitmem.sharing.catching_up import Caught
    from gitmem.sharing.pulling import Sharing
    from gitmem.verbs.intake import Intake, Progress
    from gitmem.verbs.levels import Levels
    from gitmem.verbs.moving import Target

_SHOWN_REFUSALS = 3
_POOL_PAYS_BYTES = 8 << 20
"""Less than this is sealed sooner than other processes have started."""


@contextmanager
def opened_storage(context: Context) -> Iterator[GitStorage]:
    """Open the repository's objects and refs, and close them again."""
    from gitmem.git.storage import open_storage

    storage = open_storage(context.repository, context.git)
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def opened_memory(context: Context, *, fetches: bool = False) -> Iterator[Memory]:
    """Open all that the repository remembers for reading: the team's, one's own, and what is public.

    What the chosen remotes had more when they were last fetched is part of it. Text that stayed with a
    remote is not; where it `fetches`, reading a session brings it.

    Raises:
        NoMemory: There is none yet.
    """
    from gitmem.verbs.memories import open_all

    catch_up(context, unite)
    with opened_storage(context) as storage:
        absent = absent_of(context, storage if fetches else None)
        yield open_all(storage, context.settings, lambda: private_storage(context, storage), absent)


def sharing_of(context: Context, storage: Storage) -> Sharing:
    """Return what uniting the team's memory with a remote's needs; nobody is told of progress."""
    from gitmem.sharing.pulling import Sharing

    return Sharing(
        storage,
        context.repository,
        context.git,
        context.settings,
        writer_of(context),
        accept=erasures_of(context),
        replace=lambda ref, tip: leave(context, storage, ref, tip),
    )


def unite(context: Context) -> Caught:
    """Unite what every chosen remote had when it was last fetched with what is here; no remote is asked."""
    from gitmem.model.errors.base import GitmemError
    from gitmem.model.errors.store import FormatNewer, NotAMemory
    from gitmem.sharing.catching_up import Caught

    failures: list[str] = []
    is_done = True
    with opened_storage(context) as storage:
        sharing = sharing_of(context, storage)
        for remote in context.settings.remotes:
            for level in sorted(remote.levels):
                try:
                    _unite_level(context, sharing, remote.name, level)
                except GitmemError as error:
                    failures.append(f"{remote.name}: {error}")
                    # Others pass by themselves: a full disk, a writer who holds the lock.
                    is_done = is_done and isinstance(error, (FormatNewer, NotAMemory))
    return Caught(tuple(failures), is_done)


def _unite_level(context: Context, sharing: Sharing, remote: str, level: Level) -> None:
    from gitmem.cli.text import one_line
    from gitmem.sharing.pulling import unite_fetched
    from gitmem.sharing.sealed import unite_fetched_sealed

    refused: Sequence[tuple[str, str]]
    if level == "private":
        refused = unite_fetched_sealed(sharing._replace(level="private"), ring_of(context), remote).refused
    else:
        if level == "public":
            sharing = sharing._replace(level="public", writer=writer_of(context, "public"))
        pulled = unite_fetched(sharing, remote)
        refused = [(one.path, one.why) for one in pulled.refused] if pulled else []
    for path, why in refused[:_SHOWN_REFUSALS]:
        context.output.warn(f"kept out: {one_line(f'{path or remote}: {why}')}")
    if len(refused) > _SHOWN_REFUSALS:
        context.output.warn(f"and {len(refused) - _SHOWN_REFUSALS} more of {remote}")


def writer_of(context: Context, level: Level = "team") -> Writer:
    """Return the user, as git knows them, with the run's clock; for level public without an address."""
    from gitmem.git.repository import identity

    who = identity(context.repository, context.environ)
    author = Author(who.name, who.email)
    if level == "public":
        author = Author(redactor_of(context, level).text(who.name))
    return Writer(author, lambda: context.now_ms() / 1000)


def key_of(context: Context) -> bytes:
    """Return the key of the repository's placeholders, made if this is its first use."""
    return redaction_key(user_data_dir(context), context.repository.state_dir, os.urandom)


def redactor_of(context: Context, level: Level = "team") -> Redactor:
    """Return the redactor of the repository, for what is to have a level.

    It knows the secrets of the environment, and of the `.env` files of the working trees, and holds them in
    memory alone.

    Raises:
        RuleRefused: A rule of the user's own cannot be used.
    """
    from gitmem.disk import OwnedFolder
    from gitmem.redaction.redactor import Redactor

    rules, known = _rules_of(context, level)
    _leave_no_core_dump()
    databases = OwnedFolder(cache_folder(context.environ) / "scanners")
    return Redactor(key_of(context), rules, known, databases)


def mark_of(context: Context, level: Level) -> str:
    """Return the mark that the repository's redactor has, and make none; raises as `redactor_of` does."""
    from gitmem.redaction import rules as redaction

    rules, known = _rules_of(context, level)
    return redaction.mark_of(key_of(context), rules.fingerprint, known)


def _rules_of(context: Context, level: Level) -> tuple[RuleSet, tuple[bytes, ...]]:
    """Return today's rules of a level, and the values that are secret here whatever they look like."""
    from gitmem.git.worktrees import working_trees
    from gitmem.redaction.policy import policy_of, rule_set
    from gitmem.verbs.knowing import known_values_at

    repository = context.repository
    own: tuple[Rule, ...] = ()
    if any(name.startswith("gitmem.redact.") for name in repository.config):
        from gitmem.redaction.userrules import user_rules

        own = user_rules(repository.config)
    rules = rule_set(level, policy_of(context.settings, own))
    return rules, known_values_at(context.environ, working_trees(repository))


def _leave_no_core_dump() -> None:
    """See that no crash writes what is about to be held in memory to a disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def target_of(context: Context, storage: Storage, level: Level) -> Target:
    """Return the memory of a level, for a session that is moved into it."""
    from gitmem.verbs.moving import Target

    return Target(
        storage=storage,
        ref=ref_of(context, level),
        level=level,
        writer=writer_of(context, level),
        redactor=redactor_of(context, level),
        by=f"gitmem {gitmem.__version__}",
        replace=lambda ref, tip: leave(context, storage, ref, tip),
    )


def ref_of(context: Context, level: Level) -> str:
    """Return the memory ref of a level; what is ephemeral is on none."""
    return {"public": PUBLIC_REF, "private": PRIVATE_REF}.get(level, context.settings.memory_ref)


def shared_refs(context: Context, storage: Storage) -> tuple[str, ...]:
    """Return the memory refs that are there of what others see: the team's, and the public one."""
    refs = (context.settings.memory_ref, PUBLIC_REF)
    return tuple(ref for ref in refs if storage.read_ref(ref) is not None)


def private_storage(context: Context, storage: Storage) -> SealedStorage:
    """Return the user's own private memory, which stands at PRIVATE_REF of it."""
    from gitmem.sealed.storage import SealedStorage

    return SealedStorage(storage, ring_of(context))


def ring_of(context: Context, recipients: tuple[str, ...] | None = None) -> Ring:
    """Return the user's keys, with the recipients of the settings or others in their place."""
    from gitmem.sealed.ring import open_ring

    def tell(path: Path) -> None:
        context.output.note(f"made {path}: it alone opens your private sessions; keep a copy of it")

    settings = context.settings
    return open_ring(
        settings.recipients if recipients is None else recipients,
        settings.identities,
        user_data_dir(context),
        os.urandom,
        tell,
    )


@contextmanager
def opened_intake(
    context: Context,
    storage: Storage,
    total_bytes: int,
    *,
    whole: bool,
    wait_s: float,
    level: Level = "team",
    levels: Levels | None = None,
) -> Iterator[Intake]:
    """Make ready for an import of about `total_bytes`, with a progress line on a terminal.

    Raises:
        LevelNotKept: The settings ask for a level that no session gets by itself.
    """
    from gitmem.verbs.intake import Intake
    from gitmem.verbs.sealing import HereSealer, PoolSealer

    if context.settings.level == "public":
        raise LevelNotKept(context.settings.level)
    key = key_of(context)
    redactor = redactor_of(context, level)
    workers = context.settings.workers or os.cpu_count() or 1
    with ExitStack() as stack:
        bar = stack.enter_context(context.output.progress("reading", total_bytes, unit="bytes"))

        def tell(progress: Progress) -> None:
            bar.advance(progress.bytes_done - bar.done, progress.path.name)

        pays = sys.platform == "linux" and workers > 1 and total_bytes >= _POOL_PAYS_BYTES
        yield Intake(
            storage=storage,
            ref=ref_of(context, level),
            state_dir=context.repository.state_dir,
            writer=writer_of(context),
            redactor=redactor,
            key=key,
            sealer=stack.enter_context(PoolSealer(redactor, workers)) if pays else HereSealer(redactor),
            by=f"gitmem {gitmem.__version__}",
            whole=whole,
            wait_s=wait_s,
            tell=tell,
            level=level,
            levels=levels,
            absent=absent_of(context, storage)(ref_of(context, level)),
        )
