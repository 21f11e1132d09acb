"""The tools that search: `search`, which cites, and `recall`, which quotes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from gitmem.cli.auditing import noted
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer
from gitmem.cli.recalling import citing, current_sessions, is_behind
from gitmem.cli.recalling import recall as recalled
from gitmem.cli.searching import filters_of, places_for
from gitmem.cli.serving import (
    NOTICE,
    Host,
    behind,
    called,
    cite,
    framed,
    going_on,
    heading,
    plain,
    said_of,
    short,
    who,
)
from gitmem.cli.serving_untold import LOOKED_AT, nothing, untold, untold_hits
from gitmem.cli.text import clean
from gitmem.cli.trusting import marked
from gitmem.query.filters import Filters
from gitmem.query.trusting import Trust
from gitmem.recall.sharing_out import share
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import passage_of
from gitmem.serving.cursors import cursor, place_of, question_of
from gitmem.serving.forms import Hit, Quoted, RecallGiven, RecallTaken, SearchGiven, SearchTaken
from gitmem.serving.offer import Answered
from gitmem.sidecar.wire import Grouping, Json, Place

MOST_HITS: Final = 500
TOKENS: Final = 880
"""For a page of hits, in either form of the answer; ten stay below 900, however few share it."""

TOKENS_A_HIT: Final = 88
"""For each of more than ten."""

_PASSAGE_CHARACTERS: Final = 3_000
_CHARACTERS_TO_A_TOKEN: Final = 4
_LONGEST_SESSION: Final = 32
"""Of a hit's citation, as recall's: with a longer name, a third of what a hit may take, it goes by its id."""

_MOVED: Final = 20
"""So many hits may come before a page while it is read, and its end is still found."""

_TITLED_TOKENS: Final = 90
"""What a hit has room for, at least, where it is told what its session is about."""

_LONGEST_TITLE: Final = 80
_BETWEEN: Final = re.compile(r'["{}\[\],:]{3,}')


def search(host: Host, asked: SearchTaken, client: str) -> Answered:
    """Cite the turns and notes that match, the best first, a page at a time."""
    context = host.begin(untrusted=asked.untrusted)
    question = question_of("search", asked)
    skipped, last = _cut(asked.cursor, question)
    limit = min(asked.limit, MOST_HITS - skipped)
    places, filters = _narrowed(host, context, asked)
    group: Grouping = "session" if asked.by_session else "turn"
    # Neither an echo of this, nor what the agent has before it.
    filters = filters._replace(firsthand=True, without=current_sessions(context.environ))
    answers = ask_indexer(
        context,
        "search",
        places=places,
        queries=(asked.query,),
        filters=filters,
        group=group,
        limit=skipped + limit + 1 + (_MOVED if last else 0),
        passage=min(_PASSAGE_CHARACTERS, _CHARACTERS_TO_A_TOKEN * max(TOKENS_A_HIT, TOKENS // asked.limit)),
    )
    only_known = bool(filters.trusted)
    [answer] = noted(context, places, marked(context, places, answers, only_known=only_known))
    found = cast("list[Json]", answer["hits"])
    if is_behind(answer):
        with citing(context, places) as known:
            found = [hit for hit in found if known.shows(_found(hit), filters.levels)]
    # What was found meanwhile stands before the last one that was told, or what was forgotten no longer does.
    begins = next((n for n, hit in enumerate(found, 1) if _digest(hit) == last), skipped)
    hits = found[begins : begins + limit]
    is_more = bool(hits) and len(found) > begins + limit and begins + limit < MOST_HITS
    further = cursor(question, begins + limit, _digest(hits[-1])) if is_more else None
    left_out = 0 if asked.cursor else untold_hits(context, places, asked.query, filters, answer, group)
    # Of what is not there nothing is said to match badly.
    said = said_of(answer if hits else {**answer, "weak": False})
    said += untold(host, left_out, f"{left_out} of the best {LOOKED_AT} hits")
    if not hits:
        none = nothing("nothing found", asked, "fewer or other words", "timeline")
        return Answered("\n".join([none, *said]), SearchGiven(notice=NOTICE, untold=left_out))
    page = _Page(said, left_out, further)
    told = _excerpted(page, [_hit(hit, with_repo=len(places) > 1) for hit in hits], hits)
    return Answered(page.text(told), page.value(told))


def _cut(at: str | None, question: str) -> tuple[int, str]:
    """Return how many hits were told before, and which was the last of them."""
    return cast("tuple[int, str]", place_of(at, question, int, str)) if at else (0, "")


class _Page(NamedTuple):
    """What an answer has beside its hits: lines of ours, how much was left out, and how to go on."""

    said: list[str]
    untold: int
    further: str | None

    def text(self, hits: list[Hit]) -> str:
        lines = list(self.said)
        for hit in hits:
            mark = "" if hit.trust == "known" else f", {hit.trust} author"
            lines += [heading(hit.id, hit.by + mark, hit.title), behind(hit.text)]
        return framed([*lines, *going_on(self.further)])

    def value(self, hits: list[Hit]) -> SearchGiven:
        return SearchGiven(notice=NOTICE, hits=tuple(hits), untold=self.untold, cursor=self.further)


class _Found(NamedTuple):
    """A hit, by what tells whether it may still be shown."""

    repo: str
    id: str
    note: str


def _found(hit: Json) -> _Found:
    note = cast("Json | None", hit.get("note"))
    return _Found(str(hit["repo"]), str(hit["id"]), str(note["kind"]) if note else "")


def _digest(hit: Json) -> str:
    """Return what tells a hit from others in a cursor."""
    name = f"{hit['id']}#{hit['stream']}:{hit['ordinal']}"
    return f"{zlib.crc32(name.encode()):08x}"


def recall(host: Host, asked: RecallTaken, client: str) -> Answered:
    """Quote what answers a question, within a budget."""
    context = host.begin(untrusted=asked.untrusted)
    places, filters = _narrowed(host, context, asked)
    found = recalled(context, places, asked.question, filters, budget=asked.budget)
    alike = filters._replace(firsthand=True, without=current_sessions(context.environ))
    left_out = untold_hits(context, places, asked.question, alike, found.answer)
    said = untold(host, left_out, f"{left_out} of the best {LOOKED_AT} turns")
    room = asked.budget - estimate("\n".join(said))
    if said and estimate(found.text) > room:
        found = recalled(context, places, asked.question, filters, budget=room)
    turns = []
    for one in found.quotations:
        told = one.told
        whole = cite(told.session, told.id, told.stream, told.ordinal)
        by = who(
            told.note or told.role, called(told.author), called(told.agent), told.at[:10], called(told.branch)
        )
        turns.append(Quoted(id=whole, by=by, text=plain(one.text), commit=one.commit, trust=told.trust))
    if turns:
        *lines, last = found.text.split("\n")
        text = "\n".join([*lines, *said, last])
    else:
        text = "\n".join([nothing("nothing found", asked, "fewer or other words", "timeline"), *said])
    return Answered(text, RecallGiven(notice=NOTICE, turns=tuple(turns), untold=left_out))


def as_prompt(host: Host, question: str) -> str:
    """Return what a person's agent is told before it answers a question."""
    text = recall(host, RecallTaken(question=question), "").text
    return f"{text}\n\nWith what this history says of it, if anything: {question}"


