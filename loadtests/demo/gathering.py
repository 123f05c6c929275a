"""Makes evidence of what a run left: witness, lists, database, timeline. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadtests.checks.orders import Judgement, OrdersByUser, failed_without, sold_out_products, sold_units
from loadtests.demo.plan import Plan
from loadtests.reports.evidence import Calibration, Evidence, HotProduct, OrderCounts, Replicas
from loadtests.reports.measurements import quantile
from loadtests.reports.summary import Latency
from loadtests.reports.timeline import Moment, Phase
from loadtests.rig.supplies import Supplies
from loadtests.witness import Attempt, Outcome

# From the first order on until the platform is brought back.
UNDER_LOAD = frozenset({Phase.RAMP, Phase.PEAK, Phase.FADE, Phase.QUIET})
# Three scrapes (P17). A record may have become older than the limit, and be done, in a longer time without a reading.
LONGEST_GAP_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What the buyers' lists held at the end, and what follows from it."""

    orders_by_user: OrdersByUser
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run has found out so far; None is not known.

    Attributes:
        calibration: of the seconds at the peak without the fault.
        calibration_attempts: its witness.
        calibration_supplies: what the top-up made for it.
        calibration_lists: what its buyers' lists said.
        attempts: the witness of the course.
        supplies: what the top-up made for the course.
        lists: what the buyers' lists said.
        pending_at_load_end: orders that weren't final when the last one had been sent.
        seconds_until_final: from the last arrival until all were final and compensated.
        uncompensated: FAILED orders without a compensation, in the end.
        oversold: units sold beyond the stock.
        negative_points: users below 0.
        misbooked: products, orders and balances that don't fit what was paid.
        seconds_until_one_replica: from the last arrival until stock asked for one replica.
    """

    calibration: Calibration | None = None
    calibration_attempts: Sequence[Attempt] = ()
    calibration_supplies: Supplies | None = None
    calibration_lists: Lists | None = None
    attempts: Sequence[Attempt] = ()
    supplies: Supplies | None = None
    lists: Lists | None = None
    pending_at_load_end: int | None = None
    seconds_until_final: float | None = None
    uncompensated: int | None = None
    oversold: int | None = None
    negative_points: int | None = None
    misbooked: int | None = None
    seconds_until_one_replica: float | None = None


def evidence_of(plan: Plan, found: Findings, moments: Sequence[Moment], *, interrupted: bool) -> Evidence:
    """Return what the run is judged by."""
    judged = found.lists.judgement if found.lists else None
    hot = found.supplies.hot_product if found.supplies else None
    return Evidence(
        operator=plan.operator,
        interrupted=interrupted,
        calibration=found.calibration,
        scheduled=plan.course.scheduled,
        orders=_counts(found),
        refused=judged.refused if judged else 0,
        unknown=judged.unknown if judged else 0,
        pending_at_load_end=found.pending_at_load_end,
        failure_reasons=dict(judged.failures) if judged else None,
        failed_elsewhere=failed_without(found.lists.orders_by_user, hot) if found.lists and hot else None,
        hot=_hot(found, hot),
        seconds_until_final=found.seconds_until_final,
        uncompensated=found.uncompensated,
        lost=_lost(found),
        doubled=_doubled(found),
        oversold=found.oversold,
        negative_points=found.negative_points,
        misbooked=found.misbooked,
        lag_max=max((each.lag for each in _under_load(moments) if each.lag is not None), default=None),
        oldest_age_max_s=_oldest_age(list(_under_load(moments))),
        replicas=replicas_of(moments),
        seconds_until_one_replica=found.seconds_until_one_replica,
    )


def _lost(found: Findings) -> int | None:
    judged = _judgements(found)
    # Orders are judged when the platform is quiet: one that isn't final by then never will be.
    return None if judged is None else sum(len(each.lost) + each.pending for each in judged)


def _doubled(found: Findings) -> int | None:
    judged = _judgements(found)
    return None if judged is None else sum(len(each.doubled) for each in judged)


def _judgements(found: Findings) -> list[Judgement] | None:
    """Return the judgement of each load; None while one isn't judged: nobody knows then what it lost."""
    loads = [found.calibration_lists]
    # A run that was ended by its calibration has no buyers for a course.
    if found.supplies is not None or found.attempts:
        loads.append(found.lists)
    judged = [lists.judgement for lists in loads if lists is not None]
    return judged if len(judged) == len(loads) else None


