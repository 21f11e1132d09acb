"""The store of vectors: unit vectors by content, searched exactly or through graphs.

It knows nothing of text, models or turns: a key is a number, and a vector is what somebody made for it.
docs/formats/vectors.md has the files.
"""
