"""Which level a session gets: by what its repository, its agent and its folder ask for, by a marker in it,
and by what it got before.

The lowest that anybody asks for counts, and a session never rises by itself: what once was private stays so
when settings change, until a person raises it. That is remembered locally, under keyed names, so that the
memory of what was ephemeral says nothing of it.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from gitmem import disk
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.ids import MAIN_STREAM, SessionKey, origin_key
from gitmem.model.settings import LEVELS, Level, LevelRule, is_lower, lowest
from gitmem.transcripts.detect import Identity
from gitmem.transcripts.read import iterate
from gitmem.verbs.sources import chunks_of

_MARKER: Final = re.compile(rb"gitmem:(?:private|ephemeral)")
_SAID: Final = re.compile(r"(?:^|(?<=[\s(]))gitmem:(private|ephemeral)(?=$|[\s.,;!)])")
_CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


class Wish(NamedTuple):
    """What the settings of a working tree ask for."""

    level: Level
    rules: tuple[LevelRule, ...] = ()


class _Given(msgspec.Struct, frozen=True, array_like=True):
    """The level that a session has got; a person's word holds against rules and markers."""

    level: Level
    by_person: bool


class _Table(msgspec.Struct, frozen=True):
    """What is remembered: levels by the keyed digests of sessions' names.

    The key is the table's own, so that a redaction key that is lost or rotated makes no session rise.
    """

    key: bytes
    given: dict[str, _Given]


class Levels:
    """Decides for one repository, and remembers.

    `wish_at` gives what the settings ask for where a session began, `home` is the user's own folder.
    """

    def __init__(
        self,
        state_dir: Path,
        random_bytes: Callable[[int], bytes],
        wish_at: Callable[[str | None], Wish],
        top_of: Callable[[str | None], Path | None],
        home: Path,
    ) -> None:
        self._path = state_dir / "levels"
        self._wish_at, self._top_of, self._home = wish_at, top_of, home
        self._random_bytes = random_bytes
        self._table = _read(self._path)

    def of(self, identity: Identity, file: BinaryIO, start: int, stop: int, stored: Level = "team") -> Level:
        """Return the level of a session, given one of its files and what bytes of it are new.

        `stored` is what the memory says of it: another clone, or this one before it was made anew, may have
        lowered it.

        Raises:
            OSError: The file cannot be read.
        """
        key = SessionKey(identity.agent, identity.native_id)
        given = self._table.given.get(_name(self._table, key)) if self._table else None
        if given is not None and given.by_person:
            return "team" if given.level == "public" else given.level
        asked = [stored] if given is None else [given.level, stored]
        if identity.forked_from is not None and self._table is not None:
            # A fork begins with all that was said before it.
            origin = origin_key(identity.agent, identity.forked_from)
            of_origin = self._table.given.get(_name(self._table, origin))
            asked += [of_origin.level] if of_origin is not None else []
        wish = self._wish_at(identity.began_in)
        asked.append(_of_rules(wish, identity, self._home, self._top_of(identity.began_in)))
        marked = _marked(identity, file, start, stop)
        if marked is not None:
            asked.append(marked)
        level = lowest(asked)
        if level == "public":
            level = "team"  # nothing rises without a look: what is new of it waits there
        if is_lower(level, "team") and (given is None or given.level != level):
            self._remember(key, _Given(level, by_person=False))
        return level

    def recall(self, private: Callable[[], Iterable[SessionKey]]) -> None:
        """Remember again what is private, where nothing is remembered: the local state was lost."""
        if self._table is None:
            for key in private():
                self._remember(key, _Given("private", by_person=False))

    def give(self, key: SessionKey, level: Level) -> None:
        """Remember what a person decided about a session; the captures to come follow it."""
        self._remember(key, _Given(level, by_person=True))

    def _remember(self, key: SessionKey, given: _Given) -> None:
        with disk.locked(self._path.with_name("levels.lock"), _LOCK_WAIT_S):
            table = _read(self._path) or _Table(self._random_bytes(_KEY_BYTES), {})
            self._table = _Table(table.key, {**table.given, _name(table, key): given})
            disk.replace_file(self._path, msgspec.json.encode(self._table), mode=0o600)


