"""Signatures: whose they are, what they cover, and whose tombstones count."""
