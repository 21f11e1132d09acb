"""The command line: where clock, environment, working directory and printing come in."""
