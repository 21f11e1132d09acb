"""The embedding model: its graph against its definition, its install against all that goes wrong."""
