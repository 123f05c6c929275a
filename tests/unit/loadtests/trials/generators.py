"""Generators that stand for locust: they read the load as it does, have everything succeed at once, and end."""

import sys
from pathlib import Path

_HEAD = """
import os, time
from loadtests.arrivals import Arrivals, arrivals_path, write_arrivals
from loadtests.config import CouponRush, Journeys, Readers, Rush, load_from
from loadtests.scenarios.choices import choices
from loadtests.witness import Attempt, Call, CallKind, Outcome, WitnessWriter, calls_path

now = time.time()

def told(plan, attempts, calls, begun):
    with WitnessWriter(plan.witness) as orders, WitnessWriter(calls_path(plan.witness)) as others:
        for attempt in attempts:
            orders.write(attempt)
        for call in calls:
            others.write(call)
    counts = Arrivals(started_at=now, scheduled=begun, begun=begun, finished=True)
    write_arrivals(arrivals_path(plan.witness), counts)

def order(user, product, units=None):
    return Attempt(
        at=now, key=f"{user}-{product}", user_id=user, product_id=product, outcome=Outcome.OK,
        order_id=f"order-{user}-{product}", status=202, seconds=0.02, units=units,
    )

def call(kind, user, about, outcome=Outcome.OK, found_id=None, seconds=0.01):
    return Call(
        at=now, kind=kind, key=f"{kind}-{user}-{about}", user_id=user, about=about, outcome=outcome,
        found_id=found_id, status=200, seconds=seconds,
    )
"""

JOURNEYS = """
plan = load_from(Journeys, os.environ)
products = range(plan.first_product, plan.first_product + plan.products)
attempts = [order(user, product) for user in plan.shoppers for product in products]
told(plan, attempts, [call(CallKind.CHARGE, user, plan.charge, found_id="c") for user in plan.shoppers], plan.users)
"""

COUPONS = """
plan = load_from(CouponRush, os.environ)
winners = plan.shoppers[:500]
calls = [call(CallKind.ISSUE, user, plan.coupon, found_id=f"issue-{user}") for user in winners]
calls += [call(CallKind.ISSUE, user, plan.coupon, Outcome.SOLD_OUT) for user in plan.shoppers[500:]]
told(plan, [], calls, len(calls))
"""

RUSH = """
plan = load_from(Rush, os.environ)
attempts = [
    Attempt(
        at=now, key=f"key-{number}", user_id=choice.user_id, product_id=choice.product_id, outcome=Outcome.OK,
        order_id=f"order-{number}", status=202, seconds=0.02,
        units={choice.product_id: 1, 5: 2} if choice.cart else None,
    )
    for number, choice in enumerate(choices(plan))
]
told(plan, attempts, [], len(attempts))
"""

READERS = """
plan = load_from(Readers, os.environ)
calls = [call(CallKind.CHARGE, user, plan.charge, found_id="c") for user in plan.shoppers]
looks = range(plan.first_product, plan.first_product + plan.iterations)
slow = 0.02 if plan.witness.stem.endswith("off") else 0.01
calls += [call(CallKind.READ, user, product, seconds=slow) for user in plan.shoppers for product in looks]
attempts = [order(user, product) for user in plan.shoppers for product in looks]
told(plan, attempts, calls, len(calls) + len(attempts))
"""

_BY_FILE = {"journeys": JOURNEYS, "coupon_rush": COUPONS, "readers": READERS, "locustfile": RUSH}


def stand_in(locustfile: Path, *, csv: Path | None) -> list[str]:
    """Return the command line of what stands for locust with this file."""
    assert csv is not None
    return [sys.executable, "-c", _HEAD + _BY_FILE[locustfile.stem]]
