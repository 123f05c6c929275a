"""A gate behind a circuit breaker: one that is slow, gone or wrong is not asked for a while (R16, R17)."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

import structlog

from doorbuster.coupons.issue_ports import Admission, Asked, GateUnavailable, IssueGate
from doorbuster.infra.circuits import CircuitOpen, Circuits
from doorbuster.kernel.breaker import BreakerPolicy
from doorbuster.kernel.ids import CouponId, UserId

# A call that isn't answered costs a batch a quarter of a second; after three of them nobody pays for a while.
POLICY = BreakerPolicy(failures=3, open_seconds=1.0)

T = TypeVar("T")

log = structlog.get_logger()


class GuardedGate:
    """A gate that raises GateUnavailable at once after it did so some times in a row."""

    def __init__(self, gate: IssueGate, circuits: Circuits) -> None:
        """Take the gate, and what makes the breaker before it."""
        self._gate = gate
        self._circuit = circuits.circuit("coupon-gate", failures=(GateUnavailable,), policy=POLICY)

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        """Return for each coupon what the gate says."""
        return await self._answered(lambda: self._gate.claim(asked))

    async def release(self, asked: Sequence[Asked]) -> None:
        """Take back the claims of these users, but of none whose row was seen."""
        await self._answered(lambda: self._gate.release(asked))

    async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        """Count these users, who have their rows; False if the gate is of another epoch by now."""
        return await self._answered(lambda: self._gate.confirm(coupon_id, epoch, user_ids))

    async def _answered(self, question: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._circuit.call(question)
        except CircuitOpen as exc:
            raise GateUnavailable("the gate is not asked: it did not answer before") from exc
        except GateUnavailable as exc:
            log.warning("coupon_gate_unavailable", error=str(exc))
            raise
