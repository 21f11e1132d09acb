"""An import survives what it meets: one file's trouble is that file's, and every copy reads back as it is."""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import pkgutil
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitmem.model.errors
from gitmem.format import layout, manifest
from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.intake import WorkerDied
from gitmem.model.errors.store import NoMemory
from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction import accelerated
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.scanning import Scanner
from gitmem.verbs import sealing
from gitmem.verbs.committing import commit
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Source
from gitmem.verbs.sealing import HereSealer, PoolSealer, Range
from gitmem.verbs.sources import read_position
from tests.conftest import CommandLine, RealGit
from tests.importing import samples
from tests.importing.conftest import KEY, REF, WHO, Importer, only_text, texts

Open = Callable[[], Memory]


@pytest.mark.parametrize("round_", range(12))
def test_every_copy_reads_back_whatever_happened_to_it(
    take: Importer, memory: Open, tmp_path: Path, seed: int, round_: int
) -> None:
    rng = random.Random(seed + round_)
    paths = [tmp_path / f"{name}.jsonl" for name in "abc"]
    for step in range(12):
        path = rng.choice(paths)
        # All copies share the beginning, and with it the session.
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else [samples.line(0)]
        match rng.randrange(5):
            case 0:
                lines += [samples.line(100 * step + n) for n in range(rng.randrange(1, 9))]
            case 1:
                lines = lines[: rng.randrange(1, len(lines) + 1)]
            case 2:
                at = rng.randrange(1, len(lines) + 1)
                lines = [*lines[:at], *(samples.line(1000 * step + n) for n in range(rng.randrange(1, 9)))]
            case 3:
                other = rng.choice(paths)
                lines = other.read_bytes().splitlines(keepends=True) if other.exists() else lines
            case _:
                lines[-1] = lines[-1].rstrip(b"\n") + (b"\n" if rng.random() < 0.5 else b"")
        path.write_bytes(b"".join(lines))
        assert not take(path).refused
        assert any(text.startswith(path.read_bytes()) for text in texts_of_captures(memory()))
        before = memory().commit
        take(path)
        assert memory().commit == before, "importing twice commits nothing"


def texts_of_captures(memory: Memory) -> list[bytes]:
    """Return the text of every capture there is, whether another has taken its place or not."""
    found = []
    for folder in memory.folders():
        captures = memory.load(folder).captures
        found += [b"".join(memory.text(folder, manifest.trace(name, captures))) for name in captures]
    return found


