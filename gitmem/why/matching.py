"""Finding the turn that wrote a line: among what sessions wrote into the file, by the line's own text.

A turn may have replaced no more than a part of a line; that is looked for where none wrote all of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import SessionId
from gitmem.redaction.placeholders import same_line
from gitmem.why.edits import EditTurn, SessionEdits, known_edits
from gitmem.why.lines import (
    HASH_BYTES,
    NO_PATH,
    REDACTED,
    count_letters,
    has_hash,
    name_hash,
    squeezed,
)
from gitmem.why.touched import Toucher
from gitmem.why.wanted import MOST_OF_COMMON, Wanted

_LEAST_BESIDE_SECRET = 5
"""Letters and digits of a line that a secret was redacted from, beside the secret's place."""

_PLACEHOLDER = re.compile(r"\[gm:[a-z0-9-]*:[a-z2-7]*\]")
_SECOND_MS = 1000


class Scope(NamedTuple):
    """Where a line may have been written: sessions, each with how far its streams had come, if that is known.

    Not after `until_ms`; of several turns the first since `since_ms` is meant, or else the last before.
    `is_near`: these sessions were at work as the line came in; one that says nothing may then be theirs.
    """

    sessions: Sequence[tuple[Toucher, Mapping[str, int] | None]]
    since_ms: int | None
    until_ms: int | None
    is_near: bool


class Match(NamedTuple):
    """A turn that wrote a line; `beside` counts the lines beside it that it wrote too.

    `part` is what it wrote of the line, where it wrote no more than that.
    """

    session: Toucher
    stream: str
    edit: EditTurn
    path: str | None
    beside: int
    part: str = ""

    @property
    def is_telling(self) -> bool:
        """Whether nobody else is likely to have written the like."""
        return not self.part or count_letters(_PLACEHOLDER.sub("", self.part)) > MOST_OF_COMMON

    @property
    def has_path(self) -> bool:
        """Whether the turn says which file it wrote to."""
        return self.path is not None


class Matcher:
    """Looks into what sessions wrote, each of them read once."""

    def __init__(self, memory: Memory, state_dir: Path | None) -> None:
        self._memory, self._state_dir = memory, state_dir
        self._known: dict[SessionId, SessionEdits | None] = {}
        self._passed_over: set[SessionId] = set()
        self._touching: dict[tuple[str, ...], dict[SessionId, bool]] = {}
        self._lines: dict[tuple[SessionId, tuple[str, ...]], dict[bytes, list[EditTurn]]] = {}
        self._writers: dict[tuple[str, ...], dict[bytes, dict[SessionId, tuple[Toucher, SessionEdits]]]] = (
            defaultdict(dict)
        )
        self._parts: dict[tuple[SessionId, tuple[str, ...]], list[_Parts]] = {}

    def find_whole(
        self, wanted: Mapping[int, Wanted], paths: tuple[str, ...], scope: Scope
    ) -> dict[int, Match]:
        """Return the turns that wrote all of lines of a file, by the keys of `wanted`.

        `paths` are the names of the file.
        """
        sessions = self._touching_only(scope, paths)
        hashes = {each.hash for each in wanted.values()}
        limits = {session.session: limits for session, limits in sessions}
        for session, _ in sessions:
            if (session.session, paths) not in self._lines:
                self._load_lines(session, hashes, paths)
        writers = self._writers[paths]
        found: dict[int, Match] = {}
        for key, each in wanted.items():
            matches = [
                _match(writer, written, edit, each)
                for writer, written in writers.get(each.hash, {}).values()
                if writer.session in limits
                for edit in self._lines[writer.session, paths][each.hash]
                if _is_in_time(edit, written.streams[edit.stream], limits[writer.session], scope.until_ms)
            ]
            match = _choose(each, matches, scope) if matches else None
            if match is not None:
                found[key] = match
        return found

    def find_parts(
        self, wanted: Mapping[int, Wanted], paths: tuple[str, ...], scope: Scope
    ) -> dict[int, Match]:
        """Return the turns that wrote parts of lines of a file, as `find_whole` does."""
        found: dict[int, Match] = {}
        texts = {key: squeezed(each.line.text) for key, each in wanted.items()}
        for session, limits in self._touching_only(scope, paths):
            written = self._edits(session, ())
            if written is None:
                continue
            place = session.session, paths
            if place not in self._parts:
                self._parts[place] = _turns_of_parts(written, paths)
            for edit, parts in self._parts[place]:
                if not _is_in_time(edit, written.streams[edit.stream], limits, scope.until_ms):
                    continue
                for key, each in wanted.items():
                    for part, without_space in parts:
                        if _is_part(part, without_space, each.line.text, texts[key]):
                            match = _match(session, written, edit, each)._replace(part=part)
                            if not (match.is_telling or match.beside or len(edit.added) == HASH_BYTES):
                                continue
                            # The last that changed a line made it what it is.
                            found[key] = max(found.get(key, match), match, key=_rank_of_part)
        return found

    def _touching_only(
        self, scope: Scope, paths: tuple[str, ...]
    ) -> list[tuple[Toucher, Mapping[str, int] | None]]:
        touching = self._touching.setdefault(paths, {})
        found = []
        for session, limits in scope.sessions:
            if session.session not in touching:
                touching[session.session] = not session.hidden and _touches(session, paths)
            if touching[session.session]:
                found.append((session, limits))
        return found

    def _load_lines(self, session: Toucher, hashes: Collection[bytes], paths: tuple[str, ...]) -> None:
        written = self._edits(session, hashes)
        if written is not None:
            self._lines[session.session, paths] = lines = _turns_by_line(written, paths)
            for hash_ in lines:
                self._writers[paths].setdefault(hash_, {})[session.session] = session, written

    def _edits(self, session: Toucher, hashes: Collection[bytes]) -> SessionEdits | None:
        """Return what a session wrote; None if it wrote none of these lines, or cannot be read."""
        if session.session in self._known:
            return self._known[session.session]
        # To find that a session has nothing is cheap, but not when it is asked again and again.
        wanted = hashes if session.session not in self._passed_over else ()
        self._passed_over.add(session.session)
        try:
            found = known_edits(self._memory, session.folder, self._state_dir, wanted)
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            self._known[session.session] = None  # `verify` reports it
            return None
        if found is not None:
            self._known[session.session] = found
        return found


