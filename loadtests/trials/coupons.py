"""`s3-smoke` and `s3-spike`: a crowd that wants a coupon, first come first served (document C)."""

import asyncio
from collections.abc import Sequence
from functools import partial

from loadtests.checks.issues import IssueJudgement, judge_issues, told_ids, unsettled_users
from loadtests.checks.own import issues_seen, issues_wanted
from loadtests.config import CouponRush
from loadtests.rig.supplies import Supplies, TopUp
from loadtests.rig.waiting import answer_of
from loadtests.trials import limits
from loadtests.trials.catalogue import SMOKE, SPIKE, Crowding
from loadtests.trials.steps import LOCUSTFILES, Trial, check, note, offer, settle, top_up
from loadtests.witness import Call, calls_path, read_calls

# Nobody orders anything.
POINTS, PRODUCTS, UNITS = 1, 1, 1
# From the crowd's end on; issues become ISSUED within moments.
ISSUED_WITHIN_SECONDS = 30.0
ASK_WITHIN_SECONDS = 60.0


def carry_out(trial: Trial, crowding: Crowding, *, p95_ms: float) -> None:
    """Carry a scenario out, and note what it measured.

    Raises:
        ClusterError: a step failed.
        LoadTestError: the same, in a part that knows no cluster.
    """
    check(trial)
    supplies = top_up(trial, TopUp(users=crowding.users, points=POINTS, products=PRODUCTS, units=UNITS))
    with trial.progress.step(f"a coupon of {crowding.coupons:,}"):
        coupon = trial.ground.make_coupon(total=crowding.coupons)
    plan = coupon_rush(trial, crowding, supplies, coupon)
    offered = offer(trial, plan, locustfile=LOCUSTFILES / "coupon_rush.py")
    calls = list(read_calls(calls_path(plan.witness)))
    found = trial.found
    asks = note(trial, "asks for the coupon", calls)
    found.settings |= {
        "visitors": crowding.visitors, "users": plan.users, "coupons": crowding.coupons,
        "seconds up, hold, down": f"{crowding.rise_seconds:g}, {crowding.hold_seconds:g}, {crowding.fall_seconds:g}",
        "seconds of thought between asks": plan.think_seconds,
    }  # fmt: skip
    judged = _judged(trial, plan, calls, total=crowding.coupons)
    settle(trial)
    found.checks += limits.coupon_rush(
        asks, judged, total=crowding.coupons, latest_seconds=offered.arrivals.latest_seconds, p95_ms=p95_ms
    )
    found.remarks.append(
        f"{judged.users:,} users asked {asks.intents:,} times; {judged.holders:,} hold the coupon,"
        f" {judged.surfaced:,} of them learned it only by asking again later;"
        f" {asks.sold_out:,} asks were told that it is sold out."
    )


smoke = partial(carry_out, crowding=SMOKE, p95_ms=limits.SMOKE_P95_MS)
spike = partial(carry_out, crowding=SPIKE, p95_ms=limits.SPIKE_P95_MS)


def coupon_rush(trial: Trial, crowding: Crowding, supplies: Supplies, coupon: int) -> CouponRush:
    """Return the load."""
    return CouponRush(
        base_url=trial.plan.base_url,
        first_user=supplies.first_user,
        users=supplies.users,
        coupon=coupon,
        visitors=crowding.visitors,
        rise_seconds=crowding.rise_seconds,
        hold_seconds=crowding.hold_seconds,
        fall_seconds=crowding.fall_seconds,
        seed=trial.plan.seed,
        witness=trial.plan.witness(),
    )


def _judged(trial: Trial, plan: CouponRush, calls: Sequence[Call], *, total: int) -> IssueJudgement:
    unsettled = unsettled_users(calls)
    with trial.progress.step(f"ask again for {len(unsettled):,} users who weren't told"):
        later = asyncio.run(issues_wanted(plan.base_url, unsettled, coupon=plan.coupon))
    told = later | told_ids(calls)
    with trial.progress.step(f"poll the issues of {len(told):,} users until all are ISSUED"):
        seen = asyncio.run(issues_seen(plan.base_url, told, issued_within_seconds=ISSUED_WITHIN_SECONDS))
    counted = answer_of(lambda: trial.ground.issued(plan.coupon), within_seconds=ASK_WITHIN_SECONDS)
    return judge_issues(calls, seen, coupon=plan.coupon, total=total, counted=counted)
