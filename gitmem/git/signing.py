"""Signing and verifying by the user's own git: formats, programs, keys and trust are as they set them.

What is signed is always a commit, for git signs nothing else so alike in every version. A text is signed as
the message of one that stands in no repository: of no files, by nobody, in SHA-1 wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple

from gitmem.git.process import Answer, Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.sharing import SigningFailed
from gitmem.model.ids import Oid
from gitmem.objects.encoding import Commit, Signature, encode_commit, object_id

State = Literal["good", "untrusted", "expired", "revoked", "unknown", "bad"]
"""good: by a key that git trusts; untrusted: by one that it knows nothing of, or trusts too little; unknown:
it cannot look, for want of the key; bad: not of this content, or (ssh) by a key that was revoked."""

_STATES: Final[Mapping[str, State]] = {
    "G": "good",
    "U": "untrusted",
    "X": "expired",
    "Y": "expired",
    "R": "revoked",
    "B": "bad",
}
_BEGINNINGS: Final = (
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
)
"""What git takes for a signature; at another beginning it ends, with nothing said of the rest either."""

_ARMOUR: Final = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n(?:(?!-----)[ -~]*\n)+-----END \1-----\Z")
"""A signature with nothing behind it, which programs would pass over."""

_HEADERS: Final = (b"gpgsig ", b"gpgsig-sha256 ")
_TRUST: Final = ("undefined", "never", "marginal", "fully", "ultimate")
_NOBODY: Final = Signature("gitmem", "gitmem@localhost", 0)
_FORMAT: Final = "%H%x00%G?%x00%GS%x00%GK%x00%GF%x00%GP"
_SIGN_TIMEOUT_S: Final = 300.0
"""Somebody may be looking for their card."""
_CHECK_TIMEOUT_S: Final = 120.0


class Verdict(NamedTuple):
    """What git says of a signature: `signer` is a principal or a user id, `keys` fingerprints of its key."""

    state: State
    signer: str = ""
    keys: tuple[str, ...] = ()


class SignedText(NamedTuple):
    """A text without NUL, the second in which it was signed, and what stands for its signature."""

    text: str
    at_s: int
    signature: str


def is_signed(data: bytes) -> bool:
    """Whether a commit's bytes hold a signature, of whatever kind."""
    return any(line.startswith(_HEADERS) for line in data.partition(b"\n\n")[0].split(b"\n"))


def sign_commit(repository: Repository, git: Git, commit: Commit) -> bytes:
    """Return the bytes of a commit with the signature of its committer; nothing is stored.

    Raises:
        SigningFailed: git signs nothing: no key, an agent that is locked, nobody to ask.
    """
    import tempfile  # a push that signs nothing loads this too

    with tempfile.TemporaryDirectory(prefix="gitmem-") as folder:
        there = {
            "GIT_DIR": str(repository.git_dir),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.common_dir / "objects"),
        }
        at = _At(git.elsewhere(), there, repository)
        # Not by the committer, who has no address in what is public.
        key = "-S" + _default_key(repository, git)
        return _sign(at, commit, [f"-p{parent}" for parent in commit.parents], key)