def _narrowed(
    host: Host, context: Context, asked: SearchTaken | RecallTaken
) -> tuple[tuple[Place, ...], Filters]:
    """Return the memories to search and what turns are narrowed to; unasked, to trusted authors."""
    values: dict[str, Any] = {
        "repos": (),
        "files": () if asked.file is None else (asked.file,),
        "is_trusted": not asked.untrusted,
        "since": asked.since,
        "until": None,
        "as_of": None,
    }
    places = places_for(context, values, every=False, recurse=None)
    return places, filters_of(context, places, values)._replace(levels=host.levels(context))


def _hit(hit: Json, *, with_repo: bool) -> Hit:
    """Return what a hit is and whose, without its text."""
    note = cast("Json | None", hit.get("note"))
    trust = cast(Trust, hit["trust"])
    session = str(hit["session"])
    is_long = len(session) > _LONGEST_SESSION and not note
    by = who(
        str(note["kind"]) if note else str(hit["role"]),
        called(str(hit["agent"])) if is_long else None,
        called(cast("str | None", hit["tool"])),
        str(hit["at"] or "")[:10],
        called(str(hit["author"])),
        called(str(hit["repo"])) if with_repo else None,
        str(note["state"]) if note and note["state"] != "open" else None,
    )
    stream, ordinal = str(hit["stream"] or ""), cast(int, hit["ordinal"])
    name = cite("" if is_long else session, str(hit["id"]), stream, ordinal)
    return Hit(id=name, by=by, text="", trust=trust)


def _excerpted(page: _Page, told: list[Hit], hits: list[Json]) -> list[Hit]:
    """Return hits with as much of their texts as there is room for, and with titles where that is enough."""
    budget = max(TOKENS, TOKENS_A_HIT * len(told))
    passages = [passage_of(cast(Json, hit["passage"]), clean) for hit in hits]

    def tokens_of(filled: list[Hit]) -> int:
        return max(estimate(page.text(filled)), estimate(encoded(page.value(filled))))

    if budget - tokens_of(told) >= _TITLED_TOKENS * len(told):
        told = [replace(each, title=title) for each, title in zip(told, _titles(hits), strict=True)]
    texts = share(passages, budget, lambda texts: tokens_of(_filled(told, texts)))
    return _filled(told, texts)


def _filled(told: list[Hit], texts: Sequence[str]) -> list[Hit]:
    return [replace(each, text=plain(text)) for each, text in zip(told, texts, strict=True)]


def _titles(hits: list[Json]) -> Iterator[str]:
    """Yield the title of each hit's session, once; none where the hit is what the title was made of."""
    seen = set()
    for hit in hits:
        title = "" if hit["id"] in seen else short(str(hit["title"]), _LONGEST_TITLE)
        seen.add(hit["id"])
        is_said = short(str(hit["snippet"]), _LONGEST_TITLE).startswith(title.removesuffix("…"))
        yield "" if is_said else title


def encoded(value: msgspec.Struct) -> str:
    """Return JSON to count tokens of: what stands between two values is two at most to any tokenizer."""
    return _BETWEEN.sub('",', msgspec.json.encode(value).decode())
