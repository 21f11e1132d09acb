"""From a memory to its index: what is put in, how that follows the memory, and what state it is in."""
