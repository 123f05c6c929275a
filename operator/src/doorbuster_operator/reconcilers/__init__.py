"""Observe, decide, act, report: the cycle of each kind, over ports."""
