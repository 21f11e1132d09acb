"""The way to a remote and back, by the user's own git: it alone has their credentials, ssh and proxies.

One ref is moved, and nothing else of the user's: no tag, no other branch, no FETCH_HEAD, no configuration.
What git took in becomes a pack of gitmem's own, so that the user's `git gc --auto` never starts because of
it. git's messages may be in the user's language, so none of them decides anything: exit codes, refs and
`--porcelain` do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.git.packs import holds_object, keep_pack
from gitmem.git.process import Answer, Git
from gitmem.git.repository import Repository
from gitmem.git.storage import pack_folder
from gitmem.model.errors import FetchRefused, GitFailed, RemoteUnknown, RemoteUnreachable
from gitmem.model.ids import Oid
from gitmem.model.refs import (
    audit_refspec,
    audit_tracking,
    fetch_refspec,
    push_refspec,
    sealed_refspecs,
    sealed_tracking,
    tracking_ref,
)
from gitmem.objects.storage import Storage

Tell = Callable[[bytes], object]
"""Takes git's progress, as it writes it to a terminal."""

_FETCH_TRIES: Final = 3
_REJECTED: Final = 1
_LAST_LINES: Final = 4
_FETCH_CONFIG: Final = {
    # Objects of a stranger are looked at by git itself before they are stored.
    "fetch.fsckObjects": "true",
    "fetch.unpackLimit": "1",
}
_FETCH: Final = (
    "fetch",
    "--keep",
    "--no-auto-maintenance",
    "--no-filter",
    "--no-prune",
    "--no-prune-tags",
    "--no-recurse-submodules",
    "--no-show-forced-updates",
    "--no-tags",
    "--no-write-commit-graph",
    "--no-write-fetch-head",
    "--refmap=",
)
_PUSH: Final = ("push", "--porcelain", "--no-follow-tags", "--no-recurse-submodules", "--no-verify")
_CONTENDED: Final = ("lock", "failed to update ref", "incorrect old value", "reference already exists")
"""What receive-pack says when another push was at the same ref in the same moment; never translated."""


class Remote(NamedTuple):
    """A remote of a repository, and whom to tell about progress."""

    repository: Repository
    git: Git
    name: str
    tell: Tell | None = None


class Move(NamedTuple):
    """Where a remote's ref is to point, and where it was when last fetched; None where there was none."""

    ref: str
    oid: Oid
    expected: Oid | None


class PushAnswer(NamedTuple):
    """What a remote said to a push.

    behind: it has commits that we have not; contended: another push was at it in the same moment;
    refused: a hook or a rule of the host's, and `why` in its own words.
    """

    outcome: Literal["pushed", "behind", "contended", "refused"]
    why: str = ""


def find_remote(repository: Repository, git: Git, name: str, tell: Tell | None = None) -> Remote:
    """Return a remote that the user has configured; a URL or a path is none.

    Raises:
        RemoteUnknown: There is no such remote.
    """
    if f"remote.{name}.url" not in repository.config:
        raise RemoteUnknown(name)
    return Remote(repository, git, name, tell)


def fetch(remote: Remote, storage: Storage, ref: str) -> Oid | None:
    """Bring the tracking ref to where a remote's ref is, with all that it needs.

    Returns:
        The commit that it points at; None where the remote has no such ref.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
        FetchRefused: git would not take the objects, or could not store them.
    """
    tracking = tracking_ref(remote.name, ref)
    folder = pack_folder(remote.repository)
    for tries in range(_FETCH_TRIES):
        before, packs = storage.read_ref(tracking), _packs(folder)
        try:
            _run(
                remote,
                [*_FETCH, "--end-of-options", remote.name, fetch_refspec(remote.name, ref)],
                f"fetch from {remote.name}",
                config=_FETCH_CONFIG,
            )
        except GitFailed as error:
            there = _ask(remote, ref)
            if there is None:
                return None
            now = storage.read_ref(tracking)
            # Another fetch of the same ref; or it was pushed to in that moment, in which a folder that is
            # listed while a file in it is renamed may not show that.
            is_busy = now != before or any(word in error.stderr for word in (".lock", "find remote ref"))
            if now != there and (not is_busy or tries == _FETCH_TRIES - 1):
                raise FetchRefused(remote.name, _last_words(error.stderr)) from error
            if now != there:
                continue
        found = storage.read_ref(tracking)
        if found is not None:
            _adopt(folder, packs, found, storage)
            if remote.repository.is_partial:
                _fill(remote, storage.read_ref(ref), found)
        return found
    raise AssertionError("the last try returns or raises")


