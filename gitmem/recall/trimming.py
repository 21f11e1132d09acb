"""Cutting a turn's text to so many tokens: what was asked for stays, or how it begins."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Passage

CUT: Final = "…"
_CHARACTERS_TO_A_TOKEN: Final = 3.2
_LONGEST_TOKEN: Final = 8
"""Characters to a token that no text has on average, but for one that is nearly all white space."""

LONGEST_LINE: Final = 400
_BLANK: Final = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")
_SPACES: Final = re.compile(r"(?<=\S)[ \t]{2,}|[ \t]+(?=\n|\Z)|(?<=\n)[ \t]+(?=[ \t]{4})")
_TELLING: Final = re.compile(
    r"(?i)\b(?:error|fail(?:ed|ure|s)?|fatal|exception|panic|traceback|assert\w*|denied|refused|not found"
    r"|no such|cannot|could not|undefined|warning|timed? ?out|passed|succeeded|ok)\b"
)
_MOST_TELLING: Final = 4


def trim(passage: Passage, tokens: int, longest_line: int = LONGEST_LINE) -> str:
    """Return the best stretch of a passage that has at most so many tokens; what is cut shows as `…`.

    So do the ends of lines of more characters than `longest_line`.
    """
    text = passage.text
    if len(text) <= tokens * _LONGEST_TOKEN and estimate(text) <= tokens:
        start, stop = 0, len(text)
    else:
        start, stop = _stretch(passage, int(tokens * _CHARACTERS_TO_A_TOKEN))
    shown = _shown(passage, start, stop, longest_line)
    while start < stop and estimate(shown) > tokens:
        stop = max(start, start + int((stop - start) * min(0.95, tokens / estimate(shown))))
        shown = _shown(passage, start, _word_end(text, start, stop), longest_line)
    return shown


def telling(text: str, tokens: int) -> str:
    """Return of what a tool gave back the lines that say what came of it: errors, verdicts, else the last."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    chosen = [at for at, line in enumerate(lines) if _TELLING.search(line)][:_MOST_TELLING]
    chosen = chosen or list(range(max(0, len(lines) - 2), len(lines)))
    shown = "\n".join(lines[at] for at in chosen)
    is_cut = bool(chosen)
    before, behind = is_cut and chosen[0] > 0, is_cut and chosen[-1] < len(lines) - 1
    return trim(Passage(shown, before=before, behind=behind), tokens)


def beginning(passage: Passage, tokens: int) -> str:
    """Return how a text begins, on one line: of what an agent said last, what came of its work."""
    return trim(Passage(" ".join(passage.text.split()), before=passage.before, behind=passage.behind), tokens)


def _stretch(passage: Passage, characters: int) -> tuple[int, int]:
    """Return where most different words that were asked for stand together; the beginning if none does."""
    text, starts = passage.text, [start for start, _ in passage.words]
    lead = characters // 5
    best, most = 0, 0
    for at, start in enumerate(starts):
        last = bisect_left(starts, start + characters - lead)
        worth = len({text[a:b].casefold() for a, b in passage.words[at:last]})
        if worth > most:
            best, most = start, worth
    if best + characters - lead >= len(text):
        best = max(0, len(text) - characters)
        lead = characters
    start = 0 if best <= lead else _begin(text, best, lead)
    return start, _word_end(text, start, min(len(text), start + characters))


def _begin(text: str, at: int, lead: int) -> int:
    for end in ("\n", ". ", "! ", "? ", " "):
        found = text.rfind(end, at - lead, at)
        if found >= 0:
            return found + len(end)
    return at


def _word_end(text: str, start: int, stop: int) -> int:
    if stop >= len(text):
        return len(text)
    space = max(text.rfind(" ", start, stop), text.rfind("\n", start, stop))
    return space if space > start + (stop - start) // 2 else stop


def _shown(passage: Passage, start: int, stop: int, longest_line: int) -> str:
    text = _SPACES.sub(" ", _BLANK.sub("\n", passage.text[start:stop])).strip("\n").rstrip()
    lines = (
        line if len(line) <= longest_line else f"{line[:longest_line]}{CUT}" for line in text.split("\n")
    )
    text = "\n".join(lines)
    before = CUT if start or passage.before else ""
    behind = CUT if (stop < len(passage.text) or passage.behind) and text and not text.endswith(CUT) else ""
    return f"{before}{text}{behind}" if text else ""
