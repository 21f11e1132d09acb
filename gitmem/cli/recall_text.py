"""The other forms of what is recalled: a JSON document, and a page of Markdown."""

from __future__ import annotations

from gitmem.cli.markdown import code_span, escape, fenced
from gitmem.cli.recalling import Recalled
from gitmem.cli.text import clean
from gitmem.recall.quoting import harmless
from gitmem.recall.tokens import estimate
from gitmem.recall.writing import Quotation
from gitmem.sidecar.wire import Json


def as_json(found: Recalled, budget: int) -> Json:
    """Return an answer as a document; texts are as harmless there as anywhere."""
    return {
        "query": found.answer["query"],
        "mode": found.answer["mode"],
        "notice": found.around.begins,
        "budget": budget,
        "tokens": estimate(found.text) if found.quotations else 0,
        "turns": [_turn(one) for one in found.quotations],
        "indexed": found.answer["indexed"],
    }


def as_markdown(found: Recalled) -> str:
    """Return an answer as Markdown: a section for each turn, its text in a fence that it cannot close."""
    parts = [f"# {escape(str(found.answer['query'])) or 'History'}\n\n{escape(found.around.begins)}\n"]
    for one in found.quotations:
        told = one.told
        facts = (told.session, told.role, told.author, told.agent, told.at, told.branch, one.commit)
        about = ", ".join(escape(harmless(fact)) for fact in facts if fact)
        parts.append(f"## {code_span(one.cite)}\n\n{about}\n\n{fenced(harmless(one.text))}")
    return "\n".join([*parts, escape(found.around.ends)])


def _turn(one: Quotation) -> Json:
    told = one.told
    texts = {"session": told.session, "agent": told.agent, "author": told.author, "title": told.title}
    texts |= {"tool": told.tool, "branch": told.branch, "text": one.text}
    return {
        "citation": one.cite,
        **{name: harmless(clean(text)) for name, text in texts.items()},
        "id": told.id,
        "stream": told.stream,
        "ordinal": told.ordinal,
        "turn": told.turn,
        "role": told.role,
        "kind": told.note or told.kind,
        "error": told.is_error,
        "at": told.at or None,
        "repo": told.repo,
        "commits": [one.commit] if one.commit else [],
        "trust": told.trust,
        "score": told.score,
    }
