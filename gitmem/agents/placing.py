"""Writing gitmem's entries into agents' files, and taking them back. docs/enable.md tells of each.

All files are read and worked out before the first is written, so that one that cannot be read changes none.
What was there is kept, and noted, before it is written over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from gitmem import disk
from gitmem.agents import contents, excluding, ledger
from gitmem.agents.ledger import Written
from gitmem.agents.merging import LetRun
from gitmem.agents.targets import Target, Where
from gitmem.git.process import Git
from gitmem.model.errors.enabling import ConfigRefused, ConfigUnreadable

What = Literal["written", "unchanged", "left", "removed", "restored", "none"]
_WAIT_S: Final = 10


class Outcome(NamedTuple):
    """What became of a file; `why` is said where it was left, wholly or in part."""

    path: Path
    what: What
    why: str = ""


class Texts(NamedTuple):
    """What the files that are gitmem's own are to hold."""

    skill: bytes
    plugin: bytes


class _Plan(NamedTuple):
    target: Target
    path: Path
    before: bytes | None
    wanted: contents.Wanted


def enable(
    wanted: Mapping[str, Sequence[Target]],
    where: Where,
    texts: Texts,
    state_dir: Path,
    git: Git,
    now_ns: int,
) -> dict[str, list[Outcome]]:
    """Write what is missing or old in agents' files; the second time nothing is changed.

    Raises:
        ConfigUnreadable: A file is not what its agent could read either; nothing was written.
        ConfigRefused: A file may not be written to, or leads out of the repository; nothing was written.
        DiskRefused: The disk does not let it.
        StoreBusy: Another gitmem is at it.
    """
    plans: dict[Path, _Plan] = {}
    with _locked(state_dir):
        tracked = _tracked([target for each in wanted.values() for target in each], where, git)
        wanted = {agent: _asking(each, where, tracked) for agent, each in wanted.items()}

        def look_at(target: Target) -> Outcome:
            path = _real(target.path, where, tracked)
            before = _read(path)
            content = _wanted(target, path, before, _whole(target, texts))
            if content.content == before or path in plans:
                return Outcome(target.path, "left" if content.left else "unchanged", content.left)
            if where.scope == "local" and str(target.path) in tracked:
                return Outcome(target.path, "left", "git tracks it, and this would be for one clone alone")
            _check_writable(path, before)
            plans[path] = _Plan(target, path, before, content)
            return Outcome(target.path, "written", content.left)

        outcomes = {agent: [look_at(target) for target in each] for agent, each in wanted.items()}
        for plan in plans.values():
            _write(plan, where, state_dir, now_ns)
        excluding.renew(ledger.read(state_dir).files, where, git)
    return outcomes


def disable(
    unwanted: Mapping[str, Sequence[Target]],
    where: Where,
    shared: Mapping[Path, str],
    state_dir: Path,
    git: Git,
) -> dict[str, list[Outcome]]:
    """Take gitmem's entries out of agents' files: each is what it was, or what others made of it since.

    `shared` names the files that another agent needs still, with who it is.

    Raises:
        ConfigUnreadable: A file is not what its agent could read either; nothing was written.
        ConfigRefused: A file may not be written to; nothing was written.
        DiskRefused: The disk does not let it.
        StoreBusy: Another gitmem is at it.
    """
    todo: dict[Path, tuple[Target, bytes | None]] = {}
    with _locked(state_dir):
        tracked = _tracked([target for each in unwanted.values() for target in each], where, git)
        notes = ledger.read(state_dir).files

        def look_at(target: Target) -> Outcome | Path:
            path = _real(target.path, where, tracked)
            before = _read(path)
            if path in todo:
                return Outcome(target.path, "none")
            if before is None or not _has_entries(target, path, before):
                if str(path) in notes:  # of a process that was killed, or somebody took them out
                    todo[path] = target, None
                return Outcome(target.path, "none")
            if target.path in shared:
                return Outcome(target.path, "left", f"{shared[target.path]} reads it too")
            _check_writable(path, before)
            todo[path] = target, before
            return path

        found = {agent: [look_at(target) for target in each] for agent, each in unwanted.items()}
        done = {path: _take_out(target, path, before, state_dir) for path, (target, before) in todo.items()}
        made = {folder for path in todo if str(path) in notes for folder in notes[str(path)].folders}
        for folder in sorted(made, key=len, reverse=True):
            disk.remove_empty_folder(Path(folder))
        excluding.renew(ledger.read(state_dir).files, where, git)
    return {
        agent: [done[one] if isinstance(one, Path) else one for one in each] for agent, each in found.items()
    }