def fetch_audits(remote: Remote, storage: Storage) -> None:
    """Bring the tracking refs of audits to where a remote has them; one that it has no more is removed.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
        FetchRefused: git would not take the objects, or could not store them.
    """
    _fetch_below(remote, storage, [audit_refspec(remote.name)], [audit_tracking(remote.name)])


def fetch_sealed(remote: Remote, storage: Storage) -> None:
    """Bring the tracking refs of sealed sessions and their keys to where a remote has them, and no others.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
        FetchRefused: git would not take the objects, or could not store them.
    """
    _fetch_below(remote, storage, sealed_refspecs(remote.name), sealed_tracking(remote.name))


def push_sealed(remote: Remote, moves: Sequence[Move]) -> dict[str, PushAnswer]:
    """Move refs of sealed sessions and keys at a remote: all of them, or none.

    What is sealed anew has no history in common with what it takes the place of. So each ref is moved only
    from where it was when last fetched: what nobody saw is never overwritten.

    Returns:
        The answer for each ref that was not moved; empty where all were.

    Raises:
        RemoteUnreachable: The remote does not answer, does not let us in, or went away in the middle.
    """
    leases = [f"--force-with-lease={move.ref}:{move.expected or ''}" for move in moves]
    refspecs = [push_refspec(move.oid, move.ref) for move in moves]
    try:
        answer = _run(
            remote,
            [*_PUSH, "--atomic", *leases, "--end-of-options", remote.name, *refspecs],
            f"push to {remote.name}",
            accept=(0, _REJECTED),
        )
    except GitFailed as error:
        raise RemoteUnreachable(remote.name, _last_words(error.stderr)) from error
    refused = {}
    for line in answer.text.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!":
            refused[names.partition(":")[2]] = _as_rejection(summary, answer.stderr)
    if answer.status and not refused:
        raise RemoteUnreachable(remote.name, _last_words(answer.stderr))
    return refused


def _fetch_below(remote: Remote, storage: Storage, refspecs: Sequence[str], tracking: Sequence[str]) -> None:
    folder = pack_folder(remote.repository)
    before = {ref: oid for prefix in tracking for ref, oid in storage.list_refs(prefix).items()}
    packs = _packs(folder)
    arguments = [argument for argument in _FETCH if argument != "--no-prune"]
    try:
        _run(
            remote,
            [*arguments, "--prune", "--end-of-options", remote.name, *refspecs],
            f"fetch from {remote.name}",
            config=_FETCH_CONFIG,
        )
    except GitFailed as error:
        _list(remote, ["--heads", "--end-of-options", remote.name])  # raises where it cannot be reached
        raise FetchRefused(remote.name, _last_words(error.stderr)) from error
    for prefix in tracking:
        for ref, found in storage.list_refs(prefix).items():
            if before.get(ref) != found:
                _adopt(folder, packs, found, storage)


def has_branches(remote: Remote) -> bool:
    """Tell whether a remote has any branch; the first that is pushed to one without becomes its default.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
    """
    return bool(_list(remote, ["--heads", "--end-of-options", remote.name]))


def push(remote: Remote, oid: Oid, ref: str) -> PushAnswer:
    """Move a remote's ref forward to a commit; never anything but a fast-forward.

    Raises:
        RemoteUnreachable: The remote does not answer, does not let us in, or went away in the middle.
    """
    try:
        answer = _run(
            remote,
            [*_PUSH, "--end-of-options", remote.name, push_refspec(oid, ref)],
            f"push to {remote.name}",
            accept=(0, _REJECTED),
        )
    except GitFailed as error:
        raise RemoteUnreachable(remote.name, _last_words(error.stderr)) from error
    for line in answer.text.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            return _as_rejection(summary, answer.stderr)
    if answer.status:
        raise RemoteUnreachable(remote.name, _last_words(answer.stderr))
    return PushAnswer("pushed")


