"""`s4`: the flash sale's course without a fault, over the load profile's users and products (document D)."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from loadtests.checks.orders import Judgement, OrdersByUser, judge
from loadtests.config import Rush
from loadtests.rig.errors import QuestionFailed, RigError
from loadtests.rig.load import last_arrival
from loadtests.rig.waiting import answer_of
from loadtests.trials import limits
from loadtests.trials.steps import Trial, check, note, now, offer, orders_of, settle, try_to_wait
from loadtests.witness import Attempt, read_witness

PEAK = 100.0
USERS = 1_000_000
# Products 1 and 2 are named, and have units of their own.
FIRST_PRODUCT, LAST_PRODUCT = 3, 1_000_000
LOAD_PROFILE = "kubectl -n doorbuster exec -it deployment/apps-api -- python3 -m doorbuster.jobs.seed --profile load"
COUPON_SHARE = 0.05
CART_SHARE = 0.01
# At 30 the aim is missed; what it really took is worth knowing, up to here.
FINAL_SECONDS = 180.0
ASK_WITHIN_SECONDS = 6.0


def carry_out(trial: Trial) -> None:
    """Carry the scenario out, and note what it measured.

    Raises:
        ClusterError: a step failed, or the load profile's data isn't there.
        LoadTestError: the same, in a part that knows no cluster.
    """
    _want_load_profile(trial)
    check(trial)
    since = datetime.now(UTC)
    plan = _rush(trial)
    # Of a moment that passes; None is not known.
    open_at_end: list[int | None] = []
    offered = offer(trial, plan, at_end=lambda: open_at_end.append(_open_sagas(trial)))
    attempts = list(read_witness(plan.witness))
    note(trial, "orders", attempts)
    trial.found.settings |= _settings(plan)
    until_final = _seconds_until_final(trial, attempts)
    _note_lag(trial, began=offered.began)
    settle(trial)
    lists = orders_of(trial, sorted({each.user_id for each in attempts}), since=since)
    judged = judge(attempts, lists)
    trial.found.checks += limits.order_ramp(
        judged, offered.arrivals, open_at_end=open_at_end[0], seconds_until_final=until_final
    )
    trial.found.checks.append(limits.lag(max((value for _, value in trial.found.lag), default=None)))
    trial.found.remarks.append(_remark(attempts, judged, lists))


def _want_load_profile(trial: Trial) -> None:
    """Look for the last of each: what was interrupted has loaded the first ones only."""
    asked: dict[str, Callable[[], bool]] = {
        f"product {LAST_PRODUCT:,}": lambda: trial.ground.has_product(LAST_PRODUCT),
        f"user {USERS:,}": lambda: trial.ground.has_user(USERS),
    }
    with trial.progress.step(f"the load profile: {' and '.join(asked)}"):
        for what, question in asked.items():
            if not answer_of(question, within_seconds=ASK_WITHIN_SECONDS):
                raise RigError(f"there is no {what}: the load profile isn't loaded to its end", hint=LOAD_PROFILE)


def _rush(trial: Trial) -> Rush:
    wanted = Rush(
        base_url=trial.plan.base_url,
        first_user=1,
        users=USERS,
        first_product=FIRST_PRODUCT,
        products=LAST_PRODUCT - FIRST_PRODUCT + 1,
        peak=PEAK,
        seed=trial.plan.seed,
        witness=trial.plan.witness(),
    )
    with_coupon, carts = (round(wanted.arrivals.scheduled * share) for share in (COUPON_SHARE, CART_SHARE))
    with trial.progress.step(f"a coupon of {with_coupon:,}"):
        coupon = trial.ground.make_coupon(total=with_coupon)
    return wanted.model_copy(update={"coupon": coupon, "coupon_orders": with_coupon, "checkouts": carts})


def _open_sagas(trial: Trial) -> int | None:
    try:
        # Each second that passes makes them fewer, so a late answer is worth less than none.
        return answer_of(trial.ground.open_sagas, within_seconds=ASK_WITHIN_SECONDS)
    except QuestionFailed as exc:
        trial.progress.note(f"how many orders are open now isn't known: {exc}")
        return None


def _seconds_until_final(trial: Trial, attempts: list[Attempt]) -> float | None:
    def missing() -> list[str]:
        count = trial.ground.open_sagas()
        return [f"{count:,} open orders"] if count else []

    what = "all orders final and compensated"
    with trial.progress.step(what):
        reached = try_to_wait(trial, missing, within_seconds=FINAL_SECONDS, what=what)
    return now() - last_arrival(attempts) if reached else None


def _note_lag(trial: Trial, *, began: float) -> None:
    ask = partial(trial.ground.lag, begin=began, end=now())
    try:
        trial.found.lag = answer_of(ask, within_seconds=ASK_WITHIN_SECONDS)
    except QuestionFailed as exc:
        trial.progress.note(f"lag isn't known: {exc}")


def _settings(plan: Rush) -> dict[str, int | float | str]:
    return {
        "orders": plan.arrivals.scheduled, "seconds": plan.arrivals.seconds, "peak, orders a second": plan.peak,
        "users": plan.users, "products": plan.products,
        "orders with a coupon": plan.coupon_orders, "checkouts of carts": plan.checkouts,
    }  # fmt: skip


def _remark(attempts: list[Attempt], judged: Judgement, lists: OrdersByUser) -> str:
    redeemed = sum(order.discount > 0 for orders in lists.values() for order in orders)
    checked_out = len({each.order_id for each in attempts if each.units is not None and each.order_id is not None})
    return (
        f"{judged.paid:,} of {judged.accepted:,} accepted orders are PAID, {judged.failed:,} FAILED"
        f" ({_reasons(judged)}); {redeemed:,} redeemed a coupon, {checked_out:,} were checkouts of carts."
    )


def _reasons(judged: Judgement) -> str:
    named = sorted(judged.failures.items())
    return ", ".join(f"{count:,} {reason}" for reason, count in named) if named else "for no reason"
