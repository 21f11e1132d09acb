"""Bad transcripts: whatever a file holds is kept byte for byte or refused by name, and nothing else suffers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from gitmem.model.errors.store import FormatNewer, NotAMemory
from gitmem.model.errors.withholding import RedactionFailed
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.storage import add_all
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Source
from gitmem.verbs.reading import transcript
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.importing import samples
from tests.importing.conftest import REF, WHO, Importer, only_text
from tests.objects.storage_suite import tree_of

Open = Callable[[], Memory]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b"this is no JSON\n{half\n[1,\n", id="not JSON"),
        pytest.param(b'{"text": "\xff\xfe\x80"}\n', id="invalid UTF-8"),
        pytest.param(b'{"text": "a\x00b"}\n\x00\x00\n', id="NUL"),
        pytest.param(b'{"type": "user", "text": "\\ud83d alone \\udc00"}\n', id="lone surrogates"),
        pytest.param(b"\n\n\r\n", id="blank lines"),
        pytest.param(samples.line(3, type="never-heard-of"), id="unknown type"),
        pytest.param(samples.line(3, uuid="u-1") * 3, id="duplicate ids"),
        pytest.param(
            samples.line(3, uuid="x", parentUuid="y") + samples.line(4, uuid="y", parentUuid="x"), id="cycle"
        ),
        pytest.param(
            b"".join(
                samples.line(n, timestamp=at)
                for n, at in enumerate(
                    ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", None, -1, 1e300, "soon", ["x"], {}]
                )
            ),
            id="odd times",
        ),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n", id="100,000 levels"),
    ],
)
def test_odd_lines_are_kept_as_they_are(take: Importer, memory: Open, tmp_path: Path, lines: bytes) -> None:
    content = samples.lines(0, 3) + lines + samples.lines(7, 9)
    report = take(samples.write(tmp_path / "a.jsonl", content))
    assert not report.refused
    assert only_text(memory()) == content
    [folder] = memory().folders()
    turns = transcript(memory(), folder).turns
    assert {turn.id for turn in turns} >= {"u-0", "u-2", "u-8"}
    json.dumps([turn.text for turn in turns]).encode()


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"\x89PNG\r\n\x1a\n" + bytes(200), b"just some text\n", b"[]", b"{}"]
)
def test_what_is_no_transcript_is_refused_by_name(
    take: Importer, memory: Open, tmp_path: Path, content: bytes
) -> None:
    path = samples.write(tmp_path / "a.jsonl", content)
    report = take(path, samples.write(tmp_path / "b.jsonl", samples.lines(0, 5)))
    [refused] = report.refused
    assert refused.path == path
    assert str(path) in str(refused.error)
    assert "gitmem import --agent" in refused.error.hint
    assert only_text(memory()) == samples.lines(0, 5)


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "a/b/c", "x" * 5000, "..", "-", "\x1b]52;c;x\x07", "né\u202e"]
)
def test_any_native_id_names_a_session(
    take: Importer, memory: Open, git: RealGit, tmp_path: Path, repository: Path, name: str
) -> None:
    take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 5, name=name)))
    [folder] = memory().folders()
    assert memory().load(folder).key.native_id == name
    git("fsck", "--strict", cwd=repository)
    assert "\x1b" not in git("log", "-1", "--format=%B", "gitmem", cwd=repository)


def test_a_line_of_64_mb_is_stored_and_read_in_bounded_memory(
    run: CommandLine, repository: Path, tmp_path: Path
) -> None:
    block = "".join(f"{n:08x} low tide at the harbour gauge; " for n in range(1 << 14))
    long = samples.line(
        1,
        message={
            "role": "assistant",
            "content": [{"type": "text", "text": block * (64 * 2**20 // len(block) + 1)}],
        },
    )
    assert len(long) > 64 * 2**20
    path = samples.write(tmp_path / "a.jsonl", samples.line(0) + long + samples.line(2))
    run("init", "--no-import", cwd=repository)
    assert _peak_kb("import", str(path), cwd=repository)[0] < 300 * 1024
    peak_kb, shown = _peak_kb("show", "--raw", f"claude-code/{samples.NAME}", cwd=repository)
    assert peak_kb < 300 * 1024
    assert shown == path.read_bytes()


# Of a process of its own, for one that was forked from the tests counts their memory as its own.
_MEASURE = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as said:
    subprocess.run(sys.argv[2:], stdout=said, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_kb(*args: str, cwd: Path) -> tuple[int, bytes]:
    """Run the command line; return the memory that it or one of its children held at most, and what it said."""
    said = cwd.parent / "said"
    command = [sys.executable, "-P", "-m", "gitmem", *args]
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(said), *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        capture_output=True,
        check=True,
    )
    return int(measured.stdout), said.read_bytes()


def test_a_redactor_that_fails_stores_nothing_of_its_file(
    storage: GitStorage, take: Importer, memory: Open, tmp_path: Path, failing_redactor: None
) -> None:
    bad = samples.write(tmp_path / "a.jsonl", samples.lines(0, 30))
    good = samples.write(tmp_path / "b.jsonl", samples.line(0, "other"))
    report = take(bad, good)
    assert [(refused.path, type(refused.error)) for refused in report.refused] == [(bad, RedactionFailed)]
    assert only_text(memory()) == good.read_bytes()


def test_a_ref_that_is_no_memory_is_refused_and_left_alone(
    storage: GitStorage, git: RealGit, run: CommandLine, repository: Path, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 5))
    git("branch", "-f", "gitmem", "main", cwd=repository)
    before = git("rev-parse", "gitmem", cwd=repository)
    for command in (["init"], ["import", str(path)], ["sessions"]):
        failed = run(*command, cwd=repository, status=1)
        assert "gitmem did not write it" in failed.stderr
        assert "git config gitmem.ref" in failed.stderr
    assert git("rev-parse", "gitmem", cwd=repository) == before


def test_a_newer_format_is_refused_before_anything_is_decoded(
    storage: GitStorage, take: Importer, tmp_path: Path
) -> None:
    tree = tree_of(storage, {"FORMAT": b"7\n", "sessions": b"of another shape"})
    who = Signature("Ada", "ada@example.org", 1_772_000_000)
    [tip] = add_all(storage, [("commit", encode_commit(Commit(tree, (), who, who, "newer\n")))])
    storage.move_ref(REF, tip, storage.read_ref(REF), "test")
    with pytest.raises(FormatNewer, match="its format is 7"):
        take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 5)))
    assert storage.read_ref(REF) == tip


def test_a_ref_replaced_while_importing_is_not_overwritten(
    storage: GitStorage, take: Importer, tmp_path: Path, git: RealGit, repository: Path
) -> None:
    def replace(_: object) -> None:
        git("update-ref", REF, "main", cwd=repository)

    with pytest.raises(NotAMemory):
        take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 5)), tell=replace)
    assert git("rev-parse", REF, cwd=repository) == git("rev-parse", "main", cwd=repository)


def test_outside_a_repository_the_error_says_what_to_do(run: CommandLine, tmp_path: Path) -> None:
    failed = run("import", "x.jsonl", cwd=tmp_path, status=1)
    assert "git init" in failed.stderr


def test_without_a_memory_the_error_says_what_to_do(
    run: CommandLine, repository: Path, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 5))
    assert "gitmem init" in run("import", str(path), cwd=repository, status=1).stderr


@pytest.mark.parametrize("state", ["no commit", "detached HEAD", "no user.name"])
def test_unusual_repositories_remember_too(
    run: CommandLine, git: RealGit, tmp_path: Path, state: str
) -> None:
    top = tmp_path / "unusual"
    git("init", "--quiet", str(top), cwd=tmp_path)
    environ = {}
    if state == "detached HEAD":
        git.commit(top)
        git("checkout", "--quiet", "--detach", cwd=top)
    if state == "no user.name":
        empty = samples.write(tmp_path / "empty", b"")
        environ = {"GIT_CONFIG_GLOBAL": str(empty), "LOGNAME": "grace"}
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 5))
    run("init", cwd=top, environ=environ)
    run("import", str(path), cwd=top, environ=environ)
    assert run("show", "--raw", samples.NAME, cwd=top).stdout.encode() == samples.lines(0, 5)
    if state == "no user.name":
        assert git("log", "-1", "--format=%an <%ae>", "gitmem", cwd=top) == "grace <grace@localhost>"


def test_a_file_that_is_not_there_is_a_named_error(run: CommandLine, repository: Path) -> None:
    run("init", cwd=repository)
    failed = run("import", "nowhere.jsonl", cwd=repository, status=1)
    assert "there is no such file" in failed.stderr


def test_two_clocks_and_writers_make_commits_that_git_accepts(
    storage: GitStorage, take: Importer, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    odd = WHO._replace(author=WHO.author.__class__("<>\n", "a>b <c"), clock=lambda: -5.0)
    take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 5)), writer=odd)
    git("fsck", "--strict", cwd=repository)
    assert git("log", "-1", "--format=%at", "gitmem", cwd=repository) == "0"


def test_sources_are_read_lazily_and_a_vanished_one_is_reported(
    storage: GitStorage, take: Importer, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 5))
    gone = tmp_path / "gone.jsonl"
    report = take(gone, path)
    assert [refused.path for refused in report.refused] == [gone]
    assert len(report.new_sessions) == 1
    assert import_sources is not None
    assert Source(path).agent is None
