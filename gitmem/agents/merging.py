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
COMMANDS: Final = ("command", "bash")
"""What agents call the command line of a hook."""


class Hook(NamedTuple):
    """A value in the array of an event's hooks."""

    event: str
    value: dict[str, Any]


class Member(NamedTuple):
    """The member `gitmem` of the object at a path; another one of that name is left."""

    path: Path
    value: dict[str, Any]


class Constant(NamedTuple):
    """What an agent wants to read at the top of the file; it stays what it is where it is there."""

    key: str
    value: Any


Entry = Hook | Member | Constant


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
    text = strip(text, entries)
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
    return Merged(text, tuple(made), tuple(_foreign(_root(text), entries)))


def strip(text: str, entries: Sequence[Entry] = (), *, made: Iterable[Path] | None = None) -> str:
    """Take gitmem's entries out, and what they leave empty of what was `made` for them.

    Of a file that several clones have entries in, those where `entries` have theirs are meant. None stands
    for everything that they leave empty.

    Raises:
        ConfigUnreadable: It is no JSON.
    """
    found = list(_own(_root(text), entries))
    text = jsonc.remove(text, [(one.container, one.item) for one in found])
    emptied = {one.path[:n] for one in found for n in range(1, len(one.path) + 1)}
    for path in sorted(emptied if made is None else set(made), key=len, reverse=True):
        text = _without_empty(text, path)
    return text


def has_entries(text: str, entries: Sequence[Entry] = ()) -> bool:
    """Tell whether an entry of gitmem's stands in a document, where `strip` would take it out."""
    return next(_own(_root(text), entries), None) is not None


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


def is_own_command(text: str) -> bool:
    """Tell whether a command line names what gitmem's hooks run; it may run anything beside."""
    return _OWN.search(text) is not None


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
    found = [(one.path, one.value) for one in _own(root, entries)]
    return len(found) == len(wanted) and all(one in wanted for one in found)


def _foreign(root: Node, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of servers that are somebody else's and would be ours."""
    for entry in entries:
        if isinstance(entry, Member):
            there = jsonc.find(root, (*entry.path, NAME))
            if there is not None and not _is_own(there.plain()):
                yield ".".join((*entry.path, NAME))


def _own(root: Node, entries: Sequence[Entry]) -> Iterator[_Own]:
    """Yield gitmem's entries: hooks wherever they are, servers, and the word that lets a server run.

    The word was written once, and lets whatever has the name run; so it is taken out wherever it is met.
    """
    within = [entry.path for entry in entries if isinstance(entry, Member) and len(entry.path) > 1]
    for path in within:
        yield from _own_servers(path, root)
    if within:
        return
    hooks = root.get(_HOOKS)
    for event in hooks.items if hooks is not None and hooks.kind == "object" else ():
        if event.node.kind == "array":
            yield from _own_hooks((_HOOKS, event.key), event.node)
    for key in ("mcpServers", "mcp"):
        yield from _own_servers((key,), root)
    words = root.get(_LET_RUN)
    if words is not None and words.kind == "array":
        for item in words.items:
            if item.node.value == NAME:
                yield _Own((_LET_RUN,), words, item, NAME)


def _own_servers(path: Path, root: Node) -> Iterator[_Own]:
    servers = jsonc.find(root, path)
    for item in servers.items if servers is not None and servers.kind == "object" else ():
        if item.key == NAME and _is_own(item.node.plain()):
            assert servers is not None, "it has items"
            yield _Own(path, servers, item, item.node.plain())


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
    said = (value.get(key) for key in COMMANDS)
    return any(isinstance(text, str) and is_own_command(text) for text in said)


def _is_own(value: Any) -> bool:
    """Tell whether a server's entry runs gitmem's own file."""
    if isinstance(value, dict):
        return any(_is_own(one) for one in value.values())
    if isinstance(value, list):
        return any(_is_own(one) for one in value)
    return isinstance(value, str) and _OWN.search(value) is not None


def _with_container(text: str, path: Path, empty: Any, made: list[Path]) -> str:
    for end in range(1, len(path) + 1):
        if jsonc.find(_root(text), path[:end]) is None:
            made.append(path[:end])
            text = jsonc.add(text, path[: end - 1], empty if end == len(path) else {}, key=path[end - 1])
    return text


def _without_empty(text: str, path: Path) -> str:
    root = _root(text)
    node, above = jsonc.find(root, path), jsonc.find(root, path[:-1])
    if node is None or above is None or node.items or node.kind not in ("object", "array"):
        return text
    if text[node.start + 1 : node.end - 1].strip():
        return text  # somebody's comment
    (item,) = [item for item in above.items if item.node is node]
    return jsonc.remove(text, [(above, item)])
