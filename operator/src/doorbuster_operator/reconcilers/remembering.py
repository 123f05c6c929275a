"""A scaler's memory as a status and back: what a restart of the operator may not forget.

What isn't in a status (windows, idleness, lateness) begins anew, which only delays scaling in.
"""

from doorbuster_operator.model.capacity import Capacity, CapacitySource
from doorbuster_operator.model.decision_record import DecisionRecord, Numbers
from doorbuster_operator.model.memory import Change, ForeignChange, ScalerMemory
from doorbuster_operator.reconcilers.status import (
    CapacityStatus,
    ChangeStatus,
    DecisionStatus,
    ForeignChangeStatus,
    NumbersStatus,
    Status,
)


def memory_in(status: Status, *, now: float) -> ScalerMemory:
    """Return the memory that a status holds, for a process that begins to watch now.

    Another host's clock may be ahead; what it wrote counts as of now, so that no window lasts longer than it should.
    """
    return ScalerMemory(
        watching_since=now,
        expected_replicas=status.expected_replicas,
        last_change=_change(status.last_change, now),
        foreign=_foreign(status.foreign_change, now),
        capacity=_capacity(status.capacity, now),
        records=tuple(_record(each, now) for each in status.decisions),
    )


def status_with(memory: ScalerMemory, numbers: Numbers | None) -> Status:
    """Return a status that holds the memory and nothing else.

    Args:
        memory: a scaler's.
        numbers: of the last decision; their capacity is shown as long as nothing was measured.
    """
    return Status(
        expected_replicas=memory.expected_replicas,
        capacity=_capacity_status(memory.capacity, numbers),
        last_change=_change_status(memory.last_change),
        foreign_change=_foreign_status(memory.foreign),
        decisions=tuple(_decision_status(each) for each in memory.records),
    )


def _change(change: ChangeStatus | None, now: float) -> Change | None:
    if change is None:
        return None
    return Change(at=min(change.at, now), before=change.before, after=change.after, rate=change.arrival_rate)


def _change_status(change: Change | None) -> ChangeStatus | None:
    if change is None:
        return None
    return ChangeStatus(at=change.at, before=change.before, after=change.after, arrival_rate=change.rate)


def _foreign(change: ForeignChangeStatus | None, now: float) -> ForeignChange | None:
    return None if change is None else ForeignChange(at=min(change.at, now), replicas=change.replicas)


def _foreign_status(change: ForeignChange | None) -> ForeignChangeStatus | None:
    return None if change is None else ForeignChangeStatus(at=change.at, replicas=change.replicas)


def _capacity(capacity: CapacityStatus | None, now: float) -> Capacity | None:
    if capacity is None or capacity.measured_at is None:
        return None
    return Capacity(
        records_per_second=capacity.records_per_second,
        source=capacity.source,
        at=min(capacity.measured_at, now),
        template=capacity.pod_template or "",
    )


def _capacity_status(capacity: Capacity | None, numbers: Numbers | None) -> CapacityStatus | None:
    if capacity is not None:
        return CapacityStatus(
            records_per_second=capacity.records_per_second,
            source=capacity.source,
            measured_at=capacity.at,
            pod_template=capacity.template,
        )
    if numbers is None or numbers.capacity is None or numbers.capacity_source != CapacitySource.HINT:
        return None
    return CapacityStatus(records_per_second=numbers.capacity, source=CapacitySource.HINT)


def _record(decision: DecisionStatus, now: float) -> DecisionRecord:
    return DecisionRecord(
        at=min(decision.at, now),
        before=decision.before,
        after=decision.after,
        reason=decision.reason,
        message=decision.message,
        numbers=_numbers(decision.numbers),
    )


def _decision_status(record: DecisionRecord) -> DecisionStatus:
    return DecisionStatus(
        at=record.at,
        before=record.before,
        after=record.after,
        reason=record.reason,
        message=record.message,
        numbers=_numbers_status(record.numbers),
    )


def _numbers(numbers: NumbersStatus | None) -> Numbers | None:
    if numbers is None:
        return None
    return Numbers(
        rate=numbers.arrival_rate,
        lag=numbers.lag,
        backlog=numbers.backlog,
        age=numbers.oldest_record_age,
        capacity=numbers.capacity,
        capacity_source=numbers.capacity_source,
        heaviest=numbers.heaviest_load,
        partitions=numbers.partitions,
        replicas=numbers.replicas,
        ready=numbers.ready_replicas,
        needed=numbers.needed_replicas,
        keda=numbers.keda_replicas,
    )


def _numbers_status(numbers: Numbers | None) -> NumbersStatus | None:
    if numbers is None:
        return None
    return NumbersStatus(
        arrival_rate=numbers.rate,
        lag=round(numbers.lag),
        backlog=round(numbers.backlog),
        oldest_record_age=numbers.age,
        capacity=numbers.capacity,
        capacity_source=numbers.capacity_source,
        heaviest_load=numbers.heaviest,
        partitions=numbers.partitions,
        replicas=numbers.replicas,
        ready_replicas=numbers.ready,
        needed_replicas=numbers.needed,
        keda_replicas=numbers.keda,
    )
