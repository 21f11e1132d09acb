"""The sidecar: an index of a memory, made of what is committed there, and what searches it.

All of it may be deleted at any time, and the store does not know that it exists.
"""
