"""What people ask for: the words of a query, the moments and the filters, as values that have been checked."""
