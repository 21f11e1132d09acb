"""gitmem's entries in an agent's JSON: put in beside what is there, found, and taken out again. Pure.

An entry is known by the file that it runs, so that older versions' are known as well, wherever somebody has
moved them to. What others wrote is never rewritten: gitmem.agents.jsonc edits the places alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from gitmem.agents import jsonc
from gitmem.agents.jsonc import Item, Node, Path
from gitmem.model.errors.enabling import ConfigUnreadable

NAME: Final = "gitmem"
"""What the entry of the MCP server is called."""

_OWN: Final = re.compile(r"\bgitmem/agent-(?:hook|mcp)(?![\w.-])|\bgitmem-hook agent [a-z]")
_HOOKS: Final = "hooks"
_LET_RUN: Final = "enabledMcpjsonServers"
_COMMANDS: Final = ("command", "bash")


class Hook(NamedTuple):
    """A value in the array of an event's hooks."""

    event: str
    value: dict[str, Any]


class Member(NamedTuple):
    """The member `gitmem` of the object at a path; another one of that name is left."""

    path: Path
    value: dict[str, Any]


class LetRun(NamedTuple):
    """The word `gitmem` among the servers of a project's `.mcp.json` that Claude Code may start."""


class Constant(NamedTuple):
    """What an agent wants to read at the top of the file; it stays what it is where it is there."""

    key: str
    value: Any


Entry = Hook | Member | LetRun | Constant


class Merged(NamedTuple):
    """A text with gitmem's entries; `made` are the objects and arrays that were missing, outermost first."""

    text: str
    made: tuple[Path, ...]
    left: tuple[str, ...] = ()
    """What was left as it is, since somebody else's has the name."""


def merge(text: str, entries: Sequence[Entry]) -> Merged:
    """Put entries in, in the place of those that are there; where all are there nothing is changed.

    Raises:
        ConfigUnreadable: It is no JSON, or has something else where entries go.
    """
    root = _root(text)
    if _is_current(root, entries):
        return Merged(text, (), tuple(_foreign(root, entries)))
    text = strip(text)
    made: list[Path] = []
    for entry in entries:
        match entry:
            case Constant(key, value):
                if _root(text).get(key) is None:
                    text = jsonc.add(text, (), value, key=key)
            case Hook(event, value):
                text = _with_container(text, (_HOOKS,), {}, made)
                text = _with_container(text, (_HOOKS, event), [], made)
                text = jsonc.add(text, (_HOOKS, event), value)
            case Member(path, value):
                text = _with_container(text, path, {}, made)
                if jsonc.find(_root(text), (*path, NAME)) is None:
                    text = jsonc.add(text, path, value, key=NAME)
            case LetRun():
                text = _with_container(text, (_LET_RUN,), [], made)
                text = jsonc.add(text, (_LET_RUN,), NAME)
    return Merged(text, tuple(made), tuple(_foreign(_root(text), entries)))


def strip(text: str, *, made: Iterable[Path] | None = None) -> str:
    """Take gitmem's entries out, and what they leave empty of what was `made` for them.

    None stands for everything that they leave empty.

    Raises:
        ConfigUnreadable: It is no JSON.
    """
    found = list(_own(_root(text)))
    text = jsonc.remove(text, [(one.container, one.item) for one in found])
    emptied = {one.path[:n] for one in found for n in range(1, len(one.path) + 1)}
    for path in sorted(emptied if made is None else set(made), key=len, reverse=True):
        text = _without_empty(text, path)
    return text


def has_entries(text: str) -> bool:
    """Tell whether an entry of gitmem's stands in a document."""
    return next(_own(_root(text)), None) is not None


def is_current(text: str, entries: Sequence[Entry]) -> bool:
    """Tell whether these entries of gitmem's, and no others, stand in a document."""
    return _is_current(_root(text), entries)


def is_bare(text: str, entries: Iterable[Entry]) -> bool:
    """Tell whether nothing is in a document but what an agent wants at its top, not even a comment."""
    constants = {entry.key: entry.value for entry in entries if isinstance(entry, Constant)}
    root = _root(text)
    said = root.plain()
    return (
        all(constants.get(key) == value for key, value in said.items())
        and "//" not in text
        and "/*" not in text
    )


