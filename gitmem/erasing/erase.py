"""Erasing: what only replaced histories of a memory reach leaves a repository, and nothing else does.

What is to go is a difference of two walks: what the old histories reach, without what anything that counts
reaches now. It is noted before the first removal and forgotten after the last, so that a run that was killed
is finished by the next. git's readers never notice: a new pack is there before the old one goes, and git's
own housekeeping is kept away. What the user's refs, reflogs and index lead to stays, and is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.erasing.commit_graph import drop_commits
from gitmem.erasing.housekeeping import housekeeping_kept_away
from gitmem.erasing.notes import Noted, forget_note, note, read_note
from gitmem.erasing.reaching import Roots, find_roots, names_holding, walk
from gitmem.erasing.reflogs import cut_reflogs, read_reflogs
from gitmem.erasing.repacking import group_packs, list_packs, read_names, tidy_room, write_without
from gitmem.erasing.traces import drop_fetched, list_packs_anew
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.storage import pack_folder
from gitmem.model.ids import Oid

Tell = Callable[[str, int, int], object]
"""Takes what is being done, how much of it is done, and of how much."""

_MOST_PASSES: Final = 8
_HOUSEKEEPING_WAIT_S: Final = 30.0
_ASKED_AT_ONCE: Final = 50_000
_TOLD_EVERY: Final = 1_000


class Amount(NamedTuple):
    """How many objects went from somewhere, and how many bytes fewer are there."""

    objects: int = 0
    size_bytes: int = 0

    def plus(self, objects: int, size_bytes: int) -> Amount:
        """Return the amount with some more."""
        return Amount(self.objects + objects, self.size_bytes + size_bytes)


class Erased(NamedTuple):
    """What went from where, and what did not.

    An object that was in two places is counted in both, and once in `objects`. `held_by` are the names of
    what leads to the old histories still: refs, `HEAD of <path>`, `reflog of <ref>`, files of git's own;
    `held` counts objects of theirs that the memory has no more, files with the same bytes as the user's
    among them. `elsewhere` are objects of other repositories that this one borrows from, at `borrowed_from`.
    `in_use` counts what somebody wrote again meanwhile: it is still noted, and goes with the next run.
    """

    objects: int = 0
    loose: Amount = Amount()
    own_packs: Amount = Amount()
    users_packs: Amount = Amount()
    reflog_entries: int = 0
    fetched_lines: int = 0
    held: int = 0
    held_by: tuple[str, ...] = ()
    elsewhere: int = 0
    borrowed_from: tuple[Path, ...] = ()
    in_use: int = 0


def erase(
    repository: Repository, git: Git, ref: str, old_tips: Iterable[Oid], tell: Tell | None = None
) -> Erased:
    """Remove what only some replaced histories of the memory at `ref` reach; under the storage's lock.

    The refs have been moved away from them before. What gitmem's own reflogs name counts as replaced too.
    An erasure that was not finished is finished first. A storage that is open has to forget its packs then.

    Raises:
        HousekeepingUnderWay: git itself is at work on the packs, for longer than can be waited for.
        GitFailed: An object of the user's cannot be read, so that nobody knows what is theirs.
        ObjectDamaged: The index of a pack that is to be written anew is damaged.
        DiskRefused: The disk is full, or does not let it.
    """
    before = read_note(repository.state_dir)
    tips = tuple(dict.fromkeys((*before.tips, *old_tips)))
    note(repository.state_dir, Noted(tips, before.gone))
    with housekeeping_kept_away(repository, _HOUSEKEEPING_WAIT_S) as since_ns:
        erasing = _Erasing(repository, git, ref, tell or _tell_nobody, since_ns)
        if before.gone:
            erasing.finish(tips, before.gone)
        return erasing.run(tips)


def resume(repository: Repository, git: Git, ref: str, tell: Tell | None = None) -> Erased:
    """Finish what was begun or announced, if anything was; as `erase` does, under the storage's lock."""
    return erase(repository, git, ref, (), tell) if pending(repository.state_dir) else Erased()


