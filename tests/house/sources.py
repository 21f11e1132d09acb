"""The source files of the packages, and what each of them imports, wherever in the file the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import IMPORTED_FROM

PACKAGES = ("gitmem", "indexer")


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, its syntax tree, and whether it is a package's `__init__`."""

    name: str
    tree: ast.Module
    is_package: bool


def every_source() -> list[Source]:
    """Parse every module of the packages as they are installed."""
    sources = []
    for package in PACKAGES:
        for path in sorted((IMPORTED_FROM / package).rglob("*.py")):
            sources.append(parse(path.relative_to(IMPORTED_FROM), path.read_text("utf-8")))
    return sources


def parse(path: Path, text: str) -> Source:
    parts = path.with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Source(".".join(parts[:-1] if is_package else parts), ast.parse(text, str(path)), is_package)


def imports_of(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that a module imports, inside functions and conditions too.

    `from a import b` yields `a.b`: whether b is a module or a name of a, what it reaches into is a.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{_origin(source, node)}.{alias.name}"


def _origin(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        assert node.module is not None
        return node.module
    above = source.name.split(".")
    above = above[: len(above) - node.level + source.is_package]
    return ".".join([*above, *([node.module] if node.module else [])])
