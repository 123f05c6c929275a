"""What one look at the platform means: raw answers in, a moment of the timeline out. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from loadtests.reports.decisions import Decision
from loadtests.reports.timeline import Moment, Phase
from loadtests.rig.api_server import Json
from loadtests.witness import Attempt, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was answered; None or nothing where no answer came.

    Attributes:
        figures: of `prometheus.WATCHED`.
        deployment: the stock consumer's.
        scaler: the stock consumer's.
    """

    figures: Mapping[str, float]
    deployment: Json | None
    scaler: Json | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many orders a second were sent and accepted since the last look, and how many are to be sent now."""

    scheduled: float | None = None
    offered: float | None = None
    accepted: float | None = None


class Told:
    """Counts what the witness tells: orders, not tries, so a repeat under the same key isn't another one."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._offered: set[str] = set()
        self._accepted: set[str] = set()
        self._sold_out: set[str] = set()

    @property
    def offered(self) -> int:
        """How many orders were sent."""
        return len(self._offered)

    @property
    def accepted(self) -> int:
        """How many of them were accepted."""
        return len(self._accepted)

    @property
    def sold_out(self) -> int:
        """How many were told that nothing is left."""
        return len(self._sold_out)

    def add(self, attempts: Iterable[Attempt]) -> tuple[int, int]:
        """Count attempts; return how many orders were sent and accepted that weren't before."""
        before = self.offered, self.accepted
        for attempt in attempts:
            self._offered.add(attempt.key)
            if attempt.outcome is Outcome.OK:
                self._accepted.add(attempt.key)
            elif attempt.outcome is Outcome.SOLD_OUT:
                self._sold_out.add(attempt.key)
        return self.offered - before[0], self.accepted - before[1]


def moment_of(look: Look, pace: Pace, *, seconds: float, phase: Phase, note: str | None) -> Moment:
    """Return the moment; what isn't known is None."""
    figures = look.figures
    spec, status = (_part(look.deployment, part) for part in ("spec", "status"))
    decided = _part(look.scaler, "status")
    return Moment(
        seconds=seconds,
        phase=phase,
        scheduled_per_s=pace.scheduled,
        offered_per_s=pace.offered,
        accepted_per_s=pace.accepted,
        paid_per_s=figures.get("paid_per_s"),
        failed_per_s=figures.get("failed_per_s"),
        pending=_count(figures.get("pending")),
        lag=_count(figures.get("lag")),
        oldest_age_s=figures.get("oldest_age"),
        replicas=_count(spec.get("replicas")),
        # Kubernetes leaves out what is 0.
        ready=_count(status.get("readyReplicas", 0)) if status else None,
        desired=_count(decided.get("desiredReplicas")),
        reason=decided.get("reason"),
        note=note,
    )


def decisions_of(scaler: Json | None, *, began: datetime) -> dict[str, Decision]:
    """Return the decisions that a scaler remembers, by their time; those before `began` are left out."""
    found = {}
    for each in _part(scaler, "status").get("decisions", ()):
        seconds = (datetime.fromisoformat(each["at"]) - began).total_seconds()
        if seconds >= 0:
            found[each["at"]] = Decision(
                seconds=seconds,
                before=each["before"],
                after=each["after"],
                reason=each["reason"],
                message=each["message"],
            )
    return found


def _part(found: Json | None, name: str) -> Mapping[str, Json]:
    part: Mapping[str, Json] = {} if found is None else found.get(name, {})
    return part


def _count(value: float | None) -> int | None:
    return None if value is None else round(value)
