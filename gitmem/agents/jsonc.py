"""JSON with comments and trailing commas, read with the place of each value, and edited there alone.

What is not edited stays as it is, byte for byte: comments, white space, line ends, the order of keys. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from gitmem.model.errors.enabling import ConfigUnreadable

MAX_DEPTH: Final = 100
_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_BARE: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null", re.ASCII)
_REST_IS_BLANK: Final = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_SAME_LINE: Final = re.compile(r"[ \t]*(?://[^\r\n]*|/\*(?:(?!\*/)[^\r\n])*\*/[ \t]*(?=\r?\n|\Z))?")
_INDENT: Final = re.compile(r"^([ \t]+)[^ \t\r\n]", re.MULTILINE)

Kind = Literal["object", "array", "string", "bare"]
Path = tuple[str, ...]


class Node(NamedTuple):
    """A value at `[start, end)`: its members, its elements (whose keys are empty), or itself."""

    kind: Kind
    start: int
    end: int
    items: tuple[Item, ...] = ()
    value: Any = None

    def get(self, key: str) -> Node | None:
        """Return a member; of several with one key the last, as parsers do."""
        found = [item.node for item in self.items if item.key == key]
        return found[-1] if found and self.kind == "object" else None

    def plain(self) -> Any:
        """Return what it says, as `json.loads` would."""
        if self.kind == "object":
            return {item.key: item.node.plain() for item in self.items}
        if self.kind == "array":
            return [item.node.plain() for item in self.items]
        return self.value


class Item(NamedTuple):
    """A member or an element: it begins at `start`, with its key if any; `comma` follows it, if any."""

    key: str
    start: int
    node: Node
    comma: int | None


@lru_cache(maxsize=2)
def parse(text: str) -> Node:
    """Read a document; one that was just read is not read again.

    Raises:
        ConfigUnreadable: It is none; `path` is left to whoever knows it.
    """
    reader = _Reader(text)
    node = reader.value(reader.skip(0), 0)
    end = reader.skip(node.end)
    if end != len(text):
        raise reader.error(end, "something follows the document's end")
    return node


def find(node: Node, path: Iterable[str]) -> Node | None:
    """Return the value at a path of keys."""
    at: Node | None = node
    for key in path:
        at = at.get(key) if at is not None else None
    return at


def add(text: str, path: Path, value: Any, *, key: str | None = None) -> str:
    """Put a value behind the last element of the array at a path, or as a member into the object there.

    Raises:
        ConfigUnreadable: There is nothing of that kind.
    """
    node = find(parse(text), path)
    if node is None or node.kind != ("array" if key is None else "object"):
        what = "an object" if key is not None else "an array"
        raise ConfigUnreadable("", f"{'.'.join(path) or 'the whole of it'} is not {what}")
    return _insert(text, node, value, key)


def put(text: str, path: Path, value: Any) -> str:
    """Put another value in the place of the one at a path, which is there."""
    node = find(parse(text), path)
    assert node is not None
    layout = _Layout(text)
    is_multi = "\n" in text[node.start : node.end] or (node.kind in ("object", "array") and layout.is_pretty)
    said = layout.write(value, layout.indent_at(node.start)) if is_multi else layout.compact(value)
    return text[: node.start] + said + text[node.end :]


def remove(text: str, doomed: Sequence[tuple[Node, Item]]) -> str:
    """Take members and elements out, each with the comma that parted it from its neighbour and its own line.

    `doomed` pairs each with what it is in; one that is within another of them is not given.
    """
    by_container: dict[int, tuple[Node, set[int]]] = {}
    for node, item in doomed:
        by_container.setdefault(node.start, (node, set()))[1].add(item.start)
    cuts: list[tuple[int, int]] = []
    for node, starts in by_container.values():
        cuts += _cuts(text, node, starts)
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text


def _cuts(text: str, node: Node, starts: set[int]) -> list[tuple[int, int]]:
    """Return what is to be cut out of a container."""
    items = node.items
    kept = [n for n, item in enumerate(items) if item.start not in starts]
    if not kept:
        inside = text[node.start + 1 : node.end - 1]
        for item in reversed(items):
            end = item.node.end if item.comma is None else item.comma + 1
            at = item.start - node.start - 1
            inside = inside[:at] + inside[end - node.start - 1 :]
        if not inside.strip():
            return [(node.start + 1, node.end - 1)]
    cuts = []
    for n, item in enumerate(items):
        if n in kept:
            continue
        before = items[n - 1] if n else None
        start = _line_start(text, item.start, node.start + 1 if before is None else _end(before))
        end = _end(item)
        if "\n" in text[start : item.start] and not _REST_IS_BLANK.match(text, end):
            # What follows stays on its line: the one before may end with a comment, which would take it in.
            start = text.rindex("\n", start, item.start) + 1
        cuts.append((start, end))
        is_last = item.comma is None
        if is_last and kept:
            left = items[kept[-1]]
            if left.comma is not None:
                cuts.append((left.comma, left.comma + 1))
    return cuts


def _end(item: Item) -> int:
    return item.node.end if item.comma is None else item.comma + 1


def _line_start(text: str, at: int, least: int) -> int:
    """Return where the white space before a place begins, with one line end at most."""
    start = at
    while start > least and text[start - 1] in " \t":
        start -= 1
    if start > least and text[start - 1] == "\n":
        start -= 1
        if start > least and text[start - 1] == "\r":
            start -= 1
    return start


def _insert(text: str, node: Node, value: Any, key: str | None) -> str:
    layout = _Layout(text)
    opening = node.start + 1
    close = node.end - 1
    label = "" if key is None else f"{layout.compact(key)}: "
    if node.items:
        last = node.items[-1]
        first = node.items[0]
        is_multi = "\n" in text[opening : first.start]
        indent = layout.indent_at(first.start)
        place = _end(last)
        found = _SAME_LINE.match(text, place)
        behind = found.end() if found and is_multi else place
        if is_multi and "\n" not in text[behind:close] and text[behind:close].strip():
            behind = place  # what follows is no comment of that line alone
        said = f"{layout.newline}{indent}{label}" if is_multi else f" {label}"
        said += layout.write(value, indent) if is_multi else layout.compact(value)
        if last.comma is not None:
            return text[:behind] + said + "," + text[behind:]
        return text[: last.node.end] + "," + text[last.node.end : behind] + said + text[behind:]
    inside = text[opening:close]
    if not layout.is_pretty and not inside.strip():
        return text[:opening] + label + layout.compact(value) + text[close:]
    outer = layout.indent_at(node.start)
    indent = outer + layout.unit
    kept = inside.rstrip()
    said = f"{layout.newline}{indent}{label}{layout.write(value, indent)}{layout.newline}{outer}"
    return text[:opening] + kept + said + text[close:]


class _Layout:
    """How a document is laid out: its line ends, its indentation, and whether it has more lines than one."""

    def __init__(self, text: str) -> None:
        self._text = text
        end = text.find("\n")
        self.newline = "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
        found = _INDENT.search(text)
        self.unit = found[1] if found else "  "
        body = text.strip()
        self.is_pretty = "\n" in body or body in ("{}", "[]")

    def indent_at(self, at: int) -> str:
        """Return the white space that the line of a place begins with."""
        start = self._text.rfind("\n", 0, at) + 1
        end = start
        while end < at and self._text[end] in " \t":
            end += 1
        return self._text[start:end]

    def write(self, value: Any, indent: str) -> str:
        """Write a value in lines, its first one where something stands already."""
        said = json.dumps(value, indent=self.unit, ensure_ascii=False)
        return said.replace("\n", self.newline + indent)

    def compact(self, value: Any) -> str:
        """Write a value in one line."""
        return json.dumps(value, ensure_ascii=False)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        assert found is not None
        return found.end()

    def error(self, at: int, why: str) -> ConfigUnreadable:
        line = self._text.count("\n", 0, at) + 1
        return ConfigUnreadable("", f"line {line}: {why}")

    def value(self, at: int, depth: int) -> Node:
        char = self._text[at : at + 1]
        if char in ("{", "["):
            if depth >= MAX_DEPTH:
                raise self.error(at, f"it is nested more than {MAX_DEPTH} deep")
            return self._container(at, depth)
        if char == '"':
            value, end = self._string(at)
            return Node("string", at, end, value=value)
        found = _BARE.match(self._text, at)
        if found is None or self._text[found.end() : found.end() + 1].isalnum():
            raise self.error(at, "a value was expected" if char else "it ends too early")
        try:
            value = json.loads(found[0])
        except ValueError as error:  # more digits than Python reads
            raise self.error(at, str(error)) from None
        return Node("bare", at, found.end(), value=value)

    def _string(self, at: int) -> tuple[str, int]:
        found = _STRING.match(self._text, at)
        if found is None:
            raise self.error(at, "a string was expected")
        try:
            return json.loads(found[0]), found.end()
        except ValueError:
            raise self.error(at, "a string has an escape that JSON does not know") from None

    def _container(self, start: int, depth: int) -> Node:
        is_object = self._text[start] == "{"
        closing = "}" if is_object else "]"
        items: list[Item] = []
        at = self.skip(start + 1)
        while self._text[at : at + 1] != closing:
            if items and items[-1].comma is None:
                raise self.error(
                    at, f"a comma or {closing} was expected" if at < len(self._text) else "it ends"
                )
            begins, key = at, ""
            if is_object:
                key, at = self._string(at)
                at = self.skip(at)
                if self._text[at : at + 1] != ":":
                    raise self.error(at, "a colon was expected")
                at = self.skip(at + 1)
            node = self.value(at, depth + 1)
            at = self.skip(node.end)
            comma = at if self._text[at : at + 1] == "," else None
            items.append(Item(key, begins, node, comma))
            at = at if comma is None else self.skip(at + 1)
        return Node("object" if is_object else "array", start, at + 1, tuple(items))
