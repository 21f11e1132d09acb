"""Patches and shell commands as agents write them: which lines they put into which file.

Read by their form alone, never applied. What is no patch gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Piece(NamedTuple):
    """Lines put into one file, and lines taken out of it; `path` is as written, None where none is."""

    path: str | None
    added: list[str]
    removed: list[str]


_PATCH_MARK = "*** Begin Patch"
_FILE_MARK = re.compile(r"\*\*\* (?P<what>Add|Update|Delete) File: (?P<path>.+)")
_MOVE_MARK = re.compile(r"\*\*\* Move to: (?P<path>.+)")
_DIFF_MARK = re.compile(r"^--- .*\n\+\+\+ .", re.MULTILINE)
_SEARCHES = ("<<<<<<< SEARCH", "------- SEARCH")
_REPLACES = (">>>>>>> REPLACE", "+++++++ REPLACE")
_SEARCH_NOTES = (":start_line:", ":end_line:")
_HUNK = re.compile(r"@@ -\d+(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")

_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*(?P<quote>['\"]?)(?P<word>[A-Za-z_][\w.]*)(?P=quote)(?!<)")
_INTO = re.compile(
    r"(?:(?<![0-9&<>])>{1,2}|\btee(?:[ \t]+-a)?)[ \t]*(?P<path>'[^'\n]+'|\"[^\"\n]+\"|[^\s'\"&;|<>()]+)"
)
_ECHO = re.compile(
    r"\b(?:echo|printf)[ \t]+(?:-[neE]+[ \t]+)?(?P<text>'[^'\n]*'|\"[^\"\n]*\")[ \t]*>{1,2}[ \t]*"
    r"(?P<path>'[^'\n]+'|\"[^\"\n]+\"|[^\s'\"&;|<>()]+)"
)


_LITERAL = re.compile(
    r'"(?P<double>(?:[^"\\\n]|\\.)*+)"' + "|" + r"'(?P<single>(?:[^'\\\n]|\\.)*+)'", re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})|(?P<plain>.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "v": "\v"}


def is_patch(text: str) -> bool:
    """Whether a text holds a patch, of any form."""
    if _PATCH_MARK in text or any(mark in text for mark in _SEARCHES):
        return True
    return "\n+++ " in text and _DIFF_MARK.search(text) is not None


def pieces_of_patch(text: str) -> Iterator[Piece]:
    """Yield what a patch does to each file: one between `*** Begin Patch` marks, a unified diff, or pieces of
    text to search for and what replaces them, which do not say in which file.
    """
    if _PATCH_MARK in text:
        found = list(_marked(text))
        if not found:  # in a script, as one of its literals
            found = [piece for literal in literals(text) for piece in _marked(literal)]
        yield from found
    elif any(mark in text for mark in _SEARCHES):
        yield from _replaced(text)
    elif "\n+++ " in text:
        yield from _unified(text)


def pieces_of_shell(command: str) -> Iterator[Piece]:
    """Yield the lines of here-documents, and what `echo` is sent into a file.

    The path is that of a redirection on the same line, or None: a script's own text says little of where
    its lines go.
    """
    if "<<" in command:
        yield from _heredocs(command)
    for found in _ECHO.finditer(command):
        yield Piece(_bare(found["path"]), found["text"][1:-1].replace("\\n", "\n").split("\n"), [])


def literals(script: str) -> Iterator[str]:
    """Yield the texts of several lines that stand between quotes in a script, as its language reads them."""
    if "\\n" in script:
        for found in _LITERAL.finditer(script):
            text = found["double"] or found["single"] or ""
            if "\\n" in text:
                yield _ESCAPE.sub(_unescape, text)


def _unescape(found: re.Match[str]) -> str:
    code = found["code"] or found["byte"]
    return chr(int(code, 16)) if code else _ESCAPED.get(found["plain"], found["plain"])


def _marked(text: str) -> Iterator[Piece]:
    piece: Piece | None = None
    for line in text.split("\n"):
        if line.startswith("*** "):
            file, move = _FILE_MARK.match(line), _MOVE_MARK.match(line)
            if move and piece:
                piece = piece._replace(path=move["path"].strip())
            elif file or not line.startswith("*** End of File"):
                if piece:
                    yield piece
                piece = Piece(file["path"].strip(), [], []) if file and file["what"] != "Delete" else None
        elif piece and line.startswith("+"):
            piece.added.append(line[1:])
        elif piece and line.startswith("-"):
            piece.removed.append(line[1:])
    if piece:
        yield piece


def _unified(text: str) -> Iterator[Piece]:
    piece: Piece | None = None
    old = new = 0
    for line in text.split("\n"):
        if old > 0 or new > 0:  # inside a hunk, where a line may begin with anything
            if piece and line.startswith("+"):
                piece.added.append(line[1:])
                new -= 1
            elif piece and line.startswith("-"):
                piece.removed.append(line[1:])
                old -= 1
            elif not line.startswith("\\"):
                old, new = old - 1, new - 1
        elif line.startswith("+++ "):
            if piece:
                yield piece
            path = line[4:].partition("\t")[0].strip()
            piece = None if path == "/dev/null" else Piece(path.removeprefix("b/"), [], [])
        elif hunk := _HUNK.match(line):
            old, new = int(hunk["old"] or 1), int(hunk["new"] or 1)
    if piece:
        yield piece


def _replaced(text: str) -> Iterator[Piece]:
    piece: Piece | None = None
    into: list[str] = []
    for line in text.split("\n"):
        mark = line.rstrip()
        if piece is None or mark in _SEARCHES:
            piece = Piece(None, [], []) if mark in _SEARCHES else None
            into = piece.removed if piece else []
        elif mark in _REPLACES:
            yield piece
            piece = None
        elif mark == "=======" and into is piece.removed:
            into = piece.added
        elif mark == "-------" or mark.startswith(_SEARCH_NOTES):  # between where to search and for what
            into.clear()
        else:
            into.append(line)


def _heredocs(command: str) -> Iterator[Piece]:
    lines = command.split("\n")
    at = 0
    while at < len(lines):
        opening = lines[at]
        at += 1
        found = _HEREDOC.search(opening)
        if found is None:
            continue
        start = at
        while at < len(lines) and lines[at].strip() != found["word"]:
            at += 1
        body = lines[start:at]
        at += 1
        if not is_patch("\n".join(body)):
            into = _INTO.search(opening)
            yield Piece(_bare(into["path"]) if into else None, body, [])


def _bare(path: str) -> str:
    return path[1:-1] if path[:1] in ("'", '"') else path
