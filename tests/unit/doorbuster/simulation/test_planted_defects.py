"""The checker is worth something: each planted mistake is found within a few seeds, by its own invariant."""

from collections.abc import Iterator

import pytest

from doorbuster.kernel.ids import UserId
from tests.unit.doorbuster.simulation.checker import check
from tests.unit.doorbuster.simulation.defects import Defect, Violation
from tests.unit.doorbuster.simulation.run import simulate

MOST_SEEDS = 120
FOUND_BY = {
    Defect.LOST_UPDATE: "supplied",
    Defect.ACKNOWLEDGED_FIRST: "an accepted order is lost",
    Defect.OFFSET_FIRST: "never took a message",
    Defect.DEDUPED_IN_MEMORY: "sales are miscounted",
    Defect.EFFECT_REPEATED: "sales are miscounted",
    Defect.COMPENSATED_TWICE: "supplied",
    Defect.NO_TOMBSTONE: "what is reserved isn't what is paid",
    Defect.NO_COUPON_TOMBSTONE: "what is redeemed isn't what is paid",
    Defect.COUPON_REDEEMED_TWICE: "redeemed by two orders at once",
    Defect.COUPON_NOT_RELEASED: "a coupon isn't redeemed by the order that uses it",
    Defect.COUPON_RELEASED_AGAIN: "a coupon isn't redeemed by the order that uses it",
    Defect.DISCOUNT_FORGOTTEN: "points moved",
    Defect.SPENT_WITHOUT_ENTRY: "isn't explained",
    Defect.FLOW_IGNORES_PIVOT: "payment.paid in step COMPENSATING",
    Defect.PAYMENT_IGNORES_PIVOT: "points moved",
    Defect.SPENT_TWICE: "is inserted twice",
    Defect.SENT_BEFORE_COMMIT: "order.completed wasn't sent exactly once",
    Defect.RELAY_MARKS_FIRST: "never published",
    Defect.COMPENSATED_TOO_SOON: "what is reserved isn't what is paid",
}


def violations(defect: Defect) -> Iterator[tuple[int, Violation]]:
    """Yield the seeds that find the defect, and what they find."""
    for seed in range(MOST_SEEDS):
        try:
            simulate(seed, defect)
        except Violation as exc:
            yield seed, exc


def test_every_defect_has_the_invariant_that_finds_it() -> None:
    assert FOUND_BY.keys() == set(Defect)


@pytest.mark.parametrize("defect", Defect, ids=lambda defect: defect.name.lower())
def test_planted_defect_is_found_by_its_invariant(defect: Defect) -> None:
    assert any(FOUND_BY[defect] in str(violation) for _, violation in violations(defect))


def test_points_that_come_back_without_an_entry_are_found() -> None:
    # Planted by hand: no order that was paid ever fails, so no decision gives points back in these worlds (R14).
    world = simulate(0)
    check(world)
    world.database.balances.rows[UserId(1)] += 1

    with pytest.raises(Violation, match=r"user 1: \d+ isn't explained"):
        check(world)


def test_violation_says_how_to_repeat_it() -> None:
    seed, violation = next(violations(Defect.NO_TOMBSTONE))

    assert violation.__notes__ == [f"repeat it: python -m tests.unit.doorbuster.simulation {seed} NO_TOMBSTONE"]
    with pytest.raises(Violation, match=str(violation)):
        simulate(seed, Defect.NO_TOMBSTONE)
