import asyncio
from collections.abc import Collection, Sequence

import pytest
from structlog.testing import capture_logs

from doorbuster.coupons import gatekeeper
from doorbuster.coupons.gatekeeper import Gatekeeper
from doorbuster.coupons.guarded_gate import POLICY, GuardedGate
from doorbuster.coupons.issue_ports import Claim, GateState
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.ids import CouponId, UserId
from tests.unit.doorbuster.coupons.fake_gate import FakeGate
from tests.unit.doorbuster.coupons.gate_contract import asked, opened
from tests.unit.doorbuster.coupons.issues import COUPON, OTHER, Clock, coupon


class States:
    def __init__(self) -> None:
        self.seen: list[GateState] = []

    def asked(self, state: GateState) -> None:
        self.seen.append(state)


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate()


def keeper(gate: FakeGate, clock: Clock | None = None, states: States | None = None) -> Gatekeeper:
    return Gatekeeper(
        GuardedGate(gate, Circuits(Dependency.REDIS, clock=clock or Clock())), observer=states or States()
    )


async def fail(keeper: Gatekeeper, times: int) -> Sequence[GateState]:
    with capture_logs():
        return [(await keeper.claim([asked(1)]))[COUPON].state for _ in range(times)]


async def test_what_the_gate_says_is_passed_on_and_told(gate: FakeGate) -> None:
    await opened(gate, coupon(total=1))
    states = States()

    admissions = await keeper(gate, states=states).claim([asked(1, 2), asked(1, coupon_id=OTHER)])

    assert admissions[COUPON].claims == {UserId(1): Claim.CLAIMED, UserId(2): Claim.SOLD_OUT}
    assert states.seen == [GateState.OPEN, GateState.ABSENT]


async def test_a_gate_that_is_gone_is_unavailable_and_after_some_calls_not_asked_any_more(gate: FakeGate) -> None:
    gate.gone = True

    assert await fail(keeper(gate), 5) == [GateState.UNAVAILABLE] * 5

    assert len(gate.calls) == POLICY.failures


async def test_a_gate_that_is_back_is_found_by_one_call(gate: FakeGate) -> None:
    clock = Clock()
    found = keeper(gate, clock)
    gate.gone = True
    await fail(found, POLICY.failures)

    gate.gone = False
    await opened(gate, coupon())
    assert await fail(found, 1) == [GateState.UNAVAILABLE]
    clock.seconds = POLICY.open_seconds

    assert (await found.claim([asked(1)]))[COUPON].state is GateState.OPEN


async def test_a_release_that_fails_is_left_to_the_reconciler(gate: FakeGate) -> None:
    gate.gone = True

    with capture_logs() as logged:
        await keeper(gate).release([asked(1)])

    assert [entry["event"] for entry in logged] == ["coupon_gate_unavailable"]


async def test_holders_of_several_coupons_are_counted(gate: FakeGate) -> None:
    await opened(gate, coupon())
    await opened(gate, coupon(OTHER, epoch=2))

    await keeper(gate).confirm([asked(1), asked(2, coupon_id=OTHER), asked(3, coupon_id=OTHER, epoch=2)])

    assert [set(gate.gates[each].users) for each in (COUPON, OTHER)] == [{1}, {3}]


async def test_holders_that_can_not_be_counted_are_left_to_the_reconciler(gate: FakeGate) -> None:
    gate.gone = True

    with capture_logs() as logged:
        await keeper(gate).confirm([asked(1)])

    assert [entry["event"] for entry in logged] == ["coupon_gate_unavailable"]


async def test_answers_wait_for_a_slow_gate_to_count_holders_no_longer_than_for_one_call(
    gate: FakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        return await asyncio.Future()

    monkeypatch.setattr(gate, "confirm", never)
    monkeypatch.setattr(gatekeeper, "CONFIRM_SECONDS", 0.01)

    async with asyncio.timeout(5):
        await keeper(gate).confirm([asked(1), asked(1, coupon_id=OTHER)])


async def test_nothing_to_ask_is_no_call(gate: FakeGate) -> None:
    assert await keeper(gate).claim([]) == {}
    await keeper(gate).release([])
    await keeper(gate).confirm([])

    assert gate.calls == []
