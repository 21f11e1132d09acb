"""Notes that people and agents write down: listing, finding, writing, and telling what is alike."""
