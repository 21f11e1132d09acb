"""The memory served to agents: what tools answer, and a server that clients of every kind are let loose on."""
