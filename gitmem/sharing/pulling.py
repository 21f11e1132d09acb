"""Pulling: what a remote's memory has comes in.

What comes in is united with what is here before the memory ref moves, a fast-forward too, so that a pull
never takes anything away and lets nothing in that does not belong.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from gitmem import disk
from gitmem.format.burial import names_all
from gitmem.format.layout import EntryKind
from gitmem.format.memory import Memory, open_memory
from gitmem.format.outcomes import Accept, Outcome, Refusal, Union, accept_all
from gitmem.format.union import union
from gitmem.git.fetching import fetch
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.transport import Remote, Tell, find_remote
from gitmem.model.errors.sharing import FetchRefused, LevelNotShared
from gitmem.model.errors.store import RefMoved, StoreError, TextNotHere
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.refs import PUBLIC_REF, tracking_ref
from gitmem.model.settings import Level, Settings
from gitmem.objects.encoding import Commit, encode_commit
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Batch, Storage
from gitmem.sharing.admitting import Crew, decoding_beside, loading_beside
from gitmem.sharing.choosing import choose_remote, levels_of
from gitmem.sharing.lean import Kept, choose
from gitmem.sharing.naming import key_of
from gitmem.verbs.absence import settle
from gitmem.verbs.absent_table import note_absent, read_absent
from gitmem.verbs.committing import SKIP_CI, Writer
from gitmem.verbs.epochs import begin_epoch, has_more_tombstones, has_strays

_MERGE_TRIES: Final = 8
_UNLOCKED_TRIES: Final = 2
_OTHER_SYNC_WAIT_S: Final = 120.0

How = Literal["no memory there", "up to date", "taken over", "fast-forward", "merged", "begun anew"]


class Sharing(NamedTuple):
    """What pull and push need: the clone, who writes, and whom to tell about git's progress.

    It is about the memory of one `level`. `check` looks once more at what is about to be sent, and raises
    where that must not be: it is given the remote's name, the memory, and the root of the remote's. A git
    that says nothing for `silence_s` is ended. `accept` says whose tombstones count. `replace` is told of a
    tip whose history the memory is about to leave. `sign` returns the commit to send in place of a tip, to
    which it has then moved the ref; what it raises keeps that from being sent. It `is_attended` if somebody
    waits who may be asked for a key. `kept` says what of a fetched memory was left with the remote.
    """

    storage: Storage
    repository: Repository
    git: Git
    settings: Settings
    writer: Writer
    tell: Tell | None = None
    silence_s: float | None = None
    level: Level = "team"
    check: Callable[[str, Memory, Oid | None], None] = lambda remote, memory, root: None
    accept: Accept = accept_all
    replace: Callable[[str, Oid], object] = lambda ref, tip: None
    sign: Callable[[Level, str, Oid], Oid] = lambda level, ref, tip: tip
    is_attended: bool = False
    kept: Kept = Kept()

    @property
    def ref(self) -> str:
        """The memory ref of the level."""
        return PUBLIC_REF if self.level == "public" else self.settings.memory_ref


Loss = Literal["gone", "rewound", "replaced"]
"""What became of a remote's memory that has not got what it had: its ref is gone, was set back, or holds
another history. Nothing is lost here, and the next push sends it all again."""


class Pulled(NamedTuple):
    """What a pull came to.

    `before` and `after` are where the memory ref was and is. `sessions` has an outcome for each that
    differed, `arrived` counts the records and segments that came in, `refused` says what was kept out,
    as far as it is listed, and `unlisted` counts the rest. `theirs` is where the remote's memory is.

    "begun anew": something was erased, so that the history here goes on from another commit. Where the
    remote's still has to, it is `behind_epoch`, and a push takes that one's place. `gone` has the names of
    what was erased, as far as they are known. `note` says why nothing was left out of a lean pull.
    """

    remote: str
    how: How
    before: Oid | None
    after: Oid | None
    sessions: Mapping[SessionId, Outcome]
    refused: tuple[Refusal, ...]
    arrived: Mapping[EntryKind, int]
    unlisted: int = 0
    theirs: Oid | None = None
    behind_epoch: bool = False
    loss: Loss | None = None
    gone: Mapping[SessionId, SessionKey | None] = MappingProxyType({})
    note: str = ""


def pull(sharing: Sharing, named: str | None = None) -> Pulled:
    """Fetch a remote's memory and unite it with the one here; where there is none here, it is taken over.

    Raises:
        SyncError: The remote is unknown, unreachable, or none was chosen.
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote there; nothing was merged.
    """
    return pull_all(remote_of(sharing, named), sharing.storage, [sharing]).memories[0]


def preview(remote: Remote, storage: Storage, sharings: Sequence[Sharing]) -> tuple[Pulled, ...]:
    """Say what a pull would come to; only the tracking refs are brought along. Raises as `pull` does."""
    refs = [sharing.ref for sharing in sharings]
    with alone(remote.repository):
        before = {ref: storage.read_ref(tracking_ref(remote.name, ref)) for ref in refs}
        tips = fetch(remote, storage, refs).tips
        return tuple(
            take_in(
                with_text(remote, sharing, tips[sharing.ref], before[sharing.ref]),
                remote.name,
                tips[sharing.ref],
                before[sharing.ref],
                is_dry=True,
            )
            for sharing in sharings
        )


class PulledAll(NamedTuple):
    """What a pull of several memories came to, in order, and of which namespaces git took nothing."""

    memories: tuple[Pulled, ...]
    refused: Mapping[str, FetchRefused]


def pull_all(
    remote: Remote, storage: Storage, sharings: Sequence[Sharing], below: Sequence[str] = ()
) -> PulledAll:
    """Pull several memories of one remote, with what is below some namespaces, over one connection.

    What is below goes to its tracking refs alone. Raises as `pull` does.
    """
    with alone(remote.repository):
        refs = [sharing.ref for sharing in sharings]
        before = {ref: storage.read_ref(tracking_ref(remote.name, ref)) for ref in refs}
        with nullcontext() if all(before.values()) else loading_beside():
            fetched = fetch(remote, storage, refs, below)
        pulled = tuple(
            take_in(
                with_text(remote, sharing, fetched.tips[sharing.ref], before[sharing.ref]),
                remote.name,
                fetched.tips[sharing.ref],
                before[sharing.ref],
            )
            for sharing in sharings
        )
    return PulledAll(pulled, fetched.refused)


def with_text(remote: Remote, sharing: Sharing, theirs: Oid | None, before: Oid | None) -> Sharing:
    """Bring what a lean pull has left out and has to be here; `before` is where the remote was before it.

    Raises:
        FetchRefused: It could not be fetched.
    """
    now_s = sharing.writer.clock()
    kept = choose(remote, sharing.storage, sharing.ref, theirs, now_s, is_first=before is None)
    return sharing._replace(kept=kept)


def take_in(
    sharing: Sharing, remote: str, theirs: Oid | None, before: Oid | None, *, is_dry: bool = False
) -> Pulled:
    """Unite what was fetched with what is here; `before` is what the remote had when last fetched.

    Where it is dry, nothing is kept of it, and `after` is the remote's own commit.
    """
    storage = sharing.storage
    if theirs is None:
        here = storage.read_ref(sharing.ref)
        loss: Loss | None = "gone" if before else None
        return Pulled(remote, "no memory there", here, here, {}, (), {}, loss=loss)
    pulled = unite(sharing, remote, theirs, is_dry=is_dry)
    return pulled._replace(loss=_loss(sharing, theirs, before), note=sharing.kept.note)


def _loss(sharing: Sharing, theirs: Oid, before: Oid | None) -> Loss | None:
    """Tell whether a remote lacks what it had; where something was erased, it is to."""
    storage, ref = sharing.storage, sharing.ref
    if before is None or before == theirs or is_ancestor(storage, before, theirs):
        return None
    if is_ancestor(storage, theirs, before):
        return "rewound"
    try:
        had = open_memory(storage, ref, before).root
    except StoreError:
        return None  # what it had is no loss
    has = open_memory(storage, ref, theirs).root
    return "replaced" if names_all(storage, had, has) else None


def adopt(sharing: Sharing, remotes: Iterable[str]) -> Pulled | None:
    """Take over the memory of the first remote that had one when it was last fetched; no remote is asked.

    For a clone, which has brought it along. What comes in is checked as in a pull.

    Raises:
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    ref = sharing.ref
    for remote in remotes:
        theirs = sharing.storage.read_ref(tracking_ref(remote, ref))
        if theirs is not None:
            with alone(sharing.repository):
                return unite(sharing, remote, theirs)
    return None


