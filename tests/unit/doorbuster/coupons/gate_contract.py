"""What every gate promises: the fake and the one in Redis pass the same tests."""

from typing import Protocol

from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.issue_ports import (
    MOST_OLD_CLAIMS,
    Asked,
    Claim,
    GateRepair,
    GateState,
    GateView,
    IssueGate,
    OldClaim,
)
from doorbuster.kernel.ids import CouponId, UserId
from tests.unit.doorbuster.coupons.issues import COUPON, OTHER, coupon


class Gate(IssueGate, GateRepair, Protocol):
    """Both sides of a gate."""


def asked(*users: int, coupon_id: CouponId = COUPON, epoch: int = 1) -> Asked:
    return Asked(coupon_id=coupon_id, epoch=epoch, user_ids=tuple(map(UserId, users)))


async def opened(gate: Gate, row: Coupon) -> None:
    assert await gate.begin(row)
    assert await gate.open(row.id, row.epoch)


async def claims(gate: Gate, *users: int, coupon_id: CouponId = COUPON, epoch: int = 1) -> list[Claim]:
    admission = (await gate.claim([asked(*users, coupon_id=coupon_id, epoch=epoch)]))[coupon_id]
    assert admission.state is GateState.OPEN
    return [admission.claims[UserId(user)] for user in users]


async def state(gate: Gate, *, epoch: int = 1) -> GateState:
    admission = (await gate.claim([asked(1, epoch=epoch)]))[COUPON]
    assert bool(admission.claims) == (admission.state is GateState.OPEN)
    return admission.state


async def seen(gate: Gate, *, older_than_seconds: float = 0) -> GateView:
    return (await gate.view([COUPON], older_than_seconds=older_than_seconds))[COUPON]