def test_a_fork_behind_a_generation_shares_no_text_that_was_taken_back(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    take(path)
    path.write_bytes(samples.lines(0, 2) + samples.lines(100, 120))
    take(path)
    copy = samples.lines(0, 2) + samples.lines(100, 110) + samples.lines(200, 205)
    take(samples.write(tmp_path / "copy.jsonl", copy))
    assert copy in texts(memory())
    assert take(tmp_path / "copy.jsonl").unchanged == 1


def test_a_local_file_that_shrinks_takes_nothing_of_another_clones_back(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    take(path)
    take(samples.write(tmp_path / "elsewhere.jsonl", samples.lines(0, 20)))
    path.write_bytes(samples.lines(0, 8))
    take(path)
    assert sorted(map(len, texts(memory()))) == [len(samples.lines(0, 8)), len(samples.lines(0, 20))]


def test_a_session_never_stands_without_its_record(
    take: Importer, memory: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = samples.write(tmp_path / f"{samples.NAME}.jsonl", samples.lines(0, 10))
    side = b"".join(samples.line(n, isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(5))
    below = samples.write(tmp_path / samples.NAME / "subagents" / "agent-ab12.jsonl", side)
    seal_range = sealing.seal_range

    def failing(work: Range, redactor: object) -> object:
        if work.path == main:
            raise RedactionFailed("a transcript", "the engine stopped")
        return seal_range(work, redactor)  # type: ignore[arg-type]

    monkeypatch.setattr(sealing, "seal_range", failing)
    assert [refused.path for refused in take(main, below).refused] == [main]
    monkeypatch.undo()
    assert not take(main, below).refused
    [folder] = memory().folders()
    assert list(memory().load(folder).heads()) == ["", "agent-ab12"]


def test_two_copies_of_a_subagent_are_one_stream(take: Importer, memory: Open, tmp_path: Path) -> None:
    lines = [samples.line(n, isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(9)]
    main = samples.write(tmp_path / f"{samples.NAME}.jsonl", samples.lines(0, 10))
    folder = tmp_path / samples.NAME / "subagents"
    shorter = samples.write(folder / "agent-ab12.jsonl", b"".join(lines[:5]))
    longer = samples.write(folder / "copy" / "agent-ab12.jsonl", b"".join(lines))
    assert not take(main, shorter, longer).refused
    assert only_text(memory(), "agent-ab12") == b"".join(lines)


def test_a_copy_that_vanishes_stops_nothing(storage: GitStorage, memory: Open, tmp_path: Path) -> None:
    first = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    second = samples.write(tmp_path / "b.jsonl", samples.lines(0, 12))
    third = samples.write(tmp_path / "c.jsonl", samples.lines(0, 5, "another"))

    def accepts(_: object) -> bool:
        first.unlink(missing_ok=True)
        return True

    sources = [Source(first), Source(second, accepts=accepts), Source(third)]
    refused = import_sources(_intake(storage), sources).refused
    assert [one.path for one in refused] == [first]
    assert sorted(map(len, texts(memory()))) == sorted(
        map(len, (samples.lines(0, 12), samples.lines(0, 5, "another")))
    )


def _intake(storage: GitStorage) -> Intake:
    redactor = Redactor(KEY)
    state = storage.repository.state_dir
    return Intake(storage, REF, state, WHO, redactor, KEY, HereSealer(redactor), "gitmem test")


def test_a_damaged_session_refuses_its_own_file_only(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    take(path)
    [folder] = memory().folders()
    with storage.begin() as batch:
        changes = {layout.session_path(folder.session): batch.add("blob", b"damaged")}
        commit(storage, REF, WHO, "Damage [skip ci]\n", dict(changes), batch)
    path.write_bytes(samples.lines(0, 10)[:-9] + samples.line(11))
    other = samples.write(tmp_path / "b.jsonl", samples.lines(0, 5, "another"))
    report = take(path, other)
    assert [refused.path for refused in report.refused] == [path]
    assert len(report.new_sessions) == 1


def test_a_memory_that_is_deleted_meanwhile_is_not_begun_anew(
    take: Importer, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    with pytest.raises(NoMemory):
        take(path, tell=lambda _: git("update-ref", "-d", REF, cwd=repository))
    assert git("for-each-ref", REF, cwd=repository) == ""


def test_a_file_without_a_whole_line_is_waited_for(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.line(0)[:-1])
    assert take(path, whole=False).commits == []
    assert read_position(storage.repository.state_dir, path) is None
    path.write_bytes(samples.lines(0, 3, "another"))
    take(path, whole=False)
    [folder] = memory().folders()
    assert memory().load(folder).key.native_id == "another"


def test_names_lose_their_secrets_before_anything_is_kept(
    take: Importer,
    memory: Open,
    storage: GitStorage,
    git: RealGit,
    repository: Path,
    tmp_path: Path,
    secret: str,
) -> None:
    main = samples.write(tmp_path / "main.jsonl", samples.lines(0, 4, secret))
    side = b"".join(
        samples.line(n, secret, isSidechain=True, agentId=secret, uuid=f"s-{n}") for n in range(5)
    )
    below = samples.write(tmp_path / "main" / "subagents" / "agent-x.jsonl", side)
    for _ in range(3):
        assert not take(main, below).refused
        below.touch()
    [folder] = memory().folders()
    assert all(len(heads) == 1 for heads in memory().load(folder).heads().values())
    kept = b"".join(p.read_bytes() for p in storage.repository.state_dir.rglob("*") if p.is_file())
    assert secret.encode() not in kept
    assert secret not in git("log", "--format=%B", "gitmem", cwd=repository)


def test_a_name_that_is_no_text_names_a_session_all_the_same(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"log-\xff.jsonl")
    samples.write(path, b'{"role": "user", "text": "hello"}\n')
    other = samples.write(tmp_path / "b.jsonl", samples.lines(0, 5))
    report = take(path, other, agent=None)
    assert len(report.new_sessions) + len(report.refused) == 2
    assert not take(path, agent="generic").refused
    names = {memory().load(folder).key.native_id for folder in memory().folders()}
    assert "log-\\udcff" in names


@pytest.mark.parametrize("kind", ["fifo", "device", "folder gone", "long name"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    run: CommandLine, repository: Path, tmp_path: Path, kind: str
) -> None:
    run("init", cwd=repository)
    path = tmp_path / "x.jsonl"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/null")
        case "folder gone":
            path = tmp_path / "nowhere" / "x.jsonl"
        case _:
            path = tmp_path / ("a" * 300)
    failed = run("import", str(path), cwd=repository, status=1)
    assert re.search(r"could not (import|tell which agent wrote)", failed.stderr)


def test_deep_folders_are_searched(run: CommandLine, repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    samples.write(folder / "a.jsonl", samples.lines(0, 5))
    run("init", cwd=repository)
    assert "1 new session" in run("import", str(folder), cwd=repository).stdout


for _module in pkgutil.iter_modules(gitmem.model.errors.__path__, "gitmem.model.errors."):
    importlib.import_module(_module.name)  # a class that nobody has loaded would not be tried


def error_classes(base: type[GitmemError] = GitmemError) -> list[type[GitmemError]]:
    return [base, *(below for kind in base.__subclasses__() for below in error_classes(kind))]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_travels_between_processes(kind: type[GitmemError]) -> None:
    arguments = []
    for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]:
        if parameter.kind is not parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            text = str(parameter.annotation)
            arguments.append(
                7
                if "int" in text
                else 1.5
                if "float" in text
                else b"x"
                if "bytes" in text
                else ("a", "b")
                if "tuple" in text
                else "x"
            )
    error = kind(*arguments)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.hint, vars(again)) == (kind, str(error), error.hint, vars(error))
    assert GitmemError in type(again).__mro__


def test_rules_are_compiled_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiling = tmp_path / "compiling"

    def scanner_for(*args: Any) -> Scanner:
        with compiling.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return accelerated.scanner_for(*args)

    monkeypatch.setattr("gitmem.redaction.engine.scanner_for", scanner_for)
    file = tmp_path / "a"
    file.write_bytes(b'{"text": "nothing\\nto hide"}\n' * 10)
    with PoolSealer(Redactor(KEY), 2) as sealer:
        works = [sealer.submit(Range(file, 0, file.stat().st_size)) for _ in range(8)]
        assert all(work().segments for work in works)
    assert set(compiling.read_text().split()) == {str(os.getpid())}


def test_a_redactor_that_fails_in_another_process_refuses_its_file_only(
    take: Importer, tmp_path: Path, failing_redactor: None
) -> None:
    bad = samples.write(tmp_path / "a.jsonl", samples.lines(0, 30))
    good = samples.write(tmp_path / "b.jsonl", samples.line(0, "other"))
    with PoolSealer(Redactor(KEY), 2) as sealer:
        report = take(bad, good, sealer=sealer)
    assert [refused.path for refused in report.refused] == [bad]
    assert len(report.new_sessions) == 1


def test_a_killed_worker_is_a_named_error(take: Importer, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 30))
    with PoolSealer(Redactor(KEY), 1) as sealer:
        sealer.submit(Range(path, 0, 10))()
        workers = subprocess.run(
            ["pgrep", "-P", str(os.getpid())], capture_output=True, text=True
        ).stdout.split()
        pids = [pid for pid in sealer._pool._processes if str(pid) in workers]
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 120
        with pytest.raises(WorkerDied, match="worker process was killed"):
            take_until(deadline, lambda: take(path, sealer=sealer), path)


def take_until(deadline: float, again: Callable[[], object], path: Path) -> None:
    """Import a file that grows, until the pool has noticed that its process is gone."""
    while time.monotonic() < deadline:
        again()
        path.write_bytes(path.read_bytes() + samples.line(random.randrange(10**6)))


def test_a_gigabyte_of_one_line_is_a_session(memory: Open, take: Importer, tmp_path: Path) -> None:
    # 96 MB stand for it: every range of them comes to the same few segments.
    content = samples.line(0, pad="x" * 1000) * (96_000_000 // 1300)
    take(samples.write(tmp_path / "a.jsonl", content))
    [folder] = memory().folders()
    [head] = memory().load(folder).heads()[""]
    assert len({span.segment for span in head.spans}) < 20
    assert sum(len(chunk) for chunk in memory().text(folder, head)) == len(content)


def test_a_session_whose_id_is_longer_than_any_is_refused_alone(take: Importer, tmp_path: Path) -> None:
    long = samples.write(tmp_path / "a.jsonl", samples.lines(0, 3, "x" * 70_000))
    good = samples.write(tmp_path / "b.jsonl", samples.lines(0, 3))
    report = take(long, good)
    assert [(refused.path, "70,000 characters" in str(refused.error)) for refused in report.refused] == [
        (long, True)
    ]
    assert len(report.new_sessions) == 1
