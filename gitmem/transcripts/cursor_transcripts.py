"""What Cursor writes of a session for other programs, beside its databases, and with less in it.

`projects/<directory>/agent-transcripts/<session>[/<session>].jsonl`, or `.txt` of older versions, have no
times and no results. The same sessions are in the databases of the editor or of the command line, mostly;
there they are read, and here only what is in neither. A text is cut into its sections, a line for each.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.transcripts import cursor_database
from gitmem.transcripts.agent import Identity, Listed, Listing, session_of
from gitmem.transcripts.editors import user_folders
from gitmem.transcripts.fields import Object, child
from gitmem.transcripts.folders import CURSOR_TRANSCRIPTS
from gitmem.transcripts.head import read_head
from gitmem.transcripts.sqlite import line_of

SECTION = re.compile(r"(?:user|assistant|A|system|tool):|\[(?:Thinking|Tool call|Tool result)\]")
"""How the sections of a text begin."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]")
_MOST_LISTED = 10_000


def holds(path: Path, head: bytes) -> bool:
    """Tell a transcript by where it is and how it begins."""
    if CURSOR_TRANSCRIPTS not in path.parts:
        return False
    if path.suffix == ".txt":
        return SECTION.match(head.lstrip()[:40].decode(errors="replace")) is not None
    return path.suffix == ".jsonl" and any(map(is_line, read_head(head, path).records))


def is_line(record: Object) -> bool:
    """Tell whether a line is one of these: a role and a message, and nothing that others have."""
    return (
        record.keys() == {"role", "message"}
        and record["role"] in ("user", "assistant", "system", "tool")
        and isinstance(child(record, "message").get("content"), list)
    )


def sessions(path: Path) -> Listing:
    """List the session of a file, unless a database has it."""
    status = path.stat()
    own, parent = path.stem, _parent(path)
    if _is_in_a_database(path, own):
        return Listing(())
    identity = session_of("cursor", own, parent, directory_named(_folder_above(path).name))
    mark = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns} {status.st_ino}".encode()).hexdigest()[:32]
    return Listing((Listed(identity, mark, status.st_mtime_ns // 1_000_000, status.st_size),), is_one=True)


def rendition(path: Path, identity: Identity) -> Iterator[bytes]:
    """Yield its lines as they are, or its sections; before them which session it is, behind them where."""
    own = identity.stream.removeprefix("agent-") if identity.parent_id else identity.native_id
    first = {"transcript": own, "parent": identity.parent_id}
    yield line_of({"cursor": {name: value for name, value in first.items() if value is not None}})
    with path.open("rb") as file:
        if path.suffix == ".txt":
            yield from map(line_of, _sections(file))
        else:
            yield from (line for line in file if line.endswith(b"\n"))  # else it is being written
    if identity.cwd is not None:
        yield line_of({"cursor": {"transcript": own, "cwd": identity.cwd}})


def _sections(lines: Iterable[bytes]) -> Iterator[object]:
    section: list[str] = []
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        if SECTION.match(line) and section:
            yield {"section": "\n".join(section).strip("\n")}
            section = []
        section.append(line)
    if section:
        yield {"section": "\n".join(section).strip("\n")}


def _folder_above(path: Path) -> Path:
    """Return the project's folder, which the transcripts' folder is in."""
    return path.parents[len(path.parts) - 1 - path.parts.index(CURSOR_TRANSCRIPTS)]


def _parent(path: Path) -> str | None:
    """Return the session whose subagent's transcript it is."""
    below = path.relative_to(_folder_above(path) / CURSOR_TRANSCRIPTS).parts
    return below[0] if len(below) == 3 and below[1] == "subagents" else None


def _is_in_a_database(path: Path, own: str) -> bool:
    projects = _folder_above(path).parent
    if projects.name != "projects" or projects.parent.name != ".cursor":
        return False
    if any((chats / own / "store.db").is_file() for chats in _folders_in(projects.parent / "chats")):
        return True
    for folder in user_folders(projects.parent.parent, {}, ["Cursor"]):
        database = folder / "globalStorage" / "state.vscdb"
        try:
            if database.is_file() and cursor_database.knows(database, own):
                return True
        except UnknownTranscript:
            continue  # it cannot be read: then here is all that there is
    return False


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []


def directory_named(name: str, root: Path = Path("/")) -> str | None:
    """Return the directory that a project's folder is named after: its path, with all but letters and digits
    made dashes; None where no directory here has such a path, or several do.
    """
    found = _named(root, name.strip("-"), [_MOST_LISTED])
    return str(found[0]) if len(found) == 1 else None


def _named(folder: Path, rest: str, left: list[int]) -> list[Path]:
    found: list[Path] = []
    for entry in _folders_in(folder):
        left[0] -= 1
        if left[0] < 0:
            return []
        encoded = _NOT_IN_NAMES.sub("-", entry.name).strip("-")
        if not encoded or not rest.startswith(encoded):
            continue
        if rest == encoded:
            found.append(entry)
        elif rest[len(encoded)] == "-":
            found += _named(entry, rest[len(encoded) :].lstrip("-"), left)
    return found