def condition(
    target: Target, texts: Texts, where: Where
) -> Literal["none", "current", "other", "unreadable"]:
    """Tell how the entries of a scope stand in a file: as this version writes them, or otherwise."""
    try:
        content = _read(target.path)
        if content is None or not contents.has_entries(target, content):
            return "none"
        whole = _whole(target, texts)
        is_current = any(contents.is_current(one, content, whole) for one in (target, _not_let_run(target)))
    except (ConfigUnreadable, ConfigRefused):
        return "unreadable"
    if is_current:
        return "current"
    # One file may be a clone's own or the project's, whose entries name no folder of a machine.
    is_other_scope = where.scope != "user" and (b"gitmem-hook agent " in content) != (
        where.scope == "project"
    )
    return "none" if is_other_scope and target.purpose == "hooks" else "other"


def _asking(targets: Sequence[Target], where: Where, tracked: Mapping[str, bool]) -> Sequence[Target]:
    """Leave it to the user to let a server run that has our name and is another's: it may be any program."""
    for target in targets:
        if target.purpose == "server":
            path = _real(target.path, where, tracked)
            if str(target.path) in tracked or _wanted(target, path, _read(path), b"").left:
                return [_not_let_run(one) for one in targets]
    return targets


def _not_let_run(target: Target) -> Target:
    return target._replace(entries=tuple(one for one in target.entries if not isinstance(one, LetRun)))


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    """Be the one who writes; where nothing has been written, nothing is left of that."""
    disk.make_private_folder(ledger.folder_of(state_dir))
    with disk.locked(ledger.folder_of(state_dir) / "lock", _WAIT_S):
        yield
        if not ledger.read(state_dir).files:
            ledger.write(state_dir, ledger.Ledger())


def _whole(target: Target, texts: Texts) -> bytes:
    return texts.plugin if target.whole == "plugin" else texts.skill


def _wanted(target: Target, path: Path, before: bytes | None, whole: bytes) -> contents.Wanted:
    try:
        return contents.with_entries(target, before, whole)
    except ConfigUnreadable as error:
        raise error.at(str(path)) from None


def _has_entries(target: Target, path: Path, before: bytes) -> bool:
    try:
        return contents.has_entries(target, before)
    except ConfigUnreadable as error:
        raise error.at(str(path)) from None


def _write(plan: _Plan, where: Where, state_dir: Path, now_ns: int) -> None:
    """Keep what is there, note what comes, and put it in place."""
    target, path, before, wanted = plan
    book = ledger.read(state_dir)
    old = book.files.get(str(path))
    is_as_left = old is not None and before is not None and ledger.digest(before) == old.after
    if old is not None and is_as_left:
        new = msgspec.structs.replace(old, after=ledger.digest(wanted.content))
    else:
        made = old.made if old else None
        bare = contents.without_entries(target, before, made) if before is not None else None
        was_ours = before is not None and bare is None and contents.has_entries(target, before)
        base = before if bare is None and not was_ours else bare
        new = Written(
            after=ledger.digest(wanted.content),
            backup=ledger.keep(state_dir, path, base) if base is not None else None,
            folders=tuple(map(str, _missing_folders(path))),
            top=str(where.top) if where.scope == "local" else None,
        )
        if old is not None:
            new = msgspec.structs.replace(new, folders=old.folders or new.folders, made=old.made)
            if old.backup is not None and new.backup is None:
                ledger.drop(state_dir, old.backup)
    new = msgspec.structs.replace(new, made=tuple(dict.fromkeys((*new.made, *wanted.made))), at_ns=now_ns)
    if where.scope != "local":
        new = msgspec.structs.replace(new, top=None)
    ledger.write(state_dir, msgspec.structs.replace(book, files={**book.files, str(path): new}))
    _put(path, before, wanted.content)


