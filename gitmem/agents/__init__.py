"""Coding agents' own configuration: gitmem's entries in it, what hooks are told and answer."""
