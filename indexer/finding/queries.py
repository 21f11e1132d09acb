"""tantivy's queries, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import tantivy

from indexer.lexical import LexicalIndex

_FEW_VALUES: Final = 300
"""Up to so many are sooner looked up one by one: .14 ms for 100 of them, where a set of terms takes .9."""

MUST, SHOULD, MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot


def both(first: tantivy.Query, second: tantivy.Query | None) -> tantivy.Query:
    """Return what finds documents that match both queries, the second of which may be none."""
    return first if second is None else tantivy.Query.boolean_query([(MUST, first), (MUST, second)])


def with_terms(index: LexicalIndex, field: str, values: Sequence[int]) -> tantivy.Query:
    """Return what finds the documents that have one of several numbers in a field, without a score."""
    if len(values) <= _FEW_VALUES:
        return unscored(any_or_none([index.term(field, value) for value in values]))
    return unscored(tantivy.Query.term_set_query(index.schema, field, list(values)))


def scoring(narrowed: tantivy.Query, wanted: tantivy.Query | None) -> tantivy.Query:
    """Return what finds all of the one query, and scores by the other."""
    if wanted is None:
        return narrowed
    return tantivy.Query.boolean_query([(MUST, narrowed), (SHOULD, wanted)])


def every_of(index: LexicalIndex, clauses: list[tuple[tantivy.Occur, tantivy.Query]]) -> tantivy.Query:
    """Return what finds the documents for which every clause holds, those too that only exclude."""
    if all(occur == MUST_NOT for occur, _ in clauses):
        unsigned = tantivy.FieldType.Unsigned
        clauses = [
            (MUST, tantivy.Query.range_query(index.schema, "ordinal", unsigned, lower_bound=0)),
            *clauses,
        ]
    return tantivy.Query.boolean_query(clauses)


def any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """Return what finds documents that match at least one of some queries."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(SHOULD, query) for query in queries])


def any_or_none(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """Return what finds documents that match at least one of some queries, of which there may be none."""
    return any_of(queries) if queries else tantivy.Query.empty_query()


def boosted(query: tantivy.Query, weight: float) -> tantivy.Query:
    """Return a query whose score counts so many times."""
    return query if weight == 1.0 else tantivy.Query.boost_query(query, weight)


def constant(query: tantivy.Query, score: float) -> tantivy.Query:
    """Return a query that gives all it finds one score."""
    return tantivy.Query.const_score_query(query, score)


def unscored(query: tantivy.Query) -> tantivy.Query:
    """Return a query that finds, and adds nothing to a score."""
    return tantivy.Query.const_score_query(query, 0.0)
