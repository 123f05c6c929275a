"""What a run is judged by: counts and times, gathered by whoever ran it. None is *not known*, and never 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """Whether the operator may scale."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCounts:
    """Orders of a run, without those of the calibration.

    Attributes:
        offered: sent, whatever came back.
        accepted: a client read an answer with an id.
        sold_out: a client was told that nothing is left, and nothing was accepted: a business answer.
        paid: accepted and PAID.
        failed: accepted and FAILED.
        pending: accepted and neither.
    """

    offered: int
    accepted: int
    sold_out: int
    paid: int | None
    failed: int | None
    pending: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The seconds at the peak without the fault.

    Attributes:
        scheduled: orders that were to be sent.
        seconds_until_final: from its last arrival until none of its orders was open; None when some stayed open.
    """

    scheduled: int
    offered: int
    accepted: int
    seconds_until_final: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotProduct:
    """The one product that more people want than there are units.

    Attributes:
        units: in stock before the run.
        wanted: units in accepted orders, and in those that were told that nothing is left.
        sold_out: units in these alone.
        sold: units in PAID orders.
    """

    units: int
    wanted: int
    sold_out: int
    sold: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Replicas that the target asked for.

    Attributes:
        start: when the load began.
        min: the fewest from then on.
        max: the most from then on.
        end: when the run was judged.
    """

    start: int | None
    min: int | None
    max: int | None
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run is judged by.

    Attributes:
        interrupted: somebody stopped it before its end.
        calibration: None when it didn't take place.
        scheduled: orders that the course asks for.
        orders: when the run was judged, which is after the platform became quiet or the time for that was over.
        refused: offered, and answered without an id, but not that nothing is left.
        unknown: offered, and no answer could be read.
        pending_at_load_end: accepted and neither PAID nor FAILED when the last order had been sent.
        failure_reasons: how many orders FAILED for which reason.
        failed_elsewhere: orders that FAILED although they don't want the hot product.
        seconds_until_final: from the last arrival until every order was final; None when that was not seen.
        uncompensated: FAILED orders that aren't compensated when the run is judged.
        lost: orders of calibration and course, as `docs/glossary.md` defines it.
        doubled: of both, idempotency keys with more than one order.
        oversold: units sold beyond the stock, over all products.
        negative_points: users with a balance below 0.
        misbooked: products whose stock, orders whose payment and users whose balance don't fit what was paid: something
            took effect twice, or by half.
        lag_max: of the stock consumer group from the start of the load on, in records.
        oldest_age_max_s: its oldest record age from then on.
        seconds_until_one_replica: from the last arrival until the target asked for one replica again; None when that
            was not seen.
    """

    operator: Operator
    interrupted: bool
    calibration: Calibration | None
    scheduled: int
    orders: OrderCounts
    refused: int
    unknown: int
    pending_at_load_end: int | None
    failure_reasons: Mapping[str, int] | None
    failed_elsewhere: int | None
    hot: HotProduct | None
    seconds_until_final: float | None
    uncompensated: int | None
    lost: int | None
    doubled: int | None
    oversold: int | None
    negative_points: int | None
    misbooked: int | None
    lag_max: int | None
    oldest_age_max_s: float | None
    replicas: Replicas
    seconds_until_one_replica: float | None
