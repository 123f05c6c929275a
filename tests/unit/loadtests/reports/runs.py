"""A run as it could have been, computed: a queue of orders, a stock consumer that is too slow, and its replicas."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

from loadtests.reports.decisions import Decision
from loadtests.reports.evidence import Calibration, Evidence, HotProduct, Operator, OrderCounts, Replicas
from loadtests.reports.summary import Latency, Machine, Run, Summary, summarize
from loadtests.reports.timeline import Moment, Phase

# Second of the run at which each phase begins.
BEGINS = {
    Phase.PREPARATION: 0,
    Phase.CALIBRATION: 14,
    Phase.FAULT: 48,
    Phase.RAMP: 74,
    Phase.PEAK: 224,
    Phase.FADE: 344,
    Phase.QUIET: 374,
    Phase.RECOVERY: 540,
}
ENDS = 566
LOAD = BEGINS[Phase.RAMP]
COURSE = ((0, 0.0), (30, 20.0), (90, 50.0), (150, 100.0), (270, 100.0), (300, 0.0))
PER_REPLICA = 33.0
STARTING_SECONDS = 6
STEPS = ((158, 2), (214, 3), (224, 4), (262, 5), (450, 4), (502, 1))
EVERY_SECONDS = 2


def phase_at(second: int) -> Phase:
    return [phase for phase, begins in BEGINS.items() if begins <= second][-1]


def scheduled_at(second: int) -> float:
    phase, since = phase_at(second), second - LOAD
    if phase is Phase.CALIBRATION:
        return 100.0 if second < BEGINS[Phase.CALIBRATION] + 30 else 0.0
    for (begin, low), (end, high) in pairwise(COURSE):
        if begin <= since < end:
            return low + (high - low) * (since - begin) / (end - begin)
    return 0.0


def replicas_on(second: int) -> int:
    return ([1] + [count for at, count in STEPS if at <= second])[-1]


def replicas_off(_second: int) -> int:
    return 1


@dataclass(slots=True)
class Stock:
    """The queue before the stock consumer."""

    lag: float = 0.0
    arrived: list[float] = field(default_factory=lambda: [0.0])

    def step(self, second: int, ready: int) -> Moment:
        slow = BEGINS[Phase.FAULT] <= second < BEGINS[Phase.RECOVERY]
        offered = scheduled_at(second) * (1 + 0.03 * ((second * 7) % 5 - 2))
        done = min(self.lag + offered, ready * PER_REPLICA if slow else 500.0)
        self.lag += offered - done
        self.arrived.append(self.arrived[-1] + offered)
        failed = 0.03 * done if second > BEGINS[Phase.PEAK] else 0.0
        return Moment(
            seconds=float(second),
            phase=phase_at(second),
            scheduled_per_s=scheduled_at(second),
            offered_per_s=offered,
            accepted_per_s=offered,
            paid_per_s=done - failed,
            failed_per_s=failed,
            pending=round(self.lag + 0.3 * done),
            lag=round(self.lag),
            oldest_age_s=self.age(),
            ready=ready,
        )

    def age(self) -> float:
        if self.lag < 1:
            return 0.1
        done = self.arrived[-1] - self.lag
        return float(len(self.arrived) - 1 - sum(total <= done for total in self.arrived))


def moments(replicas: Callable[[int], int]) -> tuple[Moment, ...]:
    stock, found = Stock(), []
    for second in range(ENDS):
        moment = stock.step(second, min(replicas(second), replicas(max(0, second - STARTING_SECONDS))))
        if second % EVERY_SECONDS == 0:
            wanted = replicas(second)
            found.append(replace(moment, replicas=wanted, desired=wanted, reason="Steady"))
    return tuple(found)


def decision(second: int, before: int, after: int) -> Decision:
    reason = "StepByStep" if before == 1 else "ScaleOut" if after > before else "ScaleIn"
    seen = f"{scheduled_at(second):.1f} records/s arrive, 315 wait (oldest 8 s)"
    because = (
        "3 were wanted in the last 120 s at most" if after < before else "1 replica can't drain the backlog within 60 s"
    )
    return Decision(
        seconds=float(second),
        before=before,
        after=after,
        reason=reason,
        message=(
            f"{seen}; a replica does 33.2/s (measured), planned at 80%: {after} replicas would carry the arrivals; "
            f"{because}: from {before} to {after}"
        ),
    )


MOMENTS_ON = moments(replicas_on)
MOMENTS_OFF = moments(replicas_off)
DECISIONS = tuple(
    decision(at, before, after) for (at, after), before in zip(STEPS, (1, *(count for _, count in STEPS)), strict=False)
)
RUN = Run(
    started_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    peak_per_s=100.0,
    delay_ms=30.0,
    machine=Machine(cores=2, memory_gib=7.8),
)
LATENCY = Latency(p50=6.2, p95=14.9, p99=41.0)

ON = Evidence(
    operator=Operator.ON,
    interrupted=False,
    calibration=Calibration(scheduled=3000, offered=3000, accepted=3000, seconds_until_final=1.4),
    scheduled=20_400,
    orders=OrderCounts(offered=20_398, accepted=20_398, sold_out=0, paid=19_998, failed=400, pending=0),
    refused=0,
    unknown=0,
    pending_at_load_end=61,
    failure_reasons={"out-of-stock": 400},
    failed_elsewhere=0,
    hot=HotProduct(units=200, wanted=600, sold_out=0, sold=200),
    seconds_until_final=3.2,
    uncompensated=0,
    lost=0,
    doubled=0,
    oversold=0,
    negative_points=0,
    misbooked=0,
    lag_max=1_012,
    oldest_age_max_s=13.9,
    replicas=Replicas(start=1, min=1, max=5, end=1),
    seconds_until_one_replica=128.0,
)
OFF = replace(
    ON,
    operator=Operator.OFF,
    pending_at_load_end=11_230,
    seconds_until_final=None,
    lag_max=11_204,
    oldest_age_max_s=212.0,
    replicas=Replicas(start=1, min=1, max=1, end=1),
    seconds_until_one_replica=0.0,
)


def summary_of(evidence: Evidence, decisions: tuple[Decision, ...] = ()) -> Summary:
    return summarize(RUN, evidence, latency_ms=LATENCY, decisions=decisions)
