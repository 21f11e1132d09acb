"""Capturing what has grown before checkpoints speak of it: what scans find, and what agents name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gitmem.checkpoints.means import Means, Occasion
from gitmem.git.settings import load
from gitmem.git.worktrees import working_trees
from gitmem.model.errors.arguments import BadSetting, SettingRefused
from gitmem.transcripts.detect import Identity
from gitmem.verbs.belonging import Belonging
from gitmem.verbs.intake import Source
from gitmem.verbs.scanning import Found, scan
from gitmem.verbs.setback import is_set_back, note_tip
from gitmem.verbs.sources import read_position


def capture(means: Means, occasions: Sequence[Occasion]) -> tuple[Found, ...]:
    """Take in what has grown of the sessions of the repository, and of those of working trees that are gone.

    Returns:
        The transcripts that are there of sessions of these working trees.

    Raises:
        StoreError: The memory cannot be read or written.
        StoreBusy: Another import goes on.
    """
    state_dir = means.repository.state_dir
    tops = dict.fromkeys(working_trees(means.repository))
    tops |= dict.fromkeys(o.worktree.repository.top for o in occasions if o.worktree.repository.top)
    kept = tuple(top for top in tops if _has_level(means, top))
    anew = means.is_new or is_set_back(state_dir, means.storage, means.ref)
    scanned = scan(state_dir, kept, means.home, means.environ, means.now_ns(), anew=anew)
    grown = list(scanned.grown)
    ours = [one for one in occasions if one.worktree.repository.top in kept]
    named = _named(ours, scanned.ours)
    refused: set[Path] = set()
    if grown or named:
        report = means.take_in([*grown, *(source for source, _ in named)])
        refused = {one.path for one in report.refused}
    scanned.settle(refused)
    if grown or named or anew:
        note_tip(state_dir, means.storage, means.ref)
    extra = [found for source, found in named if read_position(state_dir, source.path) is not None]
    return (*scanned.ours, *extra)


def _has_level(means: Means, top: Path | None) -> bool:
    """Whether the settings of a working tree can be used, and its sessions get their level by themselves."""
    try:
        return load(means.repository._replace(top=top), means.environ).level != "public"
    except (BadSetting, SettingRefused):
        return False


def _named(occasions: Iterable[Occasion], ours: Sequence[Found]) -> list[tuple[Source, Found]]:
    """Return the transcripts that agents named and no folder of theirs has.

    Whose they are, their content says when they are taken in.
    """
    named: dict[Path, tuple[Source, Found]] = {}
    naming = [occasion for occasion in occasions if occasion.event.transcript]
    known = {one.path for one in ours} if naming else set()
    for occasion in naming:
        path, top, agent = occasion.event.transcript, occasion.worktree.repository.top, occasion.event.agent
        if path is None or top is None or agent is None or path in known:
            continue
        try:
            status = path.lstat()
        except OSError:
            continue
        if not path.is_symlink() and path.is_file():
            belonging = Belonging([top])

            def accepts(identity: Identity, belonging: Belonging = belonging) -> bool:
                return belonging.top_of(identity.began_in) is not None

            found = Found(str(path), agent, top, status.st_size, status.st_mtime_ns)
            named[path] = Source(path, agent, accepts), found
    return list(named.values())
