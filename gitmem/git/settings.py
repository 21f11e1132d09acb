"""Where settings come from: the environment, git's configuration, and a file that anybody may have written.

The first that names a setting decides it; of what is asked for agents and folders, everything counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeVar

from gitmem.git.committed import Committed, read_committed
from gitmem.git.repository import Repository
from gitmem.model.errors.arguments import BadSetting
from gitmem.model.refs import memory_ref
from gitmem.model.settings import (
    LEVELS,
    PERSONAL_CHOICES,
    Audited,
    ChosenRemote,
    Level,
    LevelRule,
    PersonalChoice,
    Settings,
    Signed,
)

_FALSE: Final = frozenset({"", "false", "no", "off", "0"})
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_REMOTE_BY_DEFAULT: Final[frozenset[Level]] = frozenset({"team"})
_RULE_KINDS: Final[tuple[Literal["agent", "path"], ...]] = ("agent", "path")

T = TypeVar("T")


class _Choice(NamedTuple):
    """A setting's text, and the name under which somebody gave it."""

    name: str
    value: str


def load(repository: Repository, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a repository; starts no process.

    `gitmem.<name>` in git's configuration, `GITMEM_<NAME>` above it, `.gitmem.toml` below both.

    Raises:
        BadSetting: A value cannot be used.
        SettingRefused: The committed file asks for what only the user may decide, or cannot be read.
    """
    default = Settings()
    committed = Committed()
    if repository.top is not None:
        committed = read_committed(repository.top, default.level)
    default = default._replace(level=committed.level or default.level)
    decided = _decided(repository.config, environ, default)
    return decided._replace(
        level_rules=(*decided.level_rules, *committed.rules),
        personal=decided.personal | committed.personal,
        payloads=decided.payloads and not committed.drops_payloads,
    )


def without_repository(
    environ: Mapping[str, str], config: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> Settings:
    """Return the settings where there is no repository at hand: what the environment says, and a user's own.

    Raises:
        BadSetting: A value cannot be used.
    """
    return _decided(config, environ, Settings())


def _decided(
    config: Mapping[str, tuple[str, ...]], environ: Mapping[str, str], default: Settings
) -> Settings:
    def decide(name: str, parse: Callable[[_Choice], T], otherwise: T) -> T:
        choice = _choose(name, config, environ)
        return otherwise if choice is None else parse(choice)

    return Settings(
        memory_ref=decide("gitmem.ref", _as_ref, default.memory_ref),
        level=decide("gitmem.level", _as_level, default.level),
        grace_days=decide("gitmem.grace", lambda choice: _as_days(choice, 0), default.grace_days),
        retention_days=decide("gitmem.retention", lambda choice: _as_days(choice, 1), default.retention_days),
        workers=decide("gitmem.workers", lambda choice: _as_count(choice, 1), default.workers),
        model_dir=decide("gitmem.modelDir", lambda choice: _as_directory(choice, environ), default.model_dir),
        level_rules=_level_rules(config),
        remotes=chosen_remotes(config),
        sidecar=decide("gitmem.sidecar", _as_flag, default.sidecar),
        sidecar_idle_minutes=decide(
            "gitmem.sidecarIdle", lambda choice: _as_count(choice, 1), default.sidecar_idle_minutes
        ),
        catch_up_ms=decide("gitmem.catchUpMs", lambda choice: _as_count(choice, 0), default.catch_up_ms),
        live=decide("gitmem.live", _as_flag, default.live),
        carry=decide("gitmem.carry", _as_flag, default.carry),
        snapshot_days=decide(
            "gitmem.snapshotDays", lambda choice: _as_count(choice, 0), default.snapshot_days
        ),
        # Whom things are sealed to is in git's configuration alone: a variable is set too easily by others.
        recipients=tuple(dict.fromkeys(config.get("gitmem.recipient", ()))),
        identities=tuple(
            _as_directory(_Choice("gitmem.identity", value), environ)
            for value in dict.fromkeys(config.get("gitmem.identity", ()))
        ),
        audit=decide("gitmem.audit", _as_audited, default.audit),
        personal=decide("gitmem.personal", _as_personal, default.personal),
        payloads=decide("gitmem.payloads", _as_flag, default.payloads),
        recurse_submodules=decide(
            "gitmem.recurseSubmodules", _as_flag, _recurses_in_git(config, default.recurse_submodules)
        ),
        timeout_s=decide("gitmem.timeout", lambda choice: _as_count(choice, 0), default.timeout_s),
        signed=decide("gitmem.sign", _as_signed, _signed_by_git(config)),
        require_signed=decide("gitmem.requireSigned", _as_flag, default.require_signed),
        # Who may erase, and who is trusted, are in git's configuration alone, for the same reason.
        erasers=tuple(dict.fromkeys(config.get("gitmem.erasers", ()))),
        trust=_people(config, "gitmem.trust"),
        distrust=_people(config, "gitmem.distrust"),
    )


def memory_ref_of(repository: Repository, environ: Mapping[str, str]) -> str:
    """Return the memory ref of a repository, as `load` does, and look at nothing else.

    Raises:
        BadSetting: It cannot be used.
    """
    choice = _choose("gitmem.ref", repository.config, environ)
    return Settings().memory_ref if choice is None else _as_ref(choice)


def _recurses_in_git(config: Mapping[str, tuple[str, ...]], otherwise: bool) -> bool:
    """Return what somebody told git of submodules, who told gitmem nothing: they may want no more of it."""
    value = config.get("submodule.recurse", ("",))[-1].lower()
    return value in _TRUE if value in _TRUE or value in _FALSE - {""} else otherwise


def variable_for(name: str) -> str:
    """Return the environment variable that overrides a setting: GITMEM_CATCH_UP_MS for gitmem.catchUpMs."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", name).upper()