class _Own(NamedTuple):
    """An entry: the path of what holds it, that, and where in it; `value` is None of a part of a group."""

    path: Path
    container: Node
    item: Item
    value: Any


def _root(text: str) -> Node:
    root = jsonc.parse(text)
    if root.kind != "object":
        raise ConfigUnreadable("", "it is not an object")
    return root


def _is_current(root: Node, entries: Sequence[Entry]) -> bool:
    wanted: list[tuple[Path, Any]] = []
    for entry in entries:
        match entry:
            case Constant(key, _):
                if root.get(key) is None:
                    return False
            case Hook(event, value):
                wanted.append(((_HOOKS, event), value))
            case Member(path, value):
                there = jsonc.find(root, (*path, NAME))
                if there is None or _is_own(there.plain()):
                    wanted.append((path, value))
            case LetRun():
                wanted.append(((_LET_RUN,), NAME))
    found = [(one.path, one.value) for one in _own(root)]
    return len(found) == len(wanted) and all(one in wanted for one in found)


def _foreign(root: Node, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of servers that are somebody else's and would be ours."""
    for entry in entries:
        if isinstance(entry, Member):
            there = jsonc.find(root, (*entry.path, NAME))
            if there is not None and not _is_own(there.plain()):
                yield ".".join((*entry.path, NAME))


def _own(root: Node) -> Iterator[_Own]:
    """Yield gitmem's entries: hooks wherever they are, servers, and the word that lets a server run."""
    hooks = root.get(_HOOKS)
    for event in hooks.items if hooks is not None and hooks.kind == "object" else ():
        if event.node.kind == "array":
            yield from _own_hooks((_HOOKS, event.key), event.node)
    for key in ("mcpServers", "mcp"):
        servers = root.get(key)
        if servers is not None and servers.kind == "object":
            for item in servers.items:
                if item.key == NAME and _is_own(item.node.plain()):
                    yield _Own((key,), servers, item, item.node.plain())
    words = root.get(_LET_RUN)
    if words is not None and words.kind == "array":
        for item in words.items:
            if item.node.value == NAME:
                yield _Own((_LET_RUN,), words, item, NAME)


def _own_hooks(path: Path, array: Node) -> Iterator[_Own]:
    for item in array.items:
        value = item.node.plain()
        if _is_own_command(value):
            yield _Own(path, array, item, value)
            continue
        inner = item.node.get(_HOOKS)
        if inner is None or inner.kind != "array":
            continue
        own = [one for one in inner.items if _is_own_command(one.node.plain())]
        if own and len(own) == len(inner.items):
            yield _Own(path, array, item, value)  # nobody else is in the group
        else:
            yield from (_Own(path, inner, one, None) for one in own)


def _is_own_command(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    said = (value.get(key) for key in _COMMANDS)
    return any(isinstance(text, str) and _OWN.search(text) for text in said)


def _is_own(value: Any) -> bool:
    """Tell whether a server's entry runs gitmem's own file."""
    if isinstance(value, dict):
        return any(_is_own(one) for one in value.values())
    if isinstance(value, list):
        return any(_is_own(one) for one in value)
    return isinstance(value, str) and _OWN.search(value) is not None


def _with_container(text: str, path: Path, empty: Any, made: list[Path]) -> str:
    if jsonc.find(_root(text), path) is not None:
        return text
    made.append(path)
    return jsonc.add(text, path[:-1], empty, key=path[-1])


def _without_empty(text: str, path: Path) -> str:
    root = _root(text)
    node, above = jsonc.find(root, path), jsonc.find(root, path[:-1])
    if node is None or above is None or node.items or node.kind not in ("object", "array"):
        return text
    if text[node.start + 1 : node.end - 1].strip():
        return text  # somebody's comment
    (item,) = [item for item in above.items if item.node is node]
    return jsonc.remove(text, [(above, item)])
