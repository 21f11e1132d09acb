"""Fetching: the tracking refs come to where a remote's refs are, all of them over one connection.

What git took in becomes a pack of gitmem's own, so that the user's `git gc --auto` never starts because of
it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.git.lean import ROOTS, SMALL, days_kept, filter_config, whole_config
from gitmem.git.packs import holds_object, keep_pack
from gitmem.git.storage import pack_folder
from gitmem.git.transport import Remote, ask, last_words, run
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.sharing import FetchRefused
from gitmem.model.ids import Oid
from gitmem.model.refs import fetch_refspec, tracking_ref
from gitmem.objects.storage import Storage

_FETCH_TRIES: Final = 3
_FETCH_CONFIG: Final = {
    # Objects of a stranger are looked at by git itself before they are stored.
    "fetch.fsckObjects": "true",
    "fetch.unpackLimit": "1",
}
_FETCH: Final = (
    "fetch",
    "--keep",
    "--no-auto-maintenance",
    "--no-prune-tags",
    "--no-recurse-submodules",
    "--no-show-forced-updates",
    "--no-tags",
    "--no-write-commit-graph",
    "--no-write-fetch-head",
    "--refmap=",
)


class Fetched(NamedTuple):
    """Where a remote's refs are, None for one that it has not; and which namespaces git would not take."""

    tips: Mapping[str, Oid | None]
    refused: Mapping[str, FetchRefused]


def fetch(remote: Remote, storage: Storage, refs: Sequence[str], below: Sequence[str] = ()) -> Fetched:
    """Bring the tracking refs to where a remote's refs are, with all that they need.

    `below` are namespaces, with their last slash: tracking refs of what is below them there no more are
    removed. One that git will not take is told of, and keeps nothing else from coming in.

    From a lean remote the refs come without most of the blobs, and the first time without most trees too:
    gitmem.sharing.lean decides which of them follow. What is below a namespace comes whole.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
        FetchRefused: git would not take the objects of a ref, or could not store them.
    """
    folder = pack_folder(remote.repository)
    wanted = list(refs)
    if wanted and below and days_kept(remote) is not None:
        # Two gits at once must not both ask somebody for a password.
        apart = _fetch_apart if remote.silence_s is None else _fetch_beside
        return apart(remote, storage, wanted, below)
    tries = 0
    while wanted or below:
        before, packs = _tracked(remote, storage, wanted, below), _packs(folder)
        try:
            _run(remote, storage, wanted, below)
        except GitFailed as error:
            there = _ask(remote, wanted)
            if len(there) < len(wanted):
                wanted = list(there)
                continue
            if below and (wanted or len(below) > 1):
                fetched = _fetch_apart(remote, storage, wanted, below)
                return Fetched({**dict.fromkeys(refs), **fetched.tips}, fetched.refused)
            now = _tracked(remote, storage, wanted, below)
            tries += 1
            # Another fetch of the same ref; or it was pushed to in that moment, in which a folder that is
            # listed while a file in it is renamed may not show that.
            is_busy = now != before or any(word in error.stderr for word in (".lock", "find remote ref"))
            is_there = not below and now == {tracking_ref(remote.name, ref): there[ref] for ref in there}
            if not is_there and (not is_busy or tries == _FETCH_TRIES):
                raise FetchRefused(remote.name, last_words(error.stderr)) from error
            if not is_there:
                continue
        found = _tracked(remote, storage, wanted, below)
        _adopt(folder, packs, {oid for ref, oid in found.items() if before.get(ref) != oid}, storage)
        break
    tips = {ref: storage.read_ref(tracking_ref(remote.name, ref)) if ref in wanted else None for ref in refs}
    if remote.repository.is_partial:
        for ref, tip in tips.items():
            if tip is not None:
                _fill(remote, storage.read_ref(ref), tip)
    return Fetched(tips, {})


def _fetch_beside(remote: Remote, storage: Storage, refs: Sequence[str], below: Sequence[str]) -> Fetched:
    """Fetch the refs and the namespaces at once, over a connection each: only of the refs something stays."""
    folder, errors = pack_folder(remote.repository), list[GitmemError]()
    packs, before = _packs(folder), _tracked(remote, storage, (), below)

    def bring() -> None:
        try:
            _run(remote._replace(tell=None), storage, (), below)
        except GitmemError as error:
            errors.append(error)

    beside = threading.Thread(target=bring)
    beside.start()
    try:
        tips = fetch(remote, storage, refs).tips
    finally:
        beside.join()
    if errors:
        return Fetched(tips, _fetch_below(remote, storage, below))
    found = _tracked(remote, storage, (), below)
    _adopt(folder, packs, {oid for ref, oid in found.items() if before.get(ref) != oid}, storage)
    return Fetched(tips, {})


