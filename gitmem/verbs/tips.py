"""Where the memories of a repository stand, told as cheaply as it allows: a search asks this each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from os import scandir
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.model.ids import Oid
from gitmem.model.refs import (
    KEYS_NAMESPACE,
    PRIVATE_NAMESPACE,
    PUBLIC_REF,
    SEALED_NAMESPACE,
    sealed_name,
    sealed_ref,
)
from gitmem.sidecar.folders import data_folder
from gitmem.verbs.absent_table import absent_mark

_OID: Final = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n?\Z")
_SHA1_DIGITS: Final = 40


class Tip(NamedTuple):
    """Where the memories stand, which is the same as long as none of them moves, no text comes that was left
    with a remote, and nobody's own key comes.

    `commit` is what all of them together are shown at: where the first of them stands.
    """

    name: str
    commit: str


def read_tip(common_dir: Path, ref: str, environ: Mapping[str, str]) -> Tip | None:
    """Return where the memory at `ref`, the public one and what is private stand; None where there is none.

    Where there is the one memory alone, its commit is the name too. git itself is asked only where refs are
    kept in another form than files. A key that the settings name counts from the next move of a ref on.
    """
    refs = _read_files(common_dir, ref)
    if refs is None:
        refs = _ask_git(common_dir, ref, environ)
    commit = refs.get(ref)
    absent = absent_mark(common_dir / "gitmem")
    if commit is not None and len(refs) == 1 and not absent:
        return Tip(commit, commit)
    has_private = any(sealed_ref(name) in refs for name in map(sealed_name, refs) if name)
    if commit is None:
        commit = _commit_of_private(refs) if has_private else refs.get(PUBLIC_REF)
    if commit is None:
        return None
    digest = hashlib.sha256()
    for name, oid in sorted(refs.items()):
        digest.update(f"{name} {oid}\n".encode())
    digest.update(absent)
    if has_private:
        digest.update(_own_identity(environ))
    return Tip(digest.hexdigest(), commit)


def _read_files(common_dir: Path, ref: str) -> dict[str, str] | None:
    """Return what the refs point at, by name; None where git has to be asked."""
    found: dict[str, str] = {}
    try:
        for name in (ref, *_own_names(common_dir)):
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                with open(f"{common_dir}/{name}", "rb", 0) as file:  # noqa: PTH123 (there may be thousands)
                    content = file.read()
                if not _OID.match(content):
                    return None
                found[name] = content.decode().strip()
    except OSError:
        return None
    if ref not in found and (common_dir / "reftable").is_dir():
        return None
    # Looked at after the loose files: git writes this one before it removes those.
    return {**_packed(common_dir, ref), **found}


def _own_names(common_dir: Path) -> Iterator[str]:
    """Yield the names of files that hold refs of the public memory, and of what is private."""
    names = set(_listed(common_dir / PRIVATE_NAMESPACE))
    for name in (PUBLIC_REF, SEALED_NAMESPACE, KEYS_NAMESPACE):
        if name.removeprefix(PRIVATE_NAMESPACE).removesuffix("/") not in names:
            continue
        if name == PUBLIC_REF:
            yield name
        else:
            yield from filter(sealed_name, (name + below for below in _listed(common_dir / name)))


def _listed(folder: Path) -> Iterable[str]:
    try:
        with scandir(folder) as entries:
            return [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _packed(common_dir: Path, ref: str) -> dict[str, str]:
    try:
        content = (common_dir / "packed-refs").read_bytes()
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for wanted in (f" {ref}\n", f" {PRIVATE_NAMESPACE}"):
        at = content.find(wanted.encode())
        while at >= 0:
            end = content.find(b"\n", at)
            name = content[at + 1 : end].decode("utf-8", "replace")
            if name in (ref, PUBLIC_REF) or sealed_name(name):
                found[name] = content[:at].rpartition(b"\n")[2].decode("ascii", "replace")
            at = content.find(wanted.encode(), end)
    return found


def _ask_git(common_dir: Path, ref: str, environ: Mapping[str, str]) -> dict[str, str]:
    from gitmem.git.process import Git

    answer = Git(environ).run(
        [
            "for-each-ref",
            "--format=%(objectname) %(refname)",
            *(ref, PUBLIC_REF, SEALED_NAMESPACE, KEYS_NAMESPACE),
        ],
        doing=f"read {ref}",
        git_dir=common_dir,
    )
    rows = (line.partition(" ") for line in answer.text.splitlines())
    return {name: oid for oid, _, name in rows if name in (ref, PUBLIC_REF) or sealed_name(name)}


def _commit_of_private(refs: Mapping[str, str]) -> str | None:
    from gitmem.sealed.tips import virtual_commit

    oids = {name: Oid(oid) for name, oid in refs.items()}
    is_sha1 = all(len(oid) == _SHA1_DIGITS for oid in oids.values())
    return virtual_commit(oids, "sha1" if is_sha1 else "sha256")


def _own_identity(environ: Mapping[str, str]) -> bytes:
    """Return what tells the user's own key, and its coming, from others'."""
    from gitmem.sealed.identities import own_identity_path

    path = own_identity_path(data_folder(environ))
    try:
        status = path.stat()
    except OSError:
        return b"nobody\n"
    return f"{path} {status.st_mtime_ns} {status.st_size}\n".encode("utf-8", "surrogateescape")
