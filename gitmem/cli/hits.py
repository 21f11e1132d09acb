"""How the answer to a search looks to people; nothing of it can pass for a line of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.text import clean, one_line
from gitmem.cli.trusting import mark
from gitmem.query.trusting import Trust
from gitmem.sidecar.wire import Json

_NOTE_CHARACTERS: Final = len("note/") + 12


def show(output: Output, answer: Json, *, heading: bool, with_repo: bool) -> None:
    """Print an answer for people."""
    if heading:
        output.say(Styled(one_line(str(answer["query"])), "strong"))
    if answer.get("relaxed"):
        output.note("no turn has what stands in quotes; it was searched for as words")
    if answer.get("weak"):
        output.warn("nothing matches well: these turns have little of what was asked for")
    for wrong, right in cast(dict[str, str], answer.get("corrected", {})).items():
        output.note(f"nobody wrote {one_line(wrong)}; searched for {one_line(right)} instead")
    behind = cast(Json, answer["indexed"])["behind"]
    if behind:
        output.note(f"the index is being brought up; {behind} commits of the memory are not searched yet")
    for hit in cast(list[Json], answer["hits"]):
        _show_hit(output, hit, with_repo=with_repo)
    for facet, values in cast(dict[str, dict[str, int]], answer.get("facets", {})).items():
        output.say(Styled(facet, "strong"))
        for value, count in values.items():
            output.say(f"    {count:>8,}  {one_line(value)}")


def _show_hit(output: Output, hit: Json, *, with_repo: bool) -> None:
    """Print a hit; nothing in it can end a line, so that none can be made up by what a memory holds."""
    note = cast("Json | None", hit.get("note"))
    about = [
        note["kind"] if note else hit["role"],
        hit["tool"],
        hit["at"] and str(hit["at"])[:16].replace("T", " "),
        hit["author"],
    ]
    if with_repo:
        about.insert(0, hit["repo"])
    if note and note["state"] != "open":
        about.append(note["state"])
    turn = f"{hit['stream']}:{hit['ordinal']}" if hit["stream"] else hit["ordinal"]
    name = str(hit["session"])[:_NOTE_CHARACTERS] if note else f"{hit['session']}#{turn}"
    output.say(
        Styled(one_line(name), "name"),
        "  ",
        Styled("  ".join(one_line(str(each)) for each in about if each), "dim"),
        *mark(cast(Trust, hit["trust"])),
    )
    title, snippet = one_line(str(hit["title"])), str(hit["snippet"])
    # A title is often how the first turn begins, which is then a hit itself.
    if title and not one_line(snippet).startswith(title.removesuffix("…")):
        output.say("    ", Styled(title, "strong"))
    output.say("    ", *_highlighted(snippet, cast(list[list[int]], hit["marks"])))
    output.say()


def _highlighted(text: str, marks: list[list[int]]) -> Iterator[Part]:
    at = 0
    for start, end in marks:
        yield _in_line(text[at:start])
        yield Styled(_in_line(text[start:end]), "match")
        at = end
    yield _in_line(text[at:])


def _in_line(part: str) -> str:
    """Return a part of a line clean and without line ends, with the spaces that it begins and ends with."""
    return " ".join(clean(part).split("\n"))