def _fetch_apart(remote: Remote, storage: Storage, refs: Sequence[str], below: Sequence[str]) -> Fetched:
    """Fetch the refs by themselves, and then each namespace."""
    return Fetched(fetch(remote, storage, refs).tips, _fetch_below(remote, storage, below))


def _fetch_below(remote: Remote, storage: Storage, below: Sequence[str]) -> Mapping[str, FetchRefused]:
    """Fetch each namespace by itself; return those of which git took nothing."""
    refused: dict[str, FetchRefused] = {}
    for namespace in below:
        try:
            fetch(remote, storage, (), (namespace,))
        except FetchRefused as error:
            refused[namespace] = error
    return refused


def fetch_whole(remote: Remote, storage: Storage, refs: Sequence[str]) -> None:
    """Fetch the histories of refs again, with all that was left out of them; nothing is promised after it.

    Raises:
        FetchRefused: git would not take them, or does not know how to.
    """
    folder = pack_folder(remote.repository)
    packs = _packs(folder)
    refspecs = [fetch_refspec(remote.name, ref) for ref in refs]
    try:
        run(
            remote,
            [*_FETCH, "--refetch", "--no-filter", "--no-prune", "--end-of-options", remote.name, *refspecs],
            f"fetch all from {remote.name}",
            config={**_FETCH_CONFIG, **whole_config(remote)},
        )
    except GitFailed as error:
        raise FetchRefused(remote.name, last_words(error.stderr)) from error
    _adopt(folder, packs, set(_tracked(remote, storage, refs, ()).values()), storage)


def adopt_whole(remote: Remote, storage: Storage, oid: Oid) -> None:
    """Make the packs that hold an object gitmem's own, although a remote that was to promise the rest sent
    them: it left nothing out."""
    for path in _packs(pack_folder(remote.repository)):
        mark = path.with_suffix(".promisor")
        if mark.exists() and holds_object(path, oid, storage.hash_name):
            keep_pack(path)
            disk.remove_file(mark)


def _run(remote: Remote, storage: Storage, refs: Sequence[str], below: Sequence[str]) -> None:
    refspecs = [fetch_refspec(remote.name, ref) for ref in (*refs, *below)]
    prune = "--prune" if below else "--no-prune"
    filter_, config = "--no-filter", dict(_FETCH_CONFIG)
    if days_kept(remote) is not None:
        if refs:
            filter_ = SMALL if _tracked(remote, storage, refs, ()) else ROOTS
            config |= filter_config(remote)
        else:
            config |= whole_config(remote)
    run(
        remote,
        [*_FETCH, filter_, prune, "--end-of-options", remote.name, *refspecs],
        f"fetch from {remote.name}",
        config=config,
    )


def _tracked(remote: Remote, storage: Storage, refs: Iterable[str], below: Iterable[str]) -> dict[str, Oid]:
    """Return the tracking refs that there are."""
    found = {}
    for ref in refs:
        tracking = tracking_ref(remote.name, ref)
        oid = storage.read_ref(tracking)
        if oid is not None:
            found[tracking] = oid
    for namespace in below:
        found |= storage.list_refs(tracking_ref(remote.name, namespace))
    return found


def _ask(remote: Remote, refs: Sequence[str]) -> dict[str, Oid]:
    """Ask a remote for some of its refs, which also shows whether it answers at all."""
    found = {}
    for line in ask(remote, ["--end-of-options", remote.name, *(refs or ["HEAD"])]):
        oid, _, name = line.partition("\t")
        if name in refs:
            found[name] = Oid(oid)
    return found


def _packs(folder: Path) -> frozenset[Path]:
    return frozenset(path.with_suffix("") for path in folder.glob("pack-*.idx"))


def _adopt(folder: Path, before: frozenset[Path], oids: set[Oid], storage: Storage) -> None:
    """Make the packs that a fetch left gitmem's own: git removes its `.keep` when it has moved the refs.

    A pack that a promisor left is not touched: it says that what it lacks can be had from there.
    """
    for path in _packs(folder) - before if oids else ():
        is_claimed = path.with_suffix(".keep").exists() or path.with_suffix(".promisor").exists()
        if not is_claimed and any(holds_object(path, oid, storage.hash_name) for oid in oids):
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
            run(
                remote,
                [*_FETCH, "--no-filter", "--no-prune", "--stdin", "--end-of-options", remote.name],
                f"fetch what a partial clone left out from {remote.name}",
                # They are known by name: nothing is to be negotiated, as in git's own lazy fetch.
                config={**_FETCH_CONFIG, "fetch.negotiationAlgorithm": "noop"},
                stdin=b"".join(missing),
            )
        except GitFailed as error:
            raise FetchRefused(remote.name, last_words(error.stderr)) from error
