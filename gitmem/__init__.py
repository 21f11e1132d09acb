"""A memory, kept in git, for the work that people do with coding agents."""

__version__ = "0.1.0"