def _turns_by_line(written: SessionEdits, paths: Sequence[str]) -> dict[bytes, list[EditTurn]]:
    """Return the turns that wrote to a file, or did not say where, by the hashes of their lines."""
    is_it = [any(_is_path(each, path) for path in paths) for each in written.paths]
    found: dict[bytes, list[EditTurn]] = defaultdict(list)
    for edit in written.turns:
        if edit.path < 0 or is_it[edit.path]:
            hashes = edit.added
            for at in range(0, len(hashes), HASH_BYTES):
                turns = found[hashes[at : at + HASH_BYTES]]
                if not turns or turns[-1] is not edit:
                    turns.append(edit)
    return found


_Parts = tuple[EditTurn, list[tuple[str, str]]]
"""A turn, and what it may have replaced of lines, each also without white space."""


def _turns_of_parts(written: SessionEdits, paths: Sequence[str]) -> list[_Parts]:
    """Return the turns that may have replaced parts of a file's lines."""
    is_it = [any(_is_path(each, path) for path in paths) for each in written.paths]
    return [
        (edit, [(part, squeezed(part)) for part in edit.parts])
        for edit in written.turns
        if edit.parts and edit.path >= 0 and is_it[edit.path]
    ]


def _is_part(part: str, part_squeezed: str, text: str, text_squeezed: str) -> bool:
    if REDACTED in part:
        # A placeholder stands for any text, so the rest of the line has to say something.
        return count_letters(_PLACEHOLDER.sub("", part)) >= _LEAST_BESIDE_SECRET and same_line(
            part.encode(), text.strip().encode("utf-8", "replace")
        )
    return part_squeezed in text_squeezed and part_squeezed != text_squeezed


def _touches(session: Toucher, paths: Sequence[str]) -> bool:
    """Whether a session wrote to a file of that name, or did not always say where it wrote."""
    return any(has_hash(session.names, name) for name in (*map(name_hash, paths), NO_PATH))


def _rank_of_part(match: Match) -> tuple[bool, int, int, int]:
    return (match.is_telling, match.edit.at_ms or 0, match.edit.ordinal, len(match.part))


def _is_path(written: str, path: str) -> bool:
    """Whether a path as an agent wrote it means one from the top of the repository."""
    if written == path:
        return True
    is_below = not written.startswith(("/", "~", "../")) and written[1:3] != ":/"
    if is_below and path.endswith("/" + written):
        return True  # a session that began below the top counts from there
    if not written.endswith("/" + path):
        return False
    # One that began at the top may have worked in another working tree below it; a name without a folder
    # is too little to tell that by.
    return not is_below or "/" in path or "worktree" in written


def _is_in_time(edit: EditTurn, stream: str, limits: Mapping[str, int] | None, until_ms: int | None) -> bool:
    if limits is not None:
        limit = limits.get(stream, limits.get(stream.partition("@")[0]))
        if limit is not None and edit.line >= limit:
            return False
    return until_ms is None or edit.at_ms is None or edit.at_ms <= until_ms + _SECOND_MS


def _match(session: Toucher, written: SessionEdits, edit: EditTurn, wanted: Wanted) -> Match:
    beside = sum(has_hash(edit.added, hash_) for hash_ in wanted.beside)
    path = written.paths[edit.path] if edit.path >= 0 else None
    return Match(session, written.streams[edit.stream], edit, path, beside)


def _choose(wanted: Wanted, matches: Sequence[Match], scope: Scope) -> Match | None:
    with_path = [match for match in matches if match.has_path]
    if not with_path:
        # A command that does not say where it writes has to have written more than this line.
        matches = [match for match in matches if match.beside or not (wanted.beside or wanted.is_common)]
    else:
        matches = with_path
    if wanted.is_common and wanted.beside:
        most = max(match.beside for match in matches) if matches else 0
        matches = [match for match in matches if match.beside == most > 0]
    ordered = sorted(matches, key=lambda match: (match.edit.at_ms or 0, match.edit.ordinal))
    later = [match for match in ordered if (match.edit.at_ms or 0) >= (scope.since_ms or 0)]
    if wanted.is_common and not wanted.beside:
        return later[0] if later and scope.is_near else None
    return later[0] if later else ordered[-1] if ordered else None
