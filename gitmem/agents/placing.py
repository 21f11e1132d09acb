"""Writing gitmem's entries into agents' files, and taking them back. docs/enable.md tells of each.

All files are read and worked out before the first is written, so that one that cannot be read changes none.
What was there is kept, and noted, before it is written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from gitmem import disk
from gitmem.agents import contents, excluding, ledger, settling, standing
from gitmem.agents.ledger import Written
from gitmem.agents.targets import AGENTS, Target, Where, targets
from gitmem.git.process import Git
from gitmem.model.errors.enabling import ConfigRefused, ConfigUnreadable

What = Literal["written", "unchanged", "left", "removed", "restored", "none"]
_WAIT_S: Final = 10
_STALE_S: Final = 10
"""How old Claude Code's lock may be (proper-lockfile's own limit) before it is nobody's."""


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
    with _locked(state_dir, wanted):
        tracked = standing.tracked_by_git(_paths(wanted), where, git)
        _clean(where, state_dir)

        def look_at(target: Target) -> Outcome:
            path = standing.real(target.path, where, tracked)
            before = standing.read(path)
            was = _without_former(target, path, before, state_dir)
            content = _wanted(target, path, was, _whole(target, texts))
            if content.content == before or path in plans:
                return Outcome(target.path, "left" if content.left else "unchanged", content.left)
            if where.scope == "local" and str(target.path) in tracked:
                if before is not None and _has_entries(target, path, before):
                    return Outcome(target.path, "unchanged")  # somebody enabled the agent for the project
                if before is not None:
                    _take_out(target, path, None, state_dir)  # a pull has put another in the place of ours
                return Outcome(target.path, "left", "git tracks it, and this would be for one clone alone")
            standing.check_writable(path, before)
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
    with _locked(state_dir, unwanted):
        tracked = standing.tracked_by_git(_paths(unwanted), where, git)
        _clean(where, state_dir)
        notes = ledger.read(state_dir).files

        def look_at(target: Target) -> Outcome | Path:
            path = standing.real(target.path, where, tracked)
            before = standing.read(path)
            if path in todo:
                return Outcome(target.path, "none")
            was = _without_former(target, path, before, state_dir)
            if before is None or (was == before and not _has_entries(target, path, before)):
                if str(path) in notes:  # of a process that was killed, or somebody took them out
                    todo[path] = target, None
                return Outcome(target.path, "none")
            if target.path in shared:
                return Outcome(target.path, "left", f"{shared[target.path]} reads it too")
            standing.check_writable(path, before)
            todo[path] = target, before
            return path

        found = {agent: [look_at(target) for target in each] for agent, each in unwanted.items()}
        done = {path: _take_out(target, path, before, state_dir) for path, (target, before) in todo.items()}
        made = {folder for path in todo if str(path) in notes for folder in notes[str(path)].folders}
        for folder in sorted(made, key=len, reverse=True):
            disk.remove_empty_folder(Path(folder))
        _hand_on(made, state_dir)
        excluding.renew(ledger.read(state_dir).files, where, git)
    return {
        agent: [done[one] if isinstance(one, Path) else one for one in each] for agent, each in found.items()
    }


def _hand_on(folders: Iterable[str], state_dir: Path) -> None:
    """Have folders that were made, and that others of our files are still in, go with the last of these."""
    book = ledger.read(state_dir)
    files = dict(book.files)
    for folder in sorted(folders):
        heir = next((name for name in sorted(files) if Path(name).is_relative_to(folder)), None)
        if heir is not None and folder not in files[heir].folders:
            files[heir] = msgspec.structs.replace(files[heir], folders=(*files[heir].folders, folder))
    if files != book.files:
        ledger.write(state_dir, msgspec.structs.replace(book, files=files))


def condition(
    target: Target, texts: Texts, where: Where
) -> Literal["none", "current", "other", "unreadable"]:
    """Tell how the entries of a scope stand in a file: as this version writes them, or otherwise."""
    try:
        content = standing.read(target.path)
        if content is None or not contents.has_entries(target, content):
            return "none"
        is_current = contents.is_current(target, content, _whole(target, texts))
    except (ConfigUnreadable, ConfigRefused):
        return "unreadable"
    if is_current:
        return "current"
    # One file may be a clone's own or the project's, whose entries name no folder of a machine.
    is_other_scope = where.scope != "user" and (b"gitmem-hook agent " in content) != (
        where.scope == "project"
    )
    return "none" if is_other_scope and target.purpose == "hooks" else "other"


