"""A session as one page of HTML: no script, nothing that is loaded, and all text as text.

The page forbids itself whatever is not its own style sheet, so that even what slipped through would do
nothing.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from gitmem.cli.rendering import FOLDED_KINDS, iso
from gitmem.cli.text import clean, one_line
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Turn
from gitmem.query.trusting import Trust
from gitmem.verbs.summaries import Summary

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;font:14px/1.4 monospace}"
    "article{border-left:4px solid #bbb;margin:1em 0;padding:.2em 1em}"
    "article.user{border-color:#1a7f37}article.assistant{border-color:#0969da}"
    "article.failed{border-color:#cf222e}h2,summary{font-size:.9em;color:#555;font-weight:bold;margin:0}"
    "dt{font-weight:bold;float:left;clear:left;width:8em}dd{margin-left:9em}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}h2,summary{color:#aaa}}"
)
_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    f"{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; base-uri 'none'; form-action 'none'"
)


def page(summary: Summary, turns: Iterable[Turn], trust: Trust) -> Iterator[str]:
    """Yield a session piece by piece: its facts, then an article for each turn; calls and such are folded."""
    title = _line(summary.title) or "A session"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<dl>\n"
    )
    facts = {
        "Session": str(summary.key),
        "Author": summary.author.name,
        "Trust": "" if trust == "known" else f"{trust} author",
        "Repository": summary.repo,
        "Branch": summary.branch or "",
        "Model": summary.model or "",
        "Started": iso(summary.started_ms) or "",
        "Ended": iso(summary.ended_ms) or "",
        "Turns": f"{summary.turns}",
        "Tags": ", ".join(summary.tags),
    }
    yield "".join(f"<dt>{name}</dt><dd>{_line(value)}</dd>\n" for name, value in facts.items() if value)
    yield "</dl>\n"
    yield from map(_article, turns)
    yield "</body>\n</html>\n"


def _article(turn: Turn) -> str:
    where = "" if turn.stream == MAIN_STREAM else f"{turn.stream}:"
    kind = "" if turn.kind == "message" else f", {turn.kind.replace('_', ' ')}"
    named = f" {turn.call.name}" if turn.call else ""
    at = f" ({iso(turn.at_ms)})" if turn.at_ms is not None else ""
    heading = _line(f"{where}{turn.ordinal}: {turn.author or turn.role}{kind}{named}{at}")
    has_failed = turn.result is not None and turn.result.is_error
    text = f"<pre>{escape(clean(turn.text).strip(chr(10)))}</pre>"
    shade = f"{turn.role} failed" if has_failed else turn.role
    if turn.kind in FOLDED_KINDS or turn.call or turn.result:
        return f'<article class="{shade}"><details><summary>{heading}</summary>{text}</details></article>\n'
    return f'<article class="{shade}"><h2>{heading}</h2>{text}</article>\n'


def _line(text: str) -> str:
    return escape(one_line(text))