def sign_text(repository: Repository, git: Git, text: str, at_s: int) -> str:
    """Return the user's signature over a text; raises as `sign_commit` does."""
    key = "-S" + _default_key(repository, git)
    with _no_repository(repository, git) as at:
        data = _sign(at, _commit_of(text, at_s), [], key)
    lines = data.partition(b"\n\n")[0].split(b"\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(_HEADERS))
    signature = [lines[start].partition(b" ")[2], *(line[1:] for line in lines[start + 1 :])]
    return b"\n".join(signature).decode("ascii")


def check_commits(repository: Repository, git: Git, oids: Sequence[Oid]) -> dict[Oid, Verdict]:
    """Return what git says of the signatures of commits of the repository, all of which have one."""
    if not oids:
        return {}
    at = _At(git.elsewhere(), {"GIT_DIR": str(repository.git_dir)}, repository)
    answer = _run(at, ["cat-file", "--batch"], "read commits", "".join(f"{oid}\n" for oid in oids).encode())
    return _check(at, [oid for oid in oids if oid in _readable(answer.stdout)], oids)


def check_texts(repository: Repository, git: Git, texts: Sequence[SignedText]) -> list[Verdict]:
    """Return what git says of the signatures of texts, in their order."""
    written: list[Oid | None] = []
    with _no_repository(repository, git) as at:
        for text in texts:
            written.append(_write(at, text))
        oids = list(dict.fromkeys(oid for oid in written if oid is not None))
        found = _check(at, oids, oids)
    return [found[oid] if oid is not None else Verdict("bad") for oid in written]


class _At(NamedTuple):
    """Where git is run, and the repository whose settings it has."""

    git: Git
    environ: Mapping[str, str]
    repository: Repository
    config: Mapping[str, str] = {}


@contextmanager
def _no_repository(repository: Repository, git: Git) -> Iterator[_At]:
    """Make a folder that git takes for a repository of SHA-1, with the settings of another one."""
    names = ("gpg.", "user.")
    config = {name: values[-1] for name, values in repository.config.items() if name.startswith(names)}
    import tempfile  # a push that signs nothing loads this too

    with tempfile.TemporaryDirectory(prefix="gitmem-") as folder:
        at = _At(git.elsewhere(), {"GIT_DIR": folder}, repository, config)
        _run(at, ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"], "sign or verify")
        yield at


def _sign(at: _At, commit: Commit, parents: Sequence[str], key: str) -> bytes:
    people: dict[str, str] = {}
    for role, who in (("AUTHOR", commit.author), ("COMMITTER", commit.committer)):
        people |= {
            f"GIT_{role}_NAME": who.name,
            f"GIT_{role}_EMAIL": who.email,
            f"GIT_{role}_DATE": f"@{who.time_s} +0000",
        }
    at = at._replace(environ={**at.environ, **people}, config={**at.config, "i18n.commitEncoding": "UTF-8"})
    try:
        answer = _run(
            at,
            ["commit-tree", key, *parents, "-F", "-", commit.tree],
            "sign",
            commit.message.encode(),
            _SIGN_TIMEOUT_S,
        )
        return _run(at, ["cat-file", "commit", answer.text], "sign").stdout
    except GitFailed as error:
        raise SigningFailed(error.stderr) from error


def _default_key(repository: Repository, git: Git) -> str:
    """Return the key that git would sign the user's commits with; nothing where it finds it itself."""
    is_named = "user.signingkey" in repository.config
    if is_named or repository.config.get("gpg.format", ("",))[-1] == "ssh":
        return ""
    at = _At(git.elsewhere(), {"GIT_DIR": str(repository.git_dir)}, repository)
    try:
        return _run(at, ["var", "GIT_COMMITTER_IDENT"], "sign").text.rpartition("> ")[0] + ">"
    except GitFailed as error:
        raise SigningFailed(error.stderr) from error


def _commit_of(text: str, at_s: int) -> Commit:
    who = _NOBODY._replace(time_s=max(0, at_s))
    return Commit(object_id("tree", b"", "sha1"), (), who, who, text + "\n")


def _write(at: _At, text: SignedText) -> Oid | None:
    """Write the commit that a text was signed as; None where its signature is none that git reads."""
    signature = text.signature.encode("utf-8", "replace")
    if not (signature.startswith(_BEGINNINGS) and _ARMOUR.match(signature)):
        return None
    headers, blank, message = encode_commit(_commit_of(text.text, text.at_s)).partition(b"\n\n")
    data = headers + b"\ngpgsig " + signature.replace(b"\n", b"\n ") + blank + message
    answer = _run(
        at, ["hash-object", "-t", "commit", "-w", "--stdin"], "verify a signature", data, accept=range(256)
    )
    return Oid(answer.text) if answer.status == 0 else None


def _readable(batch: bytes) -> frozenset[Oid]:
    """Return the commits of an answer of `cat-file --batch` whose signatures begin as git's do."""
    found = set()
    at = 0
    while at < len(batch):
        line = batch[at : batch.index(b"\n", at)]
        at += len(line) + 1
        words = line.split(b" ")
        if len(words) == 3 and words[2].isdigit():
            size = int(words[2])
            data, at = batch[at : at + size], at + size + 1
            headers = data.partition(b"\n\n")[0].split(b"\n")
            signatures = [each.partition(b" ")[2] for each in headers if each.startswith(_HEADERS)]
            if signatures and all(each.startswith(_BEGINNINGS) for each in signatures):
                found.add(Oid(words[0].decode()))
    return frozenset(found)


def _check(at: _At, readable: Sequence[Oid], oids: Sequence[Oid]) -> dict[Oid, Verdict]:
    config = at.repository.config
    if not config.get("gpg.ssh.allowedsignersfile", ("",))[-1]:
        # Without any git says nothing of ssh keys, not even which one it was.
        at = at._replace(config={**at.config, "gpg.ssh.allowedSignersFile": "/dev/null"})
    found = dict.fromkeys(oids, Verdict("bad"))
    for row in _log(at, readable, _FORMAT):
        oid, letter, signer, *keys = row
        fingerprints = tuple(dict.fromkeys(filter(None, keys)))  # a key's, and that of the key it belongs to
        found[Oid(oid)] = Verdict(_STATES.get(letter, "unknown"), signer, fingerprints)
    least = config.get("gpg.mintrustlevel", ("",))[-1].lower()
    if least in _TRUST:
        # Asked for no other, since git stops with a bug where a signature could not be looked at.
        good = [oid for oid, verdict in found.items() if verdict.state == "good"]
        for oid, trust in _log(at, good, "%H%x00%GT"):
            if trust in _TRUST and _TRUST.index(trust) < _TRUST.index(least):
                found[Oid(oid)] = found[Oid(oid)]._replace(state="untrusted")
    return found


def _log(at: _At, oids: Sequence[Oid], form: str) -> Iterator[list[str]]:
    """Yield what git says of commits, in their order; where it stops at one, that one is left out."""
    if not oids:
        return
    arguments = ["log", "-z", "--no-walk=unsorted", "--no-show-signature", f"--format={form}%x00", "--stdin"]
    names = "".join(f"{oid}\n" for oid in oids).encode()
    try:
        answer = _run(at, arguments, "verify signatures", names)
    except GitFailed:
        for oid in oids if len(oids) > 1 else ():
            yield from _log(at, [oid], form)
        return
    width = form.count("%x00") + 1
    fields = answer.stdout.decode("utf-8", "replace").split("\0")
    for start in range(0, len(fields) - width, width + 1):
        yield fields[start : start + width]


def _run(
    at: _At,
    args: Sequence[str],
    doing: str,
    stdin: bytes = b"",
    timeout_s: float = _CHECK_TIMEOUT_S,
    accept: Sequence[int] | range = (0,),
) -> Answer:
    git = Git({**at.git.environ, **at.environ})
    # Relative paths in the settings count from the top of the working tree.
    where = at.repository.top or at.repository.git_dir
    return git.run(
        args, doing=doing, cwd=where, stdin=stdin, timeout_s=timeout_s, config=at.config, accept=accept
    )
