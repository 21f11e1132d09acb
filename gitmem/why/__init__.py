"""From a line of code back to the turn that wrote it: links between commits, and what sessions edited."""
