"""Deadlocks and lock time-outs that happened in this process (R8)."""

from doorbuster.infra.telemetry import DATABASE_CONFLICTS


def conflicts() -> float:
    """How many there were so far."""
    return sum(
        sample.value
        for metric in DATABASE_CONFLICTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )
