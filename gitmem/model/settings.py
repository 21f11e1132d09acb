"""What a user can choose, as values that have been checked; where they come from, gitmem.git says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from gitmem.model.refs import DEFAULT_MEMORY_REF, PRIVATE_REF, PUBLIC_REF

Level = Literal["public", "team", "private", "ephemeral"]
"""What may be kept of a session and who may get it; each is seen by fewer than the one before it."""
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

Audited = Literal["all", "changes", "nothing"]
"""What the audit keeps: all; all but who read what; nothing more."""


Signed = Literal["nothing", "team", "all"]
"""Which memories are signed as they are sent: none; the team's; the public one too, whose signature says who
signed it."""


class LevelRule(NamedTuple):
    """A level for the sessions of an agent, or for those that began in a folder or below it.

    A folder is one of the repository's, or absolute, or begins with `~`. What comes with the repository
    (`is_committed`) can only lower a level.
    """

    kind: Literal["agent", "path"]
    name: str
    level: Level
    is_committed: bool = False


PersonalChoice = Literal["email", "phone", "ip", "home"]
"""Personal data that a team may do without; what is more sensitive than this is never kept."""
PERSONAL_CHOICES: Final[tuple[PersonalChoice, ...]] = get_args(PersonalChoice)


class ChosenRemote(NamedTuple):
    """A remote that somebody has chosen to share with, and the levels that it gets."""

    name: str
    levels: frozenset[Level]


class Settings(NamedTuple):
    """All settings of one repository.

    `level` is what a session gets that nobody has given one, and no rule of `level_rules` either. An
    erasure can be taken back for `grace_days`; sessions that nothing was added to for `retention_days` are
    erased, with None they stay. `remotes` are in the order of their names. `workers` is
    how many processes an import may use, None for as many as there are cores. `model_dir` is None for the
    user's own place for embedding models. A `sidecar` is asked and started, and ends after
    `sidecar_idle_minutes` that nobody asks it; a search waits `catch_up_ms` for an index that is behind.
    With `carry` the memory goes along with the user's own pushes and pulls. With `live` the sidecar captures
    what agents write as they write it. Snapshots of the working tree are kept for `snapshot_days`, and with
    0 none are taken. What is private is sealed to `recipients`, public
    keys, and opened with `identities`, files of secret keys; with none, a key of gitmem's own is used.
    `audit` says what the audit keeps. A git that talks to a remote and says nothing for `timeout_s`
    is ended; 0 lets it be. `signed` says what is signed as it is sent, and with `require_signed` nothing of
    it is sent without. Where `erasers` are named, by principals or fingerprints of keys, only what they sign
    erases. `trust` and `distrust` are addresses of people, or patterns of these.
    With `recurse_submodules`, commands that read see a superproject and all of its submodules.
    """

    memory_ref: str = DEFAULT_MEMORY_REF
    level: Level = "team"
    level_rules: tuple[LevelRule, ...] = ()
    grace_days: int = 30
    retention_days: int | None = None
    workers: int | None = None
    model_dir: Path | None = None
    remotes: tuple[ChosenRemote, ...] = ()
    sidecar: bool = True
    sidecar_idle_minutes: int = 30
    catch_up_ms: int = 200
    live: bool = True
    carry: bool = True
    snapshot_days: int = 30
    recipients: tuple[str, ...] = ()
    identities: tuple[Path, ...] = ()
    audit: Audited = "all"
    personal: frozenset[PersonalChoice] = frozenset()
    payloads: bool = False
    recurse_submodules: bool = True
    timeout_s: int = 120
    signed: Signed = "nothing"
    require_signed: bool = False
    erasers: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    distrust: tuple[str, ...] = ()


def level_at(ref: str) -> Level:
    """Return the level of the memory at a ref."""
    if ref == PUBLIC_REF:
        return "public"
    return "private" if ref == PRIVATE_REF else "team"


def is_lower(level: Level, than: Level) -> bool:
    """Tell whether fewer people see the one level than the other."""
    return LEVELS.index(level) > LEVELS.index(than)


def lowest(levels: Iterable[Level]) -> Level:
    """Return the level that the fewest people see; there is at least one."""
    return max(levels, key=LEVELS.index)
