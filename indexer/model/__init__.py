"""The embedding model: taken in by its hash, made small, and used to turn texts into vectors.

Nothing is downloaded unless somebody asks for an install. Whoever does not use it pays nothing for it: numpy,
onnxruntime and tokenizers are imported where they are needed.
"""
