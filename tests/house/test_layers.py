"""Who may import whom, and who may touch the world outside.

An import goes down, never up and never across. The failures name the line and both rooms.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.house.sources import Source, every_source, imports_of, parse

# A room may import itself and any room on a lower floor; rooms on one floor do not know each other.
FLOORS = {
    "gitmem": 0,  # the version
    "gitmem.model": 0,
    "gitmem.objects": 1,
    "gitmem.format": 2,
    "gitmem.redaction": 2,
    "gitmem.query": 2,
    "gitmem.recall": 2,
    "gitmem.disk": 3,
    "gitmem.auditing": 4,
    "gitmem.git": 4,
    "gitmem.transcripts": 4,
    "gitmem.sealed": 4,
    "gitmem.sidecar": 4,
    "gitmem.agents": 5,
    "gitmem.erasing": 5,
    "gitmem.verbs": 5,
    "gitmem.checkpoints": 6,
    "gitmem.federation": 6,
    "gitmem.notes": 6,
    "gitmem.sharing": 6,
    "gitmem.forgetting": 7,
    "gitmem.handing_over": 6,
    "gitmem.rewinding": 7,
    "gitmem.serving": 7,
    "gitmem.why": 7,
    "gitmem.cli": 8,
    "gitmem.__main__": 9,
    "indexer": 8,
    "indexer.lexical": 9,
    "indexer.model": 9,
    "indexer.vectors": 9,
    "indexer.finding": 10,
    "indexer.upkeep": 10,
    "indexer.requests": 11,
    "indexer.service": 12,
    "indexer.__main__": 13,
}

OWNERS = {
    "ahocorasick": ("gitmem.redaction",),
    "anyio": ("gitmem.cli.commands.mcp", "gitmem.serving"),
    "click": ("gitmem.cli",),
    "cryptography": ("gitmem.sealed",),
    "dulwich": ("gitmem.git.packs",),
    "hnswlib": ("indexer.vectors.graph",),
    "hyperscan": ("gitmem.redaction",),
    "mcp": ("gitmem.cli.commands.mcp", "gitmem.serving"),
    "mcp_types": ("gitmem.serving",),
    "msgspec": (
        "gitmem.agents",
        "gitmem.checkpoints",
        "gitmem.cli.serving_search",
        "gitmem.cli.serving_sessions",
        "gitmem.federation",
        "gitmem.forgetting",
        "gitmem.handing_over",
        "gitmem.model",
        "gitmem.format",
        "gitmem.notes",
        "gitmem.rewinding",
        "gitmem.serving",
        "gitmem.sharing",
        "gitmem.transcripts",
        "gitmem.verbs",
        "gitmem.why",
        "indexer",
    ),
    "numpy": (
        "indexer.finding",
        "indexer.model",
        "indexer.requests",
        "indexer.upkeep.embedding",
        "indexer.vectors",
    ),
    "onnx": ("indexer.model.graph",),
    "onnxruntime": ("indexer.model.embedder",),
    "phonenumbers": ("gitmem.redaction.personal_checks",),
    "pygit2": ("gitmem.git.libgit",),
    "pyrage": ("gitmem.sealed",),
    "re2": ("gitmem.redaction",),
    "starlette": ("gitmem.serving.http", "gitmem.serving.sessions"),
    "tantivy": ("indexer.finding", "indexer.lexical"),
    "safetensors": ("indexer.model.install",),
    "tokenizers": ("indexer.model.embedder",),
    "uvicorn": ("gitmem.serving.http",),
    "watchfiles": ("indexer.service.events",),
    "zstandard": ("gitmem.format.codec",),
}

# Clock, environment, working directory and printing come in at the command line and are passed down.
EFFECTS = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "getpass.getuser",
        "os.chdir",
        "os.environ",
        "os.environb",
        "os.getcwd",
        "os.getenv",
        "pathlib.Path.cwd",
        "pathlib.Path.home",
        "sys.argv",
        "sys.stderr",
        "sys.stdin",
        "sys.stdout",
        "time.gmtime",
        "time.localtime",
        "time.time",
        "time.time_ns",
    }
)
EFFECTFUL_BUILTINS = frozenset({"print", "input", "breakpoint"})
OUTSIDE_ROOMS = ("gitmem.cli", "gitmem.__main__", "indexer")

LEAST_FILES = 40


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = every_source()
    assert len(found) >= LEAST_FILES, f"only {len(found)} files were found to check"
    return found


def test_every_import_goes_down(sources: list[Source]) -> None:
    expect_none(imports_that_climb(sources))


def test_every_library_is_imported_by_its_owner_alone(sources: list[Source]) -> None:
    expect_none(libraries_out_of_place(sources))


def test_no_effect_stands_below_the_command_line(sources: list[Source]) -> None:
    expect_none(effects_below_the_command_line(sources))


def test_no_modules_import_each_other_in_a_ring(sources: list[Source]) -> None:
    expect_none(rings(sources))


def test_modules_are_imported_by_name_so_that_the_walk_sees_them(sources: list[Source]) -> None:
    users = {
        source.name
        for source in sources
        for _, name in imports_of(source)
        if name.startswith("importlib.import")
    }
    assert users == {"gitmem.cli.main", "gitmem.cli.root", "gitmem.transcripts.registry"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("from gitmem.git.process import Git", "gitmem.format (floor 2) may not import gitmem.git (floor 4)"),
        ("def f():\n    from gitmem.verbs import x", "gitmem.format (floor 2) may not import gitmem.verbs"),
        (
            "if TYPE_CHECKING:\n    import gitmem.cli.main",
            "gitmem.format (floor 2) may not import gitmem.cli",
        ),
        ("from gitmem import cli", "gitmem.format (floor 2) may not import gitmem.cli"),
        ("from ..disk import lock", "gitmem.format (floor 2) may not import gitmem.disk"),
        (
            "from gitmem.redaction import rules",
            "gitmem.format (floor 2) may not import gitmem.redaction (floor 2)",
        ),
        ("import indexer.lexical", "gitmem.format (floor 2) may not import indexer.lexical"),
        ("import indexer.attic", "indexer.attic stands on no floor"),
        ("from gitmem.attic import x", "gitmem.attic stands on no floor"),
    ],
)
def test_import_that_climbs_is_seen(text: str, complaint: str) -> None:
    (found,) = imports_that_climb([parse(Path("gitmem/format/sample.py"), text)])
    assert complaint in found


@pytest.mark.parametrize(
    "text",
    ["import pygit2", "def f():\n    from zstandard import ZstdCompressor", "import requests.adapters"],
)
def test_library_out_of_place_is_seen(text: str) -> None:
    assert list(libraries_out_of_place([parse(Path("gitmem/format/sample.py"), text)]))


@pytest.mark.parametrize(
    "text",
    [
        "print('x')",
        "import os\nx = os.environ",
        "import os as o\nx = o.environ.get('HOME')",
        "from os import environ",
        "from time import time as now",
        "import time\nx = time.time()",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.now()",
        "from pathlib import Path\nx = Path.cwd()",
        "import sys\nsys.stdout.write('x')",
    ],
)
def test_effect_below_the_command_line_is_seen(text: str) -> None:
    assert list(effects_below_the_command_line([parse(Path("gitmem/verbs/sample.py"), text)]))


def test_ring_of_lazy_imports_is_seen() -> None:
    one = parse(Path("gitmem/verbs/one.py"), "from gitmem.verbs.two import x")
    two = parse(Path("gitmem/verbs/two.py"), "def f():\n    from gitmem.verbs import three")
    three = parse(Path("gitmem/verbs/three.py"), "import gitmem.verbs.one")
    assert list(rings([one, two, three])) == ["gitmem.verbs.one, gitmem.verbs.three, gitmem.verbs.two"]


def expect_none(complaints: Iterable[str]) -> None:
    found = list(complaints)
    assert not found, "\n".join(["", *found])


def imports_that_climb(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        here = room_of(source.name)
        for line, name in imports_of(source):
            if name.partition(".")[0] not in ("gitmem", "indexer"):
                continue
            there = room_of(name)
            for room in (here, there):
                if room not in FLOORS:
                    yield f"{source.name}:{line}: {room} stands on no floor"
            if here in FLOORS and there in FLOORS and here != there and FLOORS[there] >= FLOORS[here]:
                yield (
                    f"{source.name}:{line}: {here} (floor {FLOORS[here]}) may not import "
                    f"{there} (floor {FLOORS[there]})"
                )


def libraries_out_of_place(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        for line, name in imports_of(source):
            library = name.partition(".")[0]
            if library in sys.stdlib_module_names or library in ("gitmem", "indexer"):
                continue
            owners = OWNERS.get(library, ())
            if not any(source.name == owner or source.name.startswith(f"{owner}.") for owner in owners):
                yield f"{source.name}:{line}: {library} belongs to {', '.join(owners) or 'nobody'}"


def effects_below_the_command_line(sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        if source.name.startswith(OUTSIDE_ROOMS):
            continue
        names = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            if isinstance(node, ast.ImportFrom)
            else alias.name
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        for line, name in imports_of(source):
            if name in EFFECTS:
                yield f"{source.name}:{line}: {name} belongs to the command line"
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and dotted(node, names) in EFFECTS:
                yield f"{source.name}:{node.lineno}: {dotted(node, names)} belongs to the command line"
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in EFFECTFUL_BUILTINS
            ):
                yield f"{source.name}:{node.lineno}: {node.func.id}() belongs to the command line"


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return ""


def rings(sources: Iterable[Source]) -> Iterator[str]:
    """Yield the modules that import each other, directly or by way of others."""
    known = {source.name: source for source in sources}
    reached: dict[str, set[str]] = {
        source.name: {
            target
            for _, name in imports_of(source)
            if (target := module_of(name, known)) and target != source.name
        }
        for source in known.values()
    }
    changed = True
    while changed:
        changed = False
        for targets in reached.values():
            further = set().union(*(reached[target] for target in targets)) - targets
            if further:
                targets |= further
                changed = True
    for name in sorted(known):
        ring = sorted(other for other in reached[name] if name in reached[other])
        if ring and ring[0] == name:
            yield ", ".join(ring)


def module_of(name: str, known: dict[str, Source]) -> str:
    """Return the module that an import reaches: `a.b.c` is the module a.b.c, or the name c of a.b."""
    return name if name in known else (name.rpartition(".")[0] if name.rpartition(".")[0] in known else "")


def room_of(name: str) -> str:
    """Return the room of a module or of a name in it; `gitmem.__version__` belongs to the root."""
    first, _, rest = name.partition(".")
    second = rest.partition(".")[0]
    is_root = not second or (second.startswith("__") and second != "__main__")
    if first == "indexer" and second in ("teller",):
        return first
    return first if is_root else f"{first}.{second}"