def _as_rejection(summary: str, stderr: str) -> PushAnswer:
    """Tell a lost race from a refusal: `[rejected] (fetch first)`, `[remote rejected] (hook declined)`."""
    kind, _, reason = summary.partition(" (")
    why = reason.removesuffix(")")
    if kind == "[rejected]":
        return PushAnswer("behind", why)
    said = [
        line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:")
    ]
    outcome: Literal["contended", "refused"] = "refused"
    if any(word in why for word in _CONTENDED):
        outcome = "contended"
    return PushAnswer(outcome, "; ".join([why, *filter(None, said[-_LAST_LINES:])]))


def _ask(remote: Remote, ref: str) -> Oid | None:
    for line in _list(remote, ["--end-of-options", remote.name, ref]):
        oid, _, name = line.partition("\t")
        if name == ref:
            return Oid(oid)
    return None


def _list(remote: Remote, args: Sequence[str]) -> list[str]:
    quiet = remote._replace(tell=None)
    try:
        answer = _run(quiet, ["ls-remote", "--quiet", *args], f"reach {remote.name}")
    except GitFailed as error:
        raise RemoteUnreachable(remote.name, _last_words(error.stderr)) from error
    return answer.text.splitlines()


def _run(
    remote: Remote,
    args: Sequence[str],
    doing: str,
    *,
    config: dict[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> Answer:
    repository, git = remote.repository, remote.git
    # A relative URL counts from the top of the working tree, as it does for the user's own git.
    where = repository.top or repository.git_dir
    if remote.tell is None:
        return git.run(
            args,
            doing=doing,
            git_dir=repository.git_dir,
            cwd=where,
            config=config,
            accept=accept,
            as_user=True,
        )
    return git.watch(
        [args[0], "--progress", *args[1:]],
        doing=doing,
        tell=remote.tell,
        git_dir=repository.git_dir,
        cwd=where,
        config=config,
        accept=accept,
    )


def _packs(folder: Path) -> frozenset[Path]:
    return frozenset(path.with_suffix("") for path in folder.glob("pack-*.idx"))


def _adopt(folder: Path, before: frozenset[Path], oid: Oid, storage: Storage) -> None:
    """Make the pack that a fetch left gitmem's own: git removes its `.keep` when it has moved the ref.

    A pack that a promisor left is not touched: it says that what it lacks can be had from there.
    """
    for path in _packs(folder) - before:
        is_claimed = path.with_suffix(".keep").exists() or path.with_suffix(".promisor").exists()
        if not is_claimed and holds_object(path, oid, storage.hash_name):
            keep_pack(path)


def _fill(remote: Remote, local: Oid | None, fetched: Oid) -> None:
    """Bring at once what a partial clone left out of what is new; git would go for each blob by itself."""
    repository, git = remote.repository, remote.git
    range_ = [fetched, *([f"^{local}"] if local else [])]
    answer = git.run(
        ["rev-list", "--objects", "--missing=print", *range_],
        doing="find what a partial clone left out",
        git_dir=repository.git_dir,
    )
    missing = [line[1:] for line in answer.stdout.splitlines(keepends=True) if line.startswith(b"?")]
    if missing:
        try:
            git.run(
                [*_FETCH, "--stdin", "--end-of-options", remote.name],
                doing=f"fetch what a partial clone left out from {remote.name}",
                git_dir=repository.git_dir,
                cwd=repository.top or repository.git_dir,
                stdin=b"".join(missing),
                # They are known by name: nothing is to be negotiated, as in git's own lazy fetch.
                config={**_FETCH_CONFIG, "fetch.negotiationAlgorithm": "noop"},
                as_user=True,
            )
        except GitFailed as error:
            raise FetchRefused(remote.name, _last_words(error.stderr)) from error


def _last_words(said: str) -> str:
    """Return the end of what git said, without progress and hints."""
    lines = [line.strip() for line in said.splitlines()]
    return "; ".join([line for line in lines if line and not line.startswith("hint:")][-_LAST_LINES:])


def list_remote(remote: Remote, patterns: Sequence[str]) -> dict[str, Oid]:
    """Return what refs of a remote point at, by name: those that `git ls-remote` finds by patterns.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
    """
    lines = _list(remote, ["--refs", "--end-of-options", remote.name, *patterns])
    pairs = (line.partition("\t") for line in lines)
    return {name: Oid(oid) for oid, _, name in pairs}
