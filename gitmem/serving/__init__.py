"""Serving agents by the Model Context Protocol: what can be offered, and the ways to reach it."""