def announce(state_dir: Path, old_tips: Iterable[Oid]) -> None:
    """Note histories that are about to be replaced: `resume` erases them if nobody comes to call `erase`."""
    before = read_note(state_dir)
    note(state_dir, Noted(tuple(dict.fromkeys((*before.tips, *old_tips))), before.gone))


def pending(state_dir: Path) -> bool:
    """Whether an erasure was announced or begun, and not finished."""
    noted = read_note(state_dir)
    return bool(noted.tips or noted.gone)


def still_here(repository: Repository, git: Git, oids: Sequence[Oid]) -> set[Oid]:
    """Return which objects the repository has, or borrows; nothing is fetched for it."""
    if repository.lacks_promised:  # a git before 2.45 would fetch what was promised
        wanted = set(map(_raw, oids))
        return {Oid(name.hex()) for name in _listed(repository) if name in wanted}
    here: set[Oid] = set()
    for at in range(0, len(oids), _ASKED_AT_ONCE):
        answer = git.run(
            ["cat-file", "--batch-check=%(objectname)", "--buffer"],
            doing="look for what was erased",
            git_dir=repository.common_dir,
            stdin="".join(f"{oid}\n" for oid in oids[at : at + _ASKED_AT_ONCE]).encode(),
        )
        here.update(Oid(line) for line in answer.text.splitlines() if not line.endswith(" missing"))
    return here


class _Erasing:
    """One run. `_gone` is what is still to go: it only ever becomes less."""

    def __init__(self, repository: Repository, git: Git, ref: str, tell: Tell, since_ns: int) -> None:
        self._repository, self._git, self._ref = repository, git, ref
        self._tell, self._since_ns = tell, since_ns
        self._gone: set[bytes] = set()
        self._known: frozenset[Oid] = frozenset()
        self._in_use: set[bytes] = set()
        self._done = Erased()

    def run(self, tips: tuple[Oid, ...]) -> Erased:
        """Erase what some tips alone reach, and what gitmem's own reflogs do; return all that was done."""
        tidy_room(self._repository)
        self._tell("finding what is to go", 0, 0)
        roots = find_roots(self._repository, self._git, self._ref)
        old = {*tips}.union(*roots.logged.values())
        self._find(roots, set(walk(self._repository, self._git, old)))
        holders = names_holding(self._repository, self._git, roots, tips, self._ref)
        self._done = self._done._replace(held_by=tuple(holders))
        self._remove_all(roots, tips)
        return self._done

    def finish(self, tips: tuple[Oid, ...], gone: Iterable[bytes]) -> None:
        """Remove what an earlier run noted: the histories themselves can be walked no more."""
        tidy_room(self._repository)
        roots = find_roots(self._repository, self._git, self._ref)
        self._find(roots, set(gone))
        self._remove_all(roots, tips)

    def _remove_all(self, roots: Roots, tips: tuple[Oid, ...]) -> None:
        noted = frozenset(self._gone)
        if noted:
            note(self._repository.state_dir, Noted(tips, noted))
            self._cut_reflogs(roots)
            self._add(fetched_lines=drop_fetched(self._repository, noted))
            drop_commits(self._repository, self._git, noted)
            for _ in range(_MOST_PASSES):
                if not self._pass():
                    break
            list_packs_anew(self._repository, self._git)
        left = still_here(self._repository, self._git, [Oid(name.hex()) for name in sorted(noted)])
        remaining = {name for name in map(_raw, left) if name in self._gone}
        lenders = _alternates(self._repository)
        if lenders:
            self._add(elsewhere=len(remaining - self._in_use))
            self._done = self._done._replace(borrowed_from=lenders if remaining else ())
            remaining &= self._in_use
        if remaining:
            note(self._repository.state_dir, Noted((), frozenset(remaining)))
        else:
            forget_note(self._repository.state_dir)
        self._add(objects=len(noted) - len(left), held=len(noted) - len(self._gone))
        self._done = self._done._replace(in_use=len(remaining))

    def _add(self, **amounts: int) -> None:
        """Count more of something that is counted."""
        self._done = self._done._replace(
            **{name: getattr(self._done, name) + more for name, more in amounts.items()}
        )

    def _find(self, roots: Roots, gone: set[bytes]) -> None:
        """Leave what is to go: without what the memory still has, nor anything that is the user's."""
        if gone:
            own = frozenset[Oid]().union(*roots.own.values())
            gone.difference_update(walk(self._repository, self._git, own))
        without_own = len(gone)
        if gone:
            users = frozenset[Oid]().union(*roots.others.values())
            gone.difference_update(walk(self._repository, self._git, users, with_indexes=True))
        self._gone, self._known = gone, roots.kept
        self._add(held=without_own - len(gone))

    def _spare(self) -> None:
        """Take out of what is to go what has come to be reached since the last look."""
        now = find_roots(self._repository, self._git, self._ref).kept
        reached = walk(self._repository, self._git, now - self._known, without=self._known, with_indexes=True)
        self._gone.difference_update(reached)
        self._known |= now

    def _pass(self) -> bool:
        """Remove what there is, loose and in packs; return whether there was any."""
        has_removed = self._remove_loose()
        groups = group_packs(pack_folder(self._repository))
        for n, group in enumerate(groups):
            self._tell("writing packs without it", n, len(groups))
            done = write_without(self._repository, self._git, group, self._gone, self._spare)
            if done is not None:
                has_removed = True
                if done.is_own:
                    total = self._done.own_packs.plus(done.objects, done.size_bytes)
                    self._done = self._done._replace(own_packs=total)
                else:
                    total = self._done.users_packs.plus(done.objects, done.size_bytes)
                    self._done = self._done._replace(users_packs=total)
        return has_removed

    def _remove_loose(self) -> bool:
        found = [file for file in _loose(self._repository) if _name_of(file) in self._gone]
        if not found:
            return False
        self._spare()
        removed = size_bytes = 0
        for n, file in enumerate(found):
            if n % _TOLD_EVERY == 0:
                self._tell("removing single objects", n, len(found))
            name = _name_of(file)
            if name not in self._gone:
                continue
            try:
                status = file.stat()
            except FileNotFoundError:
                continue  # git packed it meanwhile
            if status.st_mtime_ns > self._since_ns:
                self._in_use.add(name)  # somebody has just written it, to refer to it in a moment
                continue
            disk.remove_file(file)
            removed, size_bytes = removed + 1, size_bytes + status.st_size
        self._done = self._done._replace(loose=self._done.loose.plus(removed, size_bytes))
        return removed > 0

    def _cut_reflogs(self, roots: Roots) -> None:
        """Shorten those of gitmem's own reflogs that name what goes."""
        stale = [
            name
            for name, oids in sorted(roots.logged.items())
            if name in roots.own and not self._gone.isdisjoint(map(bytes.fromhex, oids))
        ]
        before = _entries(self._repository, self._git, stale)
        cut_reflogs(self._repository, self._git, stale)
        self._add(reflog_entries=before - _entries(self._repository, self._git, stale))


