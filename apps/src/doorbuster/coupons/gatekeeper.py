"""Asks the gate on behalf of the API: one that says nothing costs no issue (R16, R17)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from doorbuster.coupons.issue_ports import Admission, Asked, GateState, GateUnavailable, IssueGate
from doorbuster.kernel.ids import CouponId

# As long as one call may take: the answers of a batch wait for it, and they are decided already.
CONFIRM_SECONDS = 0.3

_NOT_ASKED = Admission(state=GateState.UNAVAILABLE, claims={})


class GateObserver(Protocol):
    """Is told what the gate was good for."""

    def asked(self, state: GateState) -> None:
        """Note the state of one coupon's gate in one call."""
        ...


class Gatekeeper:
    """A gate that may be gone; never raises because of it."""

    def __init__(self, gate: IssueGate, *, observer: GateObserver) -> None:
        """Take the gate."""
        self._gate = gate
        self._observer = observer

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        """Return what the gate says of each coupon; UNAVAILABLE if it says nothing."""
        admissions = await self._claim(asked) if asked else {}
        answered = {each.coupon_id: admissions.get(each.coupon_id, _NOT_ASKED) for each in asked}
        for admission in answered.values():
            self._observer.asked(admission.state)
        return answered

    async def release(self, asked: Sequence[Asked]) -> None:
        """Take back claims; what can't be taken back now is left to the reconciler."""
        if not asked:
            return
        try:
            await self._gate.release(asked)
        except GateUnavailable:
            return

    async def confirm(self, holders: Sequence[Asked]) -> None:
        """Count who has the coupon for certain; who can't be counted at once is left to the reconciler."""
        try:
            # One after the other: a batch of many coupons must not take all connections.
            async with asyncio.timeout(CONFIRM_SECONDS):
                for each in holders:
                    await self._gate.confirm(each.coupon_id, each.epoch, each.user_ids)
        except (GateUnavailable, TimeoutError):
            return

    async def _claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        try:
            return await self._gate.claim(asked)
        except GateUnavailable:
            return {}
