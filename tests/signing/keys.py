"""Keys as people have them: made by ssh-keygen and gpg, and set in a repository as git wants them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import RealGit


class SshKey(NamedTuple):
    """A key of ssh: the file of its secret half, and its public half on a line."""

    path: Path
    public: str

    @property
    def fingerprint(self) -> str:
        said = run_program("ssh-keygen", "-lf", f"{self.path}.pub")
        return said.split(" ")[1]


def run_program(*command: str, stdin: str = "") -> str:
    """Run a program that signing needs; one that is missing fails the test and says so."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is not installed: what it signs is not tested")
    finished = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert finished.returncode == 0, f"{command}: {finished.stderr}"
    return finished.stdout


def ssh_key(folder: Path, name: str) -> SshKey:
    path = folder / f"{name}.key"
    run_program("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path))
    return SshKey(path, " ".join((folder / f"{name}.key.pub").read_text().split(" ")[:2]))


def use_ssh(git: RealGit, repository: Path, key: SshKey) -> None:
    """Have a repository sign with a key."""
    git("config", "gpg.format", "ssh", cwd=repository)
    git("config", "user.signingKey", f"{key.path}.pub", cwd=repository)


def allow(git: RealGit, repository: Path, lines: dict[str, SshKey]) -> Path:
    """Have a repository know whose keys are whose; a principal may be followed by options."""
    path = repository.parent / f"{repository.name}.signers"
    path.write_text("".join(f"{who} {key.public}\n" for who, key in lines.items()))
    git("config", "gpg.ssh.allowedSignersFile", str(path), cwd=repository)
    return path


@contextmanager
def gnupg(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Path]:
    """Have gpg keep its keys in a folder of its own, and end the agent that it starts."""
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        yield home
    finally:
        run_program("gpgconf", "--kill", "all")


def gpg_key(who: str, *, expires: str = "0") -> str:
    """Make a key for signing and return its fingerprint."""
    run_program(
        *("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""),
        *("--quick-generate-key", who, "ed25519", "sign", expires),
    )
    listed = run_program("gpg", "--batch", "--with-colons", "--list-keys", who)
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
