"""From a query to an answer's hits: what it means in an index, which turns have it, in which order."""
