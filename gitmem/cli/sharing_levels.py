"""Pull and push of every level that a remote was given, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from gitmem.cli.auditing import log_of
from gitmem.cli.context import Context
from gitmem.cli.opening import ring_of, writer_of
from gitmem.cli.output import Styled
from gitmem.cli.sharing import (
    check,
    count,
    describe_pull,
    describe_push,
    pull_as_json,
    push_as_json,
)
from gitmem.cli.text import one_line
from gitmem.git import transport
from gitmem.git.transport import find_remote
from gitmem.model.errors import GitmemError, LevelNotShared, NoMemory, NoRemoteChosen, RemoteUnreachable
from gitmem.model.refs import PUBLIC_REF, tracking_ref
from gitmem.verbs.contact import note_reached, note_trouble, trouble_of
from gitmem.verbs.sealed_sharing import SealedPulled, SealedPushed, pull_sealed, push_sealed
from gitmem.verbs.sharing import Pulled, Pushed, Sharing, choose_remote, levels_of, pull, push

if TYPE_CHECKING:
    from gitmem.model.ids import Oid
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage
    from gitmem.sealed.merging import Outcome

_SHOWN_REFUSALS: Final = 20
_AUDIT_TRIES: Final = 4
_CAME: Final[frozenset[Outcome]] = frozenset({"new there", "grown there", "united"})


class Shared(NamedTuple):
    """What a pull or a push came to, level by level; None where nothing was to move."""

    remote: str
    team: Pulled | Pushed | None
    public: Pulled | Pushed | None
    private: SealedPulled | SealedPushed | None


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
    """Pull from a remote and then push to it, all levels; from each that was chosen where none is named.

    Prints nothing. What keeps one remote from being synced with is told in its answer and noted as its state
    (gitmem.verbs.contact), and the next one is gone on with.

    Raises:
        NoRemoteChosen, RemoteUnknown, LevelNotShared: It is not clear what to do at all.
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
        if _has_something(context, sharing, remote):
            synced = synced._replace(pushed=push_levels(context, sharing, remote))
    except GitmemError as error:
        return synced._replace(error=error)
    return synced


def _has_something(context: Context, sharing: Sharing, remote: str) -> bool:
    """Whether there is any memory here that a remote may get."""
    from gitmem.sealed.tips import read_tips

    levels, storage = levels_of(context.settings, remote), sharing.storage
    refs = {"team": context.settings.memory_ref, "public": PUBLIC_REF}
    return any(level in levels and storage.read_ref(ref) is not None for level, ref in refs.items()) or (
        "private" in levels and bool(read_tips(storage))
    )


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


def push_levels(context: Context, sharing: Sharing, named: str | None) -> Shared:
    """Push to a remote every memory that is here, of the levels that it was given; raises as `push` does.

    Raises:
        LevelNotShared: It was given other levels than those of all that is here.
        SecretsFound: Today's rules would replace something of what it lacks.
    """
    from gitmem.sealed.tips import read_tips

    remote = choose_remote(context.settings, named)
    levels = levels_of(context.settings, remote)
    find_remote(context.repository, context.git, remote)
    storage, ref = sharing.storage, context.settings.memory_ref
    has_public = "public" in levels and storage.read_ref(PUBLIC_REF) is not None
    has_private = "private" in levels and bool(read_tips(storage))
    if "team" not in levels and not (has_public or has_private) and storage.read_ref(ref) is not None:
        raise LevelNotShared(remote, "team", levels)
    has_team = "team" in levels and (storage.read_ref(ref) is not None or not (has_public or has_private))
    _note(context, "push", remote, levels)
    with _noting(context, remote):
        shared = Shared(
            remote,
            push(sharing, remote) if has_team else None,
            push(_of_public(context, sharing), remote) if has_public else None,
            push_sealed(_of_private(context, sharing), ring_of(context), remote) if has_private else None,
        )
    if has_team:
        _publish_audit(context, sharing, remote)
    return shared


def pull_levels(context: Context, sharing: Sharing, named: str | None) -> Shared:
    """Pull from a remote the memories of every level that it was given; raises as `pull` does."""
    remote = choose_remote(context.settings, named)
    levels = levels_of(context.settings, remote)
    find_remote(context.repository, context.git, remote)
    private = sharing._replace(level="private")
    with _noting(context, remote):
        shared = Shared(
            remote,
            pull(sharing, remote) if "team" in levels else None,
            pull(_of_public(context, sharing), remote) if "public" in levels else None,
            pull_sealed(private, ring_of(context), remote) if "private" in levels else None,
        )
    _note(context, "pull", remote, levels)
    if "team" in levels:
        _accept_audits(context, sharing, remote)
    return shared


def _note(context: Context, action: Literal["push", "pull"], remote: str, levels: tuple[Level, ...]) -> None:
    log = log_of(context)
    url = context.repository.config[f"remote.{remote}.url"][0]
    log.note(action, lambda: log.remote(url), detail={"levels": "-".join(levels)})


def _publish_audit(context: Context, sharing: Sharing, name: str) -> None:
    """Send what the audit has more; what keeps it from going fails no push, and is told."""
    try:
        _send_audit(context, sharing, name)
    except GitmemError as error:
        context.output.warn(f"the audit was not sent to {name}: {one_line(str(error))}")