def _choose(name: str, config: Mapping[str, tuple[str, ...]], environ: Mapping[str, str]) -> _Choice | None:
    variable = variable_for(name)
    if environ.get(variable):
        return _Choice(variable, environ[variable])
    values = config.get(name.lower())
    return _Choice(name, values[-1]) if values else None


def _as_ref(choice: _Choice) -> str:
    try:
        return memory_ref(choice.value)
    except BadSetting as error:
        raise BadSetting(choice.name, choice.value, error.expected) from error


def _as_level(choice: _Choice) -> Level:
    for level in LEVELS:
        if choice.value == level:
            return level
    raise BadSetting(choice.name, choice.value, "one of " + ", ".join(LEVELS))


def _as_flag(choice: _Choice) -> bool:
    value = choice.value.lower()
    if value not in _TRUE and value not in _FALSE:
        raise BadSetting(choice.name, choice.value, "true or false")
    return value in _TRUE


def _as_audited(choice: _Choice) -> Audited:
    value = choice.value.lower()
    if value != "changes" and value not in _TRUE and value not in _FALSE:
        raise BadSetting(choice.name, choice.value, "true, changes or false")
    return "changes" if value == "changes" else "all" if value in _TRUE else "nothing"


def _as_signed(choice: _Choice) -> Signed:
    value = choice.value.lower()
    if value != "all" and value not in _TRUE and value not in _FALSE:
        raise BadSetting(choice.name, choice.value, "true, all or false")
    return "all" if value == "all" else "team" if value in _TRUE else "nothing"


def _signed_by_git(config: Mapping[str, tuple[str, ...]]) -> Signed:
    """Return what is signed where nobody said anything of gitmem: what the user signs of their own."""
    return "team" if config.get("commit.gpgsign", ("false",))[-1].lower() not in _FALSE else "nothing"


