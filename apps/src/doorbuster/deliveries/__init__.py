"""Telling the partner about paid orders: due rows, and a bounded sender (R11)."""
