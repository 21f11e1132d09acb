"""Who the authors of a repository's code are, for whoever asks whom to trust; a search asks this each time.

The code is what the main branch of `origin` has, or HEAD where there is no such remote: what is only checked
out may be a stranger's. git is asked once for each tip, and where the code went on only for what is new.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository, identity
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import DiskRefused
from gitmem.model.refs import MAIN_OF_ORIGIN
from gitmem.model.settings import Settings
from gitmem.query.trusting import Trusting

_HEADER: Final = b"gitmem authors 1 "
_OID: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_MOST_LINKS: Final = 5
_LONGEST: Final = 320


def own_addresses(repository: Repository, git: Git) -> frozenset[str]:
    """Return the user's own addresses, as git knows them in a repository."""
    named = (repository.config.get(name, ()) for name in ("user.email", "author.email"))
    return frozenset([identity(repository, git.environ).email, *chain.from_iterable(named)])


def trusting_at(
    common_dir: Path, git: Git, settings: Settings, own: Iterable[str], asked: Iterable[str] | None = None
) -> Trusting:
    """Return whom the user knows in the repository of a common directory; `own` are their addresses.

    Where only some are `asked` about, and the user and whom they named are all of these, the code is not
    looked at: the first look at a long history takes seconds.

    Raises:
        GitMissing: git has to be asked, and there is none.
    """
    found = Trusting(frozenset(address.lower() for address in own), settings.trust, settings.distrust)
    if asked is not None and all(found.of(address) != "unknown" for address in asked if address):
        return found
    return found._replace(known=found.known | authors(common_dir, git))


def authors(common_dir: Path, git: Git) -> frozenset[str]:
    """Return the addresses of all authors of a repository's code, in small letters."""
    tip = _tip(common_dir, git)
    if not tip:
        return frozenset()
    path = common_dir / "gitmem" / "cache" / "authors"
    before, known = _read(path)
    if before == tip:
        return known
    if before and _leads(common_dir, git, before, tip):
        found = known | _ask(common_dir, git, tip, before)
    else:
        found = _ask(common_dir, git, tip, "")
    with suppress(DiskRefused):  # it can be found again
        disk.make_private_folder(path.parent)
        content = "\n".join(sorted(found)).encode("utf-8", "surrogateescape")
        disk.replace_file(path, _HEADER + tip.encode() + b"\n" + content, durable=False, mode=0o600)
    return found


def _read(path: Path) -> tuple[str, frozenset[str]]:
    """Return the tip that the table is of, and who is in it."""
    try:
        header, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return "", frozenset()
    tip = header.removeprefix(_HEADER).decode("ascii", "replace")
    if not header.startswith(_HEADER) or not _OID.match(tip):
        return "", frozenset()
    return tip, frozenset(filter(None, content.decode("utf-8", "surrogateescape").split("\n")))


def _ask(common_dir: Path, git: Git, tip: str, before: str) -> frozenset[str]:
    # Not as .mailmap has it: that file comes with the code, and may say anything.
    arguments = ["log", "--format=%ae", "--no-show-signature", "--no-mailmap", tip]
    if before:
        arguments.append(f"^{before}")
    try:
        answer = git.run([*arguments, "--"], doing="find the authors of the code", git_dir=common_dir)
    except GitFailed:
        return frozenset()  # commits are missing, as in a clone that was cut short; fewer people are known
    lines = answer.stdout.decode("utf-8", "surrogateescape").lower().splitlines()
    return frozenset(line for line in map(str.strip, set(lines)) if 0 < len(line) <= _LONGEST)


def _leads(common_dir: Path, git: Git, before: str, tip: str) -> bool:
    answer = git.run(
        ["merge-base", "--is-ancestor", before, tip],
        doing="find the authors of the code",
        git_dir=common_dir,
        accept=range(256),
    )
    return answer.status == 0


def _tip(common_dir: Path, git: Git) -> str:
    """Return where the code stands; nothing where there is none yet. Reads files, as long as they tell."""
    for name in (MAIN_OF_ORIGIN, "HEAD"):
        try:
            found = _follow(common_dir, name)
        except OSError:
            return ""
        if found is None:
            answer = git.run(
                ["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
                doing="find where the code stands",
                git_dir=common_dir,
                accept=range(256),
            )
            found = answer.text if answer.status == 0 else ""
        if found:
            return found
    return ""


def _follow(common_dir: Path, name: str) -> str | None:
    """Return the commit that a ref leads to, nothing where there is none; None where git has to say."""
    if (common_dir / "reftable").is_dir():
        return None
    for _ in range(_MOST_LINKS):
        try:
            content = (common_dir / name).read_bytes().decode("utf-8", "replace").strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return _packed(common_dir, name)
        if not content.startswith("ref: "):
            return content if _OID.match(content) else None
        name = content.removeprefix("ref: ")
        if ".." in name:
            return None
    return None


def _packed(common_dir: Path, name: str) -> str:
    try:
        content = (common_dir / "packed-refs").read_bytes()
    except FileNotFoundError:
        return ""
    at = content.find(f" {name}\n".encode())
    return content[:at].rpartition(b"\n")[2].decode("ascii", "replace") if at >= 0 else ""
