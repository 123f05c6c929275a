"""The scenarios' limits, from their documents: each figure beside its limit. Pure."""

from collections.abc import Iterator

from loadtests.arrivals import Arrivals
from loadtests.checks.charges import ChargeJudgement
from loadtests.checks.issues import IssueJudgement
from loadtests.checks.orders import Judgement
from loadtests.reports.limits import Check, Subject, above, at_least, at_most, below, exactly, percent
from loadtests.reports.measurements import Measurement

# The generator itself: what it left out because it came too late says nothing about the platform.
IN_TIME_PERCENT = 98.0
OFFERED_PERCENT = 98.0
ACCEPTED_PERCENT = 99.5
LATEST_VISITOR_SECONDS = 2.0

S1_MEAN_MS, S1_P95_MS, S1_P99_MS = 100.0, 500.0, 1_000.0
S1_SUCCESS_PERCENT = 99.0

SMOKE_P95_MS, SPIKE_P95_MS = 1_000.0, 2_000.0
COUPON_ERRORS_PERCENT = 5.0

S4_PAID_PERCENT = 95.0
S4_PENDING_PERCENT = 1.0
S4_FAILED_PERCENT = 5.0
S4_FINAL_SECONDS = 30.0
S4_LAG = 100.0


def order_safety(judged: Judgement) -> Iterator[Check]:
    """Yield what holds of orders on every machine."""
    yield exactly(0, "orders lost", len(judged.lost), subject=Subject.SAFETY)
    yield exactly(0, "orders doubled", len(judged.doubled), subject=Subject.SAFETY)


def in_time(arrivals: Arrivals) -> Check:
    """Return whether the generator itself kept up with an open load."""
    share = percent(arrivals.scheduled - arrivals.too_late, arrivals.scheduled)
    return at_least(IN_TIME_PERCENT, "the generator's own arrivals in time", share, subject=Subject.MACHINE)


def offered(arrivals: Arrivals) -> Check:
    """Return whether what was scheduled was offered."""
    share = percent(arrivals.begun, arrivals.scheduled)
    return at_least(OFFERED_PERCENT, "offered of scheduled", share, subject=Subject.PROMISE)


def points_and_orders(
    requests: Measurement, *, scheduled: int, orders: Judgement, charges: ChargeJudgement
) -> Iterator[Check]:
    """Yield the limits of `s1`.

    Args:
        requests: charges and orders together.
        scheduled: how many of them there should have been.
        orders: what became of the orders.
        charges: what became of the charges.
    """
    yield from order_safety(orders)
    yield exactly(0, "users who lost a charge", len(charges.lost), subject=Subject.SAFETY)
    yield exactly(0, "users charged twice", len(charges.doubled), subject=Subject.SAFETY)
    about = Subject.PROMISE
    yield above(S1_SUCCESS_PERCENT, "succeeded of scheduled", percent(requests.ok, scheduled), unit="%", subject=about)
    yield below(S1_MEAN_MS, "answered within, mean", requests.mean_ms, unit="ms", subject=about)
    yield below(S1_P95_MS, "answered within, p95", requests.p95_ms, unit="ms", subject=about)
    yield below(S1_P99_MS, "answered within, p99", requests.p99_ms, unit="ms", subject=about)
    paid = percent(orders.paid, orders.accepted)
    yield above(S1_SUCCESS_PERCENT, "paid of accepted orders", paid, unit="%", subject=about)