def unite_fetched(sharing: Sharing, remote: str) -> Pulled | None:
    """Unite what a remote had when it was last fetched with what is here; nobody is asked, or waited for.

    Raises:
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    theirs = sharing.storage.read_ref(tracking_ref(remote, sharing.ref))
    return None if theirs is None else unite(sharing, remote, theirs)


def keys_of(
    storage: Storage, ref: str, commits: Iterable[Oid | None], sessions: Iterable[SessionId]
) -> dict[SessionId, SessionKey | None]:
    """Return what people call sessions, from the first of the commits that has them; None where none has."""
    memories = [
        open_memory(storage, ref, commit) for commit in commits if commit and storage.contains(commit)
    ]
    return {session: key_of(memories, session) for session in sessions}


def remote_of(sharing: Sharing, named: str | None) -> Remote:
    """Return the remote that is meant, which was given the level that this is about.

    Raises:
        SyncError: None was chosen, it is unknown, or it was given other levels.
    """
    name = choose_remote(sharing.settings, named)
    levels = levels_of(sharing.settings, name)
    if sharing.level not in levels:
        raise LevelNotShared(name, sharing.level, levels)
    return find_remote(sharing.repository, sharing.git, name, sharing.tell, sharing.silence_s)


@contextmanager
def alone(repository: Repository) -> Iterator[None]:
    """Let one sync run in a clone at a time: two fetches of one ref would fail each other."""
    with disk.locked(repository.state_dir / "sharing.lock", _OTHER_SYNC_WAIT_S):
        yield


def unite(sharing: Sharing, remote: str, theirs: Oid, *, is_dry: bool = False) -> Pulled:
    """Bring the memory ref to what it and a fetched commit come to together; unless it is dry, for good."""
    storage, ref, state_dir = sharing.storage, sharing.ref, sharing.repository.state_dir
    for tries in range(_MERGE_TRIES):
        with ExitStack() as stack:
            # What came in is decoded without holding others up, unless they keep moving the ref.
            if tries >= _UNLOCKED_TRIES:
                stack.enter_context(storage.lock())
            tip = storage.read_ref(ref)
            is_known = tip is not None and is_ancestor(storage, theirs, tip)
            if is_known and tip is not None and not has_more_tombstones(storage, theirs, tip):
                return Pulled(remote, "up to date", tip, tip, {}, (), {}, theirs=theirs)
            other = open_memory(storage, tracking_ref(remote, ref), theirs)
            root = open_memory(storage, ref, tip).root if tip else None
            batch = stack.enter_context(storage.begin())
            promised = read_absent(state_dir, ref) | sharing.kept.promised
            crew = Crew(sharing.repository, sharing.git, sharing.settings.workers or os.cpu_count() or 1)
            with decoding_beside(storage, crew, root, other.root, promised) as vouch:
                united = union(
                    storage,
                    batch,
                    root,
                    other.root,
                    level=sharing.level,
                    accept=sharing.accept,
                    promised=promised,
                    vouch=vouch,
                )
            if has_strays(storage, None if "here" in united.lacking else tip, theirs):
                united = united._replace(lacking=united.lacking | {"there"})
            new, how = _commit(sharing, batch, remote, tip, root, other, united, is_known=is_known)
            pulled = Pulled(
                remote,
                how,
                tip,
                theirs if is_dry else new,
                united.sessions,
                united.refused,
                united.arrived,
                united.unlisted,
                theirs,
                "there" in united.lacking,
            )
            if is_dry:
                return pulled
            stack.enter_context(storage.lock())
            batch.publish()
            if tip is not None and how == "begun anew":
                sharing.replace(ref, tip)
            out = {one for one, outcome in united.sessions.items() if outcome in ("tombstoned", "refused")}
            note_absent(state_dir, ref, (read_absent(state_dir, ref) | sharing.kept.promised) - out)
            try:
                if new != tip:
                    storage.move_ref(ref, new, tip, f"gitmem: pull {remote}: {how}")
            except RefMoved:
                if tries == _MERGE_TRIES - 1:
                    raise
                continue
            storage.tidy()
            _settle(sharing, new)
            gone = [session for session, outcome in united.sessions.items() if outcome == "tombstoned"]
            return pulled._replace(gone=keys_of(storage, ref, [tip, theirs], gone))
    raise AssertionError("the last try returns or raises")


def _settle(sharing: Sharing, commit: Oid) -> None:
    """Let sessions be read whose text has come with a pull; what does not belong stays unread, as it was."""
    storage, ref = sharing.storage, sharing.ref
    for session in sharing.kept.arrived:
        folder = open_memory(storage, ref, commit).find(session)
        if folder is not None:
            with suppress(TextNotHere):
                settle(storage, sharing.repository.state_dir, ref, folder)


def _commit(
    sharing: Sharing,
    batch: Batch,
    remote: str,
    tip: Oid | None,
    root: Oid | None,
    other: Memory,
    united: Union,
    *,
    is_known: bool,
) -> tuple[Oid, How]:
    """Return the commit to go on from: one side's, where it has all that both have, or one above both.

    A side that lacks a tombstone is gone on from by nobody: its history holds what was erased.
    """
    tree = united.root or batch.add("tree", b"")
    is_left = tip is not None and "here" in united.lacking
    how: How = "taken over" if tip is None else "begun anew" if is_left else "merged"
    if "there" in united.lacking:
        if is_left or tip is None:
            return begin_epoch(batch, tree, united.tombstones), how
        if tree == root:
            return tip, "up to date"
        parents: tuple[Oid, ...] = (tip,)
    else:
        if tip is not None and not is_left and tree == root and is_known:
            return tip, "up to date"  # what it has more was refused, as before
        is_ahead = tip is None or is_left or is_ancestor(sharing.storage, tip, other.commit)
        if is_ahead and tree == other.root:
            return other.commit, "fast-forward" if how == "merged" else how
        parents = (other.commit,) if tip is None or is_ahead else (tip, other.commit)
    who = sharing.writer.sign()
    message = f"Merge the memory of {remote} {SKIP_CI}\n"
    return batch.add("commit", encode_commit(Commit(tree, parents, who, who, message))), how
