from collections.abc import Sequence
from dataclasses import replace

import pytest

from doorbuster.coupons import gate_upkeep
from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.gate_upkeep import (
    LOADING_SECONDS,
    MOST_COUPONS,
    PAGE_USERS,
    GateBuilder,
    GateEvent,
    GateUpkeep,
    Repair,
    counts_too_many,
    judge,
)
from doorbuster.coupons.issue_ports import MOST_OLD_CLAIMS, Claim, GateState, GateUnavailable, GateView, OldClaim
from doorbuster.kernel.errors import DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import CouponId, UserId
from tests.unit.doorbuster.coupons.fake_gate import FakeGate
from tests.unit.doorbuster.coupons.gate_contract import claims, opened, seen, state
from tests.unit.doorbuster.coupons.issues import COUPON, OTHER, MemoryCoupons, command, coupon

OPEN = GateView(epoch=1, loading_seconds=None, total=5, claims=3, confirmed=3, old=())


class World:
    """A gate and a database that agree, until a test says otherwise."""

    def __init__(self) -> None:
        self.gate = FakeGate()
        self.database = MemoryCoupons()
        self.upkeep = GateUpkeep(self.gate, self.database)

    async def issue(self, *users: int) -> None:
        await self.database.issue([command(user, user) for user in users])

    async def look(self) -> dict[GateEvent, int]:
        return dict((await self.upkeep.look()).events)

    def epoch(self) -> int:
        return self.database.coupons[COUPON].epoch


@pytest.fixture
async def world() -> World:
    world = World()
    await opened(world.gate, world.database.coupons[COUPON])
    return world


@pytest.mark.parametrize(
    ("row", "view", "repair"),
    [
        (coupon(issued=3), OPEN, Repair.NONE),
        (coupon(issued=2), OPEN, Repair.NONE),
        (coupon(issued=4), OPEN, Repair.COUNT_ROWS),
        (coupon(issued=3, epoch=2), OPEN, Repair.REBUILD),
        (coupon(issued=3, total=6), OPEN, Repair.REBUILD),
        (coupon(), replace(OPEN, epoch=None, total=None), Repair.REBUILD),
        (coupon(issued=4), replace(OPEN, loading_seconds=LOADING_SECONDS), Repair.NONE),
        (coupon(issued=4), replace(OPEN, loading_seconds=LOADING_SECONDS + 1), Repair.REBUILD),
    ],
)
def test_what_a_gate_needs(row: Coupon, view: GateView, repair: Repair) -> None:
    assert judge(row, view) is repair


@pytest.mark.parametrize(("row", "wrong"), [(coupon(issued=3), False), (coupon(issued=2), True)])
def test_more_confirmed_than_there_are_rows_is_wrong(row: Coupon, wrong: bool) -> None:  # noqa: FBT001  # a case
    assert counts_too_many(row, OPEN) is wrong


async def test_a_missing_gate_is_made_from_the_rows_under_a_new_epoch() -> None:
    world = World()
    await world.issue(1, 2, 3)

    assert await world.look() == {GateEvent.REBUILT: 1}

    assert world.epoch() == 2
    view = await seen(world.gate)
    assert (view.epoch, view.claims, view.confirmed) == (2, 3, 3)
    assert await claims(world.gate, 3, 4, 5, 6, epoch=2) == [
        Claim.HELD, Claim.CLAIMED, Claim.CLAIMED, Claim.SOLD_OUT,
    ]  # fmt: skip
    assert await world.look() == {}


async def test_a_gate_of_a_later_epoch_than_the_coupons_is_replaced() -> None:
    # The database came back from a backup.
    world = World()
    await opened(world.gate, coupon(epoch=9))

    assert await world.look() == {GateEvent.REBUILT: 1}
    assert world.epoch() == 10
    assert await state(world.gate, epoch=10) is GateState.OPEN


async def test_old_claims_become_what_the_rows_are(world: World) -> None:
    await claims(world.gate, 1, 2)
    await world.issue(1)
    world.gate.now_ms += 10_001
    await claims(world.gate, 3)

    assert await world.look() == {GateEvent.CONFIRMED: 1, GateEvent.RELEASED: 1}

    view = await seen(world.gate)
    assert (view.claims, view.confirmed) == (2, 1)
    assert await claims(world.gate, 1, 3, 2) == [Claim.HELD, Claim.HELD, Claim.CLAIMED]


async def old_claims(world: World, many: int) -> None:
    row = coupon(total=many, epoch=2)
    world.database.coupons[COUPON] = row
    await opened(world.gate, row)
    await claims(world.gate, *range(1, many + 1), epoch=2)
    world.gate.now_ms += 10_001


