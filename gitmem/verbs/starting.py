"""Starting a memory: its first commit, which says what it is and keeps builders away."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gitmem.format.memory import FORMAT_VERSION, open_memory
from gitmem.model.ids import Oid
from gitmem.model.refs import tracking_ref
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

A capture lists the segments of a transcript, in order, as [name, line ends, bytes]. A segment may build
on one before it, whose name stands in the 32 bytes before the last byte of its blob. Then the text of that
one, behind the text that it builds on itself and so on, is the prefix that zstd needs:

    git cat-file blob gitmem:sessions/12/34/<60 digits>/segments/78/<62 digits> > segment
    zstd -dc --patch-from=PREFIX segment
""",
    "netlify.toml": b'[build]\nignore = "exit 0"\n',
    "vercel.json": b'{"git": {"deploymentEnabled": false}}\n',
}


class Started(NamedTuple):
    """The commit that a memory's ref points at, and how that came: found here, made, or a remote's."""

    commit: Oid
    how: Literal["found", "made", "taken over"]
    remote: str | None = None


def start(storage: Storage, ref: str, writer: Writer, remotes: tuple[str, ...] = ()) -> Started:
    """Make a memory at a ref, unless there is one: then it is checked and kept.

    A remote's memory that was fetched already is taken over, so that a clone does not start another history.

    Raises:
        NotAMemory: The ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    if storage.read_ref(ref) is None:
        for remote in remotes:
            fetched = storage.read_ref(tracking_ref(remote, ref))
            if fetched is not None:
                open_memory(storage, ref, fetched)
                storage.move_ref(ref, fetched, None, f"gitmem: init from {remote}")
                return Started(fetched, "taken over", remote)
    else:
        return Started(open_memory(storage, ref).commit, "found")
    with storage.begin() as batch:
        changes: dict[Path, Oid | None] = {
            (name,): batch.add("blob", data) for name, data in ROOT_FILES.items()
        }
        return Started(commit(storage, ref, writer, f"Start a memory {SKIP_CI}\n", changes, batch), "made")
