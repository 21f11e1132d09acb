"""The indexer as a process that stays: one for a user, met at a socket, ahead of those who will ask."""