def _people(config: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """Read addresses, of which a setting may have several, or list them in one."""
    words = (word for value in config.get(name, ()) for word in re.split(r"[,\s]+", value))
    return tuple(dict.fromkeys(word.lower() for word in words if word))


def _as_count(choice: _Choice, least: int) -> int:
    if re.fullmatch(r"[0-9]{1,6}", choice.value) and int(choice.value) >= least:
        return int(choice.value)
    raise BadSetting(choice.name, choice.value, f"a whole number from {least} to 999999")


def _as_days(choice: _Choice, least: int) -> int:
    """Read a number of days, or of weeks, months of 30 days or years of 365: 30, 30d, 4w, 6mo, 2y."""
    found = re.fullmatch(r"([0-9]{1,6})\s*(d|w|mo|y)?", choice.value.strip().lower())
    if found is None or int(found[1]) < least:
        raise BadSetting(choice.name, choice.value, f"days, {least} or more, as 30d, 4w, 6mo or 2y")
    return int(found[1]) * {None: 1, "d": 1, "w": 7, "mo": 30, "y": 365}[found[2]]


def days_of(name: str, value: str) -> int:
    """Return how many days an age is, of one and more: 30, 30d, 4w, 6mo, 2y.

    Raises:
        BadSetting: It is none; `name` is where it was given.
    """
    return _as_days(_Choice(name, value), 1)


def _as_directory(choice: _Choice, environ: Mapping[str, str]) -> Path:
    path = Path(choice.value)
    if path.parts[:1] == ("~",) and environ.get("HOME"):
        path = Path(environ["HOME"], *path.parts[1:])
    if not path.is_absolute():
        raise BadSetting(choice.name, choice.value, "an absolute path, or one that begins with ~/")
    return path


def chosen_remotes(config: Mapping[str, tuple[str, ...]]) -> tuple[ChosenRemote, ...]:
    """Return the remotes that somebody chose to share with, by their names.

    Raises:
        BadSetting: One was given what is no level.
    """
    chosen = []
    for name, values in config.items():
        if name.startswith("remote.") and name.endswith(".gitmem"):
            levels = _as_levels(_Choice(name, values[-1]))
            if levels:
                chosen.append(ChosenRemote(name.removeprefix("remote.").removesuffix(".gitmem"), levels))
    return tuple(sorted(chosen, key=lambda remote: remote.name))


def _as_levels(choice: _Choice) -> frozenset[Level]:
    """Read `true`, `false` or a list of levels; what is ephemeral is nowhere, so nobody can be given it."""
    if choice.value.lower() in _FALSE:
        return frozenset()
    if choice.value.lower() in _TRUE:
        return _REMOTE_BY_DEFAULT
    levels = frozenset(_as_level(_Choice(choice.name, word)) for word in re.split(r"[,\s]+", choice.value))
    if "ephemeral" in levels:
        raise BadSetting(choice.name, choice.value, "true, false, or some of public, team, private")
    return levels


def _level_rules(config: Mapping[str, tuple[str, ...]]) -> tuple[LevelRule, ...]:
    """Read `gitmem.agent.<name>.level` and `gitmem.path.<folder>.level`."""
    rules = []
    for name, values in config.items():
        for kind in _RULE_KINDS:
            prefix, suffix = f"gitmem.{kind}.", ".level"
            if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix + suffix):
                level = _as_level(_Choice(name, values[-1]))
                if level == "public":
                    raise BadSetting(
                        name, level, "team, private or ephemeral: what is public is reviewed first"
                    )
                rules.append(LevelRule(kind, name[len(prefix) : -len(suffix)], level))
    return tuple(rules)


def _as_personal(choice: _Choice) -> frozenset[PersonalChoice]:
    """Read `all`, `none` or a list of kinds."""
    words = re.split(r"[,\s]+", choice.value.strip())
    if words in (["all"], ["none"]):
        return frozenset(PERSONAL_CHOICES) if words == ["all"] else frozenset()
    chosen = frozenset(kind for kind in PERSONAL_CHOICES if kind in words)
    if not chosen.issuperset(words):
        expected = f"all, none, or some of {', '.join(PERSONAL_CHOICES)}"
        raise BadSetting(choice.name, choice.value, expected)
    return chosen
