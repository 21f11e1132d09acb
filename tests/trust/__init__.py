"""Whom to trust: whose sessions are marked, and which are left out."""
