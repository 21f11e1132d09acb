"""Taking out of a clone what only histories reach that a memory has left."""