class GateContract:
    async def test_only_an_open_gate_of_the_epoch_that_is_meant_says_anything(self, gate: Gate) -> None:
        assert await state(gate) is GateState.ABSENT
        await gate.begin(coupon(epoch=2))
        assert await state(gate, epoch=2) is GateState.LOADING
        assert await state(gate, epoch=1) is GateState.OTHER_EPOCH
        assert await state(gate, epoch=3) is GateState.OTHER_EPOCH
        await gate.open(COUPON, 2)
        assert await state(gate, epoch=2) is GateState.OPEN

    async def test_users_are_let_through_in_their_order_until_the_units_are_gone(self, gate: Gate) -> None:
        await opened(gate, coupon(total=3))

        assert await claims(gate, 5, 4) == [Claim.CLAIMED] * 2
        assert await claims(gate, 9, 8, 7) == [Claim.CLAIMED, Claim.SOLD_OUT, Claim.SOLD_OUT]

    async def test_who_was_let_through_is_told_so_also_when_all_units_are_gone(self, gate: Gate) -> None:
        await opened(gate, coupon(total=2))
        await claims(gate, 1, 2)

        assert await claims(gate, 3, 2, 1) == [Claim.SOLD_OUT, Claim.HELD, Claim.HELD]

    async def test_coupons_of_one_call_have_their_own_counters(self, gate: Gate) -> None:
        await opened(gate, coupon(total=1))
        await opened(gate, coupon(OTHER, total=2))

        admissions = await gate.claim([asked(1, 2), asked(1, 2, 3, coupon_id=OTHER), asked(4, coupon_id=CouponId(7))])

        assert list(admissions[COUPON].claims.values()) == [Claim.CLAIMED, Claim.SOLD_OUT]
        assert list(admissions[OTHER].claims.values()) == [Claim.CLAIMED, Claim.CLAIMED, Claim.SOLD_OUT]
        assert admissions[CouponId(7)].state is GateState.ABSENT

    async def test_a_large_batch_is_let_through_once(self, gate: Gate) -> None:
        await opened(gate, coupon(total=1_500))

        found = await claims(gate, *range(1, 2_501))

        assert found == [Claim.CLAIMED] * 1_500 + [Claim.SOLD_OUT] * 1_000
        assert (await seen(gate)).claims == 1_500

    async def test_a_released_claim_makes_room_for_another_user(self, gate: Gate) -> None:
        await opened(gate, coupon(total=1))
        await claims(gate, 1)

        await gate.release([asked(1, 2)])

        assert await claims(gate, 2, 1) == [Claim.CLAIMED, Claim.SOLD_OUT]

    async def test_who_was_confirmed_meanwhile_is_not_released(self, gate: Gate) -> None:
        await opened(gate, coupon(total=2))
        await claims(gate, 1, 2)
        await gate.confirm(COUPON, 1, [UserId(1)])

        await gate.release([asked(1, 2)])

        assert await claims(gate, 1, 3, 4) == [Claim.HELD, Claim.CLAIMED, Claim.SOLD_OUT]

    async def test_a_release_of_another_epoch_changes_nothing(self, gate: Gate) -> None:
        await opened(gate, coupon(total=1, epoch=2))
        await claims(gate, 1, epoch=2)

        await gate.release([asked(1, epoch=1)])

        assert await claims(gate, 2, 1, epoch=2) == [Claim.SOLD_OUT, Claim.HELD]

    async def test_a_new_gate_is_empty_and_an_old_one_never_replaces_it(self, gate: Gate) -> None:
        await opened(gate, coupon(total=5))
        await claims(gate, 1, 2)

        assert await gate.begin(coupon(total=9, epoch=2))

        view = await seen(gate)
        assert (view.epoch, view.total, view.claims) == (2, 9, 0)
        assert view.loading_seconds is not None
        assert not await gate.begin(coupon(epoch=2))
        assert not await gate.begin(coupon(epoch=1))
        assert not await gate.open(COUPON, 1)
        assert not await gate.confirm(COUPON, 1, [UserId(1)])
        assert (await seen(gate)).claims == 0

    async def test_rows_are_counted_as_claims_that_are_never_old(self, gate: Gate) -> None:
        await gate.begin(coupon(total=3))

        assert await gate.confirm(COUPON, 1, [UserId(1), UserId(2)])
        assert await gate.confirm(COUPON, 1, [UserId(2)])

        view = await seen(gate)
        assert (view.claims, view.confirmed, view.old) == (2, 2, ())
        await gate.open(COUPON, 1)
        assert await claims(gate, 2, 3, 4) == [Claim.HELD, Claim.CLAIMED, Claim.SOLD_OUT]

    async def test_a_claim_is_old_when_its_time_has_passed_and_nobody_confirmed_it(self, gate: Gate) -> None:
        await opened(gate, coupon())
        await claims(gate, 1, 2)

        assert (await seen(gate, older_than_seconds=3_600)).old == ()
        assert {claim.user_id for claim in (await seen(gate)).old} == {1, 2}
        await gate.confirm(COUPON, 1, [UserId(1)])

        view = await seen(gate)
        assert [claim.user_id for claim in view.old] == [2]
        assert (view.claims, view.confirmed) == (2, 1)

    async def test_a_view_shows_so_many_old_claims_and_the_next_one_those_behind_them(self, gate: Gate) -> None:
        await opened(gate, coupon(total=MOST_OLD_CLAIMS + 1))
        await claims(gate, *range(1, MOST_OLD_CLAIMS + 2))

        first = await seen(gate)
        assert (first.claims, len(first.old)) == (MOST_OLD_CLAIMS + 1, MOST_OLD_CLAIMS)
        assert await gate.release_old(COUPON, 1, first.old) == MOST_OLD_CLAIMS

        second = await seen(gate)
        assert {claim.user_id for claim in (*first.old, *second.old)} == set(range(1, MOST_OLD_CLAIMS + 2))

    async def test_only_the_claim_that_was_seen_is_taken_back(self, gate: Gate) -> None:
        await opened(gate, coupon())
        await claims(gate, 1, 2)
        first, second = sorted((await seen(gate)).old, key=lambda claim: claim.user_id)
        other = OldClaim(user_id=second.user_id, mark=second.mark - 1)

        assert await gate.release_old(COUPON, 2, [first]) == 0
        assert await gate.release_old(COUPON, 1, [first, other]) == 1

        assert [claim.user_id for claim in (await seen(gate)).old] == [2]

    async def test_what_is_not_there_is_seen_as_absent(self, gate: Gate) -> None:
        view = await seen(gate)

        assert view == GateView(epoch=None, loading_seconds=None, total=None, claims=0, confirmed=0, old=())