def _send_audit(context: Context, sharing: Sharing, name: str) -> None:
    from gitmem.auditing import peers, publishing

    log = log_of(context)
    remote = find_remote(context.repository, context.git, name)
    for tries in range(_AUDIT_TRIES):
        is_behind = False
        for ref, commit in publishing.publish(sharing.storage, log, name):
            answer = transport.push(remote, commit, ref)
            if answer.outcome == "pushed":
                _track(sharing.storage, name, ref, commit)
                peers.note_sent(sharing.storage, log, name, ref)
            elif answer.outcome == "refused" or tries == _AUDIT_TRIES - 1:
                context.output.warn(f"the audit was not sent to {name}: {one_line(answer.why)}")
                return
            else:
                is_behind = True
        if not is_behind:
            return
        _accept_audits(context, sharing, name)


def _accept_audits(context: Context, sharing: Sharing, name: str) -> None:
    """Take in the audits that a remote has, and tell what does not hold; neither fails a pull."""
    from gitmem.auditing import peers

    remote = find_remote(context.repository, context.git, name)
    try:
        transport.fetch_audits(remote, sharing.storage)
        findings = peers.accept(sharing.storage, log_of(context), name)
    except GitmemError as error:
        context.output.warn(f"the audits of {name} were not taken in: {one_line(str(error))}")
        return
    for finding in findings:
        told = f"{finding.kind}, {finding.where}: {finding.why}"
        context.output.warn(Styled("audit:", "bad"), " ", one_line(told))


def _track(storage: Storage, name: str, ref: str, commit: Oid) -> None:
    tracking = tracking_ref(name, ref)
    found = storage.read_ref(tracking)
    if found != commit:
        storage.move_ref(tracking, commit, found, "gitmem: push")


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


def describe_levels(context: Context, sharing: Sharing, shared: Shared) -> None:
    """Print what came of a pull or push of several levels, for people."""
    for level, part in (("team", shared.team), ("public", shared.public)):
        if part is None or (level == "public" and isinstance(part, Pulled) and part.how == "no memory there"):
            continue
        if level == "public" and shared.team is not None:
            context.output.say(Styled("public:", "dim"))
        at = sharing if level == "team" else sharing._replace(level="public")
        if isinstance(part, Pulled):
            describe_pull(context, at, part)
        else:
            describe_push(context, at, part)
    if shared.private is not None:
        _describe_sealed(context, shared.private)


def describe_synced(context: Context, sharing: Sharing, synced: Synced) -> None:
    """Print what came of a sync with one remote, for people; what went wrong goes to standard error."""
    for part in (synced.pulled, synced.pushed):
        if part is not None:
            describe_levels(context, sharing, part)
    if synced.error is not None:
        context.output.warn(one_line(str(synced.error)))
        if not synced.is_offline:
            context.output.warn(Styled("hint:", "dim"), " ", one_line(synced.error.hint))


def synced_as_json(sharing: Sharing, synced: Synced) -> dict[str, Any]:
    """Return what came of a sync with one remote, for programs."""
    error = synced.error
    return {
        "remote": synced.remote,
        "state": trouble_of(error) if error else "synced",
        "why": str(error) if error else None,
        "pulled": levels_as_json(sharing, synced.pulled) if synced.pulled else None,
        "pushed": levels_as_json(sharing, synced.pushed) if synced.pushed else None,
    }


def levels_as_json(sharing: Sharing, shared: Shared) -> dict[str, Any]:
    """Return what came of a pull or push of several levels, for programs."""
    answer: dict[str, Any] = {"remote": shared.remote}
    for level, part in (("team", shared.team), ("public", shared.public)):
        if part is None:
            continue
        told = pull_as_json(sharing, part) if isinstance(part, Pulled) else push_as_json(sharing, part)
        answer |= told if level == "team" else {level: told}
    if shared.private is not None:
        answer["private"] = _sealed_as_json(shared.private)
    return answer


def _describe_sealed(context: Context, part: SealedPulled | SealedPushed) -> None:
    output = context.output
    pulled = part if isinstance(part, SealedPulled) else part.pulled
    came = sum(number for outcome, number in pulled.outcomes.items() if outcome in _CAME)
    if came:
        output.say(f"private: {count(came, 'sealed session')} from {pulled.remote}")
    if isinstance(part, SealedPushed):
        output.say(f"private: {count(part.sent, 'sealed session')} sent to {part.remote}")
    for name, why in pulled.refused[:_SHOWN_REFUSALS]:
        output.warn(Styled("kept out:", "bad"), " ", one_line(f"{name[:12]}: {why}"))


def _sealed_as_json(part: SealedPulled | SealedPushed) -> dict[str, Any]:
    pulled = part if isinstance(part, SealedPulled) else part.pulled
    told: dict[str, Any] = {
        "outcomes": dict(sorted(pulled.outcomes.items())),
        "refused": [{"name": name, "why": why} for name, why in pulled.refused],
    }
    return told if isinstance(part, SealedPulled) else {"sent": part.sent, "pulled": told}