def _name(table: _Table, key: SessionKey) -> str:
    text = str(key).encode("utf-8", "backslashreplace")
    return hmac.digest(table.key, b"gitmem level\0" + text, "sha256").hex()


_LOCK_WAIT_S: Final = 10.0
_KEY_BYTES: Final = 32


def level_of(stored: StoredSession, level: Level) -> Level:
    """Return the level that a stored session has: what was last given to it, or that of its memory."""
    value = stored.value("level")
    return next((known for known in LEVELS if known == value), level)


def registered(memory: Memory, folder: Folder, level: Level) -> Level:
    """Return the level of a session in a memory of sessions of `level`; reads no more than is needed."""
    from gitmem.objects import trees

    if trees.find(memory.storage, folder.tree, ("registers",)) is None:
        return level
    return level_of(memory.load(folder), level)


def is_hidden(memory: Memory, folder: Folder) -> bool:
    """Whether a session is out of everybody's sight; reads no more than is needed."""
    from gitmem.objects import trees

    if trees.find(memory.storage, folder.tree, ("registers",)) is None:
        return False
    return memory.load(folder).is_hidden


def _of_rules(wish: Wish, identity: Identity, home: Path, top: Path | None) -> Level:
    """Return what the rules that fit come to: the user's own may also raise, a committed one never does."""
    own = [rule.level for rule in _fitting(wish.rules, identity, home, top) if not rule.is_committed]
    level = lowest(own) if own else wish.level
    committed = [rule.level for rule in _fitting(wish.rules, identity, home, top) if rule.is_committed]
    return lowest([level, *committed])


def _fitting(
    rules: Iterable[LevelRule], identity: Identity, home: Path, top: Path | None
) -> Iterator[LevelRule]:
    for rule in rules:
        if rule.kind == "agent":
            if rule.name == identity.agent:
                yield rule
        elif identity.cwd is not None and _is_below(identity.cwd, _folder(rule.name, home, top)):
            yield rule


def _folder(name: str, home: Path, top: Path | None) -> str | None:
    if name == "~" or name.startswith("~/"):
        return os.path.normpath(str(home) + name[1:])
    if name.startswith("/"):
        return os.path.normpath(name)
    return os.path.normpath(os.path.join(top, name)) if top is not None else None  # noqa: PTH118


def _is_below(cwd: str, folder: str | None) -> bool:
    if folder is None:
        return False
    ways = {os.path.normpath(cwd), os.path.realpath(cwd)}
    places = {folder, os.path.realpath(folder)}
    return any(way == place or way.startswith(place.rstrip("/") + "/") for way in ways for place in places)


def _marked(identity: Identity, file: BinaryIO, start: int, stop: int) -> Level | None:
    """Return the level that a person asked for in a prompt: what a tool printed asks for nothing."""
    if identity.stream != MAIN_STREAM or not _holds_marker(file, start, stop):
        return None
    said: list[Level] = []
    streams = [(identity.stream, chunks_of(file, start, stop))]
    for turn in iterate(identity.agent, streams):
        if turn.role == "user" and turn.kind == "message":
            for match in _SAID.finditer(_CODE.sub(" ", turn.text)):
                said.append("private" if match[1] == "private" else "ephemeral")
    return lowest(said) if said else None


def _holds_marker(file: BinaryIO, start: int, stop: int) -> bool:
    tail = b""
    for chunk in chunks_of(file, start, stop):
        if _MARKER.search(tail + chunk):
            return True
        tail = chunk[-32:]
    return False


def _read(path: Path) -> _Table | None:
    """Return what is remembered, None where nothing is.

    A file that cannot be read would make sessions rise, so it ends everything.

    Raises:
        LevelsDamaged: It is there and is not what gitmem wrote.
    """
    from gitmem.model.errors.withholding import LevelsDamaged

    try:
        return msgspec.json.decode(path.read_bytes(), type=_Table)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LevelsDamaged(str(path), error.strerror or type(error).__name__) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LevelsDamaged(str(path), type(error).__name__) from None
