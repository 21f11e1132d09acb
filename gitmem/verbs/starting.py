"""Starting a memory: its first commit, which says what it is and keeps builders away."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gitmem.format.memory import FORMAT_VERSION, open_memory
from gitmem.model.ids import Oid
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path
from gitmem.verbs.committing import SKIP_CI, Writer, commit

ROOT_FILES: dict[str, bytes] = {
    "FORMAT": b"%d\n" % FORMAT_VERSION,
    "README.md": b"""\
# This branch is a memory

It holds the work that people did with coding agents in this repository: their sessions, after redaction,
in a form that machines read. It is written and read by gitmem, and is never meant to be checked out,
merged into other branches or built.

    gitmem init        # in a clone of this repository: makes gitmem use this memory
    gitmem sessions    # what is in it
    gitmem search WORDS

Without gitmem, git and zstd are enough. Everything below `sessions/`, `notes/`, `checkpoints/` and
`tombstones/` is one zstd frame; a record is one line of JSON:

    git cat-file blob gitmem:sessions/12/34/<60 digits>/session | zstd -dc
    git cat-file blob gitmem:sessions/12/34/<60 digits>/captures/56/<62 digits> | zstd -dc

A capture lists the segments that it added to a transcript, in order, as [name, line ends, bytes], and says
how many lines of the capture before it (`parents`) it keeps. The last byte of a segment is 0 or 32. If it
is 0, the segment is read like a record:

    git cat-file blob gitmem:sessions/12/34/<60 digits>/segments/78/<62 digits> | zstd -dc

If it is 32, the 32 bytes before it name the segment that this one builds on. Then PREFIX is a file with the
text of that one, behind the text that it builds on itself, and so on:

    git cat-file blob gitmem:sessions/12/34/<60 digits>/segments/78/<62 digits> > segment
    zstd -dc --patch-from=PREFIX segment
""",
    "netlify.toml": b'[build]\nignore = "exit 0"\n',
    "vercel.json": b'{"git": {"deploymentEnabled": false}}\n',
}


class Started(NamedTuple):
    """The commit that a memory's ref points at, and whether it was found or made."""

    commit: Oid
    how: Literal["found", "made"]


def start(storage: Storage, ref: str, writer: Writer) -> Started:
    """Make a memory at a ref, unless there is one: then it is checked and kept.

    Raises:
        NotAMemory: The ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    if storage.read_ref(ref) is not None:
        return Started(open_memory(storage, ref).commit, "found")
    with storage.begin() as batch:
        changes: dict[Path, Oid | None] = {
            (name,): batch.add("blob", data) for name, data in ROOT_FILES.items()
        }
        message = f"Start a memory {SKIP_CI}\n"
        return Started(commit(storage, ref, writer, message, changes, batch, is_first=True), "made")
