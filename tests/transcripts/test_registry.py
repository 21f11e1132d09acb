"""The table of agents: whatever has a reader stands in it, and says of the reader what is so."""

from __future__ import annotations

import ast

import pytest

from gitmem.transcripts.aider_log import FILE_NAME
from gitmem.transcripts.registry import REGISTRY
from tests.house.sources import every_source


def test_every_module_that_has_an_agent_stands_in_the_table() -> None:
    having = {
        source.name.removeprefix("gitmem.transcripts.")
        for source in every_source()
        if source.name.startswith("gitmem.transcripts.") and "AGENT" in assigned(source.tree)
    }
    assert len(having) > 20
    assert having == {entry.module for entry in REGISTRY.values()}


def assigned(tree: ast.Module) -> set[str]:
    """Return the names that a module gives values to."""
    targets = (target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets)
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("name", REGISTRY)
def test_what_the_table_says_of_an_agent_is_so(name: str) -> None:
    entry = REGISTRY[name]
    agent = entry.load()
    assert agent.name == name
    assert bool(entry.collected) == (agent.collection is not None)
    assert set(entry.collected) <= set(entry.suffixes)


def test_aiders_log_is_looked_for_by_its_name() -> None:
    assert REGISTRY["aider"].in_tree == (FILE_NAME,)
