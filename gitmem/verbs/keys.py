"""The key of a repository's placeholders: made once, kept outside git, never shared.

It is derived from a secret of the user's and a name of the repository's, so that a copy of the repository's
folder alone does not let anybody guess what a placeholder stands for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from gitmem import disk
from gitmem.model.errors.withholding import RedactionFailed

KEY_BYTES = 32
_NAME_BYTES = 16
_LOCK_WAIT_S = 10.0


def redaction_key(user_dir: Path, state_dir: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the repository's key, making the user's secret and the repository's name where missing.

    Args:
        user_dir: The user's own folder for gitmem's data; nobody else may read the secret in it.
        state_dir: The repository's folder for local state.
        random_bytes: Where new secrets come from, such as `secrets.token_bytes`.

    Raises:
        RedactionFailed: The secret is there and is not what gitmem wrote.
        DiskRefused: It cannot be read or written.
    """
    secret = _kept(user_dir / "redaction-key", KEY_BYTES, random_bytes)
    name = _kept(state_dir / "repository-name", _NAME_BYTES, random_bytes)
    return hmac.digest(secret, b"gitmem redaction\0" + name, "sha256")


def rotate(state_dir: Path, random_bytes: Callable[[int], bytes]) -> None:
    """Give a repository another key: the same secrets have other placeholders from now on.

    What is stored stays, and is still recognised as the same text; whoever had the old key can try candidates
    against old placeholders alone.

    Raises:
        DiskRefused: It cannot be written; the old key stays.
    """
    path = state_dir / "repository-name"
    with disk.locked(path.with_name(path.name + ".lock"), _LOCK_WAIT_S):
        disk.replace_file(path, random_bytes(_NAME_BYTES).hex().encode() + b"\n", mode=0o600)


def _kept(path: Path, size: int, random_bytes: Callable[[int], bytes]) -> bytes:
    """Read a file of random bytes, in hex; make it under a lock, so that two processes agree on one."""
    if not path.exists():
        with disk.locked(path.with_name(path.name + ".lock"), _LOCK_WAIT_S):
            if not path.exists():
                disk.replace_file(path, random_bytes(size).hex().encode() + b"\n", mode=0o600)
    with disk.refusing("read", path):
        text = path.read_bytes().strip()
    try:
        value = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise RedactionFailed("anything", f"{path} does not hold {size} bytes in hex")
    return value
