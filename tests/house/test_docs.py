"""The documents are true: links lead somewhere, commands exist, every command is told of."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from gitmem.cli.commands import COMMANDS
from tests.conftest import CHECKOUT, CommandLine

DOCUMENTS = sorted(
    [CHECKOUT / "README.md", CHECKOUT / "hooks" / "README.md", *(CHECKOUT / "docs").rglob("*.md")]
)
_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"^ {4}(?:\$ )?(?:gitmem|git mem) ([a-z]+)", re.MULTILINE)


def test_there_are_documents() -> None:
    assert len(DOCUMENTS) > 10


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in _LINK.findall(document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_command_of_a_document_exists(document: Path) -> None:
    for name in _COMMAND.findall(document.read_text()):
        assert name in COMMANDS, name


def test_every_subcommand_that_a_document_or_a_hint_names_exists() -> None:
    groups = {}
    for name, entry in COMMANDS.items():
        command = import_module(f"gitmem.cli.commands.{entry.module}").command
        if isinstance(command, click.Group):
            groups[name] = command.commands
    documents = [document for document in DOCUMENTS if "formats" not in document.parts]  # bytes, not commands
    sources = [*documents, *(CHECKOUT / "gitmem").rglob("*.py")]
    named = re.compile(
        rf"(?:`|(?<!b)\"|; |^ {{4}})gitmem ({'|'.join(groups)}) ([a-z]+(?:-[a-z]+)*)\b(?!:)", re.MULTILINE
    )
    for source in sources:
        for group, name in named.findall(source.read_text()):
            assert name in groups[group], f"{source}: gitmem {group} {name}"


def test_every_command_is_told_of() -> None:
    told = "\n".join(document.read_text() for document in DOCUMENTS)
    missing = [name for name in COMMANDS if not re.search(rf"gitmem {name}\b|`{name}`", told)]
    assert not missing, missing


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_an_example(run: CommandLine, tmp_path: Path, name: str) -> None:
    shown = run(name, "-h", cwd=tmp_path).stdout
    assert "Examples:" in shown
    assert f"gitmem {name}" in shown


def test_nobody_is_told_to_install_from_the_package_index() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"pip install (-U )?gitmem\b", document.read_text()), document


def test_the_readme_names_the_test_command_that_ci_calls() -> None:
    assert "pip install tox && tox" in (CHECKOUT / "README.md").read_text()
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert "pip install --quiet tox" in script
    assert "bin/tox" in script


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    files = [CHECKOUT / name for name in listed.stdout.split()] or DOCUMENTS
    assert len(files) >= len(DOCUMENTS)
    pattern = re.compile(r"(?<![\w.])/(?:work|root|tmp/w)/" + "|site" + r"-packages/gitmem/", re.ASCII)
    for file in files:
        if file.suffix in {".py", ".md", ".toml", ".ini", ".sh"} and file.exists():
            found = pattern.search(file.read_text())
            assert found is None, f"{file}: {found}"
    assert sys.version_info >= (3, 11)