async def test_one_look_settles_all_old_claims_however_many(world: World) -> None:
    many = 3 * MOST_OLD_CLAIMS + 1
    await old_claims(world, many)
    await world.issue(*range(1, many + 1, 2))

    assert await world.look() == {GateEvent.CONFIRMED: many // 2 + 1, GateEvent.RELEASED: many // 2}

    view = await seen(world.gate)
    assert (view.claims, view.confirmed) == (many // 2 + 1, many // 2 + 1)


async def test_a_look_reads_so_many_pages_of_claims_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_upkeep, "MOST_PAGES", 2)
    await old_claims(world, 4 * MOST_OLD_CLAIMS)

    assert await world.look() == {GateEvent.RELEASED: 3 * MOST_OLD_CLAIMS}
    assert await world.look() == {GateEvent.RELEASED: MOST_OLD_CLAIMS}


async def test_claims_that_do_not_change_are_not_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def changed_meanwhile(coupon_id: CouponId, epoch: int, claims: Sequence[OldClaim]) -> int:
        return 0

    await old_claims(world, MOST_OLD_CLAIMS)
    monkeypatch.setattr(world.gate, "release_old", changed_meanwhile)
    world.gate.calls.clear()

    assert await world.look() == {}
    assert world.gate.calls == ["view"]


async def test_rows_that_the_gate_does_not_know_are_counted(world: World) -> None:
    await world.issue(1, 2, 3)

    assert await world.look() == {GateEvent.COUNTED: 1}

    assert (await seen(world.gate)).confirmed == 3
    assert world.epoch() == 1


async def test_a_gate_that_takes_for_rows_what_is_none_is_made_anew(world: World) -> None:
    await world.gate.confirm(COUPON, 1, [UserId(1)])

    assert await world.look() == {GateEvent.REBUILT: 1}
    assert (await seen(world.gate)).claims == 0


async def test_a_gate_that_began_to_load_a_moment_ago_is_left_alone() -> None:
    world = World()
    await world.gate.begin(world.database.coupons[COUPON])

    assert await world.look() == {}
    world.gate.now_ms += int(LOADING_SECONDS * 1000) + 1
    assert await world.look() == {GateEvent.REBUILT: 1}


async def test_a_coupon_that_has_ended_needs_no_gate() -> None:
    world = World()
    world.database.now = world.database.coupons[COUPON].valid_until

    assert await world.look() == {}
    assert world.gate.calls == []


async def test_a_look_has_a_bound_and_the_next_one_goes_on_behind_it() -> None:
    world = World()
    ids = [CouponId(number) for number in range(1, MOST_COUPONS + 3)]
    world.database.coupons = {each: coupon(each) for each in ids}

    assert await world.look() == {GateEvent.REBUILT: MOST_COUPONS}
    assert await world.look() == {GateEvent.REBUILT: 2}
    assert await world.look() == {}


@pytest.mark.parametrize("error", [GateUnavailable("no answer"), NotAccepted("no primary"), OutcomeUnknown("perhaps")])
async def test_what_goes_wrong_with_one_coupon_stops_no_other(error: DoorbusterError) -> None:
    class OneFails(MemoryCoupons):
        async def next_epoch(self, coupon_id: CouponId, *, behind: int) -> Coupon | None:
            if coupon_id == COUPON:
                raise error
            return await super().next_epoch(coupon_id, behind=behind)

    database = OneFails(coupons={each: coupon(each) for each in (COUPON, OTHER, CouponId(3))})

    report = await GateUpkeep(FakeGate(), database).look()

    assert report.events == {GateEvent.REBUILT: 2}
    assert report.failure is error


async def test_a_gate_that_is_gone_is_nothing_to_look_after(world: World) -> None:
    world.gate.gone = True

    with pytest.raises(GateUnavailable):
        await world.look()
    assert world.epoch() == 1


async def test_all_pages_of_rows_are_counted() -> None:
    world = World()
    many = 2 * PAGE_USERS + 1
    world.database.coupons[COUPON] = coupon(total=many)
    await world.issue(*range(1, many + 1))

    assert await GateBuilder(world.gate, world.database).rebuild(COUPON)

    assert (await seen(world.gate)).confirmed == many


async def test_of_two_that_rebuild_at_once_the_later_epoch_stays(world: World) -> None:
    builder = GateBuilder(world.gate, world.database)
    earlier = await world.database.next_epoch(COUPON, behind=0)
    assert earlier is not None

    assert await builder.rebuild(COUPON)

    assert not await builder.build(earlier)
    assert (await seen(world.gate)).epoch == 3
    assert await state(world.gate, epoch=3) is GateState.OPEN


async def test_an_unknown_coupon_has_no_gate(world: World) -> None:
    assert not await GateBuilder(world.gate, world.database).rebuild(CouponId(99))
