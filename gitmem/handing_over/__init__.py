"""Sessions that leave the memory: written into an agent's own place, or as documents of another form."""
