"""Sharing a memory: what comes in from remotes, and what goes to them."""
