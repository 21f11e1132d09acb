"""What an agent is given of a memory: chosen within a budget, cited, and quoted so that it stays one."""
