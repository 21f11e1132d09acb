"""`.gitmem.toml`: what a repository's own files may ask of whoever works in it.

It comes with a clone, so anybody may have written it: it may ask for less to be seen, and for nothing else. A
key that it may not set is an error, since whoever wrote it counts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Final, Literal, NamedTuple

from gitmem.model.errors.arguments import SettingRefused
from gitmem.model.settings import LEVELS, PERSONAL_CHOICES, Level, LevelRule, PersonalChoice, is_lower

COMMITTED_FILE: Final = ".gitmem.toml"
_MAX_BYTES: Final = 65536
_MAX_RULES: Final = 1000
_KEYS: Final = ("level", "agents", "paths", "personal", "payloads")
_TABLES: Final[Mapping[str, Literal["agent", "path"]]] = {"agents": "agent", "paths": "path"}


class Committed(NamedTuple):
    """What the file asks for: a level for all sessions, and for those of some agents and folders; and which
    personal data, and whether payloads, are to go."""

    level: Level | None = None
    rules: tuple[LevelRule, ...] = ()
    personal: frozenset[PersonalChoice] = frozenset()
    drops_payloads: bool = False


def read_committed(top: Path, default: Level) -> Committed:
    """Read the file at the root of a working tree; where there is none, nothing is asked.

    Raises:
        SettingRefused: It asks for what only the user may decide, or cannot be read.
    """
    path = top / COMMITTED_FILE
    asked = _read(path)
    level: Level | None = None
    rules: list[LevelRule] = []
    personal: frozenset[PersonalChoice] = frozenset()
    drops_payloads = False
    for name, value in asked.items():
        if name == "level":
            level = _lower(path, name, value, default)
        elif name in _TABLES:
            rules += _rules(path, name, value)
        elif name == "personal":
            personal = _personal(path, value)
        elif name == "payloads":
            drops_payloads = _drops_payloads(path, value)
        else:
            raise SettingRefused(str(path), name, f"nothing but {', '.join(_KEYS)} may be set there")
    if len(rules) > _MAX_RULES:
        raise SettingRefused(str(path), "the file", f"it has {len(rules)} rules, more than {_MAX_RULES}")
    return Committed(level, tuple(rules), personal, drops_payloads)


def _rules(path: Path, table: str, value: object) -> Iterator[LevelRule]:
    if not isinstance(value, dict):
        raise SettingRefused(str(path), table, "it is no table of names and levels")
    kind = _TABLES[table]
    for name, level in value.items():
        if kind == "path" and (name.startswith(("/", "~")) or ".." in name.split("/")):
            raise SettingRefused(str(path), f"{table}.{name}", "only folders of the repository may be named")
        yield LevelRule(kind, name, _known(path, f"{table}.{name}", level), is_committed=True)


def _personal(path: Path, asked: object) -> frozenset[PersonalChoice]:
    kinds = asked if isinstance(asked, list) else [asked]
    chosen = frozenset(kind for kind in PERSONAL_CHOICES if kind in kinds)
    if len(chosen) != len(kinds):
        why = f"expected a list of some of {', '.join(PERSONAL_CHOICES)}, each once"
        raise SettingRefused(str(path), "personal", why)
    return chosen


def _drops_payloads(path: Path, asked: object) -> bool:
    if asked is not False:
        raise SettingRefused(str(path), "payloads", "only false may be set there: others would keep more")
    return True


def _lower(path: Path, name: str, value: object, default: Level) -> Level:
    level = _known(path, name, value)
    if level != default and not is_lower(level, default):
        raise SettingRefused(str(path), name, f"{level} would show more than {default}")
    return level


def _known(path: Path, name: str, value: object) -> Level:
    for level in LEVELS:
        if value == level:
            return level
    raise SettingRefused(str(path), name, "it is none of " + ", ".join(LEVELS))


def _read(path: Path) -> Mapping[str, object]:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    # A link could lead anywhere, and a pipe would wait for ever.
    if not S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
        raise SettingRefused(str(path), "the file", f"it is no ordinary file of at most {_MAX_BYTES} bytes")
    import tomllib  # Most repositories have no such file, and a search should not pay for it.

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingRefused(str(path), "the file", str(error)) from error
