"""Whose tokens are believed, and what they say (R20)."""
