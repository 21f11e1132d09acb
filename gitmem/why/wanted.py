"""Lines that are looked for, and what tells one from another that says the same.

Many lines are said often, a brace or a bare `return`. Such a line is known by those beside it that came with
the same commit: a turn that wrote none of them did not write it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from gitmem.git.blame import Line
from gitmem.why.lines import belong_together, count_letters, line_hash, said

MOST_OF_COMMON = 10
"""Letters and digits of a line that may be anybody's; `return None` has ten."""

_BESIDE = 3
"""Lines above, and as many below, that are compared."""

_FAR = 10


class Wanted(NamedTuple):
    """A line that is looked for, and the telling lines beside it that came with the same commit."""

    line: Line
    hash: bytes
    beside: tuple[bytes, ...]
    is_common: bool


def wanted_lines(
    lines: Sequence[Line], numbers: Container[int], counts: Mapping[bytes, int]
) -> dict[int, Wanted]:
    """Make ready to look for some of the lines, by their places among them; an empty one is not looked for.

    `counts` says how often a line stands in its file.
    """
    hashes = [line_hash(said(line.text, line.path)) for line in lines]
    common = [
        counts.get(hash_, 0) > 1 or count_letters(line.text) <= MOST_OF_COMMON
        for line, hash_ in zip(lines, hashes, strict=True)
    ]

    def beside(at: int, step: int) -> Iterable[bytes]:
        found = 0
        for n in range(at + step, at + step * (_FAR + 1), step):
            if not 0 <= n < len(lines) or found == _BESIDE:
                return
            if belong_together(lines[n], lines[at]) and hashes[n] and not common[n]:
                found += 1
                yield hashes[n]

    return {
        at: Wanted(line, hashes[at], (*beside(at, -1), *beside(at, 1)), common[at])
        for at, line in enumerate(lines)
        if line.number in numbers and hashes[at]
    }