def coupon_rush(
    asks: Measurement, judged: IssueJudgement, *, total: int, latest_seconds: float, p95_ms: float
) -> Iterator[Check]:
    """Yield the limits of `s3-smoke` and `s3-spike`.

    Args:
        asks: all requests of the crowd.
        judged: what became of the coupon.
        total: how many there are.
        latest_seconds: how late a visitor came, at most.
        p95_ms: the limit of this scenario.
    """
    about = Subject.SAFETY
    yield exactly(0, "coupons duplicated", len(judged.duplicated), subject=about)
    yield exactly(0, "coupons given away beyond what there are", judged.over_issued, subject=about)
    yield exactly(0, "coupons lost", len(judged.lost), subject=about)
    yield exactly(0, "holders and the database's count apart", judged.miscounted, subject=about)
    late = "the generator's latest visitor"
    yield at_most(LATEST_VISITOR_SECONDS, late, latest_seconds, subject=Subject.MACHINE)
    about = Subject.PROMISE
    yield below(p95_ms, "answered within, p95", asks.p95_ms, unit="ms", subject=about)
    errors = asks.error_percent
    yield below(COUPON_ERRORS_PERCENT, "errors of all asks, sold out left out", errors, unit="%", subject=about)
    yield exactly(min(total, judged.users), "users who hold a coupon", judged.holders, subject=about)
    yield exactly(0, "coupons not ISSUED in the end", judged.not_issued, subject=about)


def order_ramp(
    judged: Judgement, arrivals: Arrivals, *, open_at_end: int | None, seconds_until_final: float | None
) -> Iterator[Check]:
    """Yield the limits of `s4`.

    Args:
        judged: what became of the orders.
        arrivals: what became of the arrivals.
        open_at_end: orders that weren't final, or FAILED and not compensated, when the last one had been sent.
        seconds_until_final: from the last arrival until there was none of these; None if that was not seen.
    """
    yield from order_safety(judged)
    yield in_time(arrivals)
    yield offered(arrivals)
    about, accepted = Subject.PROMISE, judged.accepted
    yield at_least(ACCEPTED_PERCENT, "accepted of offered", percent(accepted, judged.offered), subject=about)
    # At least so many: of those that were open some may have been paid, and not be counted yet.
    paid = None if open_at_end is None else max(0, accepted - judged.failed - open_at_end)
    yield at_least(S4_PAID_PERCENT, "paid when the load ended", percent(paid, accepted), subject=about)
    pending = percent(open_at_end, accepted)
    yield below(S4_PENDING_PERCENT, "pending when the load ended", pending, unit="%", subject=about)
    yield below(S4_FAILED_PERCENT, "failed of accepted", percent(judged.failed, accepted), unit="%", subject=about)
    yield exactly(0, "pending in the end", judged.pending, subject=about)
    yield at_most(S4_FINAL_SECONDS, "last arrival to all final", seconds_until_final, subject=Subject.AIM)


def lag(most: float | None) -> Check:
    """Return the most lag of any consumer group beside what is aimed at."""
    return below(S4_LAG, "most lag of a consumer group", most, unit="records", subject=Subject.AIM)


def caching_side(
    side: str, reads: Measurement, orders: Measurement, *, judged: Judgement, charges: ChargeJudgement, users: int
) -> Iterator[Check]:
    """Yield the limits of one side of `s5`: no failures, whatever the caches do.

    Args:
        side: what the caches are.
        reads: looks at products.
        orders: what was answered to orders.
        judged: what became of the orders.
        charges: what became of the charges: one of each user.
        users: how many users there are.
    """
    about = Subject.SAFETY
    yield exactly(0, f"orders lost, caches {side}", len(judged.lost), subject=about)
    yield exactly(0, f"orders doubled, caches {side}", len(judged.doubled), subject=about)
    yield exactly(0, f"users who lost a charge, caches {side}", len(charges.lost), subject=about)
    yield exactly(0, f"users charged twice, caches {side}", len(charges.doubled), subject=about)
    about = Subject.PROMISE
    yield exactly(users, f"charges accepted, caches {side}", charges.accepted, subject=about)
    yield exactly(0, f"errors of reads, caches {side}", reads.errors, subject=about)
    yield exactly(0, f"errors of orders, caches {side}", orders.errors + orders.sold_out, subject=about)
    yield exactly(0, f"orders not paid, caches {side}", judged.failed + judged.pending, subject=about)


def caching_gain(off: Measurement, on: Measurement) -> Check:
    """Return how many times as many reads a second there are with caches as without."""
    gain = on.per_second / off.per_second if on.per_second and off.per_second else None
    return above(1.0, "reads a second, caches on against off", gain, unit="times", subject=Subject.AIM)