def _counts(found: Findings) -> OrderCounts:
    judged = found.lists.judgement if found.lists else None
    return OrderCounts(
        offered=len({attempt.key for attempt in found.attempts}),
        accepted=len({attempt.key for attempt in found.attempts if attempt.outcome is Outcome.OK}),
        sold_out=sum(sold_out_products(found.attempts).values()),
        paid=judged.paid if judged else None,
        failed=judged.failed if judged else None,
        pending=judged.pending if judged else None,
    )


def _hot(found: Findings, product: int | None) -> HotProduct | None:
    if product is None or found.supplies is None:
        return None
    wanting = {each.key for each in found.attempts if each.product_id == product and each.outcome is Outcome.OK}
    sold = sold_units(found.lists.orders_by_user, product) if found.lists else None
    # A buyer wants one unit an order.
    sold_out = sold_out_products(found.attempts).get(product, 0)
    return HotProduct(units=found.supplies.hot_units, wanted=len(wanting) + sold_out, sold_out=sold_out, sold=sold)


def _under_load(moments: Iterable[Moment]) -> Iterable[Moment]:
    return (each for each in moments if each.phase in UNDER_LOAD)


def _oldest_age(moments: Sequence[Moment]) -> float | None:
    """Return the highest age; None when it wasn't known for too long: a blind run must not look like a good one."""
    known = [(each.seconds, each.oldest_age_s) for each in moments if each.oldest_age_s is not None]
    if not known:
        return None
    times = (moments[0].seconds, *(seconds for seconds, _ in known), moments[-1].seconds)
    blind = any(later - earlier > LONGEST_GAP_SECONDS for earlier, later in pairwise(times))
    return None if blind else max(age for _, age in known)


def replicas_of(moments: Sequence[Moment]) -> Replicas:
    """Return what the target asked for, from the first order on until the platform was brought back."""
    seen = [each.replicas for each in _under_load(moments) if each.replicas is not None]
    if not seen:
        return Replicas(start=None, min=None, max=None, end=None)
    return Replicas(start=seen[0], min=min(seen), max=max(seen), end=seen[-1])


def seconds_until_one_replica(moments: Sequence[Moment], *, last_arrival: float) -> float | None:
    """Return how long after the last arrival the target asked for one replica and kept to it; None if it didn't.

    Args:
        moments: what was seen.
        last_arrival: in seconds since the run began.
    """
    since = None
    for moment in moments:
        if moment.replicas is not None:
            since = None if moment.replicas != 1 else moment.seconds if since is None else since
    return None if since is None else max(0.0, since - last_arrival)


def calibration_of(scheduled: int, attempts: Sequence[Attempt], *, seconds_until_final: float | None) -> Calibration:
    """Return what the calibration came to, from its witness."""
    return Calibration(
        scheduled=scheduled,
        offered=len({attempt.key for attempt in attempts}),
        accepted=len({attempt.key for attempt in attempts if attempt.outcome is Outcome.OK}),
        seconds_until_final=seconds_until_final,
    )


def latency_of(attempts: Iterable[Attempt]) -> Latency | None:
    """Return how long buyers waited for their accepted orders, from the first try on; None when none was accepted.

    Args:
        attempts: those with one key in the order in which they ended.
    """
    began: dict[str, float] = {}
    waits = []
    for attempt in attempts:
        first = began.setdefault(attempt.key, attempt.at)
        if attempt.outcome is Outcome.OK:
            waits.append((attempt.at - first + attempt.seconds) * 1000)
    if not waits:
        return None
    waits.sort()
    p50, p95, p99 = (round(quantile(waits, share), 1) for share in (0.50, 0.95, 0.99))
    return Latency(p50=p50, p95=p95, p99=p99)
