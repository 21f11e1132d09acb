"""`gitmem digest`: what an agent is told when it starts here, for people and agents to see."""

from __future__ import annotations

from typing import Final

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared, Option
from gitmem.cli.digesting import DEADLINE_S, Digest, digest_of
from gitmem.cli.search_options import OPTIONS
from gitmem.cli.text import clean
from gitmem.model.errors.base import UsageError
from gitmem.recall.quoting import harmless
from gitmem.recall.tokens import estimate
from gitmem.sidecar.wire import Json


def run(context: Context, words: tuple[str, ...], /, *, without: tuple[str, ...], as_json: bool) -> int:
    """Print the digest; return 1 if there is nothing to say."""
    if words:
        raise UsageError(
            "a digest is of no question: expected no words", hint="gitmem recall QUESTION: has one"
        )
    found = digest_of(context, without, DEADLINE_S)
    if as_json:
        context.output.json(_as_json(found))
    elif found.text:
        context.output.say(found.text)
    else:
        context.output.warn("there is nothing to say yet")
    return 0 if found.text else 1


command: Final = Declared(
    name="digest",
    about="""\
Say what an agent is told when it starts here: what happened last, what is open, who touched what is changed.

It comes to 350 tokens at most, within a second, and has nothing of authors who are not known: what cannot be
had in time is left out. Ends with 1 if there is nothing to say.
""",
    words="",
    options=(
        *(option for option in OPTIONS if option.key == "without"),
        Option(("--json",), "as_json", "Print one JSON document.", kind="flag"),
    ),
    examples=("gitmem digest", "gitmem digest --except claude-code/0f3a81c2 --json"),
    run=run,
)


def _as_json(found: Digest) -> Json:
    return {
        "text": found.text,
        "tokens": estimate(found.text) if found.text else 0,
        "parts": [
            {
                "what": part.heading,
                "items": [
                    {
                        "citation": item.cite,
                        "day": item.day or None,
                        "words": item.words or None,
                        "names": [harmless(clean(name)) for _, name in item.names if name],
                        "text": harmless(item.text),
                        "commit": item.commit or None,
                    }
                    for item in part.items
                ],
            }
            for part in found.parts
        ],
    }