def _take_out(target: Target, path: Path, before: bytes | None, state_dir: Path) -> Outcome:
    """Put back what was there, or take entries out of what is; None stands for a file that has none."""
    book = ledger.read(state_dir)
    note = book.files.get(str(path))
    outcome = (
        Outcome(target.path, "none") if before is None else _restore(target, path, before, note, state_dir)
    )
    if note is not None:
        files = {name: one for name, one in book.files.items() if name != str(path)}
        if note.backup is not None:
            ledger.drop(state_dir, note.backup)
        ledger.write(state_dir, msgspec.structs.replace(book, files=files))
    return outcome


def _restore(target: Target, path: Path, before: bytes, note: Written | None, state_dir: Path) -> Outcome:
    why = ""
    what: What
    is_as_left = note is not None and ledger.digest(before) == note.after
    backup = ledger.kept(state_dir, note.backup) if note is not None and note.backup is not None else None
    if note is not None and is_as_left and (note.backup is None or backup is not None):
        after, what = backup, "removed" if backup is None else "restored"
    else:
        after = contents.without_entries(target, before, note.made if note is not None else None)
        if after is None and backup is not None:
            after = backup  # nothing is left but what was there before
        what = "removed" if after is None else "restored"
        if after == before:
            what, why = "left", "somebody has changed it"
    if after is None:
        disk.remove_file(path)
    elif after != before:
        _put(path, before, after)
    return Outcome(target.path, what, why)


def _put(path: Path, before: bytes | None, content: bytes) -> None:
    if _read(path) != before:
        raise ConfigRefused(
            str(path),
            "another program has changed it meanwhile",
            "run the same command again: nothing was lost",
        )
    if before is None:
        disk.replace_file(path, content)
    else:
        disk.rewrite_file(path, content)


def _read(path: Path) -> bytes | None:
    """Return what a file holds, None where there is none."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigRefused(str(path), "it is no file", f"ls -ld {path}: shows what it is")
        if status.st_size > contents.MAX_BYTES:
            why = f"it has {status.st_size:,} bytes, more than {contents.MAX_BYTES:,}"
            raise ConfigRefused(str(path), why, f"ls -l {path}: shows it; no agent writes so much")
        with path.open("rb") as file:
            return file.read(contents.MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigRefused(str(path), why, f"ls -ld {path}: shows what stands there") from error


def _check_writable(path: Path, before: bytes | None) -> None:
    """Refuse a file or a folder that its owner has made read-only, though a rename could get around it."""
    at = path
    while not os.path.lexists(at):
        at = at.parent
    for one in {at, path.parent if before is not None else at}:
        if not os.access(one, os.W_OK) or not one.stat().st_mode & 0o222:
            raise ConfigRefused(str(path), f"{one} is read-only", f"chmod u+w {one}: lets it be written to")


def _real(path: Path, where: Where, tracked: Mapping[str, bool]) -> Path:
    """Return the file that a path leads to: a link stays one, and what it names is written.

    Raises:
        ConfigRefused: A link that git tracks, so that came with the repository, leads out of it.
    """
    if where.top is None:
        return path.resolve()
    top = where.top.resolve()
    real = path.resolve()
    if real.is_relative_to(top):
        return real
    for part in (path, *path.parents):
        if tracked.get(str(part)):
            why = f"{part} is a link that came with the repository and leads to {real}, outside of it"
            raise ConfigRefused(
                str(path), why, f"ls -l {part}: shows it; git rm --cached {part}: makes it your own"
            )
    return real


def _tracked(targets: Iterable[Target], where: Where, git: Git) -> dict[str, bool]:
    """Return which of the files, and of the folders above them, git tracks, and whether as a link."""
    if where.top is None:
        return {}
    top = where.top
    names = {target.path for target in targets}
    names |= {parent for path in names for parent in path.parents if parent != top and top in parent.parents}
    relative = sorted(os.path.relpath(path, top) for path in names)
    answer = git.run(
        ["--literal-pathspecs", "ls-files", "-s", "-z", "--", *relative],
        doing=f"find out what git tracks in {top}",
        cwd=top,
    )
    found: dict[str, bool] = {}
    for line in os.fsdecode(answer.stdout).split("\0")[:-1]:
        mode, _, rest = line.partition(" ")
        found[str(top / rest.partition("\t")[2])] = mode == "120000"
    return found


def _missing_folders(path: Path) -> list[Path]:
    """Return the folders that have to be made for a file, outermost first."""
    missing = [folder for folder in path.parents if not folder.exists()]
    return missing[::-1]
