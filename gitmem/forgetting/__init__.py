"""Forgetting: out of sight, and then out of the memory for good."""
