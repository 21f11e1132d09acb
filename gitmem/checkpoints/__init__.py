"""The code's side of the memory: events that hooks left, checkpoints, snapshots, and from a line to a turn."""
