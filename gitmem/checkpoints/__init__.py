"""The code's side of the memory: events, checkpoints, snapshots, and from a line to its turn."""
