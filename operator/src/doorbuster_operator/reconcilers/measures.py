"""What is measured about scalers. A value that isn't known is NaN."""

import math

from doorbuster_operator.model.decision_record import Condition, DecisionRecord, Numbers
from doorbuster_operator.telemetry import (
    SCALER_ARRIVAL_RECORDS_PER_SECOND,
    SCALER_CAPACITY_RECORDS_PER_SECOND,
    SCALER_CONDITION,
    SCALER_DECISIONS,
    SCALER_DESIRED_REPLICAS,
    SCALER_LAG_RECORDS,
    SCALER_NEEDED_REPLICAS,
    SCALER_OLDEST_RECORD_AGE_SECONDS,
    SCALER_REPLICAS,
)

_OF_ONE_SCALER = (
    SCALER_REPLICAS,
    SCALER_DESIRED_REPLICAS,
    SCALER_NEEDED_REPLICAS,
    SCALER_LAG_RECORDS,
    SCALER_OLDEST_RECORD_AGE_SECONDS,
    SCALER_ARRIVAL_RECORDS_PER_SECOND,
    SCALER_CAPACITY_RECORDS_PER_SECOND,
)


def measure_decision(scaler: str, record: DecisionRecord) -> None:
    """Show what was decided."""
    SCALER_DECISIONS.labels(scaler, record.reason).inc()
    SCALER_REPLICAS.labels(scaler).set(record.before)
    SCALER_DESIRED_REPLICAS.labels(scaler).set(record.after)
    _measure_numbers(scaler, record.numbers)


def measure_trouble(scaler: str, reason: str) -> None:
    """Show that nothing could be decided."""
    SCALER_DECISIONS.labels(scaler, reason).inc()
    SCALER_REPLICAS.labels(scaler).set(math.nan)
    SCALER_DESIRED_REPLICAS.labels(scaler).set(math.nan)
    _measure_numbers(scaler, None)


def _measure_numbers(scaler: str, numbers: Numbers | None) -> None:
    SCALER_NEEDED_REPLICAS.labels(scaler).set(numbers.needed if numbers else math.nan)
    SCALER_LAG_RECORDS.labels(scaler).set(numbers.lag if numbers else math.nan)
    SCALER_OLDEST_RECORD_AGE_SECONDS.labels(scaler).set(numbers.age if numbers else math.nan)
    SCALER_ARRIVAL_RECORDS_PER_SECOND.labels(scaler).set(numbers.rate if numbers else math.nan)
    capacity = numbers.capacity if numbers else None
    SCALER_CAPACITY_RECORDS_PER_SECOND.labels(scaler).set(math.nan if capacity is None else capacity)


def measure_condition(scaler: str, condition: Condition, *, holds: bool) -> None:
    """Show whether a condition is true."""
    SCALER_CONDITION.labels(scaler, condition).set(holds)


def forget_measures(scaler: str) -> None:
    """Drop all series of a scaler that is gone."""
    for gauge in _OF_ONE_SCALER:
        gauge.remove_by_labels({"scaler": scaler})
    SCALER_DECISIONS.remove_by_labels({"scaler": scaler})
    SCALER_CONDITION.remove_by_labels({"scaler": scaler})