@contextmanager
def _locked(state_dir: Path, written: Mapping[str, Sequence[Target]]) -> Iterator[None]:
    """Be the one who writes; where nothing has been written, nothing is left of that.

    What an agent writes all the time is locked as it locks it itself, which parts us from other clones' too.
    """
    disk.make_private_folder(ledger.folder_of(state_dir))
    busy = {target.path.resolve() for each in written.values() for target in each if target.is_busy}
    with ExitStack() as stack:
        stack.enter_context(disk.locked(ledger.folder_of(state_dir) / "lock", _WAIT_S))
        for path in sorted(busy):
            if path.parent.is_dir():
                stack.enter_context(disk.locked_by_folder(path.with_name(f"{path.name}.lock"), _STALE_S))
        yield
        if not ledger.read(state_dir).files:
            ledger.write(state_dir, ledger.Ledger())


def _clean(where: Where, state_dir: Path) -> None:
    """Have the ledger follow working trees that were moved, and forget those that are gone.

    Files that another version wrote, and this one would not, lose what is ours.
    """
    if where.top is None:
        return
    book = ledger.read(state_dir)
    held, gone = settling.settle(book.files, where.tops)
    for note in gone.values():
        if note.backup is not None:
            ledger.drop(state_dir, note.backup)
    if held != book.files:
        ledger.write(state_dir, msgspec.structs.replace(book, files=held))
    scopes = where._replace(scope="local"), where._replace(scope="project")
    known = {
        str(target.path.resolve()) for each in scopes for agent in AGENTS for target in targets(agent, each)
    }
    top = where.top.resolve()
    for name, note in held.items():
        if note.top is None or Path(note.top).resolve() != top or name in known or note.is_busy:
            continue
        path, old = Path(name), Target("hooks", Path(name))
        with suppress(ConfigUnreadable, ConfigRefused):  # somebody has made another thing of it
            before = standing.read(path)
            is_ours = before is not None and contents.has_entries(old, before)
            _take_out(old, path, before if is_ours else None, state_dir)


def _whole(target: Target, texts: Texts) -> bytes:
    return texts.plugin if target.whole == "plugin" else texts.skill


def _paths(written: Mapping[str, Sequence[Target]]) -> list[Path]:
    return [target.path for each in written.values() for target in each]


def _without_former(target: Target, path: Path, before: bytes | None, state_dir: Path) -> bytes | None:
    """Return a busy file without the entry of a folder that the clone has been moved away from."""
    note = ledger.read(state_dir).files.get(str(path))
    former = settling.former(target, note)
    if before is None or note is None or former is None:
        return before
    try:
        return contents.stripped_of_entries(former, before, note.made)
    except ConfigUnreadable as error:
        raise error.at(str(path)) from None


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
    if target.is_busy:
        new = old or Written(
            "", folders=tuple(map(str, standing.missing_folders(path))), was_there=before is not None
        )
        new = msgspec.structs.replace(new, top=str(where.known_as) if where.known_as else None)
    elif old is not None and is_as_left:
        new = msgspec.structs.replace(old, after=ledger.digest(wanted.content))
    else:
        made = old.made if old else None
        bare = contents.without_entries(target, before, made) if before is not None else None
        was_ours = before is not None and bare is None and contents.has_entries(target, before)
        base = before if bare is None and not was_ours else bare
        new = Written(
            after=ledger.digest(wanted.content),
            backup=ledger.keep(state_dir, path, base) if base is not None else None,
            folders=tuple(map(str, standing.missing_folders(path))),
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
    _put(path, before, wanted.content, is_private=target.is_busy)


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
    former = settling.former(target, note)
    is_as_left = note is not None and ledger.digest(before) == note.after
    backup = ledger.kept(state_dir, note.backup) if note is not None and note.backup is not None else None
    if note is not None and is_as_left and (note.backup is None or backup is not None):
        after, what = backup, "removed" if backup is None else "restored"
    else:
        made = note.made if note is not None else None
        was = before if former is None else contents.stripped_of_entries(former, before, made)
        after = contents.without_entries(target, was, made)
        if after is None and backup is not None:
            after = backup  # nothing is left but what was there before
        elif after is None and target.is_busy and (note is None or note.was_there):
            after = contents.stripped_of_entries(target, was, made)
        what = "removed" if after is None else "restored"
        if after == before:
            what, why = "left", "somebody has changed it"
    if after is None:
        disk.remove_file(path)
    elif after != before:
        _put(path, before, after)
    return Outcome(target.path, what, why)


def _put(path: Path, before: bytes | None, content: bytes, *, is_private: bool = False) -> None:
    if standing.read(path) != before:
        raise ConfigRefused(
            str(path),
            "another program has changed it meanwhile",
            "run the same command again: nothing was lost",
        )
    if before is None:
        disk.replace_file(path, content, mode=0o600 if is_private else 0o666)
    else:
        disk.rewrite_file(path, content)
