"""What tells nothing: turns that repeat what was asked for, or say what their kind always says.

They are quoted only where nothing else was found. That is judged by what a turn says, not by how well it
matches: `commit this` is the best hit for a question with that word in it, and an answer to none.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.recall.turns import Hit, Passage, Told

_FEW_BYTES: Final = 6
"""Of letters, apart from what was asked for; most scripts but Latin have two or three to a letter."""

_LETTERS: Final = re.compile(r"\w+")
_ROUTINE: Final = re.compile(
    r"(?!.*\b(?:not|no such|fail|error|denied|refused|cannot|conflict))"
    r"(?:(?:the )?(?:file|todos?|task|plan|edit)\b.{0,400}?"
    r"\b(?:created|updated|written|modified|edited|applied)\b"
    r"|(?:success(?:fully|\.|:)?|wrote|updated|created|overwrote) .{0,400}|(?:done|ok)[.!]?\Z)"
    r"|\(?(?:no output|tool ran without output|output is empty)\b.{0,80}",
    re.IGNORECASE,
)
"""How results begin that say no more than that a tool did what it was told."""

_SHORT: Final = 400
"""Characters: what goes on for longer tells something, unless it only shows the file that was changed."""

_SENTENCES: Final = re.compile(r"(?<=[.!?:])\s+|\n+")
_ANNOUNCES: Final = re.compile(
    r"(?:(?:now|next|first|then|and|so|also|good\b[^.!?]{0,20}|great|perfect|excellent|okay|ok|sure|right|yes)"
    r"\b[,!.:]?\s*|[—–-]\s*){0,4}"
    r"(?:\Z|(?:let me|let['’]s|i['’]ll|i will|i need to|i['’]m (?:now )?\w+ing)\b)",
    re.IGNORECASE,
)
"""How an agent's sentences begin that say what it does next."""

_WAITS: Final = re.compile(
    r"(?:.{0,80}\b(?:is|are|still)(?: (?:now|still|all|both)){0,2}"
    r" (?:running|working|in progress|under ?way|being \w+)\b"
    r"|(?:(?:i am|i['’]m|now|still|just) ){0,2}(?:wait(?:ing)?|await(?:ing)?)\b"
    r"|.{0,40}\bwill (?:report|notify|be notified|continue|come back|check back|let you know)\b)",
    re.IGNORECASE,
)
"""How sentences begin that say what goes on meanwhile."""

_SHOWS_THE_FILE: Final = re.compile(r"(?:the )?file \S+ has been (?:updated|edited)\b", re.IGNORECASE)


def tells(told: Told) -> bool:
    """Tell whether a turn may say something that whoever asks does not know."""
    if told.kind == "preamble":
        return False
    if told.kind == "tool_result":
        return not is_routine(told)
    return told.kind != "message" or _says_more(told.passage)


def announces(hit: Hit) -> bool:
    """Tell whether an agent only says what it is about to do, in front of doing it: the call says more."""
    told = hit.told
    if told.kind != "message" or told.role != "assistant" or len(told.passage.text) > _SHORT:
        return False
    behind = [one for one in hit.beside if one.ordinal > told.ordinal]
    if not behind or behind[0].kind != "tool_call":
        return False
    return all(_ANNOUNCES.match(said) for said in _SENTENCES.split(told.passage.text) if said.strip())


def is_unfinished(passage: Passage) -> bool:
    """Tell whether an agent's last words only say what it was about to do, or is waiting for."""
    text = passage.text
    if passage.before or passage.behind or len(text) > _SHORT:
        return False
    said = [each for each in _SENTENCES.split(text) if each.strip()]
    return bool(said) and all(_ANNOUNCES.match(each) or _WAITS.match(each) for each in said)


def is_routine(told: Told) -> bool:
    """Tell whether a tool's result is only that it did what it was told, with nothing gone wrong."""
    text = told.passage.text.strip()
    if told.is_error or told.passage.before or not text:
        return False
    if _SHOWS_THE_FILE.match(text):
        return True
    return len(text) <= _SHORT and "\n" not in text and _ROUTINE.match(text) is not None


def _says_more(passage: Passage) -> bool:
    """Tell whether there is more to a text than the words that were asked for, and a yes or an ok."""
    if passage.before or passage.behind:
        return True
    left, at = 0, 0
    for start, end in (*passage.words, (len(passage.text), len(passage.text))):
        left += sum(len(word.encode()) for word in _LETTERS.findall(passage.text[at:start]))
        if left >= _FEW_BYTES:
            return True
        at = end
    return False
