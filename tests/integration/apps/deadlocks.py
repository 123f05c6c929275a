"""Deadlocks that happened in this process: nobody locks in another order than all others (R8)."""

from prometheus_client import REGISTRY


def deadlocks() -> float:
    """How many there were so far.

    A lock that is waited for too long (1205) isn't one: that says as much of the machine as of the order of locks.
    """
    return REGISTRY.get_sample_value("database_conflicts_total", {"error": "1213"}) or 0.0
