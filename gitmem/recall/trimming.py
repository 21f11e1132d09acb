"""Cutting a turn's text to so many tokens: what was asked for stays, or how it begins."""

from __future__ import annotations

import re
from bisect import bisect_left
from math import ceil
from typing import Final

from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Passage

CUT: Final = "…"
_MOST_TO_A_TOKEN: Final = 4.5
"""Characters to a token, where the beginning of a text does not say for all of it."""

_SAMPLE: Final = 1_000
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
_NUMBERED: Final = re.compile(r"^[ ]*[0-9]{1,6}(?:\t|→)", re.MULTILINE)
_LISTING: Final = 3
"""So many lines with a number and a tab are a file as tools list it; the numbers are no part of it."""

_ENDS: Final = re.compile(r"(?<!\d)\.(?=\s)|[!?;](?=\s)|[。！？；]|(?<![:*\s])(?=\n)")
_BREAKS: Final = re.compile(r"(?<!\d)\.\s+|[!?:;]\s+|[。！？；]|\n\s*")
"""Where a sentence or a line ends that announces no other, and where one may begin; `2.` numbers an item."""

_LAYOUT: Final = re.compile(
    r"^[ \t]*(?:#{1,6}(?=[ \t])|[-*_=]{3,}[ \t]*$|```[^\n]*$|\|[-| :]*\|?[ \t]*$)|(?<=\|)[ \t]*\|",
    re.MULTILINE,
)

_DANGLING: Final = re.compile(r"\s+(?:[0-9]{1,3}\.|[-*#|]+)\Z")
"""What begins an item of which nothing is left."""

_NEAR: Final = 0.6
"""So much of a stretch is kept at least, that it may end with a sentence."""


def trim(passage: Passage, tokens: int, longest_line: int = LONGEST_LINE) -> str:
    """Return the best stretch of a passage that has at most so many tokens; what is cut shows as `…`.

    So do the ends of lines of more characters than `longest_line`.
    """
    text = passage.text
    if len(text) <= tokens * _LONGEST_TOKEN and estimate(text) <= tokens:
        start, stop = 0, len(text)
    else:
        start, stop = _stretch(passage, int(tokens * _characters_to_a_token(text)))
    shown = _shown(passage, start, stop, longest_line)
    while start < stop and estimate(shown) > tokens:
        stop = _word_end(
            text, start, max(start, start + int((stop - start) * min(0.95, tokens / estimate(shown))))
        )
        shown = _shown(passage, start, stop, longest_line)
    ends = _sentence_end(text, start, stop)
    return shown if ends == stop else _shown(passage, start, ends, longest_line)


def tokens_of(text: str, characters: int) -> int:
    """Return how many tokens a stretch of so many characters of a text comes to, about."""
    begins = text[:characters]
    return ceil(len(begins) / _characters_to_a_token(begins)) if text else 0


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
    """Return how a text begins, on one line: of what an agent said last, what came of its work.

    What only lays a text out (headings, emphasis, rules, rows of tables) is left out.
    """
    line = " ".join(_LAYOUT.sub(" ", passage.text).replace("**", "").split())
    return trim(Passage(line, before=passage.before, behind=passage.behind), tokens)


def _characters_to_a_token(text: str) -> float:
    """Return how dense a text is: code and identifiers take twice the tokens that words take."""
    sample = text[:_SAMPLE]
    return min(_MOST_TO_A_TOKEN, len(sample) / estimate(sample))


def _stretch(passage: Passage, characters: int) -> tuple[int, int]:
    """Return where most different words that were asked for stand together; the beginning if none does.

    Of stretches with as many, the first that begins with a sentence or a line.
    """
    text, starts = passage.text, [start for start, _ in passage.words]
    lead, best, most = characters // 5, 0, (0, False)
    for start in starts:
        for begin, is_whole in _begins(text, start, characters, lead):
            there = passage.words[bisect_left(starts, begin) : bisect_left(starts, begin + characters)]
            worth = len({text[a:b].casefold() for a, b in there}), is_whole
            if worth > most:
                best, most = begin, worth
    if best + characters >= len(text):
        [(best, _), *_] = _begins(text, max(0, len(text) - characters), characters, 0)
    return best, _word_end(text, best, min(len(text), best + characters))


def _begins(text: str, at: int, characters: int, lead: int) -> list[tuple[int, bool]]:
    """Return where a stretch may begin that has what stands at a place, and whether that is a sentence's."""
    reach = max(0, at - characters // 2)
    if not reach and at <= lead:
        return [(0, True)]
    whole = max((found.end() for found in _BREAKS.finditer(text, reach, at)), default=0 if not reach else -1)
    space = text.rfind(" ", max(0, at - lead), at)
    return [*([(whole, True)] if whole >= 0 else []), (space + 1 if space >= 0 else at, False)]


def _word_end(text: str, start: int, stop: int) -> int:
    if stop >= len(text):
        return len(text)
    space = max(text.rfind(" ", start, stop), text.rfind("\n", start, stop))
    return space if space > start + (stop - start) // 2 else stop


def _sentence_end(text: str, start: int, stop: int) -> int:
    """Return where the last sentence or line within a stretch ends, if that leaves most of it."""
    if stop >= len(text):
        return stop
    least = start + int((stop - start) * _NEAR)
    return max(
        (found.end() for found in _ENDS.finditer(text, least, stop + 1) if found.end() <= stop), default=stop
    )


def _shown(passage: Passage, start: int, stop: int, longest_line: int) -> str:
    text = passage.text[start:stop]
    if len(_NUMBERED.findall(text)) >= _LISTING:
        text = _NUMBERED.sub("", text)
    text = _SPACES.sub(" ", _BLANK.sub("\n", text)).strip("\n").rstrip()
    if stop < len(passage.text):
        text = _DANGLING.sub("", text)
    lines = (
        line if len(line) <= longest_line else f"{line[:longest_line]}{CUT}" for line in text.split("\n")
    )
    text = "\n".join(lines)
    before = CUT if start or passage.before else ""
    behind = CUT if (stop < len(passage.text) or passage.behind) and text and not text.endswith(CUT) else ""
    return f"{before}{text}{behind}" if text else ""
