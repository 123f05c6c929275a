"""The whole saga under many seeds: whatever goes wrong, at rest every invariant holds, and a replay changes nothing."""

from collections import Counter

import pytest

from doorbuster.coupons.model import RedemptionStatus
from doorbuster.orders.model import OrderStatus
from doorbuster.points.model import PaymentStatus
from doorbuster.products.model import ReservationStatus
from tests.unit.doorbuster.simulation.run import simulate

SEEDS_A_BLOCK = 20
BLOCKS = 25


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_invariant_holds_at_rest_and_after_a_replay(block: int) -> None:
    for seed in range(block * SEEDS_A_BLOCK, (block + 1) * SEEDS_A_BLOCK):
        simulate(seed)


def test_same_seed_gives_the_same_world() -> None:
    assert simulate(1).trace == simulate(1).trace


def test_worlds_reach_what_they_are_there_for() -> None:
    seen = Counter[str]()
    for seed in range(1_000, 1_040):
        world = simulate(seed)
        seen += world.seen
        seen.update(f"{row.order.status} {row.order.failure_reason}" for row in world.database.sagas.rows.values())
        seen.update(f"stock {row.status}" for row in world.database.reservations.rows.values())
        seen.update(f"coupon {row.status}" for row in world.database.redemptions.rows.values())
        seen.update(f"payment {row.status}" for row in world.database.payments.rows.values())

    reasons = ("deadline", "lost", "out-of-stock", "unknown-coupon", "insufficient-points")
    wanted = {
        f"{OrderStatus.PAID} None",
        *(f"{OrderStatus.FAILED} {reason}" for reason in reasons),
        *(f"stock {status}" for status in set(ReservationStatus) - {ReservationStatus.NEW}),
        *(f"coupon {status}" for status in set(RedemptionStatus) - {RedemptionStatus.NEW}),
        # Nothing is ever refunded: a FAILED order was never paid (R14).
        *(f"payment {status}" for status in set(PaymentStatus) - {PaymentStatus.NEW, PaymentStatus.REFUNDED}),
        *(f"redriven {name}" for name in ("order.created", "payment.requested", "order.cancelled")),
        *("crash", "published twice", "lost", "queued", "regretted in PAYING"),
    }
    assert {name for name in wanted if seen[name] == 0} == set()
