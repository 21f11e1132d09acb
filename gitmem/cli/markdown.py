"""A session as a Markdown document that may be put on a page.

What people and agents wrote in Markdown stays Markdown, without what a page would act on: HTML, images, which
would tell their server who reads, and links that are programs. What tools said stands in fences that nothing
in it can close.

Where a fence or a code span really begins depends on lists, quotes and lines far above. So nothing rests on
that: fences are put in the first column, where every renderer sees them alike, and what is outside of them is
harmless whether it is taken for code or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gitmem.cli.rendering import FOLDED_KINDS, iso
from gitmem.cli.text import clean, one_line
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Turn
from gitmem.query.trusting import Trust
from gitmem.verbs.summaries import Summary

_SHOWN_LINES: Final = 40
_LONGEST_LINE: Final = 2000
"""Characters. In a longer one code spans are not looked for: that takes a time of its length, squared."""
_SPECIAL: Final = re.compile(r"[\\`*_\[\]#!<>|~&]")
_FENCE: Final = re.compile(r"([ \t]*)(`{3,}|~{3,})(.*)")
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+#.-]+")
_HEADING: Final = re.compile(r"([ \t>*+-]*(?:\d{1,9}[.)][ \t]+)?)(#{1,6})(?=[ \t]|$)")
_UNDERLINE: Final = re.compile(r"([ \t>*+-]*?)(=+|-+)[ \t]*")
_OWN_LEVELS: Final = 2
"""Headings are the document's and its turns', which no text may look like."""
_CODE_SPAN: Final = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_ACTIVE: Final = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)|&(?=#?\w+;)")
_PROGRAM: Final = re.compile(r"(javascript|vbscript|data)(?=\\*:)", re.IGNORECASE)
_ENTITIES: Final = {"<": "&lt;", "!": "&#33;", "&": "&amp;"}


def document(
    summary: Summary, turns: Iterable[Turn], *, full: bool = False, trust: Trust = "known"
) -> Iterator[str]:
    """Yield a session piece by piece: its facts, then a section for each turn."""
    yield f"# {escape(summary.title) or 'A session'}\n\n"
    facts = {
        "Session": code_span(str(summary.key)),
        "Author": escape(summary.author.name),
        "Trust": "" if trust == "known" else f"{trust} author",
        "Repository": escape(summary.repo),
        "Branch": code_span(summary.branch) if summary.branch else "",
        "Model": escape(summary.model or ""),
        "Started": iso(summary.started_ms) or "",
        "Ended": iso(summary.ended_ms) or "",
        "Turns": f"{summary.turns}",
        "Tags": ", ".join(code_span(tag) for tag in summary.tags),
    }
    yield "".join(f"- {name}: {value}\n" for name, value in facts.items() if value)
    yield from sections(turns, full=full)


def sections(turns: Iterable[Turn], *, full: bool = False) -> Iterator[str]:
    """Yield a section for each turn; without `full` preambles and thinking are left out, and results cut."""
    for turn in turns:
        is_empty = turn.kind == "message" and not turn.text.strip()
        if full or not (is_empty or turn.kind in FOLDED_KINDS):
            yield _section(turn, full)


def escape(text: str) -> str:
    """Return text for a heading or a list, so that no character of it means anything in Markdown."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text))


def code_span(text: str) -> str:
    """Return text as a code span, between more backticks than stand in it."""
    text = one_line(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}" if text else ""


def fenced(text: str) -> str:
    """Return text as a code block, between more backticks than stand in it anywhere."""
    text = clean(text).rstrip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}text\n{text}\n{ticks}\n"


def disarmed(text: str) -> str:
    """Return Markdown that somebody wrote, without what a page would act on, and with every fence closed."""
    lines, fence, indent = [], "", 0
    for line in clean(text).rstrip().split("\n"):
        found = _FENCE.match(line)
        if fence:
            if found and found[2].startswith(fence) and not found[3].strip():
                lines.append(fence)
                fence = ""
            else:
                lines.append(line[indent:] if line[:indent].isspace() else line)
        elif found and not (found[2][0] == "`" and "`" in found[3]):
            fence, indent = found[2], len(found[1])
            lines.append(fence + "".join(_LANGUAGE.findall(found[3])[:1]))
        else:
            lines.append(_disarm_line(_lowered(line, is_below=bool(lines and lines[-1].strip()))))
    return "\n".join([*lines, fence] if fence else lines) + "\n"


def _section(turn: Turn, full: bool) -> str:
    where = "" if turn.stream == MAIN_STREAM else f"{escape(turn.stream)}:"
    kind = "" if turn.kind == "message" else f", {turn.kind.replace('_', ' ')}"
    at = f" ({iso(turn.at_ms)})" if turn.at_ms is not None else ""
    heading = f"\n## {where}{turn.ordinal}: {escape(turn.author or turn.role)}{kind}{at}\n\n"
    if turn.call:
        return f"{heading}{code_span(turn.call.name)}\n\n{fenced(turn.text)}"
    if turn.result:
        failed = "It failed.\n\n" if turn.result.is_error else ""
        return heading + failed + fenced(turn.text if full else _beginning(turn.text))
    return heading + (disarmed(turn.text) if turn.kind == "message" else fenced(turn.text))


def _beginning(text: str) -> str:
    lines = clean(text).rstrip("\n").split("\n")
    if len(lines) <= _SHOWN_LINES:
        return text
    return "\n".join([*lines[:_SHOWN_LINES], f"… and {len(lines) - _SHOWN_LINES} lines more"])


def _lowered(line: str, *, is_below: bool) -> str:
    """Return a line that is no heading as turns have; `is_below` says that another is above, to underline."""
    if found := _HEADING.match(line):
        return f"{found[1]}{'#' * min(6, len(found[2]) + _OWN_LEVELS)}{line[found.end() :]}"
    if is_below and (found := _UNDERLINE.fullmatch(line)):
        return f"{found[1]}\\{found[2]}"
    return line


def _disarm_line(line: str) -> str:
    parts, at = [], 0
    for span in _CODE_SPAN.finditer(line) if len(line) <= _LONGEST_LINE else ():
        # An entity would show as such in code; a space does no harm and disarms as well.
        code = _PROGRAM.sub(r"\1 ", _ACTIVE.sub(r"\g<0> ", span[0]))
        parts += [_disarm_text(line[at : span.start()]), code]
        at = span.end()
    return "".join([*parts, _disarm_text(line[at:])])


def _disarm_text(text: str) -> str:
    return _PROGRAM.sub(r"\1 ", _ACTIVE.sub(lambda match: _ENTITIES[match[0]], text))
