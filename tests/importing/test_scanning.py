"""Finding the agents' own transcripts of a working tree: whose they are, and which of them have grown."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.verbs.scanning import Scan, scan
from tests.conftest import RealGit
from tests.importing import samples

LATER_NS = 4_000_000_000_000_000_000
"""So long after every file's time that no folder counts as just changed."""

Look = Callable[..., Scan]


@pytest.fixture
def projects(home: Path) -> Path:
    return home / ".claude/projects"


@pytest.fixture
def look(home: Path, tmp_path: Path, repository: Path) -> Look:
    """Scan for a repository's transcripts, or those of other working trees."""

    def look(*tops: Path, settled: bool = True, **options: object) -> Scan:
        found = scan(tmp_path / "state", tops or (repository,), home, {}, LATER_NS, **options)
        if settled:
            found.settle([])
        return found

    return look


def transcript(path: Path, cwd: Path, start: int = 0, stop: int = 4, name: str = samples.NAME) -> Path:
    return samples.write(path, b"".join(samples.line(n, name, cwd=str(cwd)) for n in range(start, stop)))


def grown(found: Scan) -> list[str]:
    return [source.path.name for source in found.grown]


def test_what_is_new_has_grown_until_it_is_settled(look: Look, projects: Path, repository: Path) -> None:
    transcript(projects / "p/a.jsonl", repository)
    transcript(projects / "p/b.jsonl", repository / "src")
    assert grown(look(settled=False)) == ["a.jsonl", "b.jsonl"]
    assert grown(look()) == ["a.jsonl", "b.jsonl"]
    found = look()
    assert grown(found) == []
    assert [(ours.path.name, ours.agent, ours.top) for ours in found.ours] == [
        ("a.jsonl", "claude-code", repository),
        ("b.jsonl", "claude-code", repository),
    ]


@pytest.mark.parametrize("below", ["", "src"])
def test_a_session_that_tells_its_directory_by_a_digest_is_known_at_the_top_alone(
    look: Look, home: Path, repository: Path, below: str
) -> None:
    digest = hashlib.sha256(os.fsencode(repository / below)).hexdigest()
    content = samples.gemini(4, "2026-03-01T10:01:00Z").replace(b"0" * 64, digest.encode())
    samples.write(home / f".gemini/tmp/{digest}/chats/session-1.json", content)
    samples.write(home / ".gemini/tmp/other/chats/session-2.json", samples.gemini(4, "2026-03-01T10:01:00Z"))
    found = look(settled=False)
    assert grown(found) == ([] if below else ["session-1.json"])
    assert [ours.top for ours in found.ours] == ([] if below else [repository])


def test_what_is_longer_has_grown(look: Look, projects: Path, repository: Path) -> None:
    path = transcript(projects / "p/a.jsonl", repository)
    transcript(projects / "p/b.jsonl", repository)
    look()
    with path.open("ab") as file:
        file.write(samples.line(4, cwd=str(repository)))
    found = look()
    assert grown(found) == ["a.jsonl"]
    assert found.ours[0].size_bytes == path.stat().st_size
    assert found.ours[0].mtime_ns == path.stat().st_mtime_ns


def test_what_is_replaced_at_the_same_length_has_grown(look: Look, projects: Path, repository: Path) -> None:
    path = transcript(projects / "p/a.jsonl", repository)
    look()
    status = path.stat()
    path.unlink()
    transcript(path, repository)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns + 1))
    assert grown(look()) == ["a.jsonl"]


def test_what_was_refused_has_grown_still(look: Look, projects: Path, repository: Path) -> None:
    path = transcript(projects / "p/a.jsonl", repository)
    transcript(projects / "p/b.jsonl", repository)
    look(settled=False).settle([path])
    assert grown(look()) == ["a.jsonl"]


def test_a_session_of_elsewhere_is_read_once(look: Look, projects: Path, repository: Path) -> None:
    path = transcript(projects / "p/a.jsonl", repository.parent / "another")
    assert look().ours == ()
    transcript(path, repository)  # in place, which no agent does: its folder looks as before
    assert look().ours == ()
    transcript(projects / "p/b.jsonl", repository)
    assert grown(look()) == ["b.jsonl"]


