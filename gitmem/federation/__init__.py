"""A superproject and its submodules as one: what is done in each, side by side, and what came of it."""
