"""Which faults the settings of a process switch on, and the metric that says so."""

from collections.abc import Collection
from enum import StrEnum

from doorbuster.infra.telemetry import FAULT_ACTIVE
from doorbuster.settings import FaultSettings


class Fault(StrEnum):
    """A fault that can be switched on."""

    DELAY_PER_RECORD = "delay-per-record"
    """A consumer is held up for each record (P19)."""
    ERROR_RATE = "error-rate"
    """A share of a consumer's batches fails as by a server that went away."""
    STUCK_PARTITION = "stuck-partition"
    """A consumer takes no records of one of its partitions."""
    SLOW_QUERY = "slow-query"
    """Each of a consumer's transactions waits in the database."""
    POISON = "poison"
    """Somebody may produce messages that can never succeed."""


def switched_on(settings: FaultSettings) -> tuple[Fault, ...]:
    """Return the faults that these settings switch on, in the order of their declaration."""
    states = {
        Fault.DELAY_PER_RECORD: bool(settings.delay_per_record),
        Fault.ERROR_RATE: settings.error_rate > 0,
        Fault.STUCK_PARTITION: settings.stuck_partition is not None,
        Fault.SLOW_QUERY: bool(settings.slow_query),
        Fault.POISON: settings.poison,
    }
    return tuple(fault for fault, on in states.items() if on)


def show_faults(on: Collection[Fault]) -> None:
    """Export every fault: 1 for those that are on, 0 for the others."""
    for fault in Fault:
        FAULT_ACTIVE.labels(fault.value).set(fault in on)
