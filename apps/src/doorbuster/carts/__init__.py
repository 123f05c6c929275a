"""Carts: what a buyer has chosen and not yet ordered."""
