"""Reaching the indexer: the messages that go to it and come from it, and the process that they go through."""
