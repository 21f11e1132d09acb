"""Files as they were at a checkpoint: what would change, changing it, and taking it back."""