def _listed(repository: Repository) -> Iterator[bytes]:
    """Yield the raw ids of all objects that are here, out of files and of packs' indexes."""
    yield from map(_name_of, _loose(repository))
    for path in list_packs(pack_folder(repository)):
        with suppress(FileNotFoundError):  # git wrote it anew meanwhile
            yield from read_names(path.with_suffix(".idx"), repository.hash_name)


def _loose(repository: Repository) -> Iterator[Path]:
    """Yield the files of single objects, and what else stands beside them."""
    for folder in sorted((repository.common_dir / "objects").glob("[0-9a-f][0-9a-f]")):
        with suppress(FileNotFoundError):  # git packed what was in it meanwhile
            yield from list(folder.iterdir())


def _name_of(file: Path) -> bytes:
    return _raw(file.parent.name + file.name)


def _entries(repository: Repository, git: Git, names: Sequence[str]) -> int:
    return sum(name in names for name, _ in read_reflogs(repository, git))


def _alternates(repository: Repository) -> tuple[Path, ...]:
    """Return the objects' folders that a repository borrows from, as its own file names them."""
    objects = repository.common_dir / "objects"
    try:
        lines = (objects / "info" / "alternates").read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(objects / line for line in lines if line and not line.startswith("#"))


def _raw(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError:
        return b""


def _tell_nobody(doing: str, done: int, total: int) -> None:
    pass
