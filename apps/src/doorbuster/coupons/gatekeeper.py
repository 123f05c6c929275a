"""Asks the gate on behalf of the API: a gate that is slow, gone or wrong costs little time and no issue (R16, R17)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from doorbuster.coupons.issue_ports import Admission, Asked, GateState, GateUnavailable, IssueGate
from doorbuster.kernel.breaker import Breaker, BreakerPolicy
from doorbuster.kernel.ids import CouponId

# A call that isn't answered costs a batch a quarter of a second; after three of them nobody pays for a while.
POLICY = BreakerPolicy(failures=3, open_seconds=1.0)
_NOT_ASKED = Admission(state=GateState.UNAVAILABLE, claims={})

log = structlog.get_logger()


class GateObserver(Protocol):
    """Is told what the gate was good for."""

    def asked(self, state: GateState) -> None:
        """Note the state of one coupon's gate in one call."""
        ...


class Gatekeeper:
    """A gate behind a circuit breaker; never raises because of it."""

    def __init__(self, gate: IssueGate, *, monotonic: Callable[[], float], observer: GateObserver) -> None:
        """Take the gate, and seconds that only grow."""
        self._gate = gate
        self._monotonic = monotonic
        self._observer = observer
        self._breaker = Breaker(policy=POLICY)

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        """Return what the gate says of each coupon; UNAVAILABLE if it says nothing in time, or isn't asked now."""
        admissions = await self._claim(asked) if asked else {}
        answered = {each.coupon_id: admissions.get(each.coupon_id, _NOT_ASKED) for each in asked}
        for admission in answered.values():
            self._observer.asked(admission.state)
        return answered

    async def release(self, asked: Sequence[Asked]) -> None:
        """Take back claims; what can't be taken back now is left to the reconciler."""
        if not asked or self._breaker.allowed(self._monotonic()) == 0:
            return
        self._breaker = self._breaker.begun()
        try:
            await self._gate.release(asked)
        except GateUnavailable as exc:
            self._failed(exc)
        else:
            self._breaker = self._breaker.succeeded()

    async def _claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        if self._breaker.allowed(self._monotonic()) == 0:
            return {}
        self._breaker = self._breaker.begun()
        try:
            admissions = await self._gate.claim(asked)
        except GateUnavailable as exc:
            self._failed(exc)
            return {}
        self._breaker = self._breaker.succeeded()
        return admissions

    def _failed(self, error: GateUnavailable) -> None:
        self._breaker = self._breaker.failed(self._monotonic())
        log.warning("coupon_gate_unavailable", error=str(error), tripped=self._breaker.tripped)
