"""The code's side of the memory: events that hooks left, and the checkpoints and snapshots made of them."""
