"""Answers to requests: indexes are opened, brought up if they have to be, and asked.

An index that is current is answered from without loading what reads a memory: git's objects, transcripts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.searching import ModelDamaged, ModelMissing, NothingEmbedded, SemanticLibraryMissing
from gitmem.model.errors.store import NoMemory
from gitmem.query.filters import Filters
from gitmem.query.narrowing import narrow
from gitmem.query.text import parse, readable
from gitmem.sidecar.wire import Json, Place, Request
from indexer.finding.correcting import corrected, corrections, is_strange, with_corrections
from indexer.finding.find import Found, Meaning, count_values, find
from indexer.finding.hits import hits_of
from indexer.finding.legs import Source
from indexer.finding.matching import Matcher
from indexer.finding.spread import Spread
from indexer.lexical import Damaged
from indexer.requests.shelf import (
    LONG_PATIENCE_S,
    NotReady,
    Opened,
    Shelf,
    bring_up,
    load_numpy,
    milliseconds_since,
)
from indexer.requests.status import status
from indexer.upkeep import state as states

if TYPE_CHECKING:
    from indexer.model.embedder import Embedder
    from indexer.teller import Teller

_MOST_WORDS: Final = 20
_WITHOUT_MEANING: Final = (ModelMissing, ModelDamaged, SemanticLibraryMissing)


def answer(
    request: Request, environ: Mapping[str, str], teller: Teller, shelf: Shelf | None = None
) -> Iterator[Json]:
    """Do what is asked and yield the answers.

    Raises:
        GitmemError: An expected failure, for whoever asked.
    """
    shelf = shelf or Shelf()
    if shelf.stays and request.verb not in ("search", "complete"):
        raise NotReady("behind")  # what takes long, or is seldom asked, is nothing for who others wait for
    match request.verb:
        case "search":
            _fetch_model(request, shelf)
            yield from _each_query(
                request,
                environ,
                teller,
                shelf,
                lambda request, opened: _Asking(request, opened, teller, shelf).answer,
            )
        case "complete":
            yield from _each_query(request, environ, teller, shelf, _completing)
        case "status":
            for place in request.places:
                yield status(place, environ, request.model_dir)
        case "update" | "rebuild":
            for place in request.places:
                bring_up(
                    place, environ, teller, LONG_PATIENCE_S, anew=request.verb == "rebuild", is_thorough=True
                )
                if request.model_dir is not None:
                    _embed(place, request.model_dir, teller, shelf)
                yield status(place, environ, request.model_dir)
        case "erase":
            from indexer.requests.erasing import erase  # seldom asked

            for place in request.places:
                yield erase(place, environ, teller)


def _fetch_model(request: Request, shelf: Shelf) -> None:
    """Begin to open the model where an answer will need it: it takes as long as all else together."""
    if request.mode == "lexical" or request.model_dir is None:
        return
    if any(states.vectors_of(Path(place.common_dir)).is_dir() for place in request.places):
        with suppress(SemanticLibraryMissing):  # which is told where it is missed
            shelf.fetch_model(request.model_dir)


def _each_query(
    request: Request,
    environ: Mapping[str, str],
    teller: Teller,
    shelf: Shelf,
    asking: Callable[[Request, Sequence[Opened]], Callable[[str], Json]],
) -> Iterator[Json]:
    """Answer each query by what `asking` makes of the open indexes, made anew if they turn out damaged."""
    request, opened = _open(request, environ, teller, shelf)
    answer_to = asking(request, opened)
    for text in request.queries:
        try:
            found = answer_to(text)
        except Damaged:
            opened = [shelf.reopen(place, environ, teller) for place in request.places]
            answer_to = asking(request, opened)
            found = answer_to(text)
        yield found


def _open(
    request: Request, environ: Mapping[str, str], teller: Teller, shelf: Shelf
) -> tuple[Request, list[Opened]]:
    """Open the indexes of a request's places; of several, those that have no memory are left out.

    So are those that cannot be opened, unless this process stays: git may grant more to who asks.
    """
    opened: dict[Place, Opened] = {}
    # All of them together may take as long as one: whoever asks waits once.
    deadline = time.monotonic() + request.catch_up_ms / 1000
    for place in request.places:
        left_ms = max(0, round(1000 * (deadline - time.monotonic())))
        try:
            opened[place] = shelf.open(place, environ, teller, catch_up_ms=left_ms)
        except NoMemory:
            if len(request.places) == 1:
                raise
        except GitmemError as error:
            if len(request.places) == 1 or shelf.stays:
                raise
            teller.notice(f"searched without {place.name}: {error}")
    if not opened:
        raise NoMemory(request.places[0].ref)
    return request._replace(places=tuple(opened)), list(opened.values())


class _Asking:
    """One request, over the indexes that it is about."""

    def __init__(self, request: Request, opened: Sequence[Opened], teller: Teller, shelf: Shelf) -> None:
        self._request = request._replace(filters=_readable(request.filters))
        self._opened, self._teller, self._shelf = opened, teller, shelf
        self._model_id = self._usable_model()
        spread = Spread([each.turns for each in opened])
        self._synonyms_stamp, self._synonyms = shelf.synonyms(request.synonyms)
        self._sources = [
            Source(
                place,
                each.turns,
                Matcher(each.turns, place.name, place.level, spread, self._synonyms),
                shelf.vectors(place, each, self._model_id) if self._model_id else None,
            )
            for place, each in zip(request.places, opened, strict=True)
        ]
        self._seen = tuple(
            (each.state.folder, each.state.round, each.state.commit, source.vectors and source.vectors.names)
            for each, source in zip(opened, self._sources, strict=True)
        )
        self._has_model = self._model_id is not None

    def answer(self, text: str) -> Json:
        """Answer one query."""
        started = time.perf_counter()
        key = self._key(text)
        known = self._shelf.known_answer(key)
        if known is None:
            known = self._answer(text)
            if self._has_model == (self._model_id is not None):  # else it is for want of a model
                self._shelf.keep_answer(key, known)
        return {**known, "indexed": self._indexed(), "took_ms": milliseconds_since(started)}

    def _answer(self, text: str) -> Json:
        request = self._request
        asked = narrow(parse(text, is_narrowed=request.filters != Filters()), request.now_ms)
        embedder = self._embedder() if asked.query.terms else None
        indexes = [source.turns for source in self._sources]
        fixes = corrections(
            asked.query,
            indexes,
            self._synonyms,
            *([embedder.knows] if embedder else []),
        )
        asked = asked._replace(query=with_corrections(asked.query, fixes))
        found, mode = Found([]), "lexical"
        query = asked.query
        is_asking = bool(query.terms or query.unwanted or asked.holding or asked.excluding)
        is_asking = is_asking or self._is_listing(text)
        if is_asking:
            meaning = None
            if embedder is not None:
                vector = cache(partial(embedder.embed_query, readable(corrected(text, fixes))))
                meaning = Meaning(vector, is_strange(query, indexes, embedder.knows))
                mode = request.mode
            found = find(self._sources, asked, request, meaning)
        answer: Json = {
            "query": text,
            "mode": mode,
            "hits": hits_of(self._sources, asked.query, found.ordered[: request.limit], request.passage),
        }
        if found.is_relaxed:
            answer["relaxed"] = True
        if found.is_weak:
            answer["weak"] = True
        if fixes:
            answer["corrected"] = fixes
        if request.facets:
            counted = self._sources if is_asking else []
            answer["facets"] = count_values(counted, asked, request, strictly=not found.is_relaxed)
        return answer

    def _is_listing(self, text: str) -> bool:
        return not text.strip() and self._request.filters != Filters()

    def _embedder(self) -> Embedder | None:
        """Return what turns a query into its meaning, where that is asked for and can be had."""
        if self._model_id is None or self._request.model_dir is None:
            return None
        if not any(source.vectors is not None and source.vectors.count for source in self._sources):
            if self._request.mode == "semantic":
                raise NothingEmbedded
            return None
        try:
            return self._shelf.embedder(self._request.model_dir)
        except _WITHOUT_MEANING as error:
            if self._request.mode == "semantic":
                raise
            self._teller.notice(f"searched by words alone: {error}")
            self._model_id = None
            return None

    def _usable_model(self) -> str | None:
        """Return the id of the model that is asked for and installed.

        Raises:
            ModelMissing, ModelDamaged: There is none, and without one nothing can be answered.
        """
        request = self._request
        if request.mode == "lexical":
            return None
        if request.model_dir is None:
            if request.mode == "semantic":
                raise ModelMissing
            return None
        from indexer.model.installed import is_installed
        from indexer.model.pinned import model_id

        if not is_installed(Path(request.model_dir)):
            if request.mode == "semantic":
                raise ModelMissing
            return None
        try:
            load_numpy()
        except SemanticLibraryMissing as error:
            if request.mode == "semantic":
                raise
            self._teller.notice(f"searched by words alone: {error}")
            return None
        return model_id()

    def _indexed(self) -> Json:
        each = [
            {
                "repo": source.place.name,
                "commit": opened.state.commit,
                "behind": opened.behind,
                "vectors": source.vectors.count if source.vectors is not None else 0,
            }
            for source, opened in zip(self._sources, self._opened, strict=True)
        ]
        indexed: Json = {
            "commit": each[0]["commit"],
            "behind": sum(int(str(one["behind"])) for one in each),
            "vectors": sum(int(str(one["vectors"])) for one in each),
        }
        return indexed if len(each) == 1 else {**indexed, "repos": each}

    def _key(self, text: str) -> object:
        request = self._request
        return (
            text,
            request.places,
            self._seen,
            (request.filters, request.mode, request.group, request.limit, request.facets, request.passage),
            (self._model_id, self._synonyms_stamp),
            # What is counted back from now may be another answer a minute later.
            request.now_ms // 60_000 if request.is_recent or ":" in text else None,
            request.is_recent,
        )


def _completing(request: Request, opened: Sequence[Opened]) -> Callable[[str], Json]:
    """Return what answers with the words that begin as a query does, those of most turns first."""

    def complete(text: str) -> Json:
        counted: dict[str, int] = {}
        for each in opened:
            for beginning in each.turns.words(readable(text))[-1:]:
                for word, count in each.turns.words_beginning(beginning, max(_MOST_WORDS, request.limit)):
                    counted[word] = counted.get(word, 0) + count
        ordered = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        alive = (each for each in ordered if any(one.turns.is_alive(each[0]) for one in opened))
        words = [{"word": word, "turns": count} for word, count in islice(alive, request.limit)]
        return {"query": text, "words": words}

    return complete


def _readable(filters: Filters) -> Filters:
    """Return filters without what stands in arguments for bytes that are no text."""
    texts = (tuple(map(readable, value)) if isinstance(value, tuple) else value for value in filters)
    return Filters(*texts)  # type: ignore[arg-type]  # each as it was


def _embed(place: Place, model_dir: str, teller: Teller, shelf: Shelf) -> None:
    """Embed what has no vector yet, where there is a model; take away vectors of what is gone in any case."""
    from indexer.model.installed import is_installed
    from indexer.upkeep.embedding import embed_missing

    if not is_installed(Path(model_dir)) and not states.vectors_of(Path(place.common_dir)).is_dir():
        return

    try:
        load_numpy()
        embed_missing(place, lambda: shelf.embedder(model_dir), teller)
    except (ModelDamaged, SemanticLibraryMissing) as error:
        teller.notice(f"indexed words alone: {error}")
    except ModelMissing:
        pass  # which `index status` and every answer say
