"""What is said at each level is found where it may be, and nowhere else."""

from __future__ import annotations

import json
import random
import shutil
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard

from tests.conftest import SEED, CommandLine, RealGit, surroundings
from tests.levels.conftest import write_transcript

_ZSTD = b"\x28\xb5\x2f\xfd"


def objects(repository: Path) -> Iterator[bytes]:
    """Yield the content of every object that a repository has, reachable or not, and what zstd makes of it."""
    listed = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch", "--buffer"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout
    at = found = 0
    while at < len(listed):
        end = listed.index(b"\n", at)
        size = int(listed[at:end].rsplit(b" ", 1)[1])
        content = listed[end + 1 : end + 1 + size]
        at = end + 2 + size
        found += 1
        yield content
        if content.startswith(_ZSTD):
            # What builds on another segment needs that one, and begins with what is new in it.
            yield _decompressed(content)
    assert found


def _decompressed(frame: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(frame)
    except zstandard.ZstdError:
        return b""


def files_with(text: bytes, *folders: Path) -> list[Path]:
    """Return the files below some folders that hold a text, or whose own names do."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and (text in path.read_bytes() or text in str(path).encode()):
                found.append(path)
    return found


class Told(NamedTuple):
    """A folder with a home, a repository, its hub and its transcripts; and the words said there, by level."""

    folder: Path
    words: dict[str, str]


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Return a repository in which a session of each level was captured, indexed and looked at."""
    folder = tmp_path_factory.mktemp("pattern")
    (folder / "home").mkdir()
    # In place of what a test's own fixtures would say; every copy has a home of its own again.
    with pytest.MonkeyPatch.context() as patch:
        for name, value in surroundings(folder / "home").items():
            patch.setenv(name, value)
        words = _words(random.Random(SEED))
        _tell(folder, words, CommandLine(), RealGit())
    return Told(folder, words)


def _words(rng: random.Random) -> dict[str, str]:
    """Return a word for each level that nobody else says, and a secret."""
    made = {
        level: "canary" + "".join(rng.choices(string.ascii_lowercase, k=14))
        for level in ("team", "public", "private", "ephemeral")
    }
    made["secret"] = "gh" + "p_" + "".join(rng.choices(string.ascii_letters + string.digits, k=36))
    return made


def _tell(folder: Path, words: dict[str, str], run: CommandLine, git: RealGit) -> None:
    top, hub = folder / "repository", folder / "hub.git"
    git("init", "--quiet", str(top), cwd=folder)
    git.commit(top)
    run("init", "--no-hooks", "--no-import", cwd=top)
    git("init", "-q", "--bare", str(hub), cwd=folder)
    git("remote", "add", "origin", "../hub.git", cwd=top)
    git("push", "-q", "origin", "HEAD", cwd=top)
    for level in ("team", "public", "private", "ephemeral"):
        marker = f"gitmem:{level} " if level in ("private", "ephemeral") else ""
        said = [f"{marker}{words[level]} and {words['secret']}", f"yes, {words[level]}"]
        path = write_transcript(folder, level, said, title=f"About {words[level]}")
        run("import", str(path), cwd=top)
    run("level", "generic/public", "public", "--yes", cwd=top)
    for level in ("team", "public", "private"):
        run("title", f"generic/{level}", f"{words[level]} {words['secret']}", cwd=top)
        assert words[level] in run("search", words[level], cwd=top).stdout
        run("show", f"generic/{level}", cwd=top)
    run("checkpoint", "-m", "a state", cwd=top)


@pytest.fixture
def words(pattern: Told) -> dict[str, str]:
    print(f"GITMEM_TEST_SEED={SEED}")
    return pattern.words


@pytest.fixture
def told(pattern: Told, tmp_path: Path, home: Path) -> Path:
    """Return a copy of the pattern's repository; its hub, its transcripts and its user's home are copied too."""
    for path in pattern.folder.iterdir():
        shutil.copytree(path, home if path.name == "home" else tmp_path / path.name, dirs_exist_ok=True)
    return tmp_path / "repository"


@pytest.fixture
def hub(told: Path) -> Path:
    return told.parent / "hub.git"


def test_own_objects_have_what_is_the_teams_and_nothing_that_is_private(
    told: Path, words: dict[str, str], git: RealGit
) -> None:
    content = b"\0".join(objects(told))
    assert words["team"].encode() in content
    for kind in ("private", "ephemeral", "secret"):
        assert words[kind].encode() not in content, kind
    git("gc", "-q", "--prune=now", cwd=told)
    git("fsck", "--strict", cwd=told)
    assert words["private"].encode() not in b"\0".join(objects(told))


def test_what_is_ephemeral_leaves_nothing_on_the_disk(
    run: CommandLine, told: Path, words: dict[str, str], home: Path, tmp_path: Path
) -> None:
    canary = words["ephemeral"].encode()
    elsewhere = [path for path in tmp_path.iterdir() if path.name != "transcripts"]
    assert files_with(canary, home, *elsewhere) == []
    found = run("search", "--json", words["ephemeral"], cwd=told, status=None).stdout
    assert json.loads(found)["hits"] == []


def test_no_secret_is_anywhere_but_in_the_transcripts(
    told: Path, words: dict[str, str], home: Path, tmp_path: Path
) -> None:
    elsewhere = [path for path in tmp_path.iterdir() if path.name != "transcripts"]
    assert files_with(words["secret"].encode(), home, *elsewhere) == []


@pytest.mark.parametrize("way", ["push", "all", "mirror", "bundle", "clone"])
def test_whatever_git_is_told_to_send_nothing_private_can_be_read_there(
    run: CommandLine, told: Path, hub: Path, words: dict[str, str], git: RealGit, tmp_path: Path, way: str
) -> None:
    there = hub
    match way:
        case "push":
            git("config", "remote.origin.gitmem", "team,public,private", cwd=told)
            run("push", cwd=told)
        case "all":
            git("push", "-q", "--all", "origin", cwd=told)
        case "mirror":
            git("push", "-q", "--mirror", "origin", cwd=told)
        case "bundle":
            git("bundle", "create", "-q", str(tmp_path / "all.bundle"), "--all", cwd=told)
            there = tmp_path / "unbundled"
            git("clone", "-q", "--mirror", str(tmp_path / "all.bundle"), str(there), cwd=tmp_path)
        case "clone":
            there = tmp_path / "cloned"
            git("clone", "-q", "--mirror", str(told), str(there), cwd=tmp_path)
    content = b"\0".join(objects(there))
    for kind in ("private", "ephemeral", "secret"):
        assert words[kind].encode() not in content, kind
    assert words["team"].encode() in content
