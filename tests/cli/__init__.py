"""The command line, as a process where it matters."""
