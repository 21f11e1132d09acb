"""Transcripts of agents: which agent wrote a file, and what its bytes say in the normal form."""