def test_a_session_of_elsewhere_is_ours_when_its_place_is(
    look: Look, projects: Path, repository: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    transcript(projects / "p/a.jsonl", other)
    transcript(projects / "p/b.jsonl", other / "src")
    assert look().ours == ()
    assert look().ours == ()
    assert grown(look(repository, other)) == ["a.jsonl", "b.jsonl"]
    assert grown(look(repository, other)) == []
    transcript(projects / "p/c.jsonl", repository)
    assert grown(look()) == ["c.jsonl"]


def test_a_session_that_says_later_where_it_began_is_found_then(
    look: Look, projects: Path, repository: Path
) -> None:
    path = samples.write(projects / "p/a.jsonl", b"")
    assert look().ours == ()
    transcript(path, repository)
    assert grown(look()) == ["a.jsonl"]


def test_a_session_that_says_far_down_where_it_began_is_found(
    look: Look, projects: Path, repository: Path
) -> None:
    summaries = b"".join(
        b'{"type":"summary","summary":"%s","leafUuid":"u"}\n' % (b"x" * 1000) for _ in range(40)
    )
    samples.write(projects / "p/a.jsonl", summaries + samples.line(0, cwd=str(repository)))
    assert grown(look()) == ["a.jsonl"]


def test_a_folder_that_had_just_changed_is_listed_again(
    home: Path, tmp_path: Path, projects: Path, repository: Path
) -> None:
    transcript(projects / "p/a.jsonl", repository)
    status = (projects / "p").stat()
    scan(tmp_path, (repository,), home, {}, status.st_mtime_ns + 1_000_000).settle([])
    transcript(projects / "p/b.jsonl", repository)
    os.utime(projects / "p", ns=(status.st_mtime_ns, status.st_mtime_ns))  # within the clock's tick
    assert grown(scan(tmp_path, (repository,), home, {}, LATER_NS)) == ["b.jsonl"]


def test_folders_and_files_may_go(look: Look, projects: Path, repository: Path) -> None:
    transcript(projects / "p/a.jsonl", repository)
    transcript(projects / "q/sub/b.jsonl", repository)
    look()
    (projects / "p/a.jsonl").unlink()
    assert [found.path.name for found in look().ours] == ["b.jsonl"]
    shutil.rmtree(projects)
    assert look().ours == ()
    transcript(projects / "p/a.jsonl", repository)
    assert grown(look()) == ["a.jsonl"]


def test_the_innermost_repository_has_a_session(
    look: Look, projects: Path, repository: Path, git: RealGit
) -> None:
    inner = repository / "vendor/inner"
    inner.mkdir(parents=True)
    git("init", "-q", cwd=inner)
    transcript(projects / "p/a.jsonl", inner / "src")
    transcript(projects / "p/b.jsonl", repository / "vendor")
    assert grown(look()) == ["b.jsonl"]
    assert [ours.top for ours in look(repository, inner, anew=True).ours] == [inner, repository]


def test_a_session_that_began_behind_a_link_is_found(
    look: Look, projects: Path, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(repository)
    transcript(projects / "p/a.jsonl", tmp_path / "link")
    assert [ours.top for ours in look().ours] == [repository]


@pytest.mark.parametrize("cwd", ["", "relative", "/nowhere/../etc"])
def test_a_directory_that_is_none_belongs_to_nobody(look: Look, projects: Path, cwd: str) -> None:
    samples.write(projects / "p/a.jsonl", samples.line(0, cwd=cwd))
    assert look().ours == ()


def test_a_cache_that_is_damaged_is_made_anew(
    look: Look, projects: Path, repository: Path, tmp_path: Path
) -> None:
    transcript(projects / "p/a.jsonl", repository)
    look()
    cache = tmp_path / "state/cache/transcripts"
    cache.write_bytes(cache.read_bytes()[:-3])
    assert grown(look()) == ["a.jsonl"]


def test_a_name_that_is_no_text_keeps_nobody_from_being_found(
    look: Look, projects: Path, repository: Path
) -> None:
    odd = Path(os.fsdecode(b"odd\xff"))
    for folder, name in (("p", "one"), ("p", "two"), (odd, "three"), ("q", os.fsdecode(b"four\xff"))):
        samples.write(projects / folder / f"{name}.jsonl", samples.line(0, cwd=str(repository)))
    for _ in range(2):
        found = look()
        assert len(found.ours) == 4
        found.settle(())
    assert {one.path.parent.name for one in look().grown} == {str(odd), "q"}


def test_anew_nothing_counts_as_seen(look: Look, projects: Path, repository: Path) -> None:
    transcript(projects / "p/a.jsonl", repository)
    look()
    assert grown(look(anew=True)) == ["a.jsonl"]
    assert grown(look()) == []


def test_of_agents_that_are_not_asked_for_nothing_is_forgotten(
    look: Look, home: Path, projects: Path, repository: Path
) -> None:
    transcript(projects / "p/a.jsonl", repository)
    look()
    assert look(agents=frozenset({"codex"})).ours == ()
    found = look()
    assert grown(found) == []
    assert len(found.ours) == 1


def test_a_link_among_the_transcripts_is_not_followed(
    look: Look, projects: Path, repository: Path, tmp_path: Path
) -> None:
    transcript(tmp_path / "outside/a.jsonl", repository)
    projects.mkdir(parents=True)
    (projects / "p").symlink_to(tmp_path / "outside")
    (projects / "b.jsonl").symlink_to(tmp_path / "outside/a.jsonl")
    assert look().ours == ()
