"""Short questions to git: several at once, and what stands in the way of one has a name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitmem.git import asking
from gitmem.git.asking import ask_at
from gitmem.git.process import Git
from gitmem.model.errors.repositories import GitFailed, GitMissing
from tests.conftest import RealGit
from tests.git.test_process import fake_git


def descriptors() -> list[str]:
    return os.listdir("/dev/fd")  # noqa: PTH208 (names are all that is wanted)


def test_answers_come_in_the_order_of_the_questions(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    below = repository / "below"
    below.mkdir()
    questions = [["rev-parse", "HEAD"], ["rev-parse", "--show-prefix"], ["rev-parse", "--no-such", "nothing"]]
    answers = ask_at(Git(environ), below, *questions, doing="ask")
    assert answers[0].text == git("rev-parse", "HEAD", cwd=repository)
    assert answers[1].text == "below/"
    assert answers[2].status == 128
    assert "nothing" in answers[2].stderr


def test_answers_of_any_length_are_read_whole(tmp_path: Path, environ: Mapping[str, str]) -> None:
    noisy = fake_git(
        tmp_path,
        environ,
        "for _ in range(20):\n    os.write(2, b'e' * 50_000)\n    os.write(1, b'o' * 50_000)\nsys.exit(7)",
    )
    for answer in ask_at(noisy, tmp_path, ["a"], ["b"], doing="ask"):
        assert (answer.status, len(answer.stdout), len(answer.stderr)) == (7, 1_000_000, 1_000_000)


def test_git_that_was_killed_has_a_status(tmp_path: Path, environ: Mapping[str, str]) -> None:
    (answer,) = ask_at(fake_git(tmp_path, environ, "os.kill(os.getpid(), 9)"), tmp_path, ["a"], doing="ask")
    assert answer.status == -9


def test_missing_git_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()  # a folder of that name is none
    with pytest.raises(GitMissing):
        ask_at(Git({"PATH": str(tmp_path)}), tmp_path, ["version"], doing="ask")


def test_git_that_cannot_be_started_is_said_so_and_leaves_no_descriptor(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    (tmp_path / "git").write_bytes(b"\x7fELF no program")
    (tmp_path / "git").chmod(0o755)
    before = descriptors()
    with pytest.raises(GitFailed, match="could not ask: "):
        ask_at(Git({**environ, "PATH": str(tmp_path)}), tmp_path, ["version"], doing="ask")
    assert descriptors() == before


def test_interrupt_ends_what_was_asked(
    tmp_path: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    start = asking._start

    def note(*args: Any) -> Any:
        asked = start(*args)
        started.append(asked.pid)
        return asked

    def interrupt(pipes: object) -> list[bytearray]:
        raise KeyboardInterrupt

    monkeypatch.setattr("gitmem.git.asking._start", note)
    monkeypatch.setattr("gitmem.git.asking._read", interrupt)
    before = descriptors()
    with pytest.raises(KeyboardInterrupt):
        ask_at(fake_git(tmp_path, environ, "time.sleep(3600)"), tmp_path, ["a"], ["b"], doing="ask")
    assert descriptors() == before
    assert len(started) == 2
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_other_file_of_settings_is_not_read(
    repository: Path, environ: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "other").write_text("[gitmem]\n\tlevel = public\n")
    bent = Git({**environ, "GIT_CONFIG": str(tmp_path / "other")})
    (answer,) = ask_at(bent, repository, ["config", "--get-regexp", "gitmem"], doing="ask")
    assert (answer.status, answer.stdout) == (1, b"")
