r"""The core of a pattern that somebody wrote: what of every match stands in the raw line as it is.

A match's characters may be escaped in the raw line, any number of times, except for printable ASCII other
than quotes, slashes, backslashes and what encoders of JSON like to spell out. A core is the run of such
characters in the pattern that tells most. Whatever makes a core match more than it must is sound; so counts
become lower bounds, and the edges of words are dropped: in `\nTOK-1` no word begins at the T.

The tree that Python's own parser makes of the pattern is read. Where that parser reads an expression
in another way than RE2, the expression is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # so called since Python 3.11
from typing import Any, Final, NamedTuple

_SAFE: Final = frozenset(range(0x20, 0x7F)) - frozenset(b"\"'`/\\&<>")
_ALPHABET_BITS: Final = math.log2(len(_SAFE))
_LEAST_BITS: Final = 16.0
"""Between two and three literal characters: less stands in too many lines to pass them by."""
_LONGEST_COUNT: Final = 16
_READ_OTHERWISE: Final = re.compile(r"\[:|\{,|\\[QECpPz]")


class NoCore(Exception):
    """A pattern has nothing in it that lines can be searched for; the text says why."""


class Shape(NamedTuple):
    """What is known of a pattern: its core, its groups, and the least bytes of what it replaces."""

    core: str
    groups: int
    least_bytes: int


class _Atom(NamedTuple):
    """A piece of a pattern; `text` is None where anything may stand. `bits` is what it tells."""

    text: str | None
    bits: float = 0.0


_ANYTHING: Final = _Atom(None)
_EDGES: Final = frozenset(
    {_constants.AT_BEGINNING, _constants.AT_BEGINNING_STRING, _constants.AT_END, _constants.AT_END_STRING}
)


def shape_of(pattern: str) -> Shape:
    """Analyse a pattern.

    Raises:
        NoCore: Nothing in it survives escaping and tells enough, or Python and RE2 do not read it alike.
    """
    if found := _READ_OTHERWISE.search(pattern):
        raise NoCore(f"{found[0]} is not understood here")
    try:
        tree: Any = _parser.parse(pattern.encode())
    except (re.error, RecursionError, OverflowError) as error:
        raise NoCore(f"{error}") from error
    atoms = list(_atoms(tree, bool(tree.state.flags & re.IGNORECASE)))
    if any(operator is _constants.AT and argument in _EDGES for operator, argument in tree):
        raise NoCore("^ and $ are of no use, since a line holds many texts")
    best = max(_runs(atoms), key=_bits, default=())
    if _bits(best) < _LEAST_BITS:
        raise NoCore("no three characters in a row stand in every match; quotes and slashes do not count")
    groups = tree.state.groups - 1
    secret = next(_groups(tree), tree) if groups else tree
    return Shape(_text(best), groups, int(secret.getwidth()[0]))


def _runs(atoms: list[_Atom]) -> Iterator[tuple[_Atom, ...]]:
    run: list[_Atom] = []
    for atom in [*atoms, _ANYTHING]:
        if atom.text is not None:
            run.append(atom)
            continue
        while run and not run[-1].bits:
            run.pop()
        while run and not run[0].bits:
            run.pop(0)
        yield tuple(run)
        run = []


def _atoms(tree: Any, ignores_case: bool) -> Iterator[_Atom]:
    for operator, argument in tree:
        if operator is _constants.LITERAL:
            yield _characters(frozenset({argument}), ignores_case)
        elif operator is _constants.IN:
            yield _characters(_members(argument), ignores_case)
        elif operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            least, most, inner = argument
            yield from _repeated(least, most, inner, ignores_case)
        elif operator is _constants.SUBPATTERN:
            _, added, removed, inner = argument
            inner_ignores = (ignores_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
            yield from _atoms(inner, inner_ignores)
        elif operator is _constants.BRANCH:
            yield from _alternatives([list(_atoms(each, ignores_case)) for each in argument[1]])
        elif operator is not _constants.AT:
            yield _ANYTHING


def _characters(members: frozenset[int], ignores_case: bool) -> _Atom:
    if not members or not members <= _SAFE:
        return _ANYTHING
    text = "".join(f"\\x{member:02x}" for member in sorted(members))
    text = f"[{text}]" if len(members) > 1 else text
    bits = _ALPHABET_BITS - math.log2(len(members))
    return _Atom(f"(?i:{text})" if ignores_case else text, bits)


def _repeated(least: int, most: Any, inner: Any, ignores_case: bool) -> Iterator[_Atom]:
    atoms = list(_atoms(inner, ignores_case))
    if any(atom.text is None for atom in atoms):
        yield _ANYTHING
        if least:
            yield from (*atoms, _ANYTHING)
        return
    kept = min(least, _LONGEST_COUNT)
    count = f"{{{least}}}" if kept == most else f"{{{kept},}}"
    yield _Atom(f"(?:{_text(atoms)}){count}", _bits(atoms) * kept)


def _alternatives(branches: list[list[_Atom]]) -> Iterator[_Atom]:
    are_whole = all(atom.text is not None for branch in branches for atom in branch)
    runs = branches if are_whole else [list(max(_runs(branch), key=_bits, default=())) for branch in branches]
    bits = max(0.0, min(map(_bits, runs)) - math.log2(len(runs)))
    atom = _Atom(f"(?:{'|'.join(map(_text, runs))})", bits)
    yield from (atom,) if are_whole else (_ANYTHING, atom, _ANYTHING)


def _members(items: Any) -> frozenset[int]:
    members: set[int] = set()
    is_negated = False
    for operator, argument in items:
        if operator is _constants.NEGATE:
            is_negated = True
        elif operator is _constants.LITERAL:
            members.add(argument)
        elif operator is _constants.RANGE:
            members.update(range(argument[0], argument[1] + 1))
        else:
            members.update(_CATEGORIES.get(argument, range(256)))
    return frozenset(range(256)) - members if is_negated else frozenset(members)


def _groups(tree: Any) -> Iterator[Any]:
    """Yield the groups of a pattern, wherever they stand."""
    for operator, argument in tree:
        if operator is _constants.SUBPATTERN:
            if argument[0] is not None:
                yield argument[3]
            yield from _groups(argument[3])
        elif operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            yield from _groups(argument[2])
        elif operator is _constants.BRANCH:
            for each in argument[1]:
                yield from _groups(each)


def _bits(atoms: Any) -> float:
    return float(sum(atom.bits for atom in atoms))


def _text(atoms: Any) -> str:
    return "".join(atom.text for atom in atoms)


def _matching(pattern: bytes) -> frozenset[int]:
    return frozenset(byte for byte in range(256) if re.fullmatch(pattern, bytes([byte])))


_CATEGORIES: Final = {
    _constants.CATEGORY_DIGIT: _matching(rb"\d"),
    _constants.CATEGORY_NOT_DIGIT: _matching(rb"\D"),
    _constants.CATEGORY_SPACE: _matching(rb"\s"),
    _constants.CATEGORY_NOT_SPACE: _matching(rb"\S"),
    _constants.CATEGORY_WORD: _matching(rb"\w"),
    _constants.CATEGORY_NOT_WORD: _matching(rb"\W"),
}
