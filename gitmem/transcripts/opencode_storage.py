"""opencode's files of versions before its database (1.2): one for a session, one for each message and part.

`storage/session/<project>/<session>.json`, `storage/message/<session>/<message>.json` and
`storage/part/<message>/<part>.json` have the bodies that its database has, with their ids inside. opencode
took them over into its database and left them, so a session is read only if the database has it not. A
session's file is what stands for it; these versions do not grow any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.fields import Object, child, integer, string
from gitmem.transcripts.sqlite import line_of, opened
from gitmem.transcripts.whole_files import load


class OpencodeStorage:
    """The session that a file of the storage stands for."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell a session's file by where it is and what it says."""
        return path.suffix == ".json" and path.parts[-4:-2] == ("storage", "session") and b'"id"' in head

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List the session, unless the database has it."""
        info = _load(path)
        own, parent = string(info, "id"), string(info, "parentID")
        if own is None:
            raise UnknownTranscript(str(path), "it has no id of a session")
        database = path.parents[3] / "opencode.db"
        if database.is_file() and _has(database, own):
            return Listing(())
        status = path.stat()
        identity = session_of("opencode", own, parent, string(info, "directory"))
        looks = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        mark = hashlib.sha256(looks.encode()).hexdigest()[:32]
        updated_ms = integer(child(info, "time"), "updated") or status.st_mtime_ns // 1_000_000
        return Listing((Listed(identity, mark, updated_ms, status.st_size),), is_one=True)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield a session's messages in the order in which they were begun, and what it says of itself."""
        storage = path.parents[2]
        info = _load(path)
        messages = _objects_in(storage / "message", string(info, "id") or path.stem)
        for message in sorted(messages, key=_begun):
            own = string(message, "id") or ""
            parts = sorted(_objects_in(storage / "part", own), key=_named)
            told = {"info": _without(message), "parts": [_without(one) for one in parts]}
            try:
                yield line_of({"message": told})
            except RecursionError:  # decoded from nearer the bottom of the stack than we are
                raise UnknownTranscript(str(path), f"its message {own} nests too deep") from None
        kept = ("id", "parentID", "title", "directory", "version")
        about = {key: info.get(key) for key in kept}
        yield line_of({"session": about | {"time": {"created": child(info, "time").get("created")}}})


def _has(database: Path, own: str) -> bool:
    try:
        with opened(database) as connection:
            return connection.execute("SELECT 1 FROM session WHERE id = ?", (own,)).fetchone() is not None
    except UnknownTranscript:
        return False  # then the files are all that there is


def _load(path: Path) -> Object:
    found = load(path)
    if not isinstance(found, dict):
        raise UnknownTranscript(str(path), "it is no JSON object")
    return found


def _objects_in(folder: Path, own: str) -> Iterator[Object]:
    """Yield the objects in a folder that is named by an id; what cannot be read is passed over, as it is by
    opencode."""
    if not own or Path(own).name != own:
        return
    try:
        paths = sorted((folder / own).glob("*.json"))
    except OSError:
        return
    for path in paths:
        try:
            found = _load(path)
        except (OSError, UnknownTranscript):
            continue
        yield {"id": path.stem} | found


def _begun(message: Object) -> tuple[int, str]:
    return integer(child(message, "time"), "created") or 0, _named(message)


def _named(one: Object) -> str:
    return string(one, "id") or ""


def _without(one: Object) -> Object:
    """Return a body as the database has it, which keeps the ids of what it belongs to in columns."""
    return {key: value for key, value in one.items() if key not in ("sessionID", "messageID")}
