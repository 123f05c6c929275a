"""The whole saga under many seeds: whatever goes wrong, at rest every invariant holds, and a replay changes nothing."""

from collections import Counter

import pytest

from doorbuster.coupons.model import CouponRefusal, RedemptionStatus
from doorbuster.kernel.ids import IssueId
from doorbuster.orders.model import OrderStatus, SagaStep
from doorbuster.points.model import PaymentStatus
from doorbuster.products.model import ReservationStatus
from tests.unit.doorbuster.simulation.run import simulate
from tests.unit.doorbuster.simulation.world import World

# More blocks than a machine has cores, so that pytest-xdist can share them out evenly.
SEEDS_A_BLOCK = 100
BLOCKS = 20
# Others than the blocks have.
FIRST_SEED_OF_ALL_KINDS = SEEDS_A_BLOCK * BLOCKS


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_invariant_holds_at_rest_and_after_a_replay(block: int) -> None:
    for seed in range(block * SEEDS_A_BLOCK, (block + 1) * SEEDS_A_BLOCK):
        simulate(seed)


def test_same_seed_gives_the_same_world() -> None:
    assert simulate(1).trace == simulate(1).trace


def test_worlds_reach_what_they_are_there_for() -> None:
    seen = Counter[str]()
    for seed in range(FIRST_SEED_OF_ALL_KINDS, FIRST_SEED_OF_ALL_KINDS + 40):
        world = simulate(seed)
        seen += world.seen
        seen.update(f"{row.order.status} {row.order.failure_reason}" for row in world.database.sagas.rows.values())
        seen.update(f"stock {row.status}" for row in world.database.reservations.rows.values())
        seen.update(f"coupon {row.status}" for row in world.database.redemptions.rows.values())
        seen.update("nothing to pay" for row in world.database.payments.rows.values() if row.amount == 0)
        seen.update("redeemed after a release" for _ in _given_back(world) & _used(world))
        seen.update(f"payment {row.status}" for row in world.database.payments.rows.values())

    reasons = ("deadline", "lost", "regretted", "out-of-stock", "insufficient-points", *CouponRefusal)
    wanted = {
        f"{OrderStatus.PAID} None",
        *(f"{OrderStatus.FAILED} {reason}" for reason in reasons),
        *(f"stock {status}" for status in set(ReservationStatus) - {ReservationStatus.NEW}),
        *(f"coupon {status}" for status in set(RedemptionStatus) - {RedemptionStatus.NEW}),
        # Nothing is ever refunded: a FAILED order was never paid (R14).
        *(f"payment {status}" for status in set(PaymentStatus) - {PaymentStatus.NEW, PaymentStatus.REFUNDED}),
        *(f"redriven {name}" for name in ("order.created", "payment.requested", "order.cancelled")),
        *(f"regretted in {step}" for step in set(SagaStep) - {SagaStep.STOPPING}),
        *("crash", "published twice", "lost", "queued", "nothing to pay", "redeemed after a release"),
    }
    assert {name for name in wanted if seen[name] == 0} == set()


def _given_back(world: World) -> set[IssueId]:
    rows = world.database.redemptions.rows.values()
    return {row.issue_id for row in rows if row.status is RedemptionStatus.RELEASED and row.issue_id is not None}


def _used(world: World) -> set[IssueId]:
    rows = world.database.redemptions.rows.values()
    return {row.issue_id for row in rows if row.status is RedemptionStatus.USED and row.issue_id is not None}
