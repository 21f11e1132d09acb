"""The house rules: what may import what, and what a start costs."""
