"""A gate in memory; passes the same tests as the one in Redis."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from doorbuster.coupons.coupon import Coupon
from doorbuster.coupons.issue_ports import (
    MOST_OLD_CLAIMS,
    Admission,
    Asked,
    Claim,
    GateState,
    GateUnavailable,
    GateView,
    OldClaim,
)
from doorbuster.kernel.ids import CouponId, UserId

CONFIRMED = 0


@dataclass
class _Gate:
    epoch: int
    total: int
    since: int
    loading: bool = True
    users: dict[UserId, int] = field(default_factory=dict)


@dataclass
class FakeGate:
    """Attributes:
    now_ms: its clock.
    gone: nobody answers.
    calls: names of the methods that were called.
    """

    now_ms: int = 1_000_000
    gone: bool = False
    gates: dict[CouponId, _Gate] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def claim(self, asked: Sequence[Asked]) -> Mapping[CouponId, Admission]:
        self._called("claim")
        return {each.coupon_id: self._admission(each) for each in asked}

    async def release(self, asked: Sequence[Asked]) -> None:
        self._called("release")
        for each in asked:
            gate = self._of(each.coupon_id, each.epoch)
            users = {} if gate is None else gate.users
            for user_id in each.user_ids:
                if users.get(user_id, CONFIRMED) != CONFIRMED:
                    del users[user_id]

    async def view(self, coupon_ids: Sequence[CouponId], *, older_than_seconds: float) -> Mapping[CouponId, GateView]:
        self._called("view")
        return {each: self._view(each, self.now_ms - int(older_than_seconds * 1000)) for each in coupon_ids}

    async def confirm(self, coupon_id: CouponId, epoch: int, user_ids: Collection[UserId]) -> bool:
        self._called("confirm")
        gate = self._of(coupon_id, epoch)
        if gate is None:
            return False
        gate.users |= dict.fromkeys(user_ids, CONFIRMED)
        return True

    async def release_old(self, coupon_id: CouponId, epoch: int, claims: Sequence[OldClaim]) -> int:
        self._called("release_old")
        gate = self._of(coupon_id, epoch)
        if gate is None:
            return 0
        same = [claim.user_id for claim in claims if gate.users.get(claim.user_id) == claim.mark]
        for user_id in same:
            del gate.users[user_id]
        return len(same)

    async def begin(self, coupon: Coupon) -> bool:
        self._called("begin")
        known = self.gates.get(coupon.id)
        if known is not None and known.epoch >= coupon.epoch:
            return False
        self.gates[coupon.id] = _Gate(epoch=coupon.epoch, total=coupon.total, since=self.now_ms)
        return True

    async def open(self, coupon_id: CouponId, epoch: int) -> bool:
        self._called("open")
        gate = self._of(coupon_id, epoch)
        if gate is None:
            return False
        gate.loading = False
        return True

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.gone:
            raise GateUnavailable("nobody answers")

    def _of(self, coupon_id: CouponId, epoch: int) -> _Gate | None:
        gate = self.gates.get(coupon_id)
        return gate if gate is not None and gate.epoch == epoch else None

    def _admission(self, asked: Asked) -> Admission:
        gate = self.gates.get(asked.coupon_id)
        if gate is None:
            return Admission(state=GateState.ABSENT, claims={})
        if gate.epoch != asked.epoch:
            return Admission(state=GateState.OTHER_EPOCH, claims={})
        if gate.loading:
            return Admission(state=GateState.LOADING, claims={})
        return Admission(state=GateState.OPEN, claims={each: self._claim(gate, each) for each in asked.user_ids})

    def _claim(self, gate: _Gate, user_id: UserId) -> Claim:
        if user_id in gate.users:
            return Claim.HELD
        if len(gate.users) >= gate.total:
            return Claim.SOLD_OUT
        gate.users[user_id] = self.now_ms
        return Claim.CLAIMED

    def _view(self, coupon_id: CouponId, before: int) -> GateView:
        gate = self.gates.get(coupon_id)
        if gate is None:
            return GateView(epoch=None, loading_seconds=None, total=None, claims=0, confirmed=0, old=())
        old = sorted((mark, user) for user, mark in gate.users.items() if CONFIRMED < mark <= before)
        return GateView(
            epoch=gate.epoch,
            loading_seconds=(self.now_ms - gate.since) / 1000 if gate.loading else None,
            total=gate.total,
            claims=len(gate.users),
            confirmed=sum(mark == CONFIRMED for mark in gate.users.values()),
            old=tuple(OldClaim(user_id=user, mark=mark) for mark, user in old[:MOST_OLD_CLAIMS]),
        )
