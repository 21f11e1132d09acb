"""Forgetting and erasing."""
