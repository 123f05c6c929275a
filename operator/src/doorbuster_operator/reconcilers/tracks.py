"""What this process knows about one scaler: its memory, and what it has told last."""

import math
from dataclasses import dataclass, field

import structlog

from doorbuster_operator.model.memory import ScalerMemory
from doorbuster_operator.ports import ScalerObject
from doorbuster_operator.reconcilers.remembering import memory_in
from doorbuster_operator.reconcilers.status import ConditionStatus, Status, read_status

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Track:
    """One scaler. What is here wins over the object's status, which a watch or a cache may show too late.

    Attributes:
        uid: of the object; one of the same name that was made later is another scaler.
        target_uid: of the target that the memory is about; None while it isn't known.
        reads: consumer group and topics that the memory is about; None while they aren't known.
        conditions: as they are; the status may say so later.
        written: the status that the object has, as far as it was acknowledged.
        written_at: when, in seconds since 1970.
        unsure: the memory if the last order, which got no answer, was carried out; None when no answer is missing.
        told: what the last line about a decision said.
        problems: the last sentence about each call that fails.
    """

    uid: str
    memory: ScalerMemory
    conditions: tuple[ConditionStatus, ...]
    written: Status
    target_uid: str | None = None
    reads: tuple[str, frozenset[str]] | None = None
    written_at: float = -math.inf
    unsure: ScalerMemory | None = None
    told: tuple[object, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)

    def look_at(self, target_uid: str, reads: tuple[str, frozenset[str]], *, now: float) -> None:
        """Take in what the memory is about from now on; it begins anew when that isn't the same as before."""
        if self.target_uid not in {None, target_uid} or self.reads not in {None, reads}:
            self.begin_anew(now=now)
        self.target_uid, self.reads = target_uid, reads

    def begin_anew(self, *, now: float) -> None:
        """Drop what is remembered; only what people read stays."""
        self.memory, self.unsure = ScalerMemory(watching_since=now, records=self.memory.records), None


def begin_track(scaler: ScalerObject, *, now: float) -> Track:
    """Return the track of a scaler that this process sees for the first time; the rest is from its status."""
    try:
        status = read_status(scaler.status)
    except ValueError as error:
        # Somebody else wrote it, or another version: better to begin anew than never.
        log.warning("status_not_readable", scaler=scaler.name, cause=str(error))
        status = Status()
    return Track(
        uid=scaler.uid,
        memory=memory_in(status, now=now),
        conditions=status.conditions,
        written=status,
        target_uid=status.target_uid,
    )
