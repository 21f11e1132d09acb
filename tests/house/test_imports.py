"""`import x` does nothing: what a start costs, and what it must not set off."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitmem.cli.commands import COMMANDS
from gitmem.transcripts.registry import REGISTRY
from tests.conftest import CHECKOUT, IMPORTED_FROM, CommandLine
from tests.house.sources import every_source

# Each costs more to load than a whole search may take, or brings threads and loops of its own.
HEAVY = frozenset(
    {
        "asyncio",
        "cryptography",
        "dulwich",
        "msgspec",
        "numpy",
        "onnxruntime",
        "phonenumbers",
        "pygit2",
        "pyrage",
        "tantivy",
        "zstandard",
    }
)

_IMPORT_ALL = """
import importlib, os, sys, threading
before = (dict(os.environ), os.getcwd(), sys.getrecursionlimit())
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert threading.active_count() == 1, f"{name} started a thread"
    assert before == (dict(os.environ), os.getcwd(), sys.getrecursionlimit()), f"{name} changed the process"
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    pass
else:
    raise AssertionError("an import started a process")
"""

_RUN_AND_LIST = """
import json, sys
from gitmem.cli.context import context_of_process
from gitmem.cli.main import run
status = run(sys.argv[2:], context_of_process())
with open(sys.argv[1], "w") as file:
    json.dump({"status": status, "modules": sorted(sys.modules)}, file)
"""

_FIND_AND_LIST = """
import json, os, sys
from gitmem.cli.context import context_of_process
context = context_of_process()
assert context.repository.name and context.settings.memory_ref
with open(sys.argv[1], "w") as file:
    json.dump({"status": 0, "modules": sorted(sys.modules)}, file)
"""


def test_importing_any_module_does_nothing() -> None:
    names = [source.name for source in every_source()]
    assert len(names) > 40
    finished = start(_IMPORT_ALL, *names, cwd=Path.cwd())
    assert (finished.stdout, finished.stderr) == (b"", b"")


@pytest.mark.parametrize("arguments", [("--version",), ("-h",), ("completion", "bash")], ids=" ".join)
def test_start_loads_nothing_heavy(arguments: tuple[str, ...], repository: Path, tmp_path: Path) -> None:
    assert not loaded_by(_RUN_AND_LIST, *arguments, cwd=repository, report=tmp_path / "report") & HEAVY


def test_finding_the_repository_and_its_settings_loads_nothing_heavy(
    repository: Path, tmp_path: Path
) -> None:
    assert not loaded_by(_FIND_AND_LIST, cwd=repository, report=tmp_path / "report") & HEAVY


def test_help_imports_no_command(tmp_path: Path) -> None:
    loaded = loaded_by(_RUN_AND_LIST, "-h", cwd=tmp_path, report=tmp_path / "report")
    assert not [name for name in loaded if name.startswith("gitmem.cli.commands.")]


if "search" in COMMANDS:

    def test_search_loads_nothing_heavy(repository: Path, tmp_path: Path, run: CommandLine) -> None:
        transcript = tmp_path / "talk.jsonl"
        transcript.write_text(
            '{"session": {"id": "one"}}\n{"id": "1", "role": "user", "text": "mend the gate"}\n'
        )
        run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
        run("import", str(transcript), cwd=repository)
        run("index", "update", cwd=repository)
        report = tmp_path / "report"
        loaded = loaded_by(_RUN_AND_LIST, "search", "gate", cwd=repository, report=report)
        assert not loaded & HEAVY
        # It is noted, and what a search costs must not show that.
        of_audit = {name for name in loaded if name.startswith("gitmem.auditing.")}
        assert of_audit == {"gitmem.auditing.log"}


def test_a_capture_loads_the_readers_it_needs_alone(
    repository: Path, home: Path, tmp_path: Path, run: CommandLine
) -> None:
    run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
    readers = {f"gitmem.transcripts.{entry.module}" for entry in REGISTRY.values()}
    report = tmp_path / "report"
    assert not loaded_by(_RUN_AND_LIST, "capture", cwd=repository, report=report) & readers
    talk = home / ".claude/projects/p/talk.jsonl"
    talk.parent.mkdir(parents=True)
    talk.write_text(f'{{"type": "user", "sessionId": "one", "uuid": "1", "cwd": "{repository}"}}\n')
    loaded = loaded_by(_RUN_AND_LIST, "capture", cwd=repository, report=report)
    assert loaded & readers == {"gitmem.transcripts.claude_code"}


def loaded_by(script: str, *arguments: str, cwd: Path, report: Path) -> set[str]:
    """Run a script that ends by listing the modules it has loaded; return them and their packages."""
    start(script, str(report), *arguments, cwd=cwd)
    told = json.loads(report.read_text())
    assert told["status"] == 0
    assert "gitmem.cli.context" in told["modules"]
    return {name.partition(".")[0] for name in told["modules"]} | set(told["modules"])


def start(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments],
        cwd=cwd,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return finished


@pytest.mark.parametrize("room", ["benchmarks", "recall"])
def test_what_is_only_run_by_hand_can_be_run(room: str) -> None:
    names = [module.name for module in pkgutil.iter_modules([str(CHECKOUT / "tests" / room)])]
    assert len(names) > 3
    for name in names:
        if name != "__main__":
            importlib.import_module(f"tests.{room}.{name}")
