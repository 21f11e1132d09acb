"""Secrets made at run time from what vendors say of their tokens: none stands in this repository.

Written from the vendors' descriptions and not from the rules' expressions: prefix, alphabet, exact length, checksum.
"""
