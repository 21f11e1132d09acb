"""Pull, push and sync of every level that a remote was given; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from gitmem.cli import audit_sharing
from gitmem.cli.auditing import log_of
from gitmem.cli.context import Context
from gitmem.cli.expiring import expire
from gitmem.cli.opening import ring_of, writer_of
from gitmem.cli.sharing import check
from gitmem.cli.text import one_line
from gitmem.format.memory import open_memory
from gitmem.git.transport import Remote, find_remote
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.sharing import LevelNotShared, NoRemoteChosen, RemoteUnreachable
from gitmem.model.errors.store import NoMemory
from gitmem.model.refs import AUDIT_NAMESPACE, PUBLIC_REF, tracking_ref
from gitmem.sharing.choosing import choose_remote, levels_of
from gitmem.sharing.pulling import Pulled, Sharing, preview, pull_all
from gitmem.sharing.pushing import Pushed, push_all
from gitmem.verbs.contact import note_reached, note_trouble

if TYPE_CHECKING:
    from gitmem.cli.forgetting import Followed
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage
    from gitmem.sharing.sealed import SealedPulled, SealedPushed


class Shared(NamedTuple):
    """What a pull or a push came to, level by level; None where nothing was to move.

    `warnings` are what people are told of audits, and of what could not be cleared away: nothing of them ends
    a pull or a push. `followed` is what was cleared away of what was erased.
    """

    remote: str
    team: Pulled | Pushed | None
    public: Pulled | Pushed | None
    private: SealedPulled | SealedPushed | None
    warnings: tuple[str, ...] = ()
    followed: Followed | None = None


class Synced(NamedTuple):
    """What a sync with one remote came to: what was pulled and pushed before `error`, if one ended it."""

    remote: str
    pulled: Shared | None = None
    pushed: Shared | None = None
    error: GitmemError | None = None

    @property
    def is_offline(self) -> bool:
        """Whether the remote did not answer, which is a state and no failure."""
        return isinstance(self.error, RemoteUnreachable)


def sync_levels(context: Context, sharing: Sharing, named: str | None) -> tuple[Synced, ...]:
    """Pull from a remote and then push what it lacks, all levels; each that was chosen where none is named.

    Prints nothing. What keeps one remote from being synced with is told in its answer and noted as its state
    (gitmem.verbs.contact), and the next one is gone on with.

    Raises:
        NoRemoteChosen, RemoteUnknown: It is not clear what to do at all.
    """
    remotes = [named] if named is not None else [remote.name for remote in context.settings.remotes]
    if not remotes:
        raise NoRemoteChosen
    for remote in remotes:
        find_remote(context.repository, context.git, remote)
    return tuple(_sync(context, sharing, remote) for remote in remotes)


def _sync(context: Context, sharing: Sharing, remote: str) -> Synced:
    synced = Synced(remote)
    try:
        synced = synced._replace(pulled=pull_levels(context, sharing, remote))
        if _lacks_something(context, sharing, remote, synced.pulled):
            synced = synced._replace(pushed=push_levels(context, sharing, remote))
    except GitmemError as error:
        return synced._replace(error=error)
    return synced


def _lacks_something(context: Context, sharing: Sharing, remote: str, pulled: Shared | None) -> bool:
    """Whether there is any memory here of which a remote lacked something when it was pulled from.

    What the audit has more is no reason to push: that it was pulled is in it, each time.
    """
    levels, storage = levels_of(context.settings, remote), sharing.storage
    for level, part in (("team", pulled and pulled.team), ("public", pulled and pulled.public)):
        at = sharing if level == "team" else sharing._replace(level="public")
        here = storage.read_ref(at.ref)
        if level in levels and here is not None:
            is_there = storage.read_ref(tracking_ref(remote, at.ref)) == here
            if not is_there or (isinstance(part, Pulled) and part.loss is not None):
                return True
    if "private" not in levels:
        return False
    from gitmem.sharing.sealed import lacks_sealed

    return lacks_sealed(storage, remote)


def push_levels(context: Context, sharing: Sharing, named: str | None) -> Shared:
    """Push to a remote every memory that is here, of the levels that it was given; raises as `push` does.

    All are looked at before the first is sent.

    Raises:
        LevelNotShared: It was given other levels than those of all that is here.
        SecretsFound: Today's rules would replace something of what it lacks.
    """
    from gitmem.sealed.tips import read_tips

    remote, levels = _chosen(context, sharing, named)
    storage, ref = sharing.storage, sharing.ref
    has_public = "public" in levels and storage.read_ref(PUBLIC_REF) is not None
    has_private = "private" in levels and bool(read_tips(storage))
    if "team" not in levels and not (has_public or has_private) and storage.read_ref(ref) is not None:
        raise LevelNotShared(remote.name, "team", levels)
    has_team = "team" in levels and (storage.read_ref(ref) is not None or not (has_public or has_private))
    caught: list[Shared] = []
    # A tombstone is signed where commits are, and nobody is asked for a key who does not wait.
    may_erase = sharing.is_attended or context.settings.signed == "nothing"
    if has_team and may_erase and storage.read_ref(ref) is not None:
        expire(context, storage, lambda: caught.append(pull_levels(context, sharing, remote.name)))
    _note(context, "push", remote, levels)
    memories = [*([sharing] if has_team else []), *([_of_public(context, sharing)] if has_public else [])]
    private = _of_private(context, sharing)
    pushed: list[Pushed] = []
    sealed = None
    warnings: tuple[str, ...] = ()
    with _noting(context, remote.name):
        if has_private:
            from gitmem.sharing.sealed import check_sealed, push_sealed

            check_sealed(private, ring_of(context), remote.name)
        if memories:
            audit = audit_sharing.NOTHING
            if has_team:
                audit = audit_sharing.publish(context, storage, remote.name)
            found = push_all(remote, memories, audit.moves)
            pushed += found.memories
            warnings = audit_sharing.settle(context, storage, remote, audit, found.beside)
        if has_private:
            sealed = push_sealed(private, ring_of(context), remote.name)
    team = _with_what_came_before(pushed.pop(0), [each.team for each in caught]) if has_team else None
    public = pushed.pop(0) if has_public else None
    if public is not None:
        public = _with_what_came_before(public, [each.public for each in caught])
    return _cleared(context, storage, Shared(remote.name, team, public, sealed, warnings))


def _with_what_came_before(pushed: Pushed, caught: list[Pulled | Pushed | None]) -> Pushed:
    """Return what a push came to with what was pulled before anything was erased."""
    pulled = [each for each in caught if isinstance(each, Pulled) and each.before != each.after]
    return pushed._replace(pulled=(*pulled, *pushed.pulled))


def pull_levels(context: Context, sharing: Sharing, named: str | None) -> Shared:
    """Pull from a remote the memories of every level that it was given; raises as `pull` does."""
    remote, levels = _chosen(context, sharing, named)
    storage = sharing.storage
    pulling = _memories_of(context, sharing, levels)
    below = [AUDIT_NAMESPACE] if "team" in levels else []
    sealed = None
    with _noting(context, remote.name):
        if "private" in levels:
            from gitmem.sharing.sealed import SEALED_REFS, pull_sealed

            below += SEALED_REFS
        memories, refused = pull_all(remote, storage, list(pulling.values()), below)
        if "private" in levels:
            for error in [refused[ref] for ref in SEALED_REFS if ref in refused]:
                raise error
            private = sharing._replace(level="private")
            sealed = pull_sealed(private, ring_of(context), remote.name, is_fetched=True)
    pulled = dict(zip(pulling, memories, strict=True))
    _note(context, "pull", remote, levels)
    warnings: tuple[str, ...] = ()
    if "team" in levels:
        warnings = audit_sharing.accept(context, storage, remote.name, refused.get(AUDIT_NAMESPACE))
    shared = Shared(remote.name, pulled.get("team"), pulled.get("public"), sealed, warnings)
    return _cleared(context, storage, shared)


def _cleared(context: Context, storage: Storage, shared: Shared) -> Shared:
    """Clear away what was erased, now that the refs have moved; what keeps it from that is told."""
    from gitmem.cli.forgetting import follow

    shared = shared._replace(warnings=(*shared.warnings, *_still_public(storage, shared.team)))
    try:
        return shared._replace(followed=follow(context, storage))
    except GitmemError as error:
        warning = f"what was erased was not cleared away: {error}"
        return shared._replace(warnings=(*shared.warnings, warning))


def _still_public(storage: Storage, team: Pulled | Pushed | None) -> Iterator[str]:
    """Yield what is to be said of copies that this clone alone made public: nobody else can erase them."""
    pulled = team.pulled if isinstance(team, Pushed) else (team,)
    gone = [row for each in pulled if each is not None for row in each.gone.items()]
    if not gone or storage.read_ref(PUBLIC_REF) is None:
        return
    public = open_memory(storage, PUBLIC_REF)
    for session, key in gone:
        found = public.find_key(key) if key is not None else filter(None, [public.find(session)])
        if any(not public.load(folder).is_hidden for folder in found):
            name = one_line(str(key or session))
            yield f"{name} was erased, and its public copy was not: gitmem forget --now {name} erases that"


def preview_levels(context: Context, sharing: Sharing, named: str | None) -> Shared:
    """Say what a pull would come to, and change nothing but tracking refs; of what is private, nothing."""
    remote, levels = _chosen(context, sharing, named)
    pulling = _memories_of(context, sharing, levels)
    with _noting(context, remote.name):
        found = dict(zip(pulling, preview(remote, sharing.storage, list(pulling.values())), strict=True))
    return Shared(remote.name, found.get("team"), found.get("public"), None)


def _memories_of(context: Context, sharing: Sharing, levels: tuple[Level, ...]) -> dict[Level, Sharing]:
    """Return what is pulled for each level that has a memory of one ref."""
    found: dict[Level, Sharing] = {}
    if "team" in levels:
        found["team"] = sharing
    if "public" in levels:
        found["public"] = _of_public(context, sharing)
    return found


def _chosen(context: Context, sharing: Sharing, named: str | None) -> tuple[Remote, tuple[Level, ...]]:
    name = choose_remote(context.settings, named)
    remote = find_remote(context.repository, context.git, name, sharing.tell, sharing.silence_s)
    return remote, levels_of(context.settings, name)


@contextmanager
def _noting(context: Context, remote: str) -> Iterator[None]:
    """Remember how the way to a remote turned out."""
    state_dir = context.repository.state_dir
    try:
        yield
    except NoMemory:
        raise  # says nothing about the remote
    except GitmemError as error:
        note_trouble(state_dir, remote, error, context.now_ms())
        raise
    note_reached(state_dir, remote, context.now_ms())


def _note(
    context: Context, action: Literal["push", "pull"], remote: Remote, levels: tuple[Level, ...]
) -> None:
    log = log_of(context)
    url = context.repository.config[f"remote.{remote.name}.url"][0]
    log.note(action, lambda: log.remote(url), detail={"levels": "-".join(levels)})


def _of_public(context: Context, sharing: Sharing) -> Sharing:
    return sharing._replace(
        level="public",
        writer=writer_of(context, "public"),
        check=lambda remote, memory, root: check(context, "public", remote, memory, root),
    )


def _of_private(context: Context, sharing: Sharing) -> Sharing:
    return sharing._replace(
        level="private",
        check=lambda remote, memory, root: check(context, "private", remote, memory, root),
    )
