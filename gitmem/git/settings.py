"""Where settings come from: the environment, git's configuration, and a file that anybody may have written.

The first that names a setting decides it. `.gitmem.toml` comes with a clone, so it may ask for less to be
seen and for nothing else: a key that it may not set is an error, since whoever wrote it counts on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Final, NamedTuple, TypeVar

from gitmem.git.repository import Repository
from gitmem.model.errors import BadSetting, SettingRefused
from gitmem.model.refs import memory_ref
from gitmem.model.settings import (
    LEVELS,
    PERSONAL_CHOICES,
    ChosenRemote,
    Level,
    PersonalChoice,
    Settings,
    is_lower,
)

COMMITTED_FILE: Final = ".gitmem.toml"

_COMMITTED_MAX_BYTES: Final = 65536
_FALSE: Final = frozenset({"", "false", "no", "off", "0"})
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_REMOTE_BY_DEFAULT: Final[frozenset[Level]] = frozenset({"team"})

T = TypeVar("T")


class _Committed(NamedTuple):
    """What a committed file asks for; `drops_payloads` and what is `personal` hold whatever the user says."""

    level: Level
    personal: frozenset[PersonalChoice] = frozenset()
    drops_payloads: bool = False


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
    committed = _Committed(default.level)
    if repository.top is not None:
        committed = _committed(repository.top / COMMITTED_FILE, default.level)
    decided = _decided(repository.config, environ, default._replace(level=committed.level))
    return decided._replace(
        personal=decided.personal | committed.personal,
        payloads=decided.payloads and not committed.drops_payloads,
    )


def without_repository(environ: Mapping[str, str]) -> Settings:
    """Return the settings where there is no repository at hand: what the environment alone says.

    Raises:
        BadSetting: A value cannot be used.
    """
    return _decided({}, environ, Settings())


def _decided(
    config: Mapping[str, tuple[str, ...]], environ: Mapping[str, str], default: Settings
) -> Settings:
    def decide(name: str, parse: Callable[[_Choice], T], otherwise: T) -> T:
        choice = _choose(name, config, environ)
        return otherwise if choice is None else parse(choice)

    return Settings(
        memory_ref=decide("gitmem.ref", _as_ref, default.memory_ref),
        level=decide("gitmem.level", _as_level, default.level),
        grace_days=decide("gitmem.graceDays", lambda choice: _as_count(choice, 0), default.grace_days),
        workers=decide("gitmem.workers", lambda choice: _as_count(choice, 1), default.workers),
        model_dir=decide("gitmem.modelDir", lambda choice: _as_directory(choice, environ), default.model_dir),
        remotes=_chosen_remotes(config),
        sidecar=decide("gitmem.sidecar", _as_flag, default.sidecar),
        sidecar_idle_minutes=decide(
            "gitmem.sidecarIdle", lambda choice: _as_count(choice, 1), default.sidecar_idle_minutes
        ),
        catch_up_ms=decide("gitmem.catchUpMs", lambda choice: _as_count(choice, 0), default.catch_up_ms),
        live=decide("gitmem.live", _as_flag, default.live),
        snapshot_days=decide(
            "gitmem.snapshotDays", lambda choice: _as_count(choice, 0), default.snapshot_days
        ),
        personal=decide("gitmem.personal", _as_personal, default.personal),
        payloads=decide("gitmem.payloads", _as_flag, default.payloads),
    )


def variable_for(name: str) -> str:
    """Return the environment variable that overrides a setting: GITMEM_GRACE_DAYS for gitmem.graceDays."""
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


def _as_count(choice: _Choice, least: int) -> int:
    if re.fullmatch(r"[0-9]{1,6}", choice.value) and int(choice.value) >= least:
        return int(choice.value)
    raise BadSetting(choice.name, choice.value, f"a whole number from {least} to 999999")


def _as_directory(choice: _Choice, environ: Mapping[str, str]) -> Path:
    path = Path(choice.value)
    if path.parts[:1] == ("~",) and environ.get("HOME"):
        path = Path(environ["HOME"], *path.parts[1:])
    if not path.is_absolute():
        raise BadSetting(choice.name, choice.value, "an absolute path, or one that begins with ~/")
    return path


def _chosen_remotes(config: Mapping[str, tuple[str, ...]]) -> tuple[ChosenRemote, ...]:
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


def _committed(path: Path, default: Level) -> _Committed:
    asked = _read_committed(path)
    for name in asked:
        if name not in ("level", "personal", "payloads"):
            raise SettingRefused(str(path), name, "nothing but level, personal and payloads may be set there")
    return _Committed(
        _committed_level(path, asked, default),
        _committed_personal(path, asked.get("personal", [])),
        _drops_payloads(path, asked.get("payloads")),
    )


def _committed_level(path: Path, asked: Mapping[str, object], default: Level) -> Level:
    if "level" not in asked:
        return default
    level = next((level for level in LEVELS if level == asked["level"]), None)
    if level is None:
        raise SettingRefused(str(path), "level", "it is none of " + ", ".join(LEVELS))
    if level != default and not is_lower(level, default):
        raise SettingRefused(str(path), "level", f"{level} would show more than {default}")
    return level


def _committed_personal(path: Path, asked: object) -> frozenset[PersonalChoice]:
    kinds = asked if isinstance(asked, list) else [asked]
    chosen = frozenset(kind for kind in PERSONAL_CHOICES if kind in kinds)
    if len(chosen) != len(kinds):
        why = f"expected a list of some of {', '.join(PERSONAL_CHOICES)}, each once"
        raise SettingRefused(str(path), "personal", why)
    return chosen


def _drops_payloads(path: Path, asked: object) -> bool:
    if asked is not None and asked is not False:
        raise SettingRefused(str(path), "payloads", "only false may be set there: others would keep more")
    return asked is False


def _read_committed(path: Path) -> Mapping[str, object]:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    # A link could lead anywhere, and a pipe would wait for ever.
    if not S_ISREG(status.st_mode) or status.st_size > _COMMITTED_MAX_BYTES:
        why = f"it is no ordinary file of at most {_COMMITTED_MAX_BYTES} bytes"
        raise SettingRefused(str(path), "the file", why)
    import tomllib  # Most repositories have no such file, and a search should not pay for it.

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingRefused(str(path), "the file", str(error)) from error
